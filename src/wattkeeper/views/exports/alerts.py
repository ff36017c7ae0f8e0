"""Alerts as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wattkeeper.base.accounts.callers import Caller
from wattkeeper.base.accounts.queries import names_of
from wattkeeper.flow.alerts.filters import AlertFilter, filter_of
from wattkeeper.views.exports.lists import ListExport, Row, pks_of, rows_of
from wattkeeper.views.exports.tables import Column, Table

_PEOPLE = ("acknowledged_by", "resolved_by", "shelved_by")  # identities; people read names
_FIELDS = {
    "pk": Column("id", "Id"),
    "asset__key": Column("asset_key", "Thing"),
    "asset__name": Column("asset_name", "Name"),
    "asset__site": Column("site", "Site"),
    "kind": Column("kind", "Kind"),
    "level": Column("alert_level", "Level"),
    "alert_type": Column("alert_type", "Type"),
    "message": Column("message", "Message"),
    "value": Column("value", "Value"),
    "limit": Column("limit", "Limit"),
    "rule__name": Column("rule", "Rule"),
    "opened_at": Column("opened_at", "Opened"),
    "created_at": Column("created_at", "Raised"),
    "cleared_at": Column("cleared_at", "Cleared"),
    "resolved_at": Column("resolved_at", "Over"),
    "resolved_by": Column("resolved_by", "Ended by"),
    "acknowledged_at": Column("acknowledged_at", "Acknowledged"),
    "acknowledged_by": Column("acknowledged_by", "Acknowledged by"),
    "assigned_to__username": Column("assigned_to", "Assigned to"),
    "shelved_until": Column("shelved_until", "Shelved until"),
    "shelve_reason": Column("shelve_reason", "Shelved because"),
    "shelved_by": Column("shelved_by", "Shelved by"),
}


class AlertsExport(ListExport):
    """GET alerts as a file: those that the same filters show on the page."""

    stem = "alerts"

    def table(self, parameters: Mapping[str, Sequence[str]], caller: Caller) -> Table:
        return alerts_table(filter_of(parameters, caller=caller), with_tenant=caller.above_tenants)


def alerts_table(chosen: AlertFilter, *, with_tenant: bool) -> Table:
    """The alerts in the filter's order; times in UTC, people and keys by their names, the tenant's slug if wanted."""
    columns = {**_FIELDS, **({"tenant__slug": Column("tenant", "Tenant")} if with_tenant else {})}
    pks = pks_of(chosen.alerts())

    def ask(chunk: Sequence[int]) -> Mapping[int, Row]:
        rows = {row[0]: row for row in chosen.among(chunk).values_list(*columns)}
        names = {"": "", **names_of({row[place] for row in rows.values() for place in people if row[place]})}
        return {
            pk: tuple(names[cell] if place in people else cell for place, cell in enumerate(row))
            for pk, row in rows.items()
        }

    people = {place for place, name in enumerate(columns) if name in _PEOPLE}
    return Table(name="Alerts", columns=list(columns.values()), rows=rows_of(pks, ask), count=len(pks))

"""The things of a kind as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from wattkeeper.base.accounts.callers import Caller
from wattkeeper.base.assets.filters import AssetFilter, filter_of
from wattkeeper.base.assets.states import state_channels
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.base.core import clock
from wattkeeper.views.exports.lists import ListExport, Row, pks_of, rows_of
from wattkeeper.views.exports.tables import Column, Table


class AssetsExport(ListExport):
    """GET the things of a kind, which its subclass names, as a file: those that the same filters show in the list."""

    kind: ClassVar[Kind]

    def table(self, parameters: Mapping[str, Sequence[str]], caller: Caller) -> Table:
        chosen = filter_of(parameters, kind=self.kind, caller=caller)
        return assets_table(chosen, with_tenant=caller.above_tenants)


def assets_table(chosen: AssetFilter, *, with_tenant: bool) -> Table:
    """Key, name, site, tenant (a slug) if wanted, last reading (UTC), and each channel of the state."""
    kind, state = chosen.kind, chosen.kind.state_relation
    tenant = [("tenant__slug", Column("tenant", "Tenant"))] if with_tenant else []
    said = [
        ("key", Column("key", kind.label)),
        ("name", Column("name", "Name")),
        ("site", Column("site", "Site")),
        *tenant,
        (f"{state}__at", Column("at", "Last reading")),
        *((f"{state}__{channel.name}", Column(channel.name, channel.title)) for channel in state_channels(kind)),
    ]
    now = clock.now()
    fields = [field for field, _ in said]
    pks = pks_of(chosen.assets(now=now))

    def ask(chunk: Sequence[int]) -> Mapping[int, Row]:
        """What has moved out of the filter in the meantime is not found."""
        return {pk: tuple(row) for pk, *row in chosen.among(chunk, now=now).values_list("pk", *fields)}

    columns = [column for _, column in said]
    return Table(name=kind.label_plural, columns=columns, rows=rows_of(pks, ask), count=len(pks))

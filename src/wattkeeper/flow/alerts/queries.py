"""What is asked about alerts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Count, F, Q, QuerySet, Value, When

from wattkeeper.base.assets.many import among
from wattkeeper.base.assets.queries import known_first
from wattkeeper.base.catalog.alerting import Level
from wattkeeper.flow.alerts.machine import Phase, Watch
from wattkeeper.flow.alerts.models import Alert, Group, Happening, RuleState, Transition, group_and_level

Pair = tuple[int, int]  # the ids of a rule and of an asset

_IDS_A_QUESTION = 5_000

# Of each ordering the columns; `-` before its name turns them round.
ORDERINGS = ("created_at", "opened_at", "updated_at", "resolved_at", "alert_level", "alert_type", "asset_key")
_COLUMNS = {"alert_level": "severity", "asset_key": "asset__key"}
_SEVERITY = Case(*(When(level=level.value, then=Value(number)) for number, level in enumerate(Level)))


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCounts:
    """How many alerts people have not hidden; of the unresolved ones, how many are critical."""

    total: int
    unresolved: int
    critical: int


def watched_of(asset_ids: Iterable[int], *, lock: bool = False) -> dict[Pair, Watch]:
    """The pairs of those assets that are not clear. `lock`: nobody else changes them until the commit."""
    states = RuleState.objects.select_for_update() if lock else RuleState.objects.all()
    columns = ("rule_id", "asset_id", "phase", "since", "at", "chattering", "alert_id")
    found = states.filter(asset_id__in=among(set(asset_ids))).order_by("pk")
    return {
        (rule_id, asset_id): Watch(Phase(phase), *rest)
        for rule_id, asset_id, phase, *rest in found.values_list(*columns)
    }


def alerts_of(
    tenant_id: int | None,
    *,
    is_resolved: bool | None = None,
    acknowledged: bool | None = None,
    shelved: bool | None = None,
    level: str = "",
    alert_type: str = "",
    kind: str = "",
    site: str = "",
    asset_id: int | None = None,
    rule_id: int | None = None,
    assigned_to: int | None = None,
    search: str = "",
    ordering: str = "-created_at",
) -> QuerySet[Alert]:
    """The alerts of a tenant (None: of all) that nobody has hidden, with their assets and who has them.

    `search` stands in the alert's type or the asset's key. `ordering` is one of ORDERINGS, with a `-` for descending;
    levels in the order of their severity.
    """
    alerts = Alert.objects.filter(hidden_at=None).select_related("asset", "assigned_to")
    if asset_id is not None:
        # By the asset's tenant: by its own, SQLite would walk through all of the tenant's alerts in their order.
        alerts = alerts.filter(asset_id=asset_id, **({} if tenant_id is None else {"asset__tenant_id": tenant_id}))
    elif tenant_id is not None:
        alerts = alerts.filter(tenant_id=tenant_id)
    given = {"level": level, "alert_type": alert_type, "kind": kind}
    alerts = alerts.filter(**{name: text for name, text in given.items() if text})
    if site:
        alerts = alerts.filter(asset__site=site)
    if rule_id is not None:
        alerts = alerts.filter(rule_id=rule_id)
    if assigned_to is not None:
        alerts = alerts.filter(assigned_to_id=assigned_to)
    for column, is_set in (("resolved_at", is_resolved), ("acknowledged_at", acknowledged), ("shelved_until", shelved)):
        if is_set is not None:
            alerts = alerts.filter(**{f"{column}__isnull": not is_set})
    if search:
        alerts = alerts.filter(Q(alert_type__icontains=search) | Q(asset__key__icontains=search))
    return _ordered(alerts, ordering)


def urgent_first(alerts: QuerySet[Alert]) -> QuerySet[Alert]:
    """Those of `alerts` that ask for somebody: open, or over by themselves without anybody having acknowledged them.

    In the order of their Group, in it the worst level first, then the newest: an index has them so.
    """
    return alerts.filter(urgency__isnull=False).order_by("urgency", "-created_at", "-pk")


def alert_by_id(pk: int, *, tenant_id: int | None) -> Alert | None:
    """The alert of that id, if the tenant (None: any) has it and nobody has hidden it."""
    return alerts_of(tenant_id).filter(pk=pk).first()


def alerts_by_ids(pks: Iterable[int]) -> list[Alert]:
    """Those alerts, also hidden ones, of whichever tenant, with their assets and who has them; in the order of ids."""
    ids, found = sorted(set(pks)), list[Alert]()
    alerts = Alert.objects.select_related("asset", "assigned_to").order_by("pk")
    for start in range(0, len(ids), _IDS_A_QUESTION):
        found += alerts.filter(pk__in=ids[start : start + _IDS_A_QUESTION])
    return found


def unresolved_versions(asset_ids: Iterable[int]) -> list[tuple[int, datetime]]:
    """The unresolved alerts of those assets that nobody has hidden, and when each was last written."""
    ids, found = sorted(set(asset_ids)), list[tuple[int, datetime]]()
    open_ones = Alert.objects.filter(resolved_at=None, hidden_at=None).order_by()
    for start in range(0, len(ids), _IDS_A_QUESTION):
        rows = open_ones.filter(asset_id__in=ids[start : start + _IDS_A_QUESTION])
        found += rows.values_list("pk", "updated_at")
    return found


def newest_ids_of(asset_ids: Iterable[int], *, most: int) -> list[int]:
    """The ids of the newest alerts of those assets that nobody has hidden, resolved or not."""
    alerts = Alert.objects.filter(asset_id__in=list(asset_ids), hidden_at=None)
    return list(alerts.order_by("-pk").values_list("pk", flat=True)[:most])


def transitions_of(alert: Alert) -> QuerySet[Transition]:
    """All that happened to the alert, the oldest first."""
    return Transition.objects.filter(alert=alert).order_by("pk")


def urgent_counts(tenant_id: int | None, *, kind: str = "", site: str = "") -> dict[tuple[Group, Level], int]:
    """How many alerts of each group and level the tenant (None: all of them) has; without the pairs that have none."""
    alerts = Alert.objects.filter(urgency__isnull=False)
    if tenant_id is not None:
        alerts = alerts.filter(tenant_id=tenant_id)
    if kind:
        alerts = alerts.filter(kind=kind)
    if site:
        alerts = alerts.filter(asset__site=site)
    rows = alerts.order_by().values_list("urgency").annotate(count=Count("pk"))
    return {group_and_level(urgency): count for urgency, count in rows if urgency is not None}


def posters_of(alert_ids: Collection[int]) -> dict[int, str]:
    """Who opened each of those alerts: a person's or a key's identity, or `rule`."""
    opened = Transition.objects.filter(alert_id__in=alert_ids, kind=Happening.OPENED)
    return dict(opened.values_list("alert_id", "by"))


def alert_counts(tenant_id: int | None, *, kind: str = "", site: str = "") -> AlertCounts:
    """How many alerts the tenant (None: all of them) has, of one kind of thing or of all, at one site or everywhere."""
    alerts = _counted(tenant_id, kind, site)
    # Two questions, each answered out of an index of its own: one would go through all alerts that ever were.
    unresolved = alerts.filter(resolved_at=None).aggregate(
        all=Count("pk"), critical=Count("pk", filter=Q(level=Level.CRITICAL.value))
    )
    return AlertCounts(total=alerts.count(), unresolved=unresolved["all"], critical=unresolved["critical"])


def unresolved_count(tenant_id: int | None) -> int:
    """How many alerts of the tenant (None: of all of them) are not over; out of an index alone."""
    return _counted(tenant_id, "", "").filter(resolved_at=None).count()


def types_counted(tenant_id: int | None, *, kind: str = "", site: str = "", unresolved: bool = False) -> dict[str, int]:
    """How many alerts there are of each type that there is, the most frequent first."""
    return _counted_by("alert_type", _counted(tenant_id, kind, site), unresolved)


def levels_counted(
    tenant_id: int | None, *, kind: str = "", site: str = "", unresolved: bool = False
) -> dict[str, int]:
    """How many alerts there are of each level that there is, the most frequent first."""
    return _counted_by("level", _counted(tenant_id, kind, site), unresolved)


def open_counts_of(rule_ids: Iterable[int]) -> dict[int, int]:
    """How many unresolved alerts each of these rules has; those without any are left out."""
    alerts = Alert.objects.filter(rule_id__in=list(rule_ids), resolved_at=None, hidden_at=None)
    rows = alerts.order_by().values_list("rule_id").annotate(count=Count("pk"))
    return {rule_id: count for rule_id, count in rows if rule_id is not None}


def _counted(tenant_id: int | None, kind: str, site: str) -> QuerySet[Alert]:
    alerts = Alert.objects.filter(hidden_at=None, **({"asset__site": site} if site else {}))
    if tenant_id is not None:
        alerts = alerts.filter(tenant_id=tenant_id)
    return alerts.filter(kind=kind) if kind else alerts


def _counted_by(column: str, alerts: QuerySet[Alert], unresolved: bool) -> dict[str, int]:
    found = alerts.filter(resolved_at=None) if unresolved else alerts
    rows = found.order_by().values_list(column).annotate(count=Count("pk")).order_by("-count", column)
    return dict(rows)


def _ordered(alerts: QuerySet[Alert], ordering: str) -> QuerySet[Alert]:
    name, minus = ordering.removeprefix("-"), "-" if ordering.startswith("-") else ""
    if name == "alert_level":
        alerts = alerts.alias(severity=_SEVERITY)
    column = _COLUMNS.get(name, name)
    last = known_first(F(column), descending=bool(minus))
    return alerts.order_by(last if name == "resolved_at" else f"{minus}{column}", f"{minus}pk")

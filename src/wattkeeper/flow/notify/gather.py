"""Works off what happens to alerts: each transition once, into the notifications of the routes that want it.

One at a time, whoever does it: a round is one transaction, under the lock of the mark's row, so that a crash leaves a
round done or not begun.

On PostgreSQL ids are not committed in their order: another transaction may still hold a lower one. Such ids are noted
as missing, with the number that the next transaction to begin would have had. Whoever may have them has begun before
(a transition is written after its alert, so that its transaction has its number before the transition has its id):
when all transactions before that number are over, what is there now is all that there ever will be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import reduce
from operator import or_

from django.db import connection, transaction
from django.db.models import Max, Q, QuerySet

from wattkeeper.base.catalog.alerting import Level
from wattkeeper.flow.alerts.models import Alert, Transition
from wattkeeper.flow.notify.heard import told_or_tried
from wattkeeper.flow.notify.joining import Item, happened_of, items_join, spec_of
from wattkeeper.flow.notify.models import GatherMark, NewsItem, Route
from wattkeeper.flow.notify.routing import ENDINGS, OPENINGS, RAISED, is_at_least, wants

_MARK = "transitions"
_AT_ONCE = 1_000

Gap = tuple[int, int, int]  # first id, last id, and the transaction before which whoever may have them has begun


def transitions_gather() -> int:
    """Work off all that has happened; gives how many transitions. The first call ever only notes where to begin."""
    worked_off = 0
    while count := _round():
        worked_off += count
    return worked_off


def _round() -> int:
    newest = Transition.objects.aggregate(newest=Max("pk"))["newest"] or 0
    mark, is_new = GatherMark.objects.get_or_create(name=_MARK, defaults={"newest": newest})
    if is_new or not (mark.missing or newest > mark.newest):
        return 0
    with transaction.atomic():
        mark = GatherMark.objects.select_for_update().get(name=_MARK)
        gaps: list[Gap] = [(first, last, began_before) for first, last, began_before in mark.missing]
        # Who is still at work is asked before what is there.
        at_work = _oldest_at_work() if gaps else 0
        late = list(_late(gaps)) if gaps else []
        new = list(Transition.objects.filter(pk__gt=mark.newest).order_by("pk")[:_AT_ONCE])
        gaps = _without([gap for gap in gaps if gap[2] > at_work], [one.pk for one in late])
        mark.missing = gaps + _gaps_in(mark.newest, [one.pk for one in new])
        mark.newest = new[-1].pk if new else mark.newest
        mark.save()
        _work_off([*late, *new])
    return len(late) + len(new)


def _late(gaps: Iterable[Gap]) -> QuerySet[Transition]:
    within = reduce(or_, (Q(pk__gte=first, pk__lte=last) for first, last, _ in gaps))
    return Transition.objects.filter(within).order_by("pk")


def _gaps_in(newest: int, ids: Sequence[int]) -> list[Gap]:
    """What is missing between the rising `ids`, from `newest` on."""
    # SQLite has one writer at a time: what is missing there will not come.
    if connection.vendor != "postgresql":
        return []
    pairs = zip([newest, *ids], ids, strict=False)
    holes = [(before + 1, after - 1) for before, after in pairs if after > before + 1]
    began_before = _next_to_begin() if holes else 0
    return [(first, last, began_before) for first, last in holes]


def _without(gaps: Iterable[Gap], found: Collection[int]) -> list[Gap]:
    """The gaps around what has been found."""
    left: list[Gap] = []
    for first, last, began_before in gaps:
        start = first
        for pk in sorted(pk for pk in found if first <= pk <= last):
            left += [(start, pk - 1, began_before)] if start < pk else []
            start = pk + 1
        left += [(start, last, began_before)] if start <= last else []
    return left


def _oldest_at_work() -> int:
    return _asked("pg_snapshot_xmin")


def _next_to_begin() -> int:
    return _asked("pg_snapshot_xmax")


def _asked(function: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(pg_current_snapshot())::text")
        return int(cursor.fetchone()[0])


def _work_off(transitions: Iterable[Transition]) -> None:
    told = [one for one in transitions if one.kind in OPENINGS | ENDINGS or _is_raised(one)]
    ids = {one.alert_id for one in told}
    alerts = Alert.objects.select_related("asset").in_bulk(ids)
    routes = _routes({alert.tenant_id for alert in alerts.values()})
    if not routes:
        return
    specs = [(route, spec_of(route)) for route in routes]
    openings, endings = _told_by_route(ids), _owed_endings(ids, routes)
    wanted: dict[Route, list[Item]] = defaultdict(list)
    for one in told:
        alert = alerts[one.alert_id]
        happened = happened_of(one.kind, alert)
        for route, spec in specs:
            told_of = endings if one.kind in ENDINGS else openings
            if wants(spec, happened, opening_told=(route.pk, alert.pk) in told_of):
                wanted[route].append(
                    Item(alert_id=alert.pk, transition_id=one.pk, level=happened.level, is_ending=one.kind in ENDINGS)
                )
    items_join(wanted)


def _is_raised(one: Transition) -> bool:
    before, after = one.detail.get("level", ("", "")) if one.kind == RAISED else ("", "")
    return {before, after} <= set(Level) and before != after and is_at_least(Level(after), Level(before))


def _routes(tenant_ids: Collection[int]) -> Sequence[Route]:
    return list(
        Route.objects.filter(
            tenant_id__in=tenant_ids,
            enabled=True,
            removed_at=None,
            channel__enabled=True,
            channel__removed_at=None,
        )
        .select_related("tenant")
        .order_by("pk")
    )


def _told_by_route(alert_ids: Collection[int]) -> set[tuple[int, int]]:
    """Route and alert where the route has told that the alert is open, or may have."""
    return set(told_or_tried(alert_ids).values_list("route_id", "alert_id"))


def _owed_endings(alert_ids: Collection[int], routes: Iterable[Route]) -> set[tuple[int, int]]:
    """Route and alert where the route was to tell of the alert, and its channel has heard of it, by whichever route."""
    heard = set(told_or_tried(alert_ids).values_list("notification__channel_id", "alert_id"))
    channels = {route.pk: route.channel_id for route in routes}
    asked = NewsItem.objects.filter(alert_id__in=alert_ids, route_id__in=channels)
    pairs = asked.values_list("route_id", "alert_id").distinct()
    return {(route_id, alert_id) for route_id, alert_id in pairs if (channels[route_id], alert_id) in heard}

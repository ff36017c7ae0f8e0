"""Assets of which nothing has been heard for too long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, FloatField, Func, QuerySet, Value
from django.db.models.functions import Cast, Greatest

from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.queries import assets_of_kind
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.alerting import USUAL_INTERVAL
from wattkeeper.base.core.clock import EPOCH
from wattkeeper.flow.rules.expressions import limit_value
from wattkeeper.flow.rules.queries import silent_specs
from wattkeeper.flow.rules.spec import RuleSpec
from wattkeeper.flow.rules.verdicts import Judged, Verdict

SHORTEST_SECONDS = 10.0  # of a limit: nothing is silent that was heard of a moment ago
SHORTEST_SILENCE = timedelta(seconds=SHORTEST_SECONDS)
READINGS_FOR_A_HABIT = 10  # before so many nobody knows what is usual


def silences(now: datetime, *, listening_since: datetime = EPOCH) -> list[Judged]:
    """A breach for each enabled `silent` rule and each asset in use that has been silent for longer than its limit.

    Of what has never been heard of, or not often enough where its own interval is the limit, nothing is said; nor of
    a silence into which we have not listened for as long ourselves.
    """
    listened = (now - listening_since).total_seconds()
    return [judged for rule in silent_specs() for judged in _silences(rule, now, listened)]


def _silences(rule: RuleSpec, now: datetime, listened: float) -> Iterator[Judged]:
    for asset_id, last_seen, limit in _silent(rule, now):
        if listened <= limit:
            continue
        seconds = round((now - last_seen).total_seconds(), 1)
        yield Judged(rule, asset_id, now, Verdict.BREACH, seconds, f"silent for longer than {limit:.10g} s")


def _silent(rule: RuleSpec, now: datetime) -> Iterator[tuple[int, datetime, float]]:
    """Id, newest sign of life and limit in seconds of each asset that is silent."""
    limit = rule.limit
    assert limit is not None
    assets = assets_of_kind(rule.kind, tenant_id=rule.tenant_id)
    if rule.type:
        assets = assets.filter(type=rule.type)
    if rule.asset_id is not None:
        assets = assets.filter(pk=rule.asset_id)
    if limit.field == USUAL_INTERVAL:
        return _by_habit(assets, limit.factor, now)
    if limit.field:
        return _by_nameplate(assets, rule, now)
    seconds = max(limit.factor, SHORTEST_SECONDS)
    found = _unheard_for(assets, seconds, now).values_list("pk", "last_seen")
    return ((pk, last_seen, seconds) for pk, last_seen in found if last_seen is not None)


def _by_habit(assets: QuerySet[Asset], factor: float, now: datetime) -> Iterator[tuple[int, datetime, float]]:
    known = _unheard_for(assets, SHORTEST_SECONDS, now).filter(
        readings_seen__gte=READINGS_FOR_A_HABIT, usual_interval__isnull=False
    )
    seconds = Value(now.timestamp(), FloatField()) - _EpochSeconds("last_seen")
    limit = Greatest(F("usual_interval") * factor, Cast(Value(SHORTEST_SECONDS), FloatField()))
    found = known.annotate(seconds=seconds, limit=limit).filter(seconds__gt=F("limit"))
    rows = found.values_list("pk", "last_seen", "limit")
    return ((pk, last_seen, float(limit)) for pk, last_seen, limit in rows if last_seen is not None)


def _by_nameplate(assets: QuerySet[Asset], rule: RuleSpec, now: datetime) -> Iterator[tuple[int, datetime, float]]:
    assert rule.limit is not None
    found = dict(_unheard_for(assets, SHORTEST_SECONDS, now).values_list("pk", "last_seen"))
    nameplates = registry.kind(rule.kind).nameplate_of(list(found)) if found else {}
    for asset_id, last_seen in found.items():
        value = limit_value(rule.limit, nameplates.get(asset_id, {}))
        if value is not None and last_seen is not None:
            seconds = max(value, SHORTEST_SECONDS)
            if (now - last_seen).total_seconds() > seconds:
                yield asset_id, last_seen, seconds


def _unheard_for(assets: QuerySet[Asset], seconds: float, now: datetime) -> QuerySet[Asset]:
    return assets.filter(last_seen__lt=now - timedelta(seconds=seconds)).order_by()


class _EpochSeconds(Func):
    """A moment as seconds since 1970, exact to a millisecond."""

    output_field = FloatField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="((julianday(%(expressions)s) - 2440587.5) * 86400.0)")

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="EXTRACT(EPOCH FROM %(expressions)s)::double precision")

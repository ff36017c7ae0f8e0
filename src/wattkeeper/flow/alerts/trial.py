"""What a rule would have raised: the readings that are there, through its conditions and the alerts' machine.

The engine puts the readings together to runs of equal verdicts (`store/episodes.py`), and the machine goes through
the few moments of these at which it can take a step (`replay.py`). Nothing is written. A trial begins as if all had
been clear, and knows only what was known at the time: no person has resolved anything.
"""

from __future__ import annotations

import heapq
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import groupby
from typing import NamedTuple

from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.queries import assets_of_kind
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.alerting import USUAL_INTERVAL, Condition
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core.errors import BusyError
from wattkeeper.flow.alerts.replay import Delays, Episode, episodes_of, silences_of, stretches_of
from wattkeeper.flow.rules import conditions
from wattkeeper.flow.rules.conditions import Compiled, Nameplate, compiled
from wattkeeper.flow.rules.expressions import limit_value
from wattkeeper.flow.rules.silence import READINGS_FOR_A_HABIT, SHORTEST_SECONDS
from wattkeeper.flow.rules.spec import RuleSpec
from wattkeeper.flow.store.episodes import Run, readings_counted, rhythms, runs
from wattkeeper.flow.store.episodes_sql import Asked, Pause, Point, Question, Test, Word, Zone
from wattkeeper.flow.store.store import store

DAYS, DAYS_MOST = 7, 90
LISTED_MOST = 200
AT_ONCE = 2  # each keeps the engine and a core busy for as long as it takes
_IDS_A_QUESTION = 5_000
_WAIT_SECONDS = 10
_places = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What would have been in `[since, until)`.

    `untestable`: why nobody can tell, in a sentence; empty where the rest is true. `assets` are in the rule's scope,
    `assets_unsure` those of them whose limit nobody knows. `readings` is how many were looked at.

    The counts are of all alerts: `total`, of which `still_open` would be open at the end, `by_day` with a number for
    each day of the window. `episodes` are the newest 200, `by_asset` the 200 with the most; `keys` are their assets'.
    """

    rule: RuleSpec
    since: datetime
    until: datetime
    untestable: str = ""
    assets: int = 0
    assets_unsure: int = 0
    assets_alerted: int = 0
    readings: int = 0
    total: int = 0
    still_open: int = 0
    by_day: Mapping[date, int] = field(default_factory=dict)
    by_asset: Mapping[int, int] = field(default_factory=dict)
    episodes: Sequence[Episode] = ()
    keys: Mapping[int, str] = field(default_factory=dict)


def rule_tried(rule: RuleSpec, *, since: datetime, until: datetime, now: datetime, zone: tzinfo = UTC) -> Trial:
    """What the rule would have raised in `[since, until)`, or up to `now` where that comes before.

    Days are those of `zone`. BadRequestError where the readings are more than can be looked at, BusyError where too
    many rules are being tried; StoreClosedError where no server runs.
    """
    until = min(until, now)
    kind = registry.kind(rule.kind)
    stream, untestable = _stream_of(rule, kind)
    if stream is None:
        return Trial(rule=rule, since=since, until=until, untestable=untestable)
    trying = _Trying(rule, kind, stream, since, until)
    counted = _Counted(zone)
    is_silence = rule.condition is Condition.SILENT
    with _place():
        counted.count(trying.silences() if is_silence else trying.values())
    by_asset = dict(counted.by_asset.most_common(LISTED_MOST))
    newest = heapq.nlargest(LISTED_MOST, counted.newest, key=_by_time)
    return Trial(
        rule=rule,
        since=since,
        until=until,
        assets=trying.assets,
        assets_unsure=trying.unsure,
        assets_alerted=len(counted.by_asset),
        readings=trying.readings,
        total=counted.by_asset.total(),
        still_open=counted.still_open,
        by_day={day: counted.by_day[day] for day in _days(since, until, zone)},
        by_asset=by_asset,
        episodes=newest,
        keys=_keys({*by_asset, *(episode.asset_id for episode in newest)}),
    )


@contextmanager
def _place() -> Iterator[None]:
    if not _places.acquire(timeout=_WAIT_SECONDS):
        raise BusyError(f"{AT_ONCE} rules are being tried already; try again in a moment.", retry_after_seconds=5)
    try:
        yield
    finally:
        _places.release()


class _Heard(NamedTuple):
    """What the database knows of an asset's signs of life."""

    last_seen: datetime | None
    usual_interval: float | None
    readings_seen: int


@dataclass(slots=True)
class _Trying:
    """One rule on one window; how much it looked at is known when its episodes are all there."""

    rule: RuleSpec
    kind: Kind
    stream: Stream
    since: datetime
    until: datetime
    assets: int = 0
    unsure: int = 0
    readings: int = 0

    def values(self) -> Iterator[Episode]:
        """Of a rule that asks what readings say."""
        made: dict[tuple[float | None, ...], Asked | None] = {}
        asked: dict[int, Asked] = {}
        fields = _fields_of(self.rule)
        for asset_id, nameplate in _nameplates(self.kind, list(self._in_scope()), fields):
            values = tuple(nameplate.get(name) for name in fields)
            if values not in made:
                made[values] = _asked(asset_id, compiled(self.rule, nameplate))
            if (one := made[values]) is None:
                self.unsure += 1
            else:
                asked[asset_id] = Asked(asset_id, one.test, one.guard)
        for asset_id, found in self._runs(list(asked.values())):
            stretches = stretches_of(found, asked[asset_id].test)
            yield from episodes_of(asset_id, stretches, delays=self._delays, until=self.until)

    def silences(self) -> Iterator[Episode]:
        """Of a rule that asks how long nothing was heard."""
        scope = self._in_scope()
        limits = self._limits(scope)
        self.unsure = len(scope) - len(limits)
        asked = [Asked(asset_id, Pause(limit.total_seconds())) for asset_id, limit in limits.items()]
        unheard = dict(limits)
        for asset_id, found in self._runs(asked):
            del unheard[asset_id]
            yield from self._silences(asset_id, found, scope[asset_id], limits[asset_id])
        for asset_id, limit in unheard.items():
            yield from self._silences(asset_id, (), scope[asset_id], limit)

    def _silences(self, asset_id: int, found: Iterable[Run], heard: _Heard, limit: timedelta) -> Iterator[Episode]:
        stretches = silences_of(
            found, last_seen=heard.last_seen, limit=limit, since=self.since, until=self.until, delays=self._delays
        )
        return episodes_of(asset_id, stretches, delays=self._delays, until=self.until)

    @property
    def _delays(self) -> Delays:
        return Delays(self.rule.on_delay, self.rule.off_delay)

    def _in_scope(self) -> dict[int, _Heard]:
        """The assets that the rule is about, by id."""
        rule = self.rule
        assets = assets_of_kind(rule.kind, tenant_id=rule.tenant_id)
        if rule.type:
            assets = assets.filter(type=rule.type)
        if rule.asset_id is not None:
            assets = assets.filter(pk=rule.asset_id)
        rows = assets.order_by("pk").values_list("pk", "last_seen", "usual_interval", "readings_seen")
        scope = {pk: _Heard(seen, interval, readings) for pk, seen, interval, readings in rows}
        self.assets = len(scope)
        return scope

    def _limits(self, scope: Mapping[int, _Heard]) -> dict[int, timedelta]:
        """How long each asset may be silent; who has no habit yet, or no such nameplate, is left out."""
        limit = self.rule.limit
        assert limit is not None
        habits = self._habits(scope) if limit.field == USUAL_INTERVAL else {}
        limits: dict[int, timedelta] = {}
        for asset_id, nameplate in _nameplates(self.kind, list(scope), _fields_of(self.rule)):
            value = limit_value(limit, {**nameplate, USUAL_INTERVAL: habits.get(asset_id)})
            if value is not None:
                limits[asset_id] = timedelta(seconds=max(value, SHORTEST_SECONDS))
        return limits

    def _habits(self, scope: Mapping[int, _Heard]) -> dict[int, float | None]:
        """How often each asset speaks, from the window's own readings; without any, as it was before."""
        window = {"since": self.since, "until": self.until}
        found = rhythms(store().engine, self.stream, tenant_id=self.rule.tenant_id, asset_ids=list(scope), **window)
        return {
            asset_id: rhythm.usual_seconds if rhythm.readings >= READINGS_FOR_A_HABIT else None
            for asset_id, rhythm in found.items()
        } | {
            asset_id: heard.usual_interval if heard.readings_seen >= READINGS_FOR_A_HABIT else None
            for asset_id, heard in scope.items()
            if asset_id not in found
        }

    def _runs(self, asked: Sequence[Asked]) -> Iterator[tuple[int, Iterator[Run]]]:
        """The runs of each asset that has readings."""
        rule, engine = self.rule, store().engine
        counts = readings_counted(
            engine,
            self.stream,
            tenant_id=rule.tenant_id,
            asset_ids=[one.asset_id for one in asked],
            since=self.since,
            until=self.until,
        )
        self.readings = sum(counts.values())
        question = Question(
            tenant_id=rule.tenant_id,
            channel=rule.channel,
            is_rate=rule.condition is Condition.CHANGES,
            guard_channel=rule.guard.channel if rule.guard else "",
            since=self.since,
            until=self.until,
            breach_delays=self._delays.breach,
            clear_delays=self._delays.clear,
        )
        return groupby(runs(engine, self.stream, question, asked, counts=counts), key=lambda run: run.asset_id)


@dataclass(slots=True)
class _Counted:
    """Adds episodes up, and keeps the newest."""

    zone: tzinfo
    by_asset: Counter[int] = field(default_factory=Counter)
    by_day: Counter[date] = field(default_factory=Counter)
    newest: list[Episode] = field(default_factory=list)
    still_open: int = 0

    def count(self, episodes: Iterable[Episode]) -> None:
        for episode in episodes:
            self.by_asset[episode.asset_id] += 1
            self.by_day[episode.opened_at.astimezone(self.zone).date()] += 1
            self.still_open += episode.cleared_at is None
            self.newest.append(episode)
            if len(self.newest) >= 10 * LISTED_MOST:
                self.newest = heapq.nlargest(LISTED_MOST, self.newest, key=_by_time)


def _by_time(episode: Episode) -> tuple[datetime, int]:
    return episode.opened_at, episode.asset_id


def _stream_of(rule: RuleSpec, kind: Kind) -> tuple[Stream | None, str]:
    """The stream whose readings the rule asks; else why there is none."""
    if rule.condition is Condition.SILENT:
        if len(kind.streams) == 1:
            return kind.streams[0], ""
        return None, "What is heard of in several ways has no one history of its silences."
    names = [rule.channel, *([rule.guard.channel] if rule.guard else [])]
    for stream in kind.streams:
        if set(names) <= {channel.name for channel in stream.channels}:
            return stream, ""
    written = [channel.label for channel in kind.written if channel.name in names]
    if written:
        return None, f"{written[0]} is written, not measured: nobody keeps what it was, so there is no history to try."
    return None, "The rule asks of two streams of readings at once; that can be judged, but not tried."


def _fields_of(rule: RuleSpec) -> list[str]:
    """What of a nameplate the rule's limits are relative to."""
    limits = (rule.low, rule.high, rule.limit, rule.guard.limit if rule.guard else None)
    return sorted({limit.field for limit in limits if limit is not None and limit.field})


def _nameplates(kind: Kind, asset_ids: Sequence[int], fields: Sequence[str]) -> Iterator[tuple[int, Nameplate]]:
    """Each asset with its nameplate; an empty one where nobody asks for any of it."""
    for start in range(0, len(asset_ids), _IDS_A_QUESTION):
        ids = asset_ids[start : start + _IDS_A_QUESTION]
        known = kind.nameplate_of(ids) if set(fields) - {USUAL_INTERVAL} else {}
        yield from ((asset_id, known.get(asset_id, {})) for asset_id in ids)


def _asked(asset_id: int, rule: Compiled) -> Asked | None:
    """What the store is asked for the rule; None where nobody knows the limit."""
    test, guard = _test(rule.test), _test(rule.guard) if rule.guard else None
    return None if test is None or (rule.guard and guard is None) else Asked(asset_id, test, guard)


def _test(test: conditions.Test) -> Test | None:
    match test:
        case conditions.Zone():
            return Zone(test.low, test.high, test.clear_low, test.clear_high)
        case conditions.Point():
            return Point(test.number, test.deadband)
        case conditions.Word():
            return Word(test.text)
        case conditions.Unknowable():
            return None


def _days(since: datetime, until: datetime, zone: tzinfo) -> list[date]:
    first, last = since.astimezone(zone).date(), (until - timedelta(microseconds=1)).astimezone(zone).date()
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _keys(asset_ids: Iterable[int]) -> dict[int, str]:
    return dict(Asset.objects.filter(pk__in=asset_ids).values_list("pk", "key"))

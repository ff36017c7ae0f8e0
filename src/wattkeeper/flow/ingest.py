"""The one function that calls the stages of the pipeline in their order: a batch's whole journey.

A source hands over what it has parsed; it hears from the receipt what became of it. Effects come in this order:
normalise (the source did), store (durable), current state, rules, alerts, commit; only then is anything acknowledged,
and whoever listens told.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

from django.db import close_old_connections, connections, transaction
from msgspec import Struct
from prometheus_client import Counter as Metric

from wattkeeper.base.assets.actions import assets_heard, assets_register, assets_seen
from wattkeeper.base.assets.queries import assets_of_kind, ids_of, unheard_since
from wattkeeper.base.assets.states import KnownState, state_channels, states_known
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.kinds import Kind, NewestRow, UnknownAsset
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core import bus
from wattkeeper.base.core.clock import EPOCH, now
from wattkeeper.base.core.errors import WattkeeperError
from wattkeeper.flow.alerts.machine import Phase
from wattkeeper.flow.alerts.models import Transition
from wattkeeper.flow.alerts.queries import watched_of
from wattkeeper.flow.alerts.verdicts import verdicts_apply
from wattkeeper.flow.readings import reasons
from wattkeeper.flow.readings.carry import carried_forward, is_partial, measured
from wattkeeper.flow.readings.files import DelimitedFile
from wattkeeper.flow.readings.reading import LoadReceipt, Outcome, Reading, Receipt, Refusal, Row, Value
from wattkeeper.flow.readings.timestamps import CLOCK_TOLERANCE
from wattkeeper.flow.rules.judge import judge
from wattkeeper.flow.rules.marks import mark_advance, mark_begin, mark_of
from wattkeeper.flow.rules.queries import revisions
from wattkeeper.flow.rules.silence import SHORTEST_SILENCE, silences
from wattkeeper.flow.rules.verdicts import Sample
from wattkeeper.flow.store import queries
from wattkeeper.flow.store.arrivals import moment_of
from wattkeeper.flow.store.group_commit import GroupCommit, Steps
from wattkeeper.flow.store.queries import ArrivedRow
from wattkeeper.flow.store.store import store

log = logging.getLogger(__name__)

WAIT_SECONDS = 30  # for a flush; the caller may send the reading again
CATCH_UP_ROWS = 2_000
ASSETS_AT_ONCE = 1_000  # in one transaction
MICROSECOND = timedelta(microseconds=1)

# Of single readings: accepted, duplicate, refused, failed. Each that is sent is counted once.
READINGS = Metric("wattkeeper_readings", "Single readings, by what became of them.", ["stream", "outcome"])
FILE_ROWS = Metric("wattkeeper_file_rows", "Rows of loaded files, by what became of them.", ["stream", "outcome"])


@dataclass(frozen=True, slots=True)
class Stored:
    """Told after the commit: readings of these assets have come."""

    stream: Stream
    tenant_id: int
    newest: Sequence[NewestRow]


class Ingested(Struct, frozen=True, gc=False):
    """What became of a reading, when it came by the clock, and what is known last of its asset afterwards."""

    receipt: Receipt
    received_at: datetime
    state: KnownState


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """The receipts of readings that are stored, not yet judged, and when they came by the clock."""

    receipts: Sequence[Receipt]
    received_at: datetime


class Arrived(Struct, frozen=True, gc=False):
    """A stored reading on its way through what follows. `received_at`: by the clock."""

    reading: Reading
    received_at: datetime


@dataclass(frozen=True, slots=True)
class KindAssets:
    """Finds, and where its kind allows it makes, the assets that readings speak of."""

    tenant_id: int
    kind: str
    by: str

    def ids_of(self, keys: Sequence[str]) -> Mapping[str, int]:
        return ids_of(tenant_id=self.tenant_id, kind=self.kind, keys=keys, in_use=self._refuses)

    def register(self, keys: Sequence[str]) -> Mapping[str, int]:
        if self._refuses:
            return {}
        return assets_register(tenant_id=self.tenant_id, kind=self.kind, keys=keys, by=self.by)

    @property
    def _refuses(self) -> bool:
        """What has to be registered is unknown again when it is out of use."""
        return registry.kind(self.kind).unknown_asset is UnknownAsset.REFUSE


def flush(stream: Stream, readings: Sequence[Reading]) -> list[Ingested]:
    """Single readings through the pipeline, all in one go: durable and judged when it returns."""
    return follow(stream, write(stream, readings))


def write(stream: Stream, readings: Sequence[Reading]) -> Written:
    """A flush's first step: its readings are durable when it returns, and not yet judged."""
    received_at = now()
    with _or_behind(stream):
        written = Written(store().write(stream, _completed(stream, readings)), received_at)
    _unfollowed.setdefault(stream.name, []).append(written)
    return written


def follow(stream: Stream, written: Written) -> list[Ingested]:
    """A flush's second step: what was written becomes the state, and is judged. One flush after the other."""
    receipts = written.receipts
    with _turn_of(stream), _followed(stream, written):
        catch_up(stream)
        # A catching up may have found them already.
        new = [receipt for receipt in receipts if receipt.arrival > _judged_to.get(stream.name, 0)]
        with _or_behind(stream):
            known = _settle(
                stream,
                [Arrived(receipt.reading, written.received_at) for receipt in new],
                mark=max((receipt.arrival for receipt in new), default=0),
            )
    if others := {receipt.reading.asset_id for receipt in receipts} - known.keys():
        known |= states_known(registry.kind(stream.kind), list(others))
    return [
        Ingested(receipt, written.received_at, known.get(receipt.reading.asset_id, NOTHING)) for receipt in receipts
    ]


def ingest_submit(stream: Stream, readings: Sequence[Reading]) -> Future[Sequence[Ingested]]:
    """Readings of known assets that came together, into the next flush: all, or none and BusyError where too many wait.

    In their order what became of each.
    """
    try:
        return _commit_of(stream).submit(readings)
    except WattkeeperError:
        count_readings(stream, "failed", len(readings))
        raise


def ingest_history(stream: Stream, readings: Sequence[Reading]) -> int:
    """Readings of long ago, of which nothing is a sign of life; gives how many were new.

    They are judged in their order. Twice the same stores nothing twice. For before a server takes readings of the
    stream: what it has written and not judged would count as judged.
    """
    receipts = store().write(stream, readings)
    new = [receipt for receipt in receipts if receipt.outcome is Outcome.STORED]
    moment = now()
    _settle(
        stream,
        [Arrived(receipt.reading, moment) for receipt in new],
        mark=max((receipt.arrival for receipt in new), default=0),
        is_history=True,
    )
    count_readings(stream, "accepted", len(new))
    count_readings(stream, "duplicate", len(receipts) - len(new))
    return len(new)


def ingest_row(stream: Stream, row: Row, *, tenant_id: int, by: str) -> Receipt | Refusal:
    """One reading through the pipeline; returns when it is durable. BusyError when too many wait."""
    assets = KindAssets(tenant_id, stream.kind, by)
    ids = assets.ids_of([row.asset_key]) or assets.register([row.asset_key])
    if row.asset_key not in ids:
        count_readings(stream, "refused")
        return Refusal(stream.asset_field, row.asset_key, reasons.UNKNOWN_ASSET)
    submitted = ingest_submit(stream, [Reading(tenant_id, ids[row.asset_key], row)])
    return submitted.result(timeout=WAIT_SECONDS)[0].receipt


def ingest_file(stream: Stream, file: DelimitedFile, *, tenant_id: int, batch_id: int, by: str) -> LoadReceipt:
    """A file of history through the pipeline. With the same `batch_id` it can run again after any failure.

    It is judged by its newest reading of each asset.
    """
    assets = KindAssets(tenant_id, stream.kind, by)
    receipt, newest = store().load_file(stream, file, tenant_id=tenant_id, batch_id=batch_id, assets=assets)
    moment = now()
    for start in range(0, len(newest), ASSETS_AT_ONCE):
        rows = newest[start : start + ASSETS_AT_ONCE]
        readings = (Reading(tenant_id, row.asset_id, Row("", row.at, row.values)) for row in rows)
        _settle(stream, [Arrived(reading, moment) for reading in readings], is_history=True)
    for outcome in ("stored", "duplicate", "refused"):
        FILE_ROWS.labels(stream.name, outcome).inc(getattr(receipt, outcome))
    return receipt


def ingest_written(
    kind: Kind,
    written: Mapping[int, Mapping[str, Any]],
    *,
    tenant_id: int,
    before: Mapping[int, KnownState],
    at: datetime,
) -> None:
    """Judge values of states that a person or a program wrote, within the transaction that wrote them.

    `written` and `before`, what was known until then, are by asset; all are the tenant's.

    What is said is clear at once: nobody says it again until an off-delay is over.
    """
    samples = [Sample(tenant_id, asset_id, at, at, values) for asset_id, values in sorted(written.items())]
    _judged(kind, samples, before, at_once=True)


def silences_judge(*, listening_since: datetime) -> int:
    """Open the alerts of what is silent; gives how many moved. Nobody is silent for when we did not listen."""
    moment, count = now(), 0
    judged = silences(moment, listening_since=listening_since)
    # In pieces: a fleet that falls silent as a whole must not keep its own readings waiting for the database.
    for start in range(0, len(judged), ASSETS_AT_ONCE):
        piece = judged[start : start + ASSETS_AT_ONCE]
        with transaction.atomic():
            silent = unheard_since(moment - SHORTEST_SILENCE, among=[one.asset_id for one in piece])
            watched = watched_of(silent)
            known = {pair for pair, watch in watched.items() if watch.phase is Phase.OPEN}
            news = [one for one in piece if one.asset_id in silent and (one.rule.id, one.asset_id) not in known]
            count += len(verdicts_apply(news, watched=watched, now=moment))
    return count


def rules_rejudge() -> int:
    """Ask the rules that have changed since the last call of all that is known; gives how many alerts moved.

    What people write, and what a thing says only once, comes in no further reading. At the first call it is all rules.
    """
    count, numbers = 0, revisions()
    for tenant_id in [tenant_id for tenant_id, number in numbers.items() if _rejudged.get(tenant_id) != number]:
        for kind in registry.kinds():
            ids = list(assets_of_kind(kind.name, tenant_id=tenant_id).order_by("pk").values_list("pk", flat=True))
            for start in range(0, len(ids), ASSETS_AT_ONCE):
                count += _rejudge(kind, tenant_id, ids[start : start + ASSETS_AT_ONCE])
        _rejudged[tenant_id] = numbers[tenant_id]
    return count


def _rejudge(kind: Kind, tenant_id: int, asset_ids: Sequence[int]) -> int:
    moment, written = now(), {channel.name for channel in kind.written}
    with transaction.atomic():
        known = states_known(kind, asset_ids, lock=True)
        samples = []
        for asset_id, state in sorted(known.items()):
            # Readings are as old as they are, and the next one is newer than this; what is written holds now. It is
            # no sign of life: a silence goes on.
            last = (state.at or moment) + MICROSECOND
            brought = {name: value for name, value in state.values.items() if name not in written}
            said = {name: value for name, value in state.values.items() if name in written}
            samples.append(Sample(tenant_id, asset_id, last, EPOCH, brought))
            samples.append(Sample(tenant_id, asset_id, max(moment, last + MICROSECOND), EPOCH, said))
        return len(_judged(kind, samples, known))


def catch_up(stream: Stream) -> int:
    """Judge what was stored but not judged, because a flush failed or the server was killed; gives how many."""
    count = 0
    with _turn_of(stream):
        while stream.name in _behind:
            rows = queries.arrived_after(store().engine, stream, mark_of(stream.name), limit=CATCH_UP_ROWS)
            if rows:
                _settle(stream, [_arrived_of(row) for row in rows], mark=rows[-1].arrival)
                count += len(rows)
            else:
                _behind.discard(stream.name)
    return count


def start(streams: Iterable[Stream]) -> None:
    """Judge what an earlier process left, then take readings. The store must be open."""
    for stream in streams:
        mark_begin(stream.name, queries.newest_arrival(store().engine, stream))
        _behind.add(stream.name)
        if count := catch_up(stream):
            log.info("%s: %d readings were stored and not judged; they are now", stream.name, count)
        for outcome in ("accepted", "duplicate", "refused", "failed"):
            count_readings(stream, outcome, 0)  # a counter that is nought is there, too
        _commit_of(stream).start()


def stop() -> None:
    """Flush what waits; whoever comes later hears that the server is stopping."""
    while _commits:
        _commits.popitem()[1].stop()


def count_readings(stream: Stream, outcome: str, count: int = 1) -> None:
    """Count single readings: accepted, duplicate, refused or failed. A door counts what it refuses itself."""
    _counter(stream.name, outcome).inc(count)


@cache
def _counter(stream: str, outcome: str) -> Metric:
    return READINGS.labels(stream, outcome)


# -- the stages after the store --------------------------------------------------------------------------------------


def _settle(
    stream: Stream, arrived: Sequence[Arrived], *, mark: int = 0, is_history: bool = False
) -> dict[int, KnownState]:
    """Current state, rules, alerts, in one transaction; gives what is known of these assets afterwards.

    `mark`: the highest arrival number among them. `is_history`: no sign of life, whatever its time.
    """
    if not arrived:
        return {}
    kind = registry.kind(stream.kind)
    ids = sorted({one.reading.asset_id for one in arrived})
    with transaction.atomic():
        before = states_known(kind, ids, lock=True)
        newer = _newer(stream, arrived, before)
        after, rows = _states_after(stream, newer, before)
        kind.apply_state(stream, rows)
        changed = {pk for pk, state in after.items() if state.values != before.get(pk, NOTHING).values}
        if is_history:
            present = now()
            assets_seen({row.asset_id: min(row.at, present) for row in rows}, changed=changed)
        else:
            heard = Counter(one.reading.asset_id for one in arrived)
            assets_heard(heard, at=max(one.received_at for one in arrived), changed=changed)
        _judged(kind, _samples(stream, newer, arrived, is_history=is_history), before)
        if mark:
            mark_advance(stream.name, mark)
    if mark:
        _judged_to[stream.name] = mark
    _tell_stored(stream, arrived, rows)
    return {**before, **after}


def _newer(stream: Stream, arrived: Sequence[Arrived], before: Mapping[int, KnownState]) -> list[Arrived]:
    """Those that are newer than what is known, by asset and time. What is yet to come is never the latest.

    Where several readings may have one time, the one that came last is the newest.
    """

    def is_newer(one: Arrived) -> bool:
        known, at = before.get(one.reading.asset_id, NOTHING).at, one.reading.row.at
        if at > one.received_at + CLOCK_TOLERANCE:
            return False
        return known is None or at > known or (at == known and stream.repeats is not None)

    return sorted(filter(is_newer, arrived), key=lambda one: (one.reading.asset_id, one.reading.row.at))


def _states_after(
    stream: Stream, newer: Sequence[Arrived], before: Mapping[int, KnownState]
) -> tuple[dict[int, KnownState], list[NewestRow]]:
    """The states that the readings lead to, one after the other, and each asset's last row with what stands then."""
    names = [channel.name for channel in state_channels(registry.kind(stream.kind))]
    after: dict[int, KnownState] = {}
    rows: dict[int, NewestRow] = {}
    for one in newer:
        asset_id, row = one.reading.asset_id, one.reading.row
        known = after.get(asset_id, before.get(asset_id, NOTHING)).values
        values = row.values
        if stream.carries_forward:  # what was carried forward may have moved since it was written
            said = measured(stream, row.values, row.flags)
            values = {name: known.get(name) if said.get(name) is None else said[name] for name in values}
        state = {**known, **{name: values[name] for name in names if name in values}}
        after[asset_id] = KnownState(row.at, state)
        rows[asset_id] = NewestRow(asset_id, row.at, values, one.received_at)
    return after, list(rows.values())


def _samples(stream: Stream, newer: Sequence[Arrived], arrived: Sequence[Arrived], *, is_history: bool) -> list[Sample]:
    """What the rules are asked about. A reading that is late says nothing but that its asset is alive."""
    samples = [_sample(one, measured(stream, one.reading.row.values, one.reading.row.flags)) for one in newer]
    if not is_history and len(newer) < len(arrived):
        spoken = {sample.asset_id for sample in samples}
        late = {one.reading.asset_id: one for one in arrived if one.reading.asset_id not in spoken}
        samples += [_sample(one, {}) for one in late.values()]
    return samples


def _sample(one: Arrived, values: Mapping[str, Value]) -> Sample:
    reading = one.reading
    return Sample(reading.tenant_id, reading.asset_id, reading.row.at, one.received_at, values)


def _judged(
    kind: Kind, samples: Sequence[Sample], before: Mapping[int, KnownState], *, at_once: bool = False
) -> list[Transition]:
    """What the rules make of the samples. `at_once`: clear is clear without an off-delay."""
    watched = watched_of({sample.asset_id for sample in samples})
    judged = judge(kind, samples, before=before, watched=watched)
    if at_once:
        judged = [replace(one, rule=replace(one.rule, off_delay=timedelta(0))) for one in judged]
    return verdicts_apply(judged, watched=watched, now=now())


# -- what they stand on ----------------------------------------------------------------------------------------------

NOTHING = KnownState(None, {})

_rejudged: dict[int, int] = {}  # by tenant, the number of the rules that were asked of all that is known
_behind: set[str] = set()  # streams with readings that may be stored and are not judged
_judged_to: dict[str, int] = {}  # by stream, the arrival number up to which this process has judged
_unfollowed: dict[str, list[Written]] = {}  # by stream, what is written and not yet judged
_turns: dict[str, threading.RLock] = {}
_commits: dict[str, GroupCommit[Reading, Written, Ingested]] = {}


def _turn_of(stream: Stream) -> threading.RLock:
    """Held by who judges a stream's single readings: one after the other, in their order of arrival."""
    return _turns.setdefault(stream.name, threading.RLock())


@contextmanager
def _followed(stream: Stream, written: Written) -> Iterator[None]:
    """It is not under way any more, however this ends."""
    try:
        yield
    finally:
        _unfollowed[stream.name].remove(written)


@contextmanager
def _or_behind(stream: Stream) -> Iterator[None]:
    """Whatever fails here, what is stored by then is still to be judged."""
    try:
        yield
    except BaseException:
        _behind.add(stream.name)
        raise


def _commit_of(stream: Stream) -> GroupCommit[Reading, Written, Ingested]:
    commit = _commits.get(stream.name)
    if commit is None:
        steps = Steps(
            write=partial(write, stream),
            follow=partial(_counted, stream),
            failed=partial(count_readings, stream, "failed"),
            before=close_old_connections,
            after=connections.close_all,
        )
        commit = _commits.setdefault(stream.name, GroupCommit(stream.name, steps))
    return commit


def _counted(stream: Stream, written: Written) -> list[Ingested]:
    results = follow(stream, written)
    outcomes = Counter(result.receipt.outcome for result in results)
    count_readings(stream, "accepted", outcomes[Outcome.STORED])
    count_readings(stream, "duplicate", outcomes[Outcome.DUPLICATE])
    return results


def _completed(stream: Stream, readings: Sequence[Reading]) -> Sequence[Reading]:
    """With what partial readings leave out, where the stream carries it forward."""
    if not stream.carries_forward:
        return readings
    partial_ids = {reading.asset_id for reading in readings if is_partial(stream, reading)}
    if not partial_ids:
        return readings
    under_way = list(_unfollowed.get(stream.name, ()))  # looked at first: what is followed in between is then in both
    known = states_known(registry.kind(stream.kind), sorted(partial_ids))
    for written in under_way:
        for receipt in written.receipts:
            asset_id, row = receipt.reading.asset_id, receipt.reading.row
            state = known.get(asset_id)
            if state is not None and (state.at is None or row.at > state.at):
                said = {name: value for name, value in row.values.items() if value is not None}
                known[asset_id] = KnownState(row.at, {**state.values, **said})
    return carried_forward(stream, readings, known)


def _arrived_of(found: ArrivedRow) -> Arrived:
    stored = found.row
    row = Row(stored.asset_key, stored.key.at, stored.values, stored.flags)
    return Arrived(Reading(found.tenant_id, stored.key.asset_id, row), moment_of(found.arrival))


def _tell_stored(stream: Stream, arrived: Sequence[Arrived], rows: Sequence[NewestRow]) -> None:
    tenants = {one.reading.asset_id: one.reading.tenant_id for one in arrived}
    for tenant_id in {tenants[row.asset_id] for row in rows}:
        bus.tell(Stored(stream, tenant_id, [row for row in rows if tenants[row.asset_id] == tenant_id]))

"""The runs of equal verdicts in the engine's words, innermost first:

rows        time, value and guard of each reading
known       the rate instead of the value; of the guard what was known last         only where a rule looks back
judged      BREACH or CLEAR; readings that say neither are dropped
compared    beside each its predecessor
begun       beside each when its run began, which is what a run is known by
runs        a row each
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from wattkeeper.base.catalog.streams import Stream
from wattkeeper.flow.store.file_sql import literal
from wattkeeper.flow.store.queries import Selection
from wattkeeper.flow.store.schema import table_of

_CLEAR, _BREACH, _UNSURE = 0, 1, 2
_MINUTE = 60_000_000
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Zone:
    """Breach below `low` and above `high`, clear from `clear_low` to `clear_high`, neither in between."""

    low: float
    high: float
    clear_low: float
    clear_high: float


@dataclass(frozen=True, slots=True)
class Point:
    """Breach at one number, clear where more than `deadband` lies between."""

    number: float
    deadband: float


@dataclass(frozen=True, slots=True)
class Word:
    """Breach at one text, clear at any other."""

    text: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Asks no value, only how far apart readings are: clear runs, that end where more than so many seconds lie."""

    seconds: float


Test = Zone | Point | Word | Pause


@dataclass(frozen=True, slots=True)
class Asked:
    """One asset and what is asked of its readings. While `guard` is clear, all is; where nobody knows, neither."""

    asset_id: int
    test: Test
    guard: Test | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of all assets: a channel's values or, with `is_rate`, how far they move a minute.

    A guard is asked of what is known of its channel at a reading's time. The time is `[since, until)`.
    """

    tenant_id: int
    channel: str = ""  # none for a Pause
    is_rate: bool = False
    guard_channel: str = ""
    since: datetime
    until: datetime
    breach_delays: Sequence[timedelta] = ()
    clear_delays: Sequence[timedelta] = ()


def runs_sql(stream: Stream, question: Question, portion: Sequence[Asked]) -> str:
    """Rows by asset and time: asset, whether breach, first, last, least, greatest, then a column for each delay.

    The tests of a portion are of one sort, and so are its guards. A time that is not there is 0.
    """
    ids = [one.asset_id for one in portion]
    selection = Selection(tenant_id=question.tenant_id, asset_ids=ids, since=question.since, until=question.until)
    is_new = "k != k_before"
    if all(isinstance(one.test, Pause) for one in portion):
        limit = _number(portion, lambda one: one.test.seconds if isinstance(one.test, Pause) else 0.0)
        rows = f"SELECT asset_id, {_TIME}, 0. AS x, toUInt8({_CLEAR}) AS k FROM {_table(stream, selection)}"
        is_new = f"t_before = 0 OR (t - t_before) / 1000000 > {limit}"
    else:
        rows = _judged(stream, question, portion, selection)
    compared = f"SELECT asset_id, t, x, k, {_before('k', _UNSURE)}, {_before('t', 0)} FROM ({rows})"
    begun = f"SELECT asset_id, t, x, k, max(if({is_new}, t, 0)) OVER ({_UNTIL_NOW}) AS start FROM ({compared})"
    reached = ", ".join(["", *_reached(question)])
    return (
        f"SELECT asset_id, any(k), start, max(t), toFloat64(min(x)), toFloat64(max(x)){reached} FROM ({begun}) "
        "GROUP BY asset_id, start ORDER BY asset_id, start"
    )


def rhythms_sql(stream: Stream, selection: Selection) -> str:
    """Rows: asset, the 95th percentile of its pauses in seconds, NaN where it has none."""
    rows = f"SELECT asset_id, {_TIME} FROM {_table(stream, selection)}"
    compared = f"SELECT asset_id, t, {_before('t', 0)} FROM ({rows})"
    pause = "quantileExactIf(0.95)((t - t_before) / 1000000, t_before != 0)"
    return f"SELECT asset_id, {pause} FROM ({compared}) GROUP BY asset_id"


_TIME = "toUnixTimestamp64Micro(ts) AS t"
_BY_TIME = "PARTITION BY asset_id ORDER BY t ROWS BETWEEN"
_BEFORE = f"{_BY_TIME} 1 PRECEDING AND CURRENT ROW"
_UNTIL_NOW = f"{_BY_TIME} UNBOUNDED PRECEDING AND CURRENT ROW"


def _table(stream: Stream, selection: Selection) -> str:
    return f"{table_of(stream)} FINAL WHERE {selection.sql()}"


def _before(column: str, none: int) -> str:
    """What stands in the asset's reading before; `none` in its first."""
    missing = f"toUInt8({none})" if column == "k" else f"toInt64({none})"
    return f"lagInFrame({column}, 1, {missing}) OVER ({_BEFORE}) AS {column}_before"


def _judged(stream: Stream, question: Question, portion: Sequence[Asked], selection: Selection) -> str:
    channel = stream.channel(question.channel)
    columns = [_TIME, f"`{channel.name}` AS read"]
    if question.guard_channel:
        guard = f"`{stream.channel(question.guard_channel).name}`"
        columns.append(f"nullIf({_verdict(guard, portion, lambda one: one.guard)}, {_UNSURE}) AS met")
    rows = f"SELECT asset_id, {', '.join(columns)} FROM {_table(stream, selection)}"
    known = f"SELECT asset_id, t, {', '.join(_known(stream, question))} FROM ({rows})"
    verdict = _verdict("v", portion, lambda one: one.test)
    if question.guard_channel:
        verdict = f"multiIf(isNull(g), {_UNSURE}, g = {_CLEAR}, {_CLEAR}, {verdict})"
    x = "ifNull(v, 0)" if channel.is_numeric else "0."
    return f"SELECT * FROM (SELECT asset_id, t, {x} AS x, toUInt8({verdict}) AS k FROM ({known})) WHERE k != {_UNSURE}"


def _known(stream: Stream, question: Question) -> list[str]:
    """What is known at a reading's time: `v`, and `g`, whether the guard lets it speak.

    Known is, as in the current state, what was said last; of a stream that carries nothing forward, what the reading
    itself or the one before it said.
    """
    since = f"{_BY_TIME} {'UNBOUNDED' if stream.carries_forward else '1'} PRECEDING"
    columns = ["read AS v"]
    if question.is_rate:
        apart = f"t - lagInFrame(t, 1, t) OVER ({_BEFORE})"
        minutes = f"greatest({apart}, {_MINUTE}) / {_MINUTE}"
        columns = [f"abs(read - last_value(read) OVER ({since} AND 1 PRECEDING)) / ({minutes}) AS v"]
    if question.guard_channel:
        columns.append(f"last_value(met) OVER ({since} AND CURRENT ROW) AS g")
    return columns


def _verdict(value: str, portion: Sequence[Asked], test_of: Callable[[Asked], Test | None]) -> str:
    """The verdict on `value`, which may be null."""
    first = test_of(portion[0])
    v = f"assumeNotNull({value})"

    def number(name: str) -> str:
        return _number(portion, lambda one: getattr(test_of(one), name))

    match first:
        case Zone():
            breach = f"{v} < {number('low')} OR {v} > {number('high')}"
            clear = f"{v} >= {number('clear_low')} AND {v} <= {number('clear_high')}"
        case Point():
            breach = f"{v} = {number('number')}"
            clear = f"abs({v} - {number('number')}) > {number('deadband')}"
        case Word(text):
            # Compared once for each of a column's texts, not for each row.
            return f"ifNull({value} = {literal(text)}, {_UNSURE})"
        case _:
            raise ValueError(f"{first} asks no value")
    return f"multiIf(isNull({value}), {_UNSURE}, {breach}, {_BREACH}, {clear}, {_CLEAR}, {_UNSURE})"


def _number(portion: Sequence[Asked], number_of: Callable[[Asked], float]) -> str:
    """Each asset's number: as it is where all have the same, else looked up by the asset."""
    numbers = [repr(float(number_of(one))) for one in portion]
    if len(set(numbers)) == 1:
        return numbers[0]
    ids = ", ".join(f"{one.asset_id:d}" for one in portion)
    return f"transform(asset_id, [{ids}], [{', '.join(numbers)}], toFloat64(0))"


def _reached(question: Question) -> list[str]:
    """For each place among the delays: the first reading that lies as long after the run's beginning."""
    places = max(len(question.breach_delays), len(question.clear_delays))

    def delay(delays: Sequence[timedelta], place: int) -> int:
        return delays[place] // _MICROSECOND if place < len(delays) else 0

    return [
        f"minIf(t, t - start >= if(k = {_BREACH}, {delay(question.breach_delays, place)}, "
        f"{delay(question.clear_delays, place)}))"
        for place in range(places)
    ]

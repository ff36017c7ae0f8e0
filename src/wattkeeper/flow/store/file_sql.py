"""The one SELECT that reads, checks and types a file's rows, made from a stream's declaration.

The rules and sentences are those of `readings/normalise.py`, lines are taken apart as in `readings/lines.py`. Nothing
from outside is ever part of the text: texts that a user chose (an asset's key, a delimiter) travel as parameters or
are quoted by `literal`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from wattkeeper.base.catalog.channels import Channel, ChannelType
from wattkeeper.base.catalog.streams import CLOCK_AHEAD, Stream, implausible_flag
from wattkeeper.base.core.clock import to_microseconds
from wattkeeper.flow.readings import reasons, timestamps
from wattkeeper.flow.readings.files import MAX_LINE_BYTES, DelimitedFile
from wattkeeper.flow.readings.lines import FIELD_SEPARATOR

_TRIMMED = "' \\t\\r'"


def literal(text: str) -> str:
    """`text` as an SQL string."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\0", "\\0")
    return f"'{escaped}'"


def literals(texts: Sequence[str]) -> str:
    return ", ".join(literal(text) for text in texts)


_NULLS = f"({literals(reasons.NULL_WORDS)})"


@dataclass(slots=True)
class FileSql:
    """Makes the questions about one file. `source` is a subquery that gives `row` (from 1) and `line`."""

    stream: Stream
    file: DelimitedFile
    source: str
    now: datetime
    asset_table: str
    _problems: list[tuple[str, str]] = field(default_factory=list)

    def asset_keys(self) -> str:
        """The distinct asset keys of the file, checked by their length alone."""
        return (
            f"SELECT DISTINCT {self._raw(self.stream.asset_field)} AS key FROM ({self._fields()}) "
            f"WHERE lengthUTF8(key) <= {self.stream.asset_key_max_length} AND isValidUTF8(key) "
            f"AND lower(key) NOT IN {_NULLS}"
        )

    def good_unknown_keys(self) -> str:
        """The asset keys that have a good row but no asset yet."""
        return (
            f"SELECT DISTINCT key FROM ({self._judged(known_assets_only=False)}) "
            "WHERE problem = 0 AND NOT blank AND asset_id = 0"
        )

    def intake(self, *, tenant_id: int, batch_id: int, attempt: int, newest_version: int) -> str:
        """All rows, good and bad, in the intake's columns. Versions fall with the row: the first row wins."""
        judged = self._judged(known_assets_only=True)
        columns, sentences = zip(*self._problems, strict=True)
        names = (self.stream.asset_field, self.stream.time_field, *(c.name for c in self.stream.channels))
        places = [names.index(column) + 1 if column in names else 0 for column in columns]
        # One branch a column, since a branch that no row of a block takes costs nothing.
        shown = "".join(
            f"{places}[problem] = {i}, substringUTF8(toValidUTF8(raw_{i - 1}), 1, 100), "
            for i in range(1, len(names) + 1)
        )
        selected = {
            "tenant_id": f"toUInt64({tenant_id})",
            "asset_id": "asset_id",
            "ts": "ifNull(ts, toDateTime64(0, 6, 'UTC'))",
            "asset_key": "if(problem = 0, key, '')",
            "flags": self._flags(),
            "batch_id": f"toUInt64({batch_id})",
            "version": f"toUInt64({newest_version} - row)",
            **{c.name: f"value_{c.name}" for c in self.stream.channels},
            "row": "row",
            "attempt": f"toUInt64({attempt})",
            "blank": "blank",
            "problem_column": f"if(problem = 0, '', [{literals(columns)}][problem])",
            "problem_value": f"multiIf(problem = 0, '', {shown}'')",
            "problem_reason": f"if(problem = 0, '', [{literals(sentences)}][problem])",
            "line": "if(problem = 0, '', substring(toValidUTF8(line), 1, 65536))",
        }
        wanted = ", ".join(f"{expression} AS out_{name}" for name, expression in selected.items())
        renamed = ", ".join(f"out_{name} AS `{name}`" for name in selected)
        return f"SELECT {renamed} FROM (SELECT {wanted} FROM ({judged}))"

    # -- from lines to fields ----------------------------------------------------------------------

    def _fields(self) -> str:
        delimiter = literal(self.file.delimiter)
        plain = f"splitByChar({delimiter}, line)"
        fields, quotes = plain, "0"
        if self.file.has_quotes:
            quotes = "countSubstrings(line, '\"')"
            # Outside quotes the delimiters become a separator of ours. An empty piece between two quoted
            # ones is a doubled quote, that is, a quote.
            joined = (
                "arrayStringConcat(arrayMap((piece, i, n) -> if(i % 2 = 0, piece, "
                "if(piece = '' AND i > 1 AND i < n, '\"', "
                f"replaceAll(piece, {delimiter}, {literal(FIELD_SEPARATOR)}))), "
                "splitByChar('\"', line) AS pieces, arrayEnumerate(pieces), "
                "arrayWithConstant(length(pieces), length(pieces))))"
            )
            fields = f"if(quotes = 0, {plain}, splitByChar({literal(FIELD_SEPARATOR)}, {joined}))"
        return (
            f"SELECT row, line, {quotes} AS quotes, {fields} AS f FROM ({self.source}) "
            f"WHERE row > {self.file.header_line}"
        )

    def _raw(self, column: str) -> str:
        """The text of a column, trimmed; the empty text where the file has no such column."""
        position = self.file.positions.get(column)
        return "''" if position is None else f"trim(BOTH {_TRIMMED} FROM f[{position + 1}])"

    # -- from fields to values and problems --------------------------------------------------------

    def _judged(self, *, known_assets_only: bool) -> str:
        stream, self._problems = self.stream, []
        names = (stream.asset_field, stream.time_field, *(c.name for c in stream.channels))
        raws = ", ".join(f"{self._raw(name)} AS raw_{i}" for i, name in enumerate(names))
        typed = [f"{self._key()} AS key", f"{self._timestamp()} AS ts"]
        typed += [f"{self._parsed(c, f'raw_{i}')} AS parsed_{c.name}" for i, c in enumerate(stream.channels, 2)]
        checks = [self._structure(), self._asset_check(), self._time_check()]
        checks += [self._channel_check(c, f"raw_{i}") for i, c in enumerate(stream.channels, 2)]
        asset_id = f"joinGet({literal(self.asset_table)}, 'asset_id', key)"
        if known_assets_only:
            unknown = self._problem(stream.asset_field, reasons.UNKNOWN_ASSET)
            checks.append(f"if(asset_id = 0, {unknown}, 0)")
        problem = "".join(f"if(({check}) AS check_{i} > 0, check_{i}, " for i, check in enumerate(checks))
        values = ", ".join(f"{self._value(c)} AS value_{c.name}" for c in stream.channels)
        raw_names = ", ".join(f"raw_{i}" for i in range(len(names)))
        return (
            f"SELECT row, line, blank, key, ts, asset_id, {raw_names}, {values}, "
            f"if(blank, 0, {problem}0{')' * len(checks)}) AS problem FROM ("
            f"SELECT row, line, quotes, field_count, {raw_names}, "
            f"trim(BOTH {_TRIMMED} FROM line) = '' AS blank, {', '.join(typed)}, {asset_id} AS asset_id FROM ("
            f"SELECT row, line, quotes, length(f) AS field_count, {raws} FROM ({self._fields()})))"
        )

    def _problem(self, column: str, reason: str) -> int:
        """The number by which the SQL speaks of a reason until the row is written."""
        self._problems.append((column, reason))
        return len(self._problems)

    def _structure(self) -> str:
        file, expected = self.file, self.file.field_count
        cases = []
        if file.has_long_line:
            cases.append((f"length(line) >= {MAX_LINE_BYTES}", reasons.LINE_TOO_LONG))
        if file.has_nul:
            cases.append(("position(line, '\\0') > 0", reasons.NUL_BYTE))
        if not file.is_ascii:
            cases.append(("NOT isValidUTF8(line)", reasons.NOT_UTF8))
        if file.has_quotes:
            cases.append(("quotes % 2 = 1", reasons.UNBALANCED_QUOTE))
        cases.append((f"field_count < {expected}", reasons.TOO_FEW_FIELDS))
        cases.append((f"field_count > {expected}", reasons.TOO_MANY_FIELDS))
        return _first_of([(condition, self._problem("", reason)) for condition, reason in cases])

    def _key(self) -> str:
        return "raw_0" if self.file.asset_key is None else literal(self.file.asset_key)

    def _asset_check(self) -> str:
        name, key = self.stream.asset_field, self.file.asset_key
        if key is not None:
            if name not in self.file.positions:
                return "0"
            other = self._problem(name, reasons.other_asset(key))
            return f"if(raw_0 = {literal(key)} OR lower(raw_0) IN {_NULLS}, 0, {other})"
        longest = self.stream.asset_key_max_length
        missing = self._problem(name, reasons.MISSING)
        too_long = self._problem(name, reasons.too_long(longest))
        return f"multiIf(lower(raw_0) IN {_NULLS}, {missing}, lengthUTF8(raw_0) > {longest}, {too_long}, 0)"

    def _timestamp(self) -> str:
        either = f"{timestamps.ISO_PATTERN}|{timestamps.EPOCH_SECONDS_PATTERN}"
        return (
            f"multiIf(match(raw_1, {literal(either)}), parseDateTime64BestEffortOrNull(raw_1, 6, 'UTC'), "
            f"match(raw_1, {literal(timestamps.EPOCH_MILLISECONDS_PATTERN)}), "
            "toDateTime64(fromUnixTimestamp64Milli(ifNull(toInt64OrNull(raw_1), 0), 'UTC'), 6, 'UTC'), NULL)"
        )

    def _time_check(self) -> str:
        name = self.stream.time_field
        missing = self._problem(name, reasons.MISSING)
        unreadable = self._problem(name, reasons.NOT_A_TIMESTAMP)
        early = self._problem(name, reasons.TOO_EARLY)
        late = self._problem(name, reasons.TOO_LATE)
        latest = self.now + timestamps.FUTURE_TOLERANCE
        return (
            f"multiIf(isNull(ts), if(lower(raw_1) IN {_NULLS}, {missing}, {unreadable}), "
            f"ts < {sql_time(timestamps.EARLIEST)}, {early}, ts > {sql_time(latest)}, {late}, 0)"
        )

    def _parsed(self, channel: Channel, raw: str) -> str:
        return f"toFloat64OrNull({raw})" if channel.is_numeric else raw

    def _channel_check(self, channel: Channel, raw: str) -> str:
        parsed = f"parsed_{channel.name}"
        empty = self._problem(channel.name, reasons.MISSING) if channel.required else 0
        if not channel.is_numeric:
            return self._text_check(channel, raw, empty)
        assert channel.hard is not None
        inside = f"ifNull({parsed} >= {channel.hard.low} AND {parsed} <= {channel.hard.high}, 0)"
        good = "0"
        if channel.type is ChannelType.INTEGER:
            broken = self._problem(channel.name, reasons.NOT_WHOLE)
            good = f"if({parsed} = floor({parsed}), 0, {broken})"
        unreadable = self._problem(channel.name, reasons.NOT_A_NUMBER)
        outside = self._problem(channel.name, reasons.outside_range(channel))
        bad = (
            f"multiIf(lower({raw}) IN {_NULLS}, {empty}, isNull({parsed}) OR isNaN({parsed}), {unreadable}, {outside})"
        )
        return f"if({inside}, {good}, {bad})"

    def _text_check(self, channel: Channel, raw: str, empty: int) -> str:
        if channel.choices:
            fine, reason = f"{raw} IN ({literals(channel.choices)})", reasons.not_a_choice(channel)
        else:
            fine, reason = f"lengthUTF8({raw}) <= {channel.max_length}", reasons.too_long(channel.max_length)
        other = self._problem(channel.name, reason)
        return f"multiIf(lower({raw}) IN {_NULLS}, {empty}, {fine}, 0, {other})"

    def _value(self, channel: Channel) -> str:
        parsed = f"parsed_{channel.name}"
        if not channel.is_numeric:
            return f"if(lower({parsed}) IN {_NULLS}, NULL, {parsed})"
        if channel.type is ChannelType.INTEGER:
            return f"accurateCastOrNull({parsed}, 'Int64')"
        return f"if(isNaN({parsed}), NULL, {parsed})"

    def _flags(self) -> str:
        conditions = []
        for channel in self.stream.channels:
            if channel.plausible:
                value, between = f"value_{channel.name}", channel.plausible
                condition = f"ifNull({value} < {between.low} OR {value} > {between.high}, 0)"
                conditions.append((condition, implausible_flag(channel)))
        for check in self.stream.row_checks:
            condition = f"value_{check.channel} > {check.above} AND value_{check.state} = {literal(check.equals)}"
            conditions.append((f"ifNull({condition}, 0)", check.flag))
        conditions.append((f"ts > {sql_time(self.now + timestamps.CLOCK_TOLERANCE)}", CLOCK_AHEAD))
        any_of = " OR ".join(f"({condition})" for condition, _ in conditions)
        each = ", ".join(f"if({condition}, {literal(flag)}, '')" for condition, flag in conditions)
        return f"if({any_of}, arrayFilter(flag -> flag != '', [{each}]), [])"


def sql_time(moment: datetime) -> str:
    """An aware time as an SQL expression, exact to the microsecond."""
    return f"fromUnixTimestamp64Micro(toInt64({to_microseconds(moment)}), 'UTC')"


def _first_of(cases: list[tuple[str, int]]) -> str:
    return "multiIf(" + "".join(f"{condition}, {number}, " for condition, number in cases) + "0)"

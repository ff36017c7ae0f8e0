"""A row is judged the same whether it comes alone (Python) or in a file (the engine)."""

from __future__ import annotations

import csv
import io
import itertools
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.stores import AssetBook, load_text
from wattkeeper.base.core.clock import now
from wattkeeper.flow.readings.normalise import normalise
from wattkeeper.flow.readings.reading import Row
from wattkeeper.flow.store import queries
from wattkeeper.flow.store.load import refused_rows
from wattkeeper.flow.store.queries import Ordering, Selection
from wattkeeper.flow.store.store import Store
from wattkeeper.kinds.vehicle.streams import TELEMETRY

_tenants = itertools.count(3_000_000)
_batches = itertools.count(3_000_000)

# Texts as files have them, with the places where two parsers like to differ in front.
_spaces = st.sampled_from(["", " ", "\t", "  "])
_null_words = st.sampled_from(["", "NULL", "None", "n/a", "NaN", "null ", "-nan", "nil"])
_numbers = st.one_of(
    st.integers(-10_000, 10_000_000).map(str),
    st.floats().map(str),
    st.floats(-600, 3_100_000).map(lambda x: f"{x:.3f}"),
    st.from_regex(r"[+-]?[0-9]{0,4}\.?[0-9]{0,4}([eE][+-]?[0-9]{0,3})?", fullmatch=True),
    st.sampled_from(["inf", "-Infinity", "1e400", "-1e400", "1_000", "0x10", "1,5", "٣", "1d", "+-1", "1e-400", "."]),
)
_EDGES_OF_THE_CALENDAR = (
    "0000-01-01 00:00:00",
    "0001-01-01 00:00:00",
    "0001-01-01 00:00:00+14:00",
    "9999-12-31 23:59:59-14:00",
)
_times = st.one_of(
    st.datetimes(datetime(1985, 1, 1), datetime(2030, 1, 1)).map(str),
    st.datetimes(datetime(1995, 1, 1), datetime(2025, 1, 1)).map(lambda t: t.isoformat() + "Z"),
    st.from_regex(
        r"(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9](:[0-6][0-9](\.[0-9]{0,10})?)?"
        r"(Z|[+-][01][0-9]:?[0-5][0-9])?",
        fullmatch=True,
    ),
    st.from_regex(r"[0-9]{8,14}(\.[0-9]{0,10})?", fullmatch=True),
    st.sampled_from(["2024-01-01", "10:00", "2024-02-29 10:00:00", "2023-02-29 10:00:00", *_EDGES_OF_THE_CALENDAR]),
)
_texts = st.text(st.characters(codec="utf-8", exclude_characters="\0\n\r\x1f"), max_size=110)
_gears = st.sampled_from(["P", "R", "N", "D", "d", "PARK", "P "])
_values = st.one_of(_numbers, _times, _null_words, _texts, _gears)


def _cell(usual: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda a, b, c: a + b + c, _spaces, st.one_of(usual, usual, usual, _values), _spaces)


_rows = st.tuples(
    _cell(st.sampled_from(["V1", "V2", "vehicle ünï", '"q"', "a,b"])),
    _cell(_times),
    *[_cell(_numbers)] * 4,
    _cell(_gears),
)


@given(st.lists(_rows, min_size=1, max_size=60))
@example([("V1", "2024-01-01 00:00:00.123456789", "0", "1", "2", "3", "P")])
@example([("V1", at, "0", "1", "2", "3", "P") for at in _EDGES_OF_THE_CALENDAR])
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_a_row_is_judged_the_same_alone_and_in_a_file(embedded_store: Store, rows: list[tuple[str, ...]]) -> None:
    tenant_id, batch_id = next(_tenants), next(_batches)
    alone: dict[int, Row] = {}
    refused_alone = {}
    for number, row in enumerate(rows, start=2):
        result = normalise(TELEMETRY, dict(zip(TELEMETRY.columns, row, strict=True)), now=now())
        if isinstance(result, Row):
            alone[number] = result
        else:
            refused_alone[number] = (result[0].column, result[0].reason)

    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([TELEMETRY.columns, *rows])
    with tempfile.TemporaryDirectory() as folder:
        load_text(
            embedded_store,
            TELEMETRY,
            out.getvalue().encode(),
            Path(folder),
            tenant_id=tenant_id,
            batch_id=batch_id,
            assets=AssetBook(),
        )
    refused = {
        line[0]: (line[1], line[3])
        for block in refused_rows(embedded_store.engine, batch_id=batch_id)
        for line in block
    }
    assert refused == refused_alone

    expected = {}
    for parsed in alone.values():
        expected.setdefault((parsed.asset_key, parsed.at), parsed.values)
    stored = queries.page(
        embedded_store.engine,
        TELEMETRY,
        Selection(tenant_id=tenant_id),
        ordering=Ordering(column="timestamp"),
        offset=0,
        limit=1000,
    )
    assert {(row.asset_key, row.key.at.astimezone(UTC)): dict(row.values) for row in stored} == expected

"""A file's preview (Python) says of each row what the load of the same file (the engine) makes of it."""

from __future__ import annotations

import itertools
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.stores import AssetBook, load_text
from wattkeeper.base.core.errors import BadRequestError
from wattkeeper.flow.sources.csv_upload.preview import PREVIEW_ROWS, Preview, preview_of
from wattkeeper.flow.store import queries
from wattkeeper.flow.store.load import refused_rows
from wattkeeper.flow.store.queries import Ordering, Selection
from wattkeeper.flow.store.store import Store
from wattkeeper.kinds.vehicle.streams import TELEMETRY

_tenants = itertools.count(4_000_000)
_batches = itertools.count(4_000_000)

NAMES = ("vehicle_id", "timestamp", "speed", "odometer", "soc", "elevation", "shift_state")

# What a cell may hold: mostly what belongs there, then what two parsers like to read in two ways.
_good = {
    "vehicle_id": st.sampled_from(["V1", "V2", "V,3", 'V"4', "ü"]),
    "timestamp": st.sampled_from(["2024-05-01T12:00:00Z", "2024-05-01 12:00:01", "1714564802", "1714564803123"]),
    "speed": st.sampled_from(["", "0", "201", "1e2", "NULL"]),
    "odometer": st.sampled_from(["1", "1.5", "+2", ".5", "1e5"]),
    "soc": st.sampled_from(["0", "50", "100", "5e1", "50.0"]),
    "elevation": st.sampled_from(["-500", "-0", "9000", "12.25"]),
    "shift_state": st.sampled_from(["P", "D", "", "n/a"]),
}
_wild = st.one_of(
    st.sampled_from(["", '"', '""', '"x', 'x"y"z', "\x1f", "\r", "\t", "\v", "\xa0", " 5 ", "=1+1", "V1", "-5", "nan"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=12),
    st.floats().map(str),
)


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


@st.composite
def _lines(draw: st.DrawFn, names: list[str], delimiter: str) -> bytes:
    if draw(st.integers(0, 9)) == 0:
        return draw(st.one_of(st.binary(max_size=60), st.sampled_from([b"", b" \t\r", b"\0", b",,,,,,", b";;;;;;"])))
    cells = []
    for name in names:
        usual = _good.get(name, st.sampled_from(["x", "7"]))
        cell = draw(st.one_of(*[usual] * 12, _wild))
        needs = delimiter in cell or '"' in cell
        cells.append(_quoted(cell) if draw(st.integers(0, 9)) < (8 if needs else 1) else cell)
    change = draw(st.integers(0, 19))
    if change == 0:
        cells.pop()
    elif change == 1:
        cells.append("more")
    return delimiter.join(cells).encode()


@st.composite
def _files(draw: st.DrawFn) -> tuple[bytes, str | None]:
    """A file that can be loaded, and the vehicle that its upload names."""
    asset = draw(st.sampled_from([None, "V1"]))
    names = [*NAMES, *draw(st.lists(st.sampled_from(["driver", "", "Note", "refused_row"]), max_size=2))]
    if asset and draw(st.booleans()):
        names.remove("vehicle_id")
    names = draw(st.permutations(names))
    delimiter = draw(st.sampled_from([",", ";", "\t"]))
    end = draw(st.sampled_from([b"\n", b"\r\n"]))
    written = [name.upper() if draw(st.integers(0, 4)) == 0 else name for name in names]
    lines = draw(st.lists(_lines(names, delimiter), max_size=PREVIEW_ROWS + 5))
    before = draw(st.sampled_from([b"", b"\xef\xbb\xbf", end, b"\xef\xbb\xbf" + end]))
    last = draw(st.sampled_from([b"", end]))
    return before + end.join([delimiter.join(written).encode(), *lines]) + last, asset


@given(_files())
@example((b"vehicle_id,timestamp,odometer,soc,elevation\nV1,2024-05-01T12:00:00Z,1,2,3\r\n", None))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_the_preview_says_of_every_row_what_the_load_makes_of_it(
    embedded_store: Store, file: tuple[bytes, str | None]
) -> None:
    content, asset = file
    preview = preview_of(content, TELEMETRY, tenant_id=0, asset_key=asset or "", complete=True)
    assert preview.loadable
    refused, stored = _loaded(embedded_store, content, asset)
    last = preview.rows[-1].number if len(preview.rows) == PREVIEW_ROWS else len(content)
    assert _refusals(preview) == {row: said for row, said in refused.items() if row <= last}

    expected: dict[Any, Any] = {}
    for row in preview.rows:
        if row.refused is None:
            values = dict(row.values)
            expected.setdefault((values.pop("vehicle_id"), values.pop("timestamp")), (values, tuple(row.flags)))
    for key, (values, flags) in expected.items():
        assert stored[key][0] == values
        assert set(flags) <= set(stored[key][1])  # the load adds those that need a neighbour
    if len(preview.rows) < PREVIEW_ROWS:
        assert stored.keys() == expected.keys()


def _refusals(preview: Preview) -> dict[int | None, tuple[str, str, str]]:
    said = [row.refused for row in preview.rows if row.refused]
    return {refusal.row: (refusal.column, refusal.value, refusal.reason) for refusal in said}


def _loaded(store: Store, content: bytes, asset: str | None) -> tuple[dict[int | None, Any], dict[Any, Any]]:
    """What the load refused, by row, and what is stored now, by vehicle and time."""
    tenant_id, batch_id = next(_tenants), next(_batches)
    book = AssetBook()
    with tempfile.TemporaryDirectory() as folder:
        load_text(
            store,
            TELEMETRY,
            content,
            Path(folder),
            tenant_id=tenant_id,
            batch_id=batch_id,
            asset_key=asset,
            assets=book,
        )
    refused = {
        row: (column, value, reason)
        for block in refused_rows(store.engine, batch_id=batch_id)
        for row, column, value, reason, _ in block
    }
    rows = queries.page(
        store.engine,
        TELEMETRY,
        Selection(tenant_id=tenant_id),
        ordering=Ordering(column="timestamp"),
        offset=0,
        limit=1000,
    )
    stored = {(row.asset_key, row.key.at.astimezone(UTC)): (dict(row.values), row.flags) for row in rows}
    return refused, stored


HEADER = b"timestamp,odometer,soc,elevation\n"
ROW = b"2024-05-01T12:00:00Z,1,2,3\n"


def _preview(head: bytes, *, complete: bool = True, asset_key: str = "V1") -> Preview:
    return preview_of(head, TELEMETRY, tenant_id=0, asset_key=asset_key, complete=complete)


def test_a_last_line_that_may_be_cut_is_not_shown() -> None:
    cut = HEADER + ROW + b"2024-05-01T12:0"
    assert [row.number for row in _preview(cut, complete=False).rows] == [2]
    assert [row.number for row in _preview(cut).rows] == [2, 3]
    assert [row.number for row in _preview(HEADER + ROW, complete=False).rows] == [2]


@pytest.mark.parametrize("head", [HEADER[:-1], b"", b"\n\r\n", b"\xef\xbb\xbf\n\xc3"])
def test_less_than_a_header_is_said_to_be_too_little(head: bytes) -> None:
    with pytest.raises(BadRequestError, match="send more of it"):
        _preview(head, complete=False)


def test_a_file_that_cannot_be_loaded_shows_its_rows_and_judges_none() -> None:
    preview = _preview(b"Timestamp;SOC;driver\n2024;x;=1\n\n")
    assert (preview.delimiter, preview.loadable) == (";", False)
    assert preview.problem == "CSV header missing required columns: odometer, elevation."
    assert preview.missing_columns == ["odometer", "elevation"]
    assert [(row.number, row.cells, row.refused) for row in preview.rows] == [(2, ["2024", "x", "=1"], None)]
    assert [(column.name, column.channel) for column in preview.columns] == [
        ("Timestamp", "timestamp"),
        ("SOC", "soc"),
        ("driver", None),
    ]


def test_a_column_that_stands_twice_is_the_files_problem() -> None:
    preview = _preview(b"soc," + HEADER + b"1," + ROW)
    assert preview.problem == "The column soc stands twice in the header."


def test_times_are_shown_as_they_were_understood() -> None:
    (row,) = _preview(HEADER + b"1714564800,1,2,3\n").rows
    assert row.values["timestamp"] == datetime(2024, 5, 1, 12, tzinfo=UTC)

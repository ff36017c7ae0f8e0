"""A delimited text file as a door understood it, before any of its rows has been read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MAX_LINE_BYTES = 1 << 20  # a longer line is cut to this, and its row refused


@dataclass(frozen=True, slots=True, kw_only=True)
class DelimitedFile:
    """`lines` counts all lines, the header's too. `positions` are the columns' places, from 0.

    `asset_key`: the asset of all rows, where the upload named one. The facts `has_quotes`, `has_nul` and
    `is_ascii` are of the whole file; they spare the engine checks that cannot fail.
    """

    path: Path
    delimiter: str
    header_line: int
    field_count: int
    positions: Mapping[str, int]
    lines: int
    has_quotes: bool
    has_nul: bool
    is_ascii: bool
    has_long_line: bool
    asset_key: str | None
    ignored_columns: tuple[str, ...] = ()

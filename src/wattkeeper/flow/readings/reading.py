"""A reading, and what became of it. Thousands of them come in a second: a `Struct` is made in a third of the time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct

Value = float | int | str | None


class Row(Struct, frozen=True, gc=False):
    """One row of a stream as a door understood it: the asset by its key, the time aware in UTC."""

    asset_key: str
    at: datetime
    values: Mapping[str, Any]  # of channels, a Value each; beside them, what the stream keeps
    flags: tuple[str, ...] = ()


class Reading(Struct, frozen=True, gc=False):
    """A row whose asset is known: what the store keeps."""

    tenant_id: int
    asset_id: int
    row: Row


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row was not taken. `row` is its number as a spreadsheet shows it; None outside files."""

    column: str
    value: str
    reason: str
    row: int | None = None


class Outcome(StrEnum):
    STORED = "stored"
    DUPLICATE = "duplicate"


class Receipt(Struct, frozen=True, gc=False):
    """What became of one reading; `reading` carries the flags that it was stored with.

    `arrival`: its number in the stream's order of arrival; 0 for a duplicate, which has none.
    """

    outcome: Outcome
    reading: Reading
    arrival: int = 0


@dataclass(frozen=True, slots=True)
class LoadReceipt:
    """What became of a file: rows_read = stored + duplicate + refused."""

    batch_id: int
    rows_read: int
    stored: int
    duplicate: int
    refused: int
    flagged: int
    flags: Mapping[str, int] = field(default_factory=dict)
    first_refusals: tuple[Refusal, ...] = ()

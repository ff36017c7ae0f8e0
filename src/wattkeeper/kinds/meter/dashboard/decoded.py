"""A stored message as people read it: as it came, and what each record of it means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from wattkeeper.flow.store.queries import StoredRow
from wattkeeper.kinds.meter.codes.dimensions import dimension_of
from wattkeeper.kinds.meter.wording import figure_of, status_words


@dataclass(frozen=True, slots=True)
class DecodedRecord:
    """`value` is as it was sent, with every digit. `scaled`: with its unit, a number of a known dimension."""

    dimension: str
    is_known: bool
    value: str
    scaled: str
    storage: int
    tariff: int
    subunit: int
    function: str


@dataclass(frozen=True, slots=True)
class DecodedMessage:
    """`text` is the message as it came, laid out."""

    id: str
    counted_at: datetime
    received_at: datetime
    own_time: datetime | None
    status: str
    access_number: int | None
    flags: Sequence[str]
    records: Sequence[DecodedRecord]
    text: str

    @property
    def records_label(self) -> str:
        """By which a screen reader tells it from the others on the page."""
        return f"Records of message {self.id}"


class _Record(msgspec.Struct, frozen=True):
    dimension: str
    value: msgspec.Raw = msgspec.Raw(b"null")
    tariff: int = 0
    subunit: int = 0
    storagenr: int = 0
    function: str = ""


class _Said(msgspec.Struct, frozen=True):
    data: tuple[_Record, ...]
    device: dict[str, Any]


_decoder = msgspec.json.Decoder(_Said)


def decoded(row: StoredRow) -> DecodedMessage:
    """A row of the store, whose message was understood once."""
    values, raw = row.values, (row.values["message"] or "").encode()
    try:
        said, text = _decoder.decode(raw), msgspec.json.format(raw, indent=2).decode()
    except msgspec.MsgspecError:
        said, text = _Said((), {}), raw.decode()
    number = said.device.get("accessnr")
    return DecodedMessage(
        id=row.key.public_id(),
        counted_at=row.key.at,
        received_at=values["received_at"],
        own_time=values["own_time"],
        status=status_words(values["status"]),
        access_number=number if isinstance(number, int) else None,
        flags=row.flags,
        records=[_decoded(record) for record in said.data],
        text=text,
    )


def _decoded(record: _Record) -> DecodedRecord:
    raw = bytes(record.value)
    is_text = raw.startswith(b'"')
    value = msgspec.json.decode(raw) if is_text else "" if raw == b"null" else raw.decode()
    known = dimension_of(record.dimension)
    figure = figure_of(record.dimension, value) if known and known.unit and not is_text and value else None
    return DecodedRecord(
        record.dimension,
        known is not None,
        value,
        str(figure or ""),
        record.storagenr,
        record.tariff,
        record.subunit,
        record.function,
    )

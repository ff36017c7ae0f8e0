"""A gateway's message: checked, and kept as it came. Pure Python, and the hottest code of this kind.

What is plain is understood by msgspec alone; what is not is looked at by `faults.py`, which names every fault with its
place. Which way a message goes makes no difference to what becomes of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import force_setattr

from wattkeeper.kinds.meter.codes import identnrs, manufacturers
from wattkeeper.kinds.meter.codes.identnrs import identnr_of
from wattkeeper.kinds.meter.faults import (
    BYTE_MOST,
    CODE_MOST,
    NAME_MOST,
    NUMBER_MOST,
    RECORDS_MOST,
    TEXT_MOST,
    VALUE_MOST,
    faults_of,
)
from wattkeeper.kinds.meter.numbers import SentFloat

Faults = Mapping[str, list[str]]  # what is wrong, by its place: `data[2].tariff`

BYTES_MOST = 64 << 10  # of one message
INSTANTANEOUS = ("", "Instantaneous value")  # what a record's `function` says of a plain value

_Byte = Annotated[int, Meta(ge=0, le=BYTE_MOST)]
_Number = Annotated[int, Meta(ge=0, le=NUMBER_MOST)]
_Name = Annotated[str, Meta(max_length=NAME_MOST)]
_Code = Annotated[str, Meta(max_length=CODE_MOST)]
_Value = int | float | Annotated[str, Meta(max_length=TEXT_MOST)] | None


class Record(Struct, frozen=True, gc=False):
    """One value of a telegram, as the gateway said it.

    `function`: what some gateways add to tell extremes and error states from plain values.
    """

    dimension: _Name
    value: _Value = None
    tariff: _Number = 0
    subunit: _Number = 0
    storagenr: _Number = 0
    function: _Name = ""

    @property
    def number(self) -> int | float | None:
        """The value where it is a plain number."""
        value = self.value
        return value if not isinstance(value, str) and self.function in INSTANTANEOUS else None


class Device(Struct, frozen=True, gc=False):
    """Who sent the telegram, as the gateway said it."""

    identnr: Annotated[int, Meta(ge=0, le=identnrs.MOST)] | _Code
    manufacturer: Annotated[int, Meta(ge=0, le=manufacturers.HIGHEST)] | _Code
    version: _Byte
    type: _Byte
    status: _Byte
    accessnr: _Byte | None = None


class _Body(Struct, frozen=True, gc=False):
    data: Annotated[tuple[Record, ...], Meta(max_length=RECORDS_MOST)]
    device: Device


class _WholeRecord(Record, frozen=True, gc=False, kw_only=True):
    """A record that leaves nothing out but its function. All are named anew, so that their order stays."""

    value: _Value
    tariff: _Number
    subunit: _Number
    storagenr: _Number
    function: _Name = ""


class _WholeDevice(Device, frozen=True, gc=False, kw_only=True):
    accessnr: _Byte | None


class _WholeBody(Struct, frozen=True, gc=False):
    data: Annotated[tuple[_WholeRecord, ...], Meta(max_length=RECORDS_MOST)]
    device: _WholeDevice


class Identity(Struct, frozen=True, gc=False):
    """What a meter is known by: all four, never the number alone."""

    manufacturer: int
    identnr: str  # eight digits; hexadecimal ones where the meter has such
    version: int
    type: int
    key: str = ""  # the asset's: `EFE-83251076-0-4`

    def __post_init__(self) -> None:
        letters = manufacturers.letters_of(self.manufacturer) or str(self.manufacturer)
        force_setattr(self, "key", f"{letters}-{self.identnr}-{self.version}-{self.type}")


class Message(Struct, frozen=True, gc=False):
    """One telegram. `raw` is the message as it came, in UTF-8.

    `digest`: the same for all that say the same, however the JSON is written: the order of keys, blanks, escapes, a
    number as `29690` or `2.969e4`, a meter's number as number or text, what is left out or said to be nothing. What is
    no part of a telegram (keys of the gateway's own) does not count.
    """

    identity: Identity
    status: int
    accessnr: int | None
    records: Sequence[Record]
    raw: bytes
    digest: int


_whole = msgspec.json.Decoder(_WholeBody)
_any = msgspec.json.Decoder(_Body)
_encoder = msgspec.json.Encoder()
_KEYS_OF_RECORD, _KEYS_AROUND = 5, 8  # `data`, `device` and its six
_BLANKS = b" \t\n\r"  # between JSON's tokens


def message_of(raw: bytes) -> Message | Faults:
    """The message that `raw` is, or all that is wrong with it."""
    if len(raw) > BYTES_MOST:
        return {"detail": [f"A message has at most {BYTES_MOST >> 10} KiB."]}
    if (plain := _plain(raw)) and (said := _said(plain.data, plain.device, raw)):
        return said
    if faults := faults_of(raw):
        return faults
    try:
        body = _any.decode(raw)
    except (ValueError, RecursionError) as error:
        return {"detail": [f"The message is malformed: {error}."]}
    return _said(body.data, body.device, raw) or {"device": ["not a meter's"]}


def _plain(raw: bytes) -> _WholeBody | None:
    """What is beyond doubt; None of what has to be looked at.

    Of a key that is there twice one value would be lost, and nobody would know. So the keys are counted: a body that
    leaves nothing out has as many as its records need, and without the blanks each is a `":`. In a text `":` can
    stand, too, but then there are more of them than that.
    """
    try:
        body = _whole.decode(raw)
    except (ValueError, RecursionError):
        return None
    if b"\\" in raw and b"\\u0000" in raw:  # the one byte is found much sooner
        return None
    keys, needed = raw.translate(None, _BLANKS).count(b'":'), _KEYS_OF_RECORD * len(body.data) + _KEYS_AROUND
    if keys != needed and keys != needed + sum(record.function != "" for record in body.data):
        return None
    for record in body.data:
        value = record.value
        if type(value) is int and not -VALUE_MOST <= value <= VALUE_MOST:
            return None
    return body


def _said(records: Sequence[Record], device: Device, raw: bytes) -> Message | None:
    """The message; None where the device's codes are none."""
    who = _identity_of(device.manufacturer, device.identnr, device.version, device.type)
    if who is None:
        return None
    alike = _alike(records)
    said = (who.manufacturer, who.identnr, who.version, who.type, device.status, device.accessnr, alike)
    digest = int.from_bytes(blake2b(_encoder.encode(said), digest_size=8).digest(), "big")
    for record in records:
        if type(record.value) is float:
            records = _as_sent(records, raw)
            break
    return Message(who, device.status, device.accessnr, records, bytes(raw), digest or 1)


@lru_cache(maxsize=65_536)  # the same meters send again and again
def _identity_of(manufacturer: int | str, identnr: int | str, version: int, type_: int) -> Identity | None:
    """Of what a device says; None where its codes are none."""
    number, maker = identnr_of(identnr), manufacturers.said_code(manufacturer)
    return None if number is None or maker is None else Identity(maker, number, version, type_)


def _as_sent(records: Sequence[Record], raw: bytes) -> Sequence[Record]:
    """The records with the numbers that a double may not hold as they were written."""
    said = json.loads(raw, parse_float=SentFloat)["data"]
    return [
        msgspec.structs.replace(record, value=one["value"]) if type(record.value) is float else record
        for record, one in zip(records, said, strict=True)
    ]


def _alike(records: Sequence[Record]) -> Sequence[Record]:
    """The records with one way to write each number: JSON has one kind of number only."""
    for record in records:  # this way it takes half the time of `any`
        if _is_whole(record.value):
            break
    else:
        return records
    return [
        msgspec.structs.replace(record, value=int(record.value)) if _is_whole(record.value) else record  # type: ignore[arg-type]
        for record in records
    ]


def _is_whole(value: object) -> bool:
    """Whether it is written with a point or an exponent, and needs none."""
    return type(value) is float and value.is_integer()

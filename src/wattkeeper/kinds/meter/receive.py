"""A gateway's body on its way into the pipeline, and the receipts that it gets back. Both doors use it."""

from __future__ import annotations

import json
import zlib
from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from prometheus_client import Counter as Metric

from wattkeeper.base.core.errors import TooLargeError, WattkeeperError
from wattkeeper.flow.ingest import Ingested, count_readings, ingest_submit
from wattkeeper.flow.readings import reasons
from wattkeeper.flow.readings.reading import Outcome, Reading
from wattkeeper.flow.store.keys import ReadingKey
from wattkeeper.kinds.meter.known import Known
from wattkeeper.kinds.meter.message import Faults, Identity, Message, message_of
from wattkeeper.kinds.meter.reading import row_of
from wattkeeper.kinds.meter.streams import MESSAGE, UNKNOWN

BODY_MOST = 16 << 20  # bytes, unpacked
MESSAGES_MOST = 5_000  # of one array: half of what may wait to be written
RECEIVED = "Message received successfully"
ENCODINGS = ("", "gzip")  # of a body
WHATS = ("dimension", "medium", "manufacturer")  # that may be in no table

# Counted once for each stored message and what; which codes they are is in `/api/data/unknown/`.
UNKNOWN_CODES = Metric(
    "wattkeeper_meter_unknown_codes", "Stored messages with a code that is in no table, by what it is.", ["what"]
)
for _what in WHATS:  # a counter that is nought is there, too
    UNKNOWN_CODES.labels(_what)

_array = msgspec.json.Decoder(list[msgspec.Raw])
_lenient = json.JSONDecoder()
_encoded = msgspec.json.Encoder().encode
_MICROSECOND = timedelta(microseconds=1)


class UnreadableError(WattkeeperError):
    """The body is no message, and no array of messages."""

    status = 400


class UnsupportedError(WattkeeperError):
    """The body is packed in a way that is not read here."""

    status = 415


@dataclass(frozen=True, slots=True)
class Body:
    """What a gateway sent: one message or an array, each understood, or refused with all that is wrong with it."""

    is_array: bool
    items: Sequence[Message | Faults]
    meters: Mapping[str, Identity]  # of the messages, by key


def _body(items: Sequence[Message | Faults], *, is_array: bool) -> Body:
    who = (item.identity for item in items if isinstance(item, Message))
    return Body(is_array, items, {identity.key: identity for identity in who})


def unpacked(body: bytes, encoding: str) -> bytes:
    """The body without its `Content-Encoding`. TooLargeError where it is larger than is taken in one go."""
    if encoding not in ENCODINGS:
        raise UnsupportedError(f"A Content-Encoding of {encoding[:40]!r} is not read here; gzip is.")
    if encoding:
        body = _gunzipped(body)
    if len(body) > BODY_MOST:
        raise TooLargeError(f"A body has at most {BODY_MOST >> 20} MiB; send the messages in several arrays.")
    return body


def _gunzipped(body: bytes) -> bytes:
    """At most a byte more than is taken, whatever it would come to."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unzipped = unpacker.decompress(body, BODY_MOST + 1)
    except zlib.error:
        raise UnreadableError("The body is not what its Content-Encoding says: gzip.") from None
    if len(unzipped) <= BODY_MOST:
        if not unpacker.eof:
            raise UnreadableError("The body ends in the middle of its gzip stream.")
        if unpacker.unused_data.strip(b"\0"):
            raise UnreadableError("There is something behind the body's gzip stream.")
    return unzipped


def body_of(body: bytes) -> Body:
    """What the bytes say. UnreadableError where they are no array and no object; TooLargeError of too many messages."""
    body = body.removeprefix(BOM_UTF8)
    if body.lstrip()[:1] != b"[":
        return _body([message_of(body)], is_array=False)
    try:
        raws: Sequence[bytes | msgspec.Raw] = _array.decode(body)
    except (ValueError, RecursionError):
        raws = _taken_apart(body)
    if not raws:
        raise UnreadableError("The array has no message in it.")
    if len(raws) > MESSAGES_MOST:
        raise TooLargeError(f"An array has at most {MESSAGES_MOST:,} messages.")
    return _body([message_of(bytes(raw)) for raw in raws], is_array=True)


def _taken_apart(body: bytes) -> list[bytes]:
    """The messages of an array of which one is no JSON, as far as it can be told where each ends: NaN in a message, or
    half a character, is that one's fault alone."""
    try:
        text = body.decode(errors="surrogateescape").strip()
        raws: list[bytes] = []
        place = _past_blanks(text, 1)
        while text[place] != "]":
            _, end = _lenient.raw_decode(text, place)
            raws.append(text[place:end].encode(errors="surrogateescape"))
            place = _past_blanks(text, end)
            if text[place] == ",":
                place = _past_blanks(text, place + 1)
                if text[place] == "]":
                    raise ValueError("a comma at its end")
            elif text[place] != "]":
                raise ValueError(f"a comma is missing at character {place + 1:,}")
        if place + 1 < len(text):
            raise ValueError(f"something stands behind the array, at character {place + 2:,}")
    except IndexError:
        raise UnreadableError("The body is not valid JSON: the array has no end.") from None
    except RecursionError:
        raise UnreadableError("The JSON is nested too deep.") from None
    except ValueError as error:
        raise UnreadableError(f"The body is not valid JSON: {error}.") from None
    return raws


def _past_blanks(text: str, place: int) -> int:
    while place < len(text) and text[place] in " \t\r\n":
        place += 1
    return place


@dataclass(frozen=True, slots=True)
class Asked:
    """A body whose messages may be written: `refused` are those that may not, by their place in it."""

    is_array: bool
    count: int
    readings: Sequence[Reading]
    refused: Mapping[int, Faults]


def asked_of(body: Body, known: Mapping[str, Known], *, tenant_id: int, received_at: datetime) -> Asked:
    """The messages as readings. `known`: of all meters that may be written of."""
    refused: dict[int, Faults] = {}
    readings: list[Reading] = []
    first = received_at - len(body.items) * _MICROSECOND
    for place, item in enumerate(body.items, start=1):
        if not isinstance(item, Message):
            refused[place - 1] = item
        elif (meter := known.get(item.identity.key)) is None:
            refused[place - 1] = {"device": [reasons.UNKNOWN_ASSET]}
        else:
            # A microsecond after the one before it: of two that say nothing of their time the later one is the newer.
            row = row_of(item, received_at=first + place * _MICROSECOND, zone=meter.zone, due_storage=meter.due_storage)
            readings.append(Reading(tenant_id, meter.asset_id, row))
    return Asked(body.is_array, len(body.items), readings, refused)


def submitted(asked: Asked) -> Future[Sequence[Ingested]] | None:
    """The readings into the next flush; None where there are none. BusyError, and nothing is taken, where too many
    wait."""
    if asked.refused:
        count_readings(MESSAGE, "refused", len(asked.refused))
    if not asked.readings:
        return None
    future = ingest_submit(MESSAGE, asked.readings)
    for reading in asked.readings:
        if UNKNOWN in reading.row.flags:
            future.add_done_callback(_unknown_count)  # whoever waits for it
            break
    return future


def _unknown_count(future: Future[Sequence[Ingested]]) -> None:
    if future.exception():
        return
    for one in future.result():
        row = one.receipt.reading.row
        if UNKNOWN in row.flags and one.receipt.outcome is Outcome.STORED:
            for what in {code.partition(":")[0] for code in row.values["unknown"]}:
                UNKNOWN_CODES.labels(what).inc()


class _Receipt(msgspec.Struct, gc=False, omit_defaults=False):
    """What the gateway hears of a message that is durable."""

    id: str
    meter: str
    duplicate: bool
    counted_at: datetime
    flags: tuple[str, ...]
    message: str | msgspec.UnsetType = msgspec.UNSET  # of one that came alone
    status: int | msgspec.UnsetType = msgspec.UNSET  # of one in an array


def answer_of(asked: Asked, ingested: Sequence[Ingested]) -> tuple[int, bytes]:
    """The status and the JSON: 201 where all is durable, 400 where nothing is, 207 where some was refused.

    `ingested`: what became of the readings, in their order.
    """
    if not asked.is_array:
        receipts: list[Any] = [
            *(_receipt_of(one, message=RECEIVED) for one in ingested),
            *(_refusal_of(faults) for faults in asked.refused.values()),
        ]
        return 400 if asked.refused else 201, _encoded(receipts[0])
    receipts = [_receipt_of(one, status=201) for one in ingested]
    duplicate = sum(receipt.duplicate for receipt in receipts)
    for place in sorted(asked.refused):
        receipts.insert(place, {"status": 400, **_refusal_of(asked.refused[place])})
    body = {
        "message": f"{len(ingested):,} of {asked.count:,} messages received",
        "stored": len(ingested) - duplicate,
        "duplicate": duplicate,
        "refused": len(asked.refused),
        "receipts": receipts,
    }
    return 201 if not asked.refused else 207 if ingested else 400, _encoded(body)


def _receipt_of(
    ingested: Ingested,
    *,
    message: str | msgspec.UnsetType = msgspec.UNSET,
    status: int | msgspec.UnsetType = msgspec.UNSET,
) -> _Receipt:
    reading = ingested.receipt.reading
    row = reading.row
    return _Receipt(
        ReadingKey(reading.asset_id, row.at, row.values["digest"]).public_id(),
        row.asset_key,
        ingested.receipt.outcome is Outcome.DUPLICATE,
        row.at,
        row.flags,
        message,
        status,
    )


def _refusal_of(faults: Faults) -> dict[str, Any]:
    """What the gateway hears of a message that was refused: sentences by place, `detail` as one sentence."""
    return {place: said[0] if place == "detail" else list(said) for place, said in faults.items()}

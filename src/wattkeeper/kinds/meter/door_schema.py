"""What OpenAPI says of `/api/data/`: a message or an array of them, and the receipts."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse

from wattkeeper.kinds.meter.codes import manufacturers
from wattkeeper.kinds.meter.faults import BYTE_MOST, NAME_MOST, NUMBER_MOST, RECORDS_MOST, TEXT_MOST
from wattkeeper.kinds.meter.receive import BODY_MOST, RECEIVED

_NO_NUL = r"^[^\u0000]*$"
_BYTE = {"type": "integer", "minimum": 0, "maximum": BYTE_MOST}
_NUMBER = {"type": "integer", "minimum": 0, "maximum": NUMBER_MOST, "default": 0}
_NAME = {"type": "string", "maxLength": NAME_MOST, "pattern": _NO_NUL}
_COUNT = {"type": "integer", "minimum": 0}


def _object(properties: dict[str, Any], *required: str, **said: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), **said}


RECORD = _object(
    {
        "value": {
            "oneOf": [
                {"type": "number"},
                {"type": "string", "maxLength": TEXT_MOST},
                {"type": "null"},
            ],
        },
        "tariff": _NUMBER,
        "subunit": _NUMBER,
        "dimension": {**_NAME, "description": "The quantity and its unit with a factor: `Energy (10 Wh)`."},
        "storagenr": {**_NUMBER, "description": "0: now; 1: the due date, by convention."},
        "function": {**_NAME, "description": "`Instantaneous value`, or what else some gateways say of a value."},
    },
    "dimension",
)
DEVICE = _object(
    {
        "identnr": {
            "oneOf": [
                {"type": "integer", "minimum": 0, "maximum": 99_999_999},
                {"type": "string", "pattern": "^[0-9A-Fa-f]{1,8}$"},
            ]
        },
        "manufacturer": {
            "oneOf": [
                {"type": "integer", "minimum": 0, "maximum": manufacturers.HIGHEST},
                {"type": "string", "pattern": "^[A-Za-z]{3}$"},
            ]
        },
        "version": _BYTE,
        "type": {**_BYTE, "description": "The medium: 4 is heat."},
        "status": _BYTE,
        "accessnr": {"oneOf": [_BYTE, {"type": "null"}]},
    },
    *("identnr", "manufacturer", "version", "type", "status"),
)
MESSAGE_SENT = _object(
    {"data": {"type": "array", "items": RECORD, "maxItems": RECORDS_MOST}, "device": DEVICE}, "data", "device"
)
REQUEST = {
    "application/json": {
        "oneOf": [
            MESSAGE_SENT,
            {"type": "array", "items": MESSAGE_SENT, "minItems": 1},
        ]
    }
}

_RECEIPT = {
    "id": {"type": "string", "description": "Opaque; the message's for ever."},
    "meter": {"type": "string", "examples": ["EFE-83251076-0-4"]},
    "duplicate": {"type": "boolean", "description": "It is there already; nothing was stored."},
    "counted_at": {"type": "string", "format": "date-time", "description": "The moment by which it counts."},
    "flags": {"type": "array", "items": {"type": "string"}},
}
_RECEIVED = _object({"message": {"type": "string", "const": RECEIVED}, **_RECEIPT}, "message", *_RECEIPT)
_REFUSED = {
    "type": "object",
    "properties": {"status": {"type": "integer", "const": 400}},
    "required": ["status"],
    "additionalProperties": True,
    "description": "What is wrong, by its place: `data[2].tariff`; `detail` is about the whole.",
}
_STORED = _object({"status": {"type": "integer", "const": 201}, **_RECEIPT}, "status", *_RECEIPT)
_RECEIPTS = _object(
    {
        "message": {"type": "string"},
        "stored": _COUNT,
        "duplicate": _COUNT,
        "refused": _COUNT,
        "receipts": {
            "type": "array",
            "items": {"oneOf": [_STORED, _REFUSED]},
            "description": "One for each message, in their order.",
        },
    },
    *("message", "stored", "duplicate", "refused", "receipts"),
)
RESPONSES = {
    201: OpenApiResponse({"oneOf": [_RECEIVED, _RECEIPTS]}, description="All of it is durable."),
    207: OpenApiResponse(_RECEIPTS, description="Some messages of the array are durable, the others refused."),
}
DESCRIPTION = (
    "A message of a gateway, or an array of them. Each is kept as it came, and answered once it is durable. The same "
    "message again is a 201 that says `duplicate`. Unknown meters appear by themselves. Of an array of which nothing "
    "is taken the 400 has the receipts. A body may be packed (`Content-Encoding: gzip`) and has at most "
    f"{BODY_MOST >> 20} MiB unpacked."
)

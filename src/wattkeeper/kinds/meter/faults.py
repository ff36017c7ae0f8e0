"""All that is wrong with a gateway's message, by its place. Slow, and asked only where something is not plain."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from typing import Any

from wattkeeper.kinds.meter.codes import manufacturers
from wattkeeper.kinds.meter.codes.identnrs import identnr_of

Found = dict[str, list[str]]  # sentences by place: `data[2].tariff`; `detail` is the body as a whole

RECORDS_MOST = 1_000
TEXT_MOST = 1_000  # characters of a record's value
NAME_MOST = 200  # of a dimension, and of a function
CODE_MOST = 20  # of a number or of letters that come as text
BYTE_MOST, NUMBER_MOST = 255, 2**31 - 1
VALUE_MOST = int(sys.float_info.max)  # beyond it there is no number, however it is written

_DIGITS_MOST = 400  # of a whole number: more than VALUE_MOST has
_SHOWN = 60  # characters of a key


def faults_of(raw: bytes) -> Found:
    """All that is wrong, by its place; nothing where nothing is."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        return {"detail": [f"The body is not UTF-8: byte {error.start} is {raw[error.start]:#04x}."]}
    try:
        body = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number, parse_int=_whole)
    except _Twice as twice:
        return {"detail": [f"The key `{twice}` is there twice in one object."]}
    except RecursionError:
        return {"detail": ["The JSON is nested too deep."]}
    except ValueError as error:
        said = "it begins with a byte order mark" if text.startswith("\ufeff") else error
        return {"detail": [f"The body is not valid JSON: {said}."]}
    if not isinstance(body, dict):
        return {"detail": ["A message is an object with `data` and `device`."]}
    found: Found = {}
    _check_device(body.get("device"), found)
    _check_records(body.get("data"), found)
    return found


def _check_device(device: Any, found: Found) -> None:
    if not isinstance(device, dict):
        found["device"] = ["missing" if device is None else "not an object"]
        return
    for name in ("type", "status", "version"):
        _check_whole(device, name, "device", BYTE_MOST, found)
    if device.get("accessnr") is not None:
        _check_whole(device, "accessnr", "device", BYTE_MOST, found)
    identnr, manufacturer = device.get("identnr"), device.get("manufacturer")
    if identnr is None:
        found["device.identnr"] = ["missing"]
    elif not _is_code(identnr) or identnr_of(identnr) is None:
        found["device.identnr"] = ["not a number of at most 8 digits, nor a hexadecimal text of at most 8"]
    if isinstance(manufacturer, str):
        if len(manufacturer) > CODE_MOST or manufacturers.said_code(manufacturer) is None:
            found["device.manufacturer"] = ["not a manufacturer's number or its three letters"]
    else:
        _check_whole(device, "manufacturer", "device", manufacturers.HIGHEST, found)


def _check_records(data: Any, found: Found) -> None:
    if not isinstance(data, list):
        found["data"] = ["missing" if data is None else "not an array"]
    elif len(data) > RECORDS_MOST:
        found["data"] = [f"more than {RECORDS_MOST:,} records"]
    else:
        for number, record in enumerate(data):
            _check_record(record, f"data[{number}]", found)


def _check_record(record: Any, place: str, found: Found) -> None:
    if not isinstance(record, dict):
        found[place] = ["not an object"]
        return
    _check_name(record, "dimension", place, found)
    if "function" in record:
        _check_name(record, "function", place, found)
    for name in ("tariff", "subunit", "storagenr"):
        if name in record:
            _check_whole(record, name, place, NUMBER_MOST, found)
    if fault := _value_fault(record.get("value")):
        found[f"{place}.value"] = [fault]


def _value_fault(value: Any) -> str | None:
    if isinstance(value, bool | list | dict):
        return "not a number, a text or null"
    if isinstance(value, str):
        return _text_fault(value, TEXT_MOST)
    if value is not None and not (math.isfinite(value) if isinstance(value, float) else abs(value) <= VALUE_MOST):
        return "larger than a number can be"
    return None


def _check_whole(said: Mapping[str, Any], name: str, place: str, most: int, found: Found) -> None:
    value = said.get(name)
    if value is None:
        found[f"{place}.{name}"] = ["missing"]
    elif isinstance(value, bool) or not isinstance(value, int):
        found[f"{place}.{name}"] = ["not a whole number"]
    elif not 0 <= value <= most:
        found[f"{place}.{name}"] = [f"not between 0 and {most:,}"]


def _check_name(said: Mapping[str, Any], name: str, place: str, found: Found) -> None:
    value = said.get(name)
    if value is None:
        found[f"{place}.{name}"] = ["missing"]
    elif not isinstance(value, str):
        found[f"{place}.{name}"] = ["not a text"]
    elif fault := _text_fault(value, NAME_MOST):
        found[f"{place}.{name}"] = [fault]
    elif "\0" in value:  # no database takes it in a name; a value's text is only kept as it came
        found[f"{place}.{name}"] = ["with a NUL character in it"]


def _text_fault(text: str, most: int) -> str | None:
    if len(text) > most:
        return f"longer than {most:,} characters"
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        return "with half a character in it, a lone surrogate"
    return None


def _is_code(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= CODE_MOST
    return isinstance(value, int) and not isinstance(value, bool)


class _Twice(ValueError):
    """Names the key that is there twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _Twice(name[:_SHOWN].encode("ascii", "backslashreplace").decode())
            seen.add(name)
    return said


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number in JSON")


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= _DIGITS_MOST else math.inf

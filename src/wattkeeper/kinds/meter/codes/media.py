"""What a meter measures: its device type (EN 13757-3, table 3; OMS Specification volume 2, table 2)."""

from __future__ import annotations

import re
from collections.abc import Mapping

_WORDS: Mapping[int, str] = {
    0: "other",
    1: "oil",
    2: "electricity",
    3: "gas",
    4: "heat",
    5: "steam",
    6: "warm water",
    7: "water",
    8: "heat cost allocator",
    9: "compressed air",
    10: "cooling, outlet",
    11: "cooling, inlet",
    12: "heat, inlet",
    13: "heat and cooling",
    14: "bus or system",
    15: "unknown medium",
    16: "irrigation water",
    17: "water logger",
    18: "gas logger",
    19: "gas converter",
    20: "calorific value",
    21: "hot water",
    22: "cold water",
    23: "hot and cold water",
    24: "pressure",
    25: "A/D converter",
    26: "smoke detector",
    27: "room sensor",
    28: "gas detector",
    32: "electricity breaker",
    33: "gas or water valve",
    37: "customer unit",
    40: "waste water",
    41: "garbage",
    48: "service unit",
    49: "communication controller",
    50: "unidirectional repeater",
    51: "bidirectional repeater",
    54: "radio converter, system side",
    55: "radio converter, meter side",
}


def medium_of(code: int) -> str | None:
    """The medium in words; None where the code is reserved or none."""
    return _WORDS.get(code)


def words_of(code: int) -> str:
    """As a report shows it: `heat (4)`."""
    return f"{_WORDS.get(code, 'unknown')} ({code})"


def code_said(text: str) -> int | None:
    """The code that people mean by `heat`, by `4` or by `heat (4)`; None where it is none."""
    found = _SAID.fullmatch(text)
    if not found:
        return _CODES.get(text.lower())
    code = int(found["code"])
    return code if code <= _HIGHEST and found["words"] in (None, medium_of(code) or "unknown") else None


_HIGHEST = 255  # a byte
_CODES = {words: code for code, words in _WORDS.items()}
_SAID = re.compile(r"(?:(?P<words>.+) \()?(?P<code>[0-9]{1,3})(?(words)\))")

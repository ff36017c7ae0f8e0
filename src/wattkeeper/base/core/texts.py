"""What people write, for others to read: nothing in it that nobody sees, or that turns around what stands beside it."""

from __future__ import annotations

import re
import unicodedata

_LINES_END = re.compile("\r\n|[\r\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}]")
# Controls, formats (the overrides of direction among them), halves of characters, ends of lines.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"  # of emoji, and of scripts whose letters join
_SELECTORS = frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))  # of how a sign looks
_FLAG, _TAGS = "\N{WAVING BLACK FLAG}", frozenset(map(chr, range(0xE0020, 0xE0080)))  # of England, Scotland, Wales
# What shows nothing and is in another category: Unicode's Default_Ignorable_Code_Point, and the empty Braille cell.
_BLANK = frozenset(
    chr(one)
    for blanks in (
        (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
        range(0x180B, 0x1810),
        range(0xFE00, 0xFE10),
        range(0xFFF0, 0xFFF9),
        range(0xE0000, 0xE1000),
    )
    for one in blanks
)


def lines_joined(text: str) -> str:
    """The same with one way to end a line, and without blanks around it."""
    return _LINES_END.sub("\n", text).strip()


def text_trouble(text: str, *, lines: bool = False) -> str:
    """What is wrong with a text that is not empty, as a sentence; empty where nothing is. `lines`: it may have some."""
    before = "\n"
    for sign in text:
        if sign in "\n\t":
            if not lines:
                return "Write it in one line."
        elif unicodedata.category(sign) in _HIDDEN and not _belongs(sign, before):
            return f"There is something in it that nobody can see: U+{ord(sign):04X}."
        before = sign
    return "" if any(map(_shows, text)) else "There is nothing in it that anybody can see."


def _belongs(sign: str, before: str) -> bool:
    """Whether that is a part of what stands before it."""
    if sign in _TAGS:
        return before == _FLAG or before in _TAGS
    return sign in _JOINERS and (before in _SELECTORS or _shows(before))


def _shows(sign: str) -> bool:
    return not (sign.isspace() or sign in _BLANK or unicodedata.category(sign) in _HIDDEN)

"""Texts that a spreadsheet would run, when it opens a file, as a formula."""

from __future__ import annotations

import re

# A blank sign is skipped by some spreadsheets, and what follows it is run.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
HARMLESS_START = "'"
_PLAIN_NUMBER = re.compile(r"[+-]([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def harmless(cell: object) -> object:
    """The same; what would be a formula is made a text again."""
    return f"{HARMLESS_START}{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell


def harmless_text(cell: str) -> str:
    """A cell of a file that is to be read again: a plain number (-5) stays one."""
    return cell if _PLAIN_NUMBER.fullmatch(cell) else str(harmless(cell))

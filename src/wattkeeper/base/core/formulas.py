"""Texts that a spreadsheet would run, when it opens a file, as a formula."""

from __future__ import annotations

# A blank sign is skipped by some spreadsheets, and what follows it is run.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
HARMLESS_START = "'"


def harmless(cell: object) -> object:
    """The same; what would be a formula is made a text again."""
    return f"{HARMLESS_START}{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell

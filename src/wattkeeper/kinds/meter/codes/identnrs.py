"""A meter's number as it stands on its plate: eight digits, sent as a number or as text (EN 13757-3: 8 digits of BCD).

Some meters send digits beyond 9; those are hexadecimal ones, and such a number can only be text.
"""

from __future__ import annotations

DIGITS = 8
MOST = 10**DIGITS - 1
_HEXADECIMAL = frozenset("0123456789ABCDEF")


def identnr_of(said: int | str) -> str | None:
    """Eight digits in upper case, whether or not they came with `0x`, blanks, or all their zeros; None of no number."""
    if isinstance(said, int):
        return f"{said:08d}" if 0 <= said <= MOST else None
    digits = said.strip().upper().removeprefix("0X")
    if not 1 <= len(digits) <= DIGITS or set(digits) - _HEXADECIMAL:
        return None
    return digits.zfill(DIGITS)

"""The status byte of a telegram (EN 13757-3, table 4, and OMS Specification volume 2)."""

from __future__ import annotations

APPLICATION = 0x03  # of these two bits:
BUSY, APPLICATION_ERROR, ALARM = 1, 2, 3
POWER_LOW = 0x04
PERMANENT_ERROR = 0x08
TEMPORARY_ERROR = 0x10
MANUFACTURER = 0xE0

_APPLICATION_WORDS = {BUSY: "busy", APPLICATION_ERROR: "application error", ALARM: "alarm"}
_BIT_WORDS = {POWER_LOW: "power low", PERMANENT_ERROR: "permanent error", TEMPORARY_ERROR: "temporary error"}


def meanings_of(status: int) -> tuple[str, ...]:
    """What the bits say, the worst of all words as the standard has them; nothing where all is well."""
    said = [_APPLICATION_WORDS[status & APPLICATION]] if status & APPLICATION else []
    said += [word for bit, word in _BIT_WORDS.items() if status & bit]
    if own := status & MANUFACTURER:
        said.append(f"manufacturer's own 0x{own:02X}")
    return tuple(said)


def is_error(status: int) -> bool:
    """Whether what is measured may be wrong: an application error, an alarm, a permanent or a temporary error."""
    return status & APPLICATION in (APPLICATION_ERROR, ALARM) or bool(status & (PERMANENT_ERROR | TEMPORARY_ERROR))


def words_of(status: int) -> str:
    """As a report shows it: `ok (0)`, `power low, temporary error (20)`."""
    return f"{', '.join(meanings_of(status)) or 'ok'} ({status})"

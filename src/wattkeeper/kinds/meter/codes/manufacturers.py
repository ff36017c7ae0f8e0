"""A manufacturer's three letters in 3 x 5 bits, A = 1 (EN 13757-3; the FLAG association gives them): 0x14C5 is EFE."""

from __future__ import annotations

from functools import lru_cache

HIGHEST = 0xFFFF  # two bytes


@lru_cache(maxsize=4_096)
def letters_of(code: int) -> str | None:
    """The three letters; None where the code has none."""
    if not 0 < code < 0x8000:
        return None
    numbers = [code >> shift & 31 for shift in (10, 5, 0)]
    if not all(1 <= number <= 26 for number in numbers):
        return None
    return "".join(chr(64 + number) for number in numbers)


def code_of(letters: str) -> int | None:
    """The code of three letters, in any case; None where they are none."""
    if len(letters) != 3 or not letters.isascii() or not letters.isalpha():
        return None
    first, second, third = (ord(letter) - 64 for letter in letters.upper())
    return first << 10 | second << 5 | third


def said_code(said: int | str) -> int | None:
    """The code out of itself, or out of its three letters; None where it is neither."""
    if isinstance(said, int):
        return said if 0 <= said <= HIGHEST else None
    return code_of(said.strip())


def code_asked(text: str) -> int | None:
    """The code that people name by its digits or its three letters; None where it is neither."""
    said = text.strip()
    return said_code(int(said) if said.isascii() and said.isdigit() and len(said) < 6 else said)


def words_of(code: int) -> str:
    """As a report shows it: `EFE (5317)`."""
    return f"{letters_of(code) or 'unknown'} ({code})"

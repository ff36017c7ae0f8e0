"""Identifiers: opaque to the outside, exact inside."""

from __future__ import annotations

import base64
import secrets


def batch_id_new() -> int:
    """A random 63-bit number: unique without asking anyone, and it fits a signed column."""
    return secrets.randbits(63)


def opaque_encode(payload: bytes) -> str:
    """URL-safe text of `payload`, without padding."""
    return base64.urlsafe_b64encode(payload).rstrip(b"=").decode("ascii")


def opaque_decode(text: str) -> bytes | None:
    """The bytes that `opaque_encode` was given, or None if `text` is not what it makes."""
    try:
        payload = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return payload if opaque_encode(payload) == text else None


def is_whole(text: str, *, digits: int = 12) -> bool:
    """Whether it is a whole number, of at most so many digits and nothing else: for texts of strangers.

    No `int()` before the digits are counted: it takes its time over a million of them, and it takes `1_0` and ` 1`.
    """
    return text.isascii() and text.isdigit() and len(text) <= digits

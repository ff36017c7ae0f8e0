"""Numbers with every digit that they were sent with."""

from __future__ import annotations


class SentFloat(float):
    """A number with a point or an exponent: a double to calculate with, and its text as it was sent."""

    __slots__ = ("_text",)
    _text: str

    def __new__(cls, text: str) -> SentFloat:
        """ValueError where the text is no number."""
        number = super().__new__(cls, text)
        number._text = text
        return number

    def __str__(self) -> str:
        return self._text

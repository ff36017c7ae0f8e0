"""The sentences of refusals and the words that mean "no value", the same at every door."""

from __future__ import annotations

from wattkeeper.base.catalog.channels import Channel

NULL_WORDS = ("", "null", "none", "n/a", "nan")  # in any case

# The structure of a line.
TOO_FEW_FIELDS = "fewer fields than the header"
TOO_MANY_FIELDS = "more fields than the header"
UNBALANCED_QUOTE = "unbalanced quote (a quoted field may not contain a line break)"
NOT_UTF8 = "not UTF-8 text"
NUL_BYTE = "contains a NUL byte"
LINE_TOO_LONG = "the line is longer than 1 MiB"

# The value of a column.
MISSING = "missing"
NOT_A_TIMESTAMP = "not a timestamp (ISO 8601, or epoch seconds or milliseconds)"
TOO_EARLY = "before 1990"
TOO_LATE = "more than 24 hours in the future"
NOT_A_NUMBER = "not a number"
NOT_WHOLE = "not a whole number"
NOT_TEXT = "not a text"
UNKNOWN_ASSET = "unknown, and it cannot be registered here"


def too_long(characters: int) -> str:
    return f"longer than {characters} characters"


def outside_range(channel: Channel) -> str:
    return f"outside {channel.hard} {channel.unit.value}".rstrip()


def not_a_choice(channel: Channel) -> str:
    return f"not one of {', '.join(channel.choices)}"


def other_asset(key: str) -> str:
    return f"not the asset of this upload ({key})"

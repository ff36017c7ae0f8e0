"""What fits into one SMS: 160 signs of the telephones' own alphabet, or 70 as soon as one is none of it."""

from __future__ import annotations

from wattkeeper.flow.notify.channels.declared import Message
from wattkeeper.flow.notify.channels.wording import shortened, what_of

LONGEST = 160
_LONGEST_ADDRESS = 80
# What our units and texts have that telephones have not.
_PLAIN = str.maketrans(
    {"°": "", "²": "2", "³": "3", "µ": "u", "μ": "u", "\u2013": "-", "\u2014": "-", "\u2026": "...", "\u00a0": " "}
)


def text_of(message: Message) -> str:
    """The first of the news, how many more there are, and where to look."""
    if not message.news:
        return shortened(message.title.translate(_PLAIN), LONGEST)
    first, more = message.news[0], len(message.news) - 1
    address = f" {first.address}" if len(first.address) <= _LONGEST_ADDRESS else ""
    end = f"{f' (+{more} more)' if more else ''}{address}"
    new = "" if first.what == "opened" else f"{what_of(first)}: "
    text = f"{new}{first.level} {first.asset_key}: {first.message}".translate(_PLAIN)
    return f"{shortened(text, LONGEST - len(end))}{end}"

"""A limit as people write it, and as the pipeline sees it.

50                      a number
0.8 * voltage_nominal   so many times what stands on the thing's nameplate
-max_discharge_current  the same, with -1
FAULT                   a text, of a text channel
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping

from wattkeeper.base.catalog.channels import Channel
from wattkeeper.flow.rules.spec import Limit

LONGEST = 200
_SHOWN = 60

_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_ONE_NUMBER = re.compile(_NUMBER)
_RELATIVE = re.compile(rf"(?:(?P<factor>{_NUMBER})\s*\*\s*|(?P<minus>-)\s*)?(?P<field>[A-Za-z_][A-Za-z0-9_]*)")


class LimitError(ValueError):
    """What is wrong with the text, in one sentence fit for the person who wrote it."""


def limit_parse(text: str, *, channel: Channel | None, fields: Collection[str]) -> Limit:
    """What `text` means as a limit of `channel` (None: of a number of seconds). LimitError where it means nothing.

    `fields` is what a number may be relative to.
    """
    text = text.strip()
    if not text:
        raise LimitError("Say a limit.")
    if len(text) > LONGEST:
        raise LimitError(f"A limit has at most {LONGEST} characters.")
    if channel is not None and not channel.is_numeric:
        return Limit(text=_word(text, channel))
    if _ONE_NUMBER.fullmatch(text):
        return Limit(_finite(text))
    found = _RELATIVE.fullmatch(text)
    if found is None:
        raise LimitError(f"{text[:_SHOWN]!r} is not a number{_relative(fields, 'nor')}.")
    if found["field"] not in fields:
        raise LimitError(f"{found['field'][:_SHOWN]!r} is not known here; say a number{_relative(fields, 'or')}.")
    factor = -1.0 if found["minus"] else _finite(found["factor"] or "1")
    return Limit(factor, found["field"])


def limit_text(limit: Limit) -> str:
    """The limit as a person writes it; `limit_parse` understands it as the same."""
    if limit.text is not None:
        return limit.text
    if not limit.field:
        return number_text(limit.factor)
    return limit.field if limit.factor == 1 else f"{number_text(limit.factor)} * {limit.field}"


def number_text(number: float) -> str:
    """The shortest text that is this number: `50`, not `50.0`."""
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)


def limit_value(limit: Limit, nameplate: Mapping[str, float | None]) -> float | None:
    """The number that a limit is for a thing with that nameplate; None where the nameplate does not say."""
    if not limit.field:
        return limit.factor
    known = nameplate.get(limit.field)
    value = math.nan if known is None else limit.factor * known
    return value if math.isfinite(value) else None


def _word(text: str, channel: Channel) -> str:
    if channel.choices and text not in channel.choices:
        raise LimitError(f"{text[:_SHOWN]!r} is not one of {', '.join(channel.choices)}.")
    if len(text) > channel.max_length:
        raise LimitError(f"{channel.label} has at most {channel.max_length} characters.")
    return text


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise LimitError(f"{text[:_SHOWN]!r} is too large a number.")
    return number


def _relative(fields: Collection[str], word: str) -> str:
    names = list(fields)
    return f", {word} so many times {' or '.join(names)}, such as 0.8 * {names[0]}" if names else ""

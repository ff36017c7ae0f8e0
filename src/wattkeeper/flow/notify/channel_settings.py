"""What a channel of a type has to know: taken from people, checked by its type, and shown without its secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError

from wattkeeper.flow.notify.channels.declared import ChannelType, Settings
from wattkeeper.flow.notify.channels.registry import channel_types

PREFIX = "settings."  # before a setting's name where an error names it
IS_SET = "is_set"
_LONGEST_NAME = 100  # of an unknown setting, as it is told again


def type_of(name: str) -> ChannelType | None:
    """The type of that name; None where it is not installed (any more)."""
    return channel_types().get(name)


def settings_checked(kind: ChannelType, given: Settings, *, before: Settings | None = None) -> dict[str, Any]:
    """The settings as they are kept. What is not given stays as it was `before`; what is given as None goes.

    Instead of a secret there may stand what `settings_shown` gave for it: then it stays, too. ValidationError by
    field, each with PREFIX before its name.
    """
    fields = {field.name: field for field in kind.fields}
    errors: dict[str, Any] = {_printable(name): "There is no such setting." for name in given if name not in fields}
    said = {name: value for name, value in (before or {}).items() if name in fields}
    said |= {
        name: value
        for name, value in given.items()
        if name in fields and not (fields[name].is_secret and isinstance(value, Mapping))
    }
    kept: dict[str, Any] = {}
    try:
        kept = kind.check({name: value for name, value in said.items() if value is not None})
    except ValidationError as error:
        errors |= error.message_dict
    if errors:
        raise ValidationError({f"{PREFIX}{name}": sentences for name, sentences in errors.items()})
    return kept


def _printable(name: str) -> str:
    """Half a character, out of a JSON escape, could not be told again."""
    return name[:_LONGEST_NAME].encode(errors="replace").decode()


def settings_shown(kind: ChannelType | None, kept: Settings) -> dict[str, Any]:
    """Every setting by its name; of a secret only whether it is set. Of a type that is gone, nothing."""
    if kind is None:
        return {}
    return {
        field.name: {IS_SET: bool(kept.get(field.name))}
        if field.is_secret
        else kept.get(field.name, [] if field.is_list else "")
        for field in kind.fields
    }


def settings_changed(kind: ChannelType, before: Settings, after: Settings) -> dict[str, list[Any]]:
    """What differs, as `[before, after]`, for the audit trail; of a secret only that it does."""
    changed = {}
    for field in kind.fields:
        was, now = before.get(field.name), after.get(field.name)
        if was != now:
            changed[field.name] = [_state(was), _state(now)] if field.is_secret else [was, now]
    return changed


def _state(secret: Any) -> str:
    return "a secret" if secret else "none"

"""How what people write into a channel's fields is looked at: each gives the text as it is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError

from wattkeeper.flow.notify.channels.addresses import AddressRefusedError, check_url
from wattkeeper.flow.notify.channels.declared import SettingField, Settings

LONGEST_TEXT = 2_000
MOST_IN_LIST = 50

Check = Callable[[str], str]
Further = Callable[[Settings], Mapping[str, str]]


def settings_checked(
    fields: Sequence[SettingField], given: Settings, checks: Mapping[str, Check], *, further: Further = lambda kept: {}
) -> dict[str, Any]:
    """What was given, trimmed, each by its check; a list's entries one by one. ValidationError by field.

    `further`: what is wrong, by field, with those settings that are right by themselves.
    """
    kept: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for unknown in set(given) - {field.name for field in fields}:
        wrong[unknown] = "There is no such setting."
    for field in fields:
        try:
            texts = _texts(field, given.get(field.name))
            checked = [checks[field.name](text) if field.name in checks else text for text in texts]
        except ValidationError as error:
            wrong[field.name] = error.messages[0]
            continue
        kept[field.name] = list(dict.fromkeys(checked)) if field.is_list else (checked or [""])[0]
    wrong |= further(kept)
    if wrong:
        raise ValidationError(wrong)
    return kept


def url(text: str) -> str:
    """An address that this server may call. ValidationError without the address, which may be a secret."""
    try:
        check_url(text)
    except AddressRefusedError as error:
        raise ValidationError(str(error)) from None
    return text


def _texts(field: SettingField, value: Any) -> list[str]:
    """What stands in a field, empty lines left out."""
    if isinstance(value, list) and not field.is_list:
        raise ValidationError("This is one text.")
    values = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(one, str) for one in values):
        raise ValidationError("These are texts." if field.is_list else "This is one text.")
    texts = [text for one in values if (text := one.strip())]
    if not texts and field.required:
        raise ValidationError("This field is required.")
    if len(texts) > MOST_IN_LIST:
        raise ValidationError(f"At most {MOST_IN_LIST}.")
    for text in texts:
        if len(text) > LONGEST_TEXT:
            raise ValidationError(f"Ensure this has no more than {LONGEST_TEXT} characters.")
        if not text.isprintable():
            raise ValidationError("This has signs in it that cannot be seen.")
        if field.choices and text not in dict(field.choices):
            raise ValidationError(f"Choose one of {', '.join(value for value, _ in field.choices)}.")
    return texts

"""A card in a channel of Microsoft Teams, through the URL of a Power Automate workflow."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from wattkeeper.flow.notify.channels import checks
from wattkeeper.flow.notify.channels.checks import settings_checked
from wattkeeper.flow.notify.channels.declared import Attempt, ChannelType, Message, SettingField, Settings
from wattkeeper.flow.notify.channels.http import attempt_of, post
from wattkeeper.flow.notify.channels.teams.card import LARGEST_BYTES, card_of

_TOO_LARGE = 413
_SHORTER_BYTES = LARGEST_BYTES // 4
_GONE = (".webhook.office.com", "outlook.office.com", "outlook.office365.com")

_FIELDS = (
    SettingField(
        name="url",
        label="Workflow URL",
        help="In Teams: the channel's Workflows, `Post to a channel when a webhook request is received`.",
        is_secret=True,
    ),
)


def _check(given: Settings) -> dict[str, Any]:
    return settings_checked(_FIELDS, given, {"url": _url})


def _url(text: str) -> str:
    checks.url(text)
    if (urlsplit(text).hostname or "").endswith(_GONE):
        raise ValidationError("Office 365 connectors are gone. Give the URL of a workflow of Power Automate.")
    return text


def _whereto(settings: Settings) -> str:
    return f"Workflow at {urlsplit(settings['url']).hostname}"


def _send(settings: Settings, message: Message) -> Attempt:
    """What is too large for them is sent once more, shorter."""
    answer = _post(settings, card_of(message, most_bytes=LARGEST_BYTES))
    if answer.status == _TOO_LARGE:
        answer = _post(settings, card_of(message, most_bytes=_SHORTER_BYTES))
    return attempt_of(answer)


def _post(settings: Settings, card: bytes) -> Any:
    return post(settings["url"], content=card, headers={"Content-Type": "application/json"})


TYPE = ChannelType(
    name="teams",
    label="Microsoft Teams",
    icon="user-group",
    fields=_FIELDS,
    check=_check,
    whereto=_whereto,
    send=_send,
)

"""A message in a Slack channel, through the URL of an incoming webhook."""

from __future__ import annotations

import json
import re
from typing import Any

from apprise.common import NotifyFormat, NotifyType
from apprise.exception import AppriseImproperlyConfigured
from apprise.plugins.slack import NotifySlack, SlackMode
from django.core.exceptions import ValidationError

from wattkeeper.flow.notify.channels.checks import settings_checked
from wattkeeper.flow.notify.channels.declared import (
    AlertNews,
    Attempt,
    ChannelType,
    Message,
    Outcome,
    SettingField,
    Settings,
)
from wattkeeper.flow.notify.channels.http import attempt_of, post
from wattkeeper.flow.notify.channels.wording import is_over, place_of, shortened, type_of, what_of

MOST_NEWS = 20  # in one message; of the rest it says how many
_LONGEST_TITLE = 150
_LONGEST_MESSAGE = 300
# https://docs.slack.dev/messaging/formatting-message-text: these three have entities, and nothing else has.
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
# What Slack reads as a format: a mark that begins or ends a word, code wherever it stands, and a quote at the beginning
# of a line. There is no escaping it. With a zero-width space on both of its sides a mark stands alone, for whoever
# takes that for a space, or in the middle of a word, for whoever does not: neither formats.
_MARK = re.compile(r"(?<![^\W_])[*_~]|[*_~](?![^\W_])|`|^(?=\s*&gt;)", re.MULTILINE)
_ALONE = "\u200b\\g<0>\u200b"
_SEVERE = frozenset({"ERROR", "CRITICAL"})

_FIELDS = (
    SettingField(
        name="url",
        label="Webhook URL",
        help="Of an incoming webhook: https://hooks.slack.com/services/...",
        is_secret=True,
    ),
)


class _Slack(NotifySlack):  # type: ignore[no-untyped-call]
    """Apprise's, which knows where it goes and what Slack wants; its `_send` tells only whether it worked."""

    request_rate_per_sec = 0  # one at a time a channel is what the worker does
    attempt: Attempt | None = None

    def _send(self, url: Any, payload: Any, *_: Any, **__: Any) -> Any:
        headers = {"Content-Type": "application/json; charset=utf-8"}
        self.attempt = attempt_of(post(url, content=json.dumps(payload).encode(), headers=headers))
        return {"ok": True} if self.attempt.outcome is Outcome.DELIVERED else False


def _check(given: Settings) -> dict[str, Any]:
    return settings_checked(_FIELDS, given, {"url": _url})


def _url(text: str) -> str:
    if text.partition("?")[1] or _plugin(text) is None:
        raise ValidationError("Give the URL of an incoming webhook: https://hooks.slack.com/services/...")
    return text


def _plugin(url: str) -> _Slack | None:
    apprise: Any = _Slack  # which declares no types
    parsed = apprise.parse_native_url(url) if url.startswith("https://") else None
    try:
        plugin: _Slack | None = (
            apprise(**{**parsed, "include_image": False, "include_footer": False}) if parsed else None
        )
    except (AppriseImproperlyConfigured, TypeError):
        return None
    return plugin if plugin and plugin.mode in (SlackMode.WEBHOOK, SlackMode.WEBHOOK_GOV) else None


def _whereto(settings: Settings) -> str:
    """The workspace's id: a name on its own gives nobody access."""
    parts = settings["url"].split("/")
    return f"Slack workspace {parts[4]}"


def _send(settings: Settings, message: Message) -> Attempt:
    plugin = _plugin(settings["url"])
    if plugin is None:
        return Attempt(outcome=Outcome.REFUSED, detail="This is no URL of an incoming webhook.")
    send: Any = plugin.send
    send(
        body=_text_of(message),
        title=shortened(message.title, _LONGEST_TITLE),
        notify_type=_notify_type(message),
        body_format=NotifyFormat.MARKDOWN,
        body_passthrough=False,  # the text is in Slack's own marks already
    )
    return plugin.attempt or Attempt(outcome=Outcome.REFUSED, detail="The message could not be made.")


def _text_of(message: Message) -> str:
    lines = [_line(one) for one in message.news[:MOST_NEWS]]
    if (left_out := len(message.news) - MOST_NEWS) > 0:
        lines.append(f"And {left_out} more.")
    return "\n".join(lines) or _plain(message.title)


def _line(news: AlertNews) -> str:
    what = f"*{what_of(news)}: {news.level}* <{_escaped(news.address)}|{_plain(type_of(news))}>"
    return f"{what} of {_plain(place_of(news))}\n{_plain(shortened(news.message, _LONGEST_MESSAGE))}"


def _escaped(text: str) -> str:
    """Nobody's battery is named so that Slack would call everyone (`<!channel>`)."""
    return text.translate(_ESCAPED)


def _plain(text: str) -> str:
    """Nor so that it formats what stands around it; what formats nothing, as in `BAT_1`, stays as it can be copied."""
    return _MARK.sub(_ALONE, _escaped(text))


def _notify_type(message: Message) -> NotifyType:
    open_levels = {one.level for one in message.news if not is_over(one)}
    if open_levels & _SEVERE:
        return NotifyType.FAILURE
    if "WARNING" in open_levels:
        return NotifyType.WARNING
    return NotifyType.INFO if open_levels or not message.news else NotifyType.SUCCESS


TYPE = ChannelType(
    name="slack",
    label="Slack",
    icon="hashtag",
    fields=_FIELDS,
    check=_check,
    whereto=_whereto,
    send=_send,
)

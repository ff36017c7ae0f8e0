"""A message as it is kept while somebody may have it: word for word, since another attempt says the same again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from wattkeeper.flow.notify.channels.declared import AlertNews, Message
from wattkeeper.flow.notify.models import Notification

# A field of a message or its news that is added has a default: what was kept before an upgrade is sent after it.
_OF_THE_NOTIFICATION = ("event_id", "is_test", "reached")


def kept_of(message: Message) -> dict[str, Any]:
    """As JSON has it, without what the notification knows anyway."""
    kept = {name: value for name, value in asdict(message).items() if name not in _OF_THE_NOTIFICATION}
    news = [{**one, "since": one["since"].isoformat()} for one in kept["news"]]
    return {**kept, "at": message.at.isoformat(), "news": news}


def message_of(notification: Notification, kept: Mapping[str, Any]) -> Message:
    """The message of which that was kept, to whom it has not reached yet."""
    news = [AlertNews(**{**one, "since": datetime.fromisoformat(one["since"])}) for one in kept["news"]]
    return Message(
        **{**kept, "at": datetime.fromisoformat(kept["at"]), "news": news},
        event_id=notification.event_id,
        is_test=notification.is_test,
        reached=frozenset(notification.reached),
    )

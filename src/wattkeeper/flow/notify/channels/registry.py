"""The types of channels that there are, by name."""

from __future__ import annotations

from collections.abc import Mapping

from wattkeeper.flow.notify.channels import email, slack, sms, teams, webhook
from wattkeeper.flow.notify.channels.declared import ChannelType

_TYPES: tuple[ChannelType, ...] = (
    email.TYPE,
    sms.TYPE,
    teams.TYPE,
    slack.TYPE,
    webhook.TYPE,
)


def channel_types() -> Mapping[str, ChannelType]:
    """All of them, in the order in which people choose."""
    return {one.name: one for one in _TYPES}

"""Short texts to telephones, through a service that sends them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wattkeeper.flow.notify.channels.checks import settings_checked
from wattkeeper.flow.notify.channels.declared import (
    Attempt,
    ChannelType,
    Message,
    Outcome,
    SettingField,
    Settings,
)
from wattkeeper.flow.notify.channels.sms.services import SERVICES
from wattkeeper.flow.notify.channels.sms.text import text_of

_FIELDS = (
    SettingField(
        name="service", label="Service", choices=tuple((name, service.label) for name, service in SERVICES.items())
    ),
    SettingField(name="account", label="Account", help="Twilio: the account SID. Vonage: the API key."),
    SettingField(name="token", label="Token", help="Twilio: the auth token. Vonage: the API secret.", is_secret=True),
    SettingField(name="sender", label="Sender", help="The service's number that it comes from, with its country code."),
    SettingField(name="numbers", label="Numbers", help="With their country codes: +49 170 1234567", is_list=True),
)


def _check(given: Settings) -> dict[str, Any]:
    return settings_checked(_FIELDS, given, {}, further=_wrong)


def _wrong(settings: Settings) -> Mapping[str, str]:
    """Which letters belong into a field is known only of a service."""
    return SERVICES[settings["service"]].wrong(settings) if "service" in settings else {}


def _whereto(settings: Settings) -> str:
    return ", ".join(settings["numbers"])


def _send(settings: Settings, message: Message) -> Attempt:
    """Each number by itself. What may work later for one of them is tried again for that one alone."""
    service, text = SERVICES[settings["service"]], text_of(message)
    reached: list[str] = []
    failed: dict[str, Attempt] = {}
    for number in settings["numbers"]:
        if number in message.reached:
            continue
        attempt = service.send(settings, number, text)
        if attempt.outcome is Outcome.DELIVERED:
            reached.append(number)
        else:
            failed[number] = attempt
    if not failed:
        detail = f"{service.label} took it for {len(reached)}"
        return Attempt(outcome=Outcome.DELIVERED, detail=detail, reached=tuple(reached))
    saying = "; ".join(f"{number}: {attempt.detail}" for number, attempt in failed.items())
    later = [attempt for attempt in failed.values() if attempt.outcome is Outcome.LATER]
    worst = (later or list(failed.values()))[0]
    if later:
        outcome, detail = Outcome.LATER, f"Not now for {saying}"
    elif reached or message.reached:
        outcome, detail = Outcome.DELIVERED, f"{service.label} took it for {', '.join(reached)}; it refused {saying}"
    else:
        outcome, detail = Outcome.REFUSED, f"Refused for {saying}"
    return Attempt(
        outcome=outcome,
        detail=detail,
        status=worst.status,
        retry_after_seconds=max((one.retry_after_seconds or 0.0 for one in later), default=0.0) or None,
        reached=tuple(reached),
        may_have_arrived=any(attempt.may_have_arrived for attempt in failed.values()),
    )


TYPE = ChannelType(
    name="sms",
    label="SMS",
    icon="device-phone-mobile",
    fields=_FIELDS,
    check=_check,
    whereto=_whereto,
    send=_send,
)

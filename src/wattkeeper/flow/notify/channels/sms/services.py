"""The services that send an SMS: apprise knows their numbers, addresses and fields; what they answer is ours to read.

A service more is a class here and its line in SERVICES.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

from apprise.exception import AppriseImproperlyConfigured
from apprise.plugins.twilio import NotifyTwilio
from apprise.plugins.vonage import NotifyVonage

from wattkeeper.flow.notify.channels.declared import Attempt, Outcome, Settings
from wattkeeper.flow.notify.channels.http import Answer, attempt_of, post
from wattkeeper.flow.notify.channels.sms.alphabets import GSM_7

P = TypeVar("P")

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Service(Protocol):
    """`wrong`: what cannot be sent with, by field, without the values, of those settings that there are. `send`: to one
    number; does not raise."""

    label: str

    def wrong(self, settings: Settings) -> Mapping[str, str]: ...

    def send(self, settings: Settings, number: str, text: str) -> Attempt: ...


class Twilio:
    """https://www.twilio.com/docs/messaging/api/message-resource"""

    label = "Twilio"

    def wrong(self, settings: Settings) -> Mapping[str, str]:
        return _wrong(
            lambda **changed: self._plugin(changed),
            settings,
            account=("AC" + "0" * 32, "The account SID begins with AC."),
            token=("0" * 32, "The auth token has letters and digits only."),
            sender=("+15005550006", "Give a number with its country code, or a short code."),
        )

    def send(self, settings: Settings, number: str, text: str) -> Attempt:
        plugin = self._plugin({**settings, "numbers": [number]})
        _, target = plugin.targets[0]
        answer = post(
            plugin.notify_sms_url.format(sid=plugin.account_sid),
            content=urlencode({"From": plugin.source, "To": target, "Body": text}).encode(),
            headers=_FORM,
            auth=(plugin.account_sid, plugin.auth_token),
        )
        attempt = attempt_of(answer)
        code = _json(answer).get("code")
        if attempt.outcome is not Outcome.DELIVERED and isinstance(code, int):
            return replace(attempt, detail=f"{attempt.detail}, Twilio's error {code}")
        return attempt

    def _plugin(self, settings: Settings) -> NotifyTwilio:
        return _plugin(
            NotifyTwilio,
            account_sid=settings["account"],
            auth_token=settings["token"],
            source=settings["sender"],
            targets=settings["numbers"],
        )


class Vonage:
    """https://developer.vonage.com/en/api/sms. It answers 200 whatever becomes of the message: the truth is in the
    body. What its `status` means: https://developer.vonage.com/en/messaging/sms/guides/troubleshooting-sms"""

    label = "Vonage"
    _LATER = frozenset({"1", "5", "10"})  # too fast, its own failure, too many at once

    def wrong(self, settings: Settings) -> Mapping[str, str]:
        return _wrong(
            lambda **changed: self._plugin(changed),
            settings,
            account=("0", "The API key has letters and digits only."),
            token=("0", "The API secret has letters and digits only."),
            sender=("+15005550006", "Give a number with its country code."),
        )

    def send(self, settings: Settings, number: str, text: str) -> Attempt:
        plugin = self._plugin({**settings, "numbers": [number]})
        form = {
            "api_key": plugin.apikey,
            "api_secret": plugin.secret,
            "from": plugin.source,
            "to": plugin.targets[0],
            "text": text,
            "ttl": plugin.ttl,
            **({} if GSM_7.has(text) else {"type": "unicode"}),
        }
        answer = post(plugin.notify_url, content=urlencode(form).encode(), headers=_FORM)
        attempt = attempt_of(answer)
        if attempt.outcome is not Outcome.DELIVERED:
            return attempt
        parts = _json(answer).get("messages")  # a long text travels in several
        statuses = [str(one.get("status")) for one in parts if isinstance(one, dict)] if isinstance(parts, list) else []
        if not statuses:
            return Attempt(
                outcome=Outcome.LATER,
                detail="Vonage did not say what became of it",
                status=answer.status,
                may_have_arrived=True,
            )
        failed = [status for status in statuses if status != "0"]
        if not failed:
            return attempt
        outcome = Outcome.LATER if set(failed) <= self._LATER else Outcome.REFUSED
        return Attempt(
            outcome=outcome,
            detail=f"Vonage's status {failed[0][:4]}",
            status=answer.status,
            may_have_arrived=len(failed) < len(statuses),
        )

    def _plugin(self, settings: Settings) -> NotifyVonage:
        return _plugin(
            NotifyVonage,
            apikey=settings["account"],
            secret=settings["token"],
            source=settings["sender"],
            targets=settings["numbers"],
        )


SERVICES: Mapping[str, Service] = {"twilio": Twilio(), "vonage": Vonage()}


def _plugin(make: Callable[..., P], **arguments: Any) -> P:
    """Apprise declares no types."""
    return make(**arguments)


def _wrong(make: Callable[..., Any], settings: Settings, **fields: tuple[str, str]) -> Mapping[str, str]:
    """A plugin says only that something is wrong, with the secret in its words: each field is tried among good ones."""
    good = {name: value for name, (value, _) in fields.items()} | {"numbers": ["+15005550006"]}
    wrong = {}
    for name, (_, saying) in fields.items():
        try:
            make(**{**good, name: settings.get(name, good[name])})
        except AppriseImproperlyConfigured:
            wrong[name] = saying
    bad = [number for number in settings.get("numbers", []) if len(make(**{**good, "numbers": [number]}).targets) != 1]
    if bad:
        wrong["numbers"] = f"{bad[0]} is no number with its country code."
    return wrong


def _json(answer: Answer) -> dict[str, Any]:
    try:
        read = json.loads(answer.body)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}

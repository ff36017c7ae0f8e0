"""Mail to people, through the operator's mail server."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from email.errors import MessageError
from email.headerregistry import Address
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from wattkeeper.flow.notify.channels.checks import settings_checked
from wattkeeper.flow.notify.channels.declared import (
    Attempt,
    ChannelType,
    Message,
    Outcome,
    SettingField,
    Settings,
)
from wattkeeper.flow.notify.channels.email import smtp
from wattkeeper.flow.notify.channels.email.letter import letter_of, text_of
from wattkeeper.flow.notify.channels.outside import outside

log = logging.getLogger(__name__)

_NO_SERVER = "This server has no mail server: whoever runs it sets SMTP_URL (and MAIL_FROM) and starts it again."

_FIELDS = (
    SettingField(
        name="recipients", label="Recipients", help="Mail addresses. All of them see who is told.", is_list=True
    ),
)


def _check(given: Settings) -> dict[str, Any]:
    return settings_checked(_FIELDS, given, {"recipients": _recipient})


def _recipient(text: str) -> str:
    """As mail servers read it: a name as `münchen.de` in the letters that it has among them."""
    local, _, domain = text.rpartition("@")
    if not local.isascii():
        raise ValidationError(f"{text}: before its @ only ASCII letters reach every mail server.")
    try:
        address = f"{local}@{_domain(domain)}"
        validate_email(address)
    except (ValidationError, UnicodeError):
        raise ValidationError(f"{text} is no mail address.") from None
    return address


def _domain(name: str) -> str:
    """UnicodeError for what is none, or what would become another name on its way (`straße.de`)."""
    if name.isascii():
        return name
    encoded = name.lower().encode("idna")
    if encoded.decode("idna") != name.lower():
        raise UnicodeError
    return encoded.decode("ascii")


def _sendable(recipients: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Those that a mail can be sent to, with their address as mail servers read it, and the others."""
    good: dict[str, str] = {}
    bad: list[str] = []
    for one in recipients:
        try:
            good[one] = Address(addr_spec=_recipient(one)).addr_spec
        except (ValidationError, ValueError, IndexError, MessageError):
            bad.append(one)
    return good, bad


def _whereto(settings: Settings) -> str:
    return ", ".join(settings["recipients"])


def _send(settings: Settings, message: Message) -> Attempt:
    recipients = [one for one in settings["recipients"] if one not in message.reached]
    server = outside().smtp
    if server is None and not outside().prints_mail:
        return Attempt(outcome=Outcome.REFUSED, detail=_NO_SERVER)
    if server is None:
        log.info("Mail to %s: %s\n%s", ", ".join(recipients), message.title, text_of(message))
        detail = "Printed to the server's log: it has no mail server (SMTP_URL)."
        return Attempt(outcome=Outcome.DELIVERED, detail=detail, reached=tuple(recipients))
    sender = outside().mail_from
    good, _ = _sendable(settings["recipients"])
    to_send, bad = _sendable(recipients)
    if not to_send:
        return Attempt(outcome=Outcome.REFUSED, detail=f"No mail can be sent to {', '.join(bad)}: change the address.")
    letter = letter_of(message, sender=sender, recipients=list(good.values()))
    seconds = outside().read_seconds
    attempt = smtp.send(server, letter, sender=sender, recipients=list(to_send.values()), seconds=seconds)
    reached = tuple(one for one, address in to_send.items() if address in attempt.reached)
    detail = f"{attempt.detail}; none can be sent to {', '.join(bad)}" if bad else attempt.detail
    return replace(attempt, reached=reached, detail=detail)


TYPE = ChannelType(
    name="email",
    label="Email",
    icon="envelope",
    fields=_FIELDS,
    check=_check,
    whereto=_whereto,
    send=_send,
)

"""A mail's way to the mail server: what that says of it, and of each recipient, is what is told."""

from __future__ import annotations

import ipaddress
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

from wattkeeper.flow.notify.channels.declared import Attempt, Outcome
from wattkeeper.flow.notify.channels.outside import Smtp

_LONGEST_SAYING = 200
_SILENT = "No answer from the mail server in time"

Refusals = Mapping[str, tuple[int, bytes]]


class _UnencryptedError(Exception):
    """The server offers no encryption, and there is a password."""


class _Watched(smtplib.SMTP):
    """A session that knows whether the mail itself was on its way."""

    is_under_way = False

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.is_under_way = True
        return super().data(msg)


class _WatchedTls(_Watched, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""


def send(server: Smtp, letter: EmailMessage, *, sender: str, recipients: Sequence[str], seconds: float) -> Attempt:
    """One attempt, with `seconds` for each step of it. Who of several recipients was refused stands in its detail."""
    try:  # all that smtplib raises is an OSError, too
        session = _session(server, seconds)
    except (OSError, ValueError, _UnencryptedError) as error:
        return _failed(error)
    try:
        refused = session.send_message(letter, from_addr=sender, to_addrs=list(recipients))
    except (OSError, ValueError) as error:
        is_answered = isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 400
        return replace(_failed(error), may_have_arrived=session.is_under_way and not is_answered)
    finally:
        # What it says to a goodbye changes nothing of what it has taken.
        with suppress(OSError):
            session.quit()
        session.close()
    return _of_recipients(recipients, refused)


def _failed(error: Exception) -> Attempt:
    """What an error means, of the session or of the mail."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            # It may have agreed to others before; then it went, and nobody has anything.
            return _of_recipients([*error.recipients], error.recipients)
        case smtplib.SMTPResponseException():
            return _said(error.smtp_code, error.smtp_error)
        case _UnencryptedError():
            return _refused("The mail server offers no encryption; the password was not sent to it.")
        case smtplib.SMTPNotSupportedError():
            return _refused("The mail server cannot do what this mail needs: a login, or other letters in an address.")
        case ssl.SSLCertVerificationError():
            return _later(f"The mail server's certificate is not valid: {error.verify_message}")
        case ssl.SSLError():
            reason = error.reason or type(error).__name__
            return _later(f"No encryption could be agreed on with the mail server: {reason}")
        case TimeoutError():
            return _later(_SILENT)
        case smtplib.SMTPServerDisconnected():
            # Of a silence in the middle of a conversation smtplib says that the connection is closed.
            is_silent = isinstance(error.__context__, TimeoutError)
            return _later(_SILENT if is_silent else "The mail server closed the connection")
        case smtplib.SMTPException():
            return _refused(f"The mail could not be sent: {type(error).__name__}")
        case OSError():
            return _later(f"No connection to the mail server: {error.strerror or type(error).__name__}")
    return _refused(f"The mail could not be sent: {type(error).__name__}")


def _session(server: Smtp, seconds: float) -> _Watched:
    tls = ssl.create_default_context()
    if server.is_tls:
        session: _Watched = _WatchedTls(server.host, server.port, timeout=seconds, context=tls)
    else:
        session = _Watched(server.host, server.port, timeout=seconds)
    try:
        session.ehlo_or_helo_if_needed()
        encrypted = server.is_tls
        if not encrypted and session.has_extn("starttls"):
            session.starttls(context=tls)
            session.ehlo()
            encrypted = True
        if server.user:
            if not encrypted and not _is_here(server.host):
                raise _UnencryptedError
            session.login(server.user, server.password)
    except BaseException:
        with suppress(OSError):
            session.close()
        raise
    return session


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _of_recipients(recipients: Sequence[str], refused: Refusals) -> Attempt:
    """Delivered only when all have it who can have it: who may have it later is tried again, alone."""
    reached = tuple(one for one in recipients if one not in refused)
    if not refused:
        return Attempt(outcome=Outcome.DELIVERED, detail=f"The mail server took it for {len(reached)}", reached=reached)
    saying = "; ".join(f"{who}: {code} {_text(said)}" for who, (code, said) in refused.items())
    code = next(iter(refused.values()))[0]
    if any(code < 500 for code, _ in refused.values()):
        return Attempt(outcome=Outcome.LATER, detail=f"Not now for {saying}", status=code, reached=reached)
    if reached:
        detail = f"The mail server took it for {', '.join(reached)}; it refused {saying}"
        return Attempt(outcome=Outcome.DELIVERED, detail=detail, status=code, reached=reached)
    return Attempt(outcome=Outcome.REFUSED, detail=f"Refused for {saying}", status=code)


def _said(code: int, said: bytes | str) -> Attempt:
    outcome = Outcome.REFUSED if 500 <= code < 600 else Outcome.LATER
    return Attempt(outcome=outcome, detail=f"The mail server said {code} {_text(said)}", status=max(0, code) or None)


def _text(said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:_LONGEST_SAYING]


def _refused(detail: str) -> Attempt:
    return Attempt(outcome=Outcome.REFUSED, detail=detail)


def _later(detail: str) -> Attempt:
    return Attempt(outcome=Outcome.LATER, detail=detail)

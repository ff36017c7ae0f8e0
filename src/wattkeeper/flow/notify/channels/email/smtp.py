"""A mail's way to the mail server: what that says of it, and of each recipient, is what is told."""

from __future__ import annotations

import ipaddress
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from email.message import EmailMessage

from wattkeeper.flow.notify.channels.declared import Attempt, Outcome
from wattkeeper.flow.notify.channels.outside import Smtp

_LONGEST_SAYING = 200
_SILENT = "No answer from the mail server in time"

Refusals = Mapping[str, tuple[int, bytes]]


class _UnencryptedError(Exception):
    """The server offers no encryption, and there is a password."""


def send(server: Smtp, letter: EmailMessage, *, sender: str, recipients: Sequence[str], seconds: float) -> Attempt:
    """One attempt, with `seconds` for each step of it. Who of several recipients was refused stands in its detail."""
    try:
        with _session(server, seconds) as session:
            refused = session.send_message(letter, from_addr=sender, to_addrs=list(recipients))
    except smtplib.SMTPRecipientsRefused as error:
        return _of_recipients(recipients, error.recipients)
    except smtplib.SMTPResponseException as error:
        return _said(error.smtp_code, error.smtp_error)
    except _UnencryptedError:
        detail = "The mail server offers no encryption; the password was not sent to it."
        return Attempt(outcome=Outcome.REFUSED, detail=detail)
    except smtplib.SMTPNotSupportedError:
        detail = "The mail server cannot do what this mail needs: a login, or other letters in an address."
        return Attempt(outcome=Outcome.REFUSED, detail=detail)
    except ssl.SSLCertVerificationError as error:
        return _later(f"The mail server's certificate is not valid: {error.verify_message}")
    except ssl.SSLError as error:
        return _later(f"No encryption could be agreed on with the mail server: {error.reason or type(error).__name__}")
    except TimeoutError:
        return _later(_SILENT)
    except smtplib.SMTPServerDisconnected as error:
        # Of a silence in the middle of a conversation smtplib says that the connection is closed.
        is_silent = isinstance(error.__context__, TimeoutError)
        return _later(_SILENT if is_silent else "The mail server closed the connection")
    except OSError as error:
        return _later(f"No connection to the mail server: {error.strerror or type(error).__name__}")
    except (smtplib.SMTPException, ValueError) as error:
        return Attempt(outcome=Outcome.REFUSED, detail=f"The mail could not be sent: {type(error).__name__}")
    return _of_recipients(recipients, refused)


def _session(server: Smtp, seconds: float) -> smtplib.SMTP:
    tls = ssl.create_default_context()
    if server.is_tls:
        session: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=seconds, context=tls)
    else:
        session = smtplib.SMTP(server.host, server.port, timeout=seconds)
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


def _later(detail: str) -> Attempt:
    return Attempt(outcome=Outcome.LATER, detail=detail)

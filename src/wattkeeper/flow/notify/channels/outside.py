"""What channels need to know of the server that they run in; handed in by `config`."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Smtp:
    """The mail server. `is_tls`: encrypted from the first byte; else STARTTLS where it is offered."""

    host: str
    port: int
    is_tls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """How this server reaches the world, and how the world reaches it.

    Without `smtp` mail is refused, or printed to the log where it `prints_mail`. `private_addresses`: channels may
    point to this machine and its networks, and speak plain HTTP.
    """

    public_url: str = "http://127.0.0.1:8000"
    smtp: Smtp | None = None
    prints_mail: bool = False
    mail_from: str = "wattkeeper@localhost"
    private_addresses: bool = False
    connect_seconds: float = 5.0
    read_seconds: float = 10.0
    total_seconds: float = 20.0  # for one request as a whole, however slowly the other side speaks


_outside = Outside()


def connect(outside: Outside) -> None:
    """Said once by whoever knows the settings; until then nothing private is reached, nor any mail sent."""
    global _outside
    _outside = outside


def outside() -> Outside:
    return _outside

"""What an operator is told at the start: settings that are allowed, and leave people without what they expect."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Warning

from wattkeeper.config.env import Env, Environment, load


def settings_check(*_: Any, **__: Any) -> list[CheckMessage]:
    """Django's check of the settings that this program runs with."""
    return warnings_of(load())


def warnings_of(env: Env) -> list[CheckMessage]:
    """In production, what no notification would arrive without, or lead nowhere."""
    if env.django_env is not Environment.PRODUCTION:
        return []
    found: list[CheckMessage] = []
    if not env.smtp_url:
        found.append(
            Warning(
                "There is no mail server: every mail that a notification channel sends fails.",
                hint="Set SMTP_URL, as .env.example shows, and MAIL_FROM.",
                id="wattkeeper.W001",
            )
        )
    if _leads_here(env.public_url):
        found.append(
            Warning(
                "The links in notifications lead to the reader's own machine.",
                hint="Set PUBLIC_URL to the address by which people reach this server: https://wattkeeper.example.com",
                id="wattkeeper.W002",
            )
        )
    return found


def _leads_here(url: str) -> bool:
    host = urlsplit(url).hostname or "localhost"
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

"""How this server reaches people, as the settings say."""

from __future__ import annotations

import os
from urllib.parse import unquote, urlsplit

from wattkeeper.config.env import Env, Environment
from wattkeeper.flow.notify.channels.outside import Outside, Smtp

ADDRESS = "WATTKEEPER_ADDRESS"  # by which a serving process is reached from its own machine: set by `serve`

_PORTS = {"smtp": 587, "smtps": 465}


def outside_of(env: Env) -> Outside:
    return Outside(
        public_url=env.public_url or os.environ.get(ADDRESS) or Outside().public_url,
        smtp=_smtp_of(env.smtp_url) if env.smtp_url else None,
        prints_mail=env.django_env is Environment.LOCAL,
        mail_from=env.mail_from,
        private_addresses=env.private_addresses,
    )


def _smtp_of(address: str) -> Smtp:
    url = urlsplit(address)
    return Smtp(
        host=url.hostname or "",
        port=url.port or _PORTS[url.scheme],
        is_tls=url.scheme == "smtps",
        user=unquote(url.username or ""),
        password=unquote(url.password or ""),
    )

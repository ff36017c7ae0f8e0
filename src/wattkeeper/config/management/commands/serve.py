"""`wattkeeper serve`: the whole program in one process and its supervisor."""

from __future__ import annotations

import os
import resource
import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from wattkeeper.base.core.errors import HomeInUseError
from wattkeeper.config import serving
from wattkeeper.config.loop import polite_loop
from wattkeeper.config.management.address import add_address_arguments
from wattkeeper.config.management.migrated import require_migrated
from wattkeeper.config.outside import ADDRESS
from wattkeeper.flow.store.lock import HomeLock
from wattkeeper.views.live.door import SOCKETS_MOST

# How long a server that was told to stop waits for answers under way: a slow reader of an export would keep it
# for hours. Nothing acknowledged is lost when the worker is then killed, see docs/architecture.md.
PATIENCE_SECONDS = 10
# Beyond them callers wait in line. Live sockets stay connected, so there is room for others beside the most of them.
CONNECTIONS_MOST = 1024 + SOCKETS_MOST
_OTHER_FILES = 512


class Command(BaseCommand):
    help = "Serve Wattkeeper: pages, API, readings' store and background jobs."
    application = "wattkeeper.config.asgi:application"

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_address_arguments(parser)

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        from granian import Granian, loops
        from granian.constants import Interfaces, Loops
        from granian.log import LogLevels

        require_migrated()
        _require_free_home()
        _require_free_address(host, port)
        if settings.PRODUCTION:
            call_command("collectstatic", interactive=False, verbosity=0)
        address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        os.environ[serving.HOLDER] = f"serving {address}"
        os.environ[ADDRESS] = _reached_at(host, port)
        loops.register("auto")(polite_loop)
        _allow_files(CONNECTIONS_MOST)
        server = Granian(
            self.application,
            address=host,
            port=port,
            interface=Interfaces.ASGI,
            loop=Loops.auto,
            workers=1,
            respawn_failed_workers=False,
            workers_kill_timeout=PATIENCE_SECONDS,
            backpressure=CONNECTIONS_MOST,
            websockets=True,
            log_access=False,
            log_level=LogLevels.warning,
        )
        server.on_startup(lambda: self.stdout.write(f"Wattkeeper serves on {address}  (Ctrl-C stops it)"))
        connection.close()  # the worker is a fork of this process
        server.serve()


def _reached_at(host: str, port: int) -> str:
    """Who listens on every address is reached at their own."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _allow_files(connections: int) -> None:
    """As many open files as connections need, if the system lets us: many a shell begins with 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _require_free_home() -> None:
    """Say who holds the home before a worker is started; the worker takes the lock itself."""
    path = serving.engine_options(holder="").path
    if path is None:
        return
    lock = HomeLock(path.parent / "server.lock")
    try:
        lock.acquire("about to serve")
    except HomeInUseError as error:
        raise CommandError(str(error)) from None
    lock.release()


def _require_free_address(host: str, port: int) -> None:
    """The server itself would share the address with whoever has it, and get every second request."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what has just ended is not in the way
            probe.bind((host, port))
    except OSError as error:
        raise CommandError(f"Cannot listen on {host}, port {port}: {error.strerror or error}.") from None

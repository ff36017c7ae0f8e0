"""What the commands that talk to a running server have in common."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from wattkeeper.config.remote import KINDS, RemoteError, Server


class RemoteCommand(BaseCommand):
    """Needs a server and a key, but no database of its own."""

    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--kind", choices=list(KINDS), required=True)
        parser.add_argument("--asset", help="the id of one thing")
        parser.add_argument("--server", default=os.environ.get("WATTKEEPER_SERVER", "http://127.0.0.1:8000"))
        parser.add_argument("--key", default=os.environ.get("WATTKEEPER_KEY"), help="or in WATTKEEPER_KEY")
        parser.add_argument("--tenant", help="for keys above tenants")
        parser.add_argument("--quiet", action="store_true", help="no progress")

    @contextmanager
    def connected(self, options: dict[str, Any]) -> Iterator[Server]:
        """The server; what goes wrong with it, or Ctrl-C, is one sentence."""
        if not options["key"]:
            raise CommandError("Give an API key with --key or in WATTKEEPER_KEY (`wattkeeper key add` makes one).")
        try:
            with Server(
                options["server"], key=options["key"], kind=options["kind"], tenant=options["tenant"]
            ) as server:
                yield server
        except RemoteError as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{error.filename or 'The file'}: {error.strerror}.") from None
        except KeyboardInterrupt:
            raise CommandError("Stopped. Run it again to go on: what was sent is kept.") from None

    @contextmanager
    def progress(self, options: dict[str, Any]) -> Iterator[Progress]:
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        console = Console(file=sys.stderr, quiet=options["quiet"])
        with Progress(*columns, console=console, transient=not console.is_terminal) as bars:
            yield bars

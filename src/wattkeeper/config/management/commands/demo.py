"""`wattkeeper demo`: a tenant with logins and a simulated fleet; with `--serve`, live on the spot."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from wattkeeper.base.catalog import registry
from wattkeeper.base.core.errors import HomeInUseError
from wattkeeper.config import serving
from wattkeeper.config.demo.fleets import FLEETS
from wattkeeper.config.demo.history import history_load, sample_load
from wattkeeper.config.demo.notifications import notifications_make
from wattkeeper.config.demo.people import PASSWORD, people_make
from wattkeeper.config.management.address import add_address_arguments
from wattkeeper.config.management.migrated import require_migrated
from wattkeeper.flow.store.store import close_store, open_store


class Command(BaseCommand):
    help = "Load a simulated fleet and make logins to look at it with. Not in production."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--vehicles", type=int, default=12, help="at the first time")
        parser.add_argument("--packs", type=int, default=200, help="battery packs, at the first time")
        parser.add_argument("--meters", type=int, default=60, help="a building's, with two years of theirs")
        parser.add_argument("--days", type=int, default=7, help="of the others' history, at the first time")
        parser.add_argument("--sample", action="store_true", help="no fleet but the three batteries of the sample")
        parser.add_argument("--serve", action="store_true", help="then serve, and feed the fleets' present in")
        add_address_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("The demo's passwords are known to everyone: it is for DJANGO_ENV=local only.")
        sizes = {} if options["sample"] else {name: options[name] for name in FLEETS}
        if not (all(1 <= size <= 1000 for size in sizes.values()) and 1 <= options["days"] <= 365):
            fleets = ", ".join(f"1 to 1000 {name}" for name in FLEETS)
            raise CommandError(f"Give {fleets} and 1 to 365 days.")
        settings.HOME.mkdir(parents=True, exist_ok=True)
        require_migrated()
        logins = people_make()
        notifications_make()
        self.stdout.write("Loading the demo fleet …")
        with _store_open():
            sample_load()
            stored = history_load(settings.HOME, sizes=sizes, days=options["days"])
        self.stdout.write(f"{stored:,} readings stored. Log in with the password {PASSWORD} as")
        for name, role in logins:
            self.stdout.write(f"  {name:14} ({role})")
        if options["serve"]:
            self.stdout.flush()
            if sizes:
                os.environ[serving.DEMO_FEED] = "1"
            address = ["--host", options["host"], "--port", str(options["port"])]
            # A new process image: the engine that was open here must not be forked into the server's worker.
            os.execv(sys.executable, [sys.executable, sys.argv[0], "serve", *address])  # noqa: S606


@contextmanager
def _store_open() -> Iterator[None]:
    try:
        open_store(serving.engine_options(holder="loading the demo"), registry.streams())
    except HomeInUseError as error:
        raise CommandError(str(error)) from None
    try:
        yield
    finally:
        close_store()

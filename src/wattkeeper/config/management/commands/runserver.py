"""`runserver` is `serve` under the name that Django's users know; it never reloads, for there is one engine."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from wattkeeper.config.management.address import port


class Command(BaseCommand):
    help = "The same as `serve`: one process, without reloading."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("addrport", nargs="?", default="127.0.0.1:8000", help="port, or address:port")
        parser.add_argument("--noreload", action="store_true", help="implied")

    def handle(self, *args: Any, addrport: str, **options: Any) -> None:
        host, _, number = addrport.rpartition(":")
        try:
            call_command("serve", host=host or "127.0.0.1", port=port(number))
        except ArgumentTypeError as error:
            raise CommandError(f"{error}. Give a port, or address:port.") from None

"""`runserver` is `serve` under the name that Django's users know; it never reloads, for there is one engine."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "The same as `serve`: one process, without reloading."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("addrport", nargs="?", default="127.0.0.1:8000", help="port, or address:port")
        parser.add_argument("--noreload", action="store_true", help="implied")

    def handle(self, *args: Any, addrport: str, **options: Any) -> None:
        host, _, port = addrport.rpartition(":")
        if not port.isdigit():
            raise CommandError(f"{addrport!r} is not a port or address:port.")
        call_command("serve", host=host or "127.0.0.1", port=int(port))

"""`wattkeeper export --kind vehicle [--asset ID] [--from T] [--to T] --format csv --server URL --key K`"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from wattkeeper.config.management.remote_command import RemoteCommand
from wattkeeper.config.remote import KINDS

FORMATS = ("csv", "json", "xlsx", "parquet")


class Command(RemoteCommand):
    help = "Download readings from a running server as a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--from", dest="initial_timestamp", metavar="TIME", help="ISO 8601 time, or a date; inclusive"
        )
        parser.add_argument("--to", dest="final_timestamp", metavar="TIME", help="ISO 8601 time, or a date; inclusive")
        parser.add_argument("--timezone", help="IANA name, for times without an offset; else UTC")
        parser.add_argument("--ordering", help="a column; --ordering=-COLUMN for descending")
        parser.add_argument("--format", dest="export", choices=FORMATS, default="csv")
        parser.add_argument("--output", type=Path, help="else the name that the server gives it")

    def handle(self, *args: Any, **options: Any) -> None:
        names = ("initial_timestamp", "final_timestamp", "timezone", "ordering", "export")
        query = {name: options[name] for name in names if options[name]}
        if options["asset"]:
            query[KINDS[options["kind"]].asset_field] = options["asset"]
        with self.connected(options) as server, self.progress(options) as bars:
            task = bars.add_task("Receiving", total=None)
            path = server.export(query, options["output"], lambda done, total: bars.update(task, completed=done))
        self.stdout.write(f"{path}: {path.stat().st_size:,} bytes")

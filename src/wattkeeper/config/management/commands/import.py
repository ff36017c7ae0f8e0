"""`wattkeeper import FILE --kind vehicle [--asset ID] --server URL --key K`"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from wattkeeper.config.management.remote_command import RemoteCommand
from wattkeeper.config.remote import KINDS, UploadFile

SHOWN_REFUSALS = 10


class Command(RemoteCommand):
    help = "Send a file to a running server and show what became of its rows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--refused", type=Path, metavar="CSV", help="save the refused rows here")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        file = UploadFile(options["file"], options["asset"], KINDS[options["kind"]].asset_field)
        if not file.path.is_file():
            raise CommandError(f"There is no file {file.path}.")
        if not file.size:
            raise CommandError(f"{file.path} is empty.")
        with self.connected(options) as server:
            with self.progress(options) as bars:
                sending = bars.add_task("Sending", total=file.size)
                server.send(file, lambda done, total: bars.update(sending, completed=done))
                loading = bars.add_task("Loading", total=file.size)
                report = server.finalize(file, lambda done, total: bars.update(loading, completed=done, total=total))
                bars.update(loading, completed=file.size, total=file.size)
            if options["refused"] and report["refused"]:
                server.refused(report, options["refused"])
        self._tell(report)

    def _tell(self, report: Mapping[str, Any]) -> None:
        counts = {name: report[name] for name in ("inserted", "duplicates", "refused", "flagged")}
        self.stdout.write(
            f"{counts['inserted']:,} stored, {counts['duplicates']:,} duplicates, "
            f"{counts['refused']:,} refused, {counts['flagged']:,} flagged"
        )
        if report["ignored_columns"]:
            self.stdout.write(f"Columns not looked at: {', '.join(report['ignored_columns'])}")
        for row in report["refused_rows"][:SHOWN_REFUSALS]:
            where = f" {row['column']}" if row["column"] else ""
            value = f" {row['value']!r}" if row["value"] else ""
            self.stdout.write(f"  row {row['row']}{where}{value}: {row['reason']}")
        if report["refused"] > SHOWN_REFUSALS:
            self.stdout.write(f"  … and {report['refused'] - SHOWN_REFUSALS:,} more (--refused FILE saves them all)")

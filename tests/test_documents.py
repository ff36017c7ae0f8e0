"""What the documents point to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md"), *REPOSITORY.glob("src/**/*.md")])
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_link_to_a_file_leads_to_one(document: Path) -> None:
    gone = [link for link in _LINK.findall(document.read_text()) if not (document.parent / link).exists()]
    assert gone == []


def test_the_readme_shows_the_two_commands() -> None:
    readme = (REPOSITORY / "README.md").read_text()
    targets = (REPOSITORY / "Makefile").read_text()
    for name in ("run", "test", "check", "bench"):
        assert f"make {name}" in readme
        assert f"\n{name}:" in targets

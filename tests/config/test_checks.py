"""What an operator is told at the start of settings that leave people without their notifications."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.config.test_notifier import arrived, channels_make, heat
from tests.support.endpoints import Endpoint
from tests.support.notify import SECRET
from tests.support.servers import command, home_make, serving
from wattkeeper.config.checks import warnings_of
from wattkeeper.config.env import Env
from wattkeeper.config.outside import ADDRESS, outside_of

WELL = {"smtp_url": "smtp://mail.example", "public_url": "https://w.example"}
PRODUCTION = {"django_env": "production", "secret_key": "k" * 40}


def settings(**values: Any) -> Env:
    return Env(_env_file=None, **values)


def ids(**values: Any) -> list[str | None]:
    return [one.id for one in warnings_of(settings(**{**PRODUCTION, **WELL, **values}))]


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*Env.model_fields, ADDRESS]:
        monkeypatch.delenv(name.upper(), raising=False)


def test_production_wants_a_mail_server() -> None:
    assert ids(smtp_url="") == ["wattkeeper.W001"]
    assert ids() == []
    assert not outside_of(settings(**PRODUCTION)).prints_mail


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:8000", "http://localhost:9", "http://[::1]"])
def test_production_wants_an_address_that_people_reach(url: str) -> None:
    assert ids(public_url=url) == ["wattkeeper.W002"]


def test_a_laptop_wants_nothing_and_prints_its_mail() -> None:
    assert warnings_of(settings()) == []
    assert outside_of(settings()).prints_mail


def test_it_is_said_with_what_to_do(tmp_path: Path) -> None:
    production = {"DJANGO_ENV": "production", "SECRET_KEY": "k" * 40}
    said = command("check", home=tmp_path / "home", **production)
    assert said.returncode == 0
    for words in ("wattkeeper.W001", "Set SMTP_URL", "wattkeeper.W002", "Set PUBLIC_URL"):
        assert words in said.stderr


def test_links_lead_to_the_address_that_is_served_on(tmp_path: Path) -> None:
    home = tmp_path / "home"
    key = home_make(home)
    with Endpoint() as endpoint:
        channels_make(home, ("Hook", "webhook", {"url": endpoint.url, "secret": SECRET}))
        with serving(home, key=key) as server:
            heat(server)
            (news,) = arrived(endpoint).json["news"]
            assert news["address"].startswith(f"{server.url}/alerts/")
            assert server.stop() == 0


def test_what_the_operator_says_people_reach_it_by_counts_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ADDRESS, "http://127.0.0.1:9")
    assert outside_of(settings()).public_url == "http://127.0.0.1:9"
    assert outside_of(settings(public_url="https://w.example")).public_url == "https://w.example"

"""How a server says that it cannot start: one clear message, a code that is not 0, no traceback."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import feeds
from tests.support.servers import command, free_port, home_make, serving


def refusal(home: Path, *, port: int | None = None, **env: str) -> str:
    """What `serve` says when it does not start."""
    ended = command("serve", "--port", str(port or free_port()), home=home, **env)
    assert ended.returncode != 0
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    return ended.stderr.strip()


def test_a_second_server_is_told_who_holds_the_home_and_the_first_works_on(tmp_path: Path) -> None:
    with serving(tmp_path / "home") as server:
        said = refusal(server.home)
        assert "\n" not in said
        assert f"{server.home} is in use by process {server.worker} (serving {server.url})" in said
        with server.client() as client:
            assert client.post("", json=feeds.reading()).status_code == 201


def test_a_home_is_free_again_when_its_server_was_killed(tmp_path: Path) -> None:
    with serving(tmp_path / "home") as server:
        server.kill_group()
        assert (server.home / "server.lock").exists()  # a file alone holds nothing
        server.start()
        assert server.stop() == 0


def test_a_home_that_was_never_migrated_says_what_to_do(tmp_path: Path) -> None:
    assert refusal(tmp_path / "home") == "CommandError: The database is not up to date: run `wattkeeper migrate` first."


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"READINGS_URL": "mysql://here/readings"}, r"READINGS_URL: give chdb:///path or https://.*"),
        ({"DATABASE_URL": "oracle://here"}, r"DATABASE_URL: give sqlite:///path or postgresql://.*"),
        ({"READINGS_MAX_MEMORY_MB": "10"}, r"READINGS_MAX_MEMORY_MB: .*256"),
        ({"UPLOAD_MAX_MB": "much"}, r"UPLOAD_MAX_MB: .*integer.*"),
        ({"DISK_RESERVE_MB": "0"}, r"DISK_RESERVE_MB: .*1"),
        ({"LOG_LEVEL": "LOUD"}, r"LOG_LEVEL: .*DEBUG.*"),
        ({"DJANGO_ENV": "staging"}, r"DJANGO_ENV: .*local.*production.*"),
        ({"DJANGO_ENV": "production"}, r"SECRET_KEY: is required in production.*"),
        ({"DJANGO_ENV": "production", "SECRET_KEY": "x" * 31}, r"SECRET_KEY: .*32 characters"),
        ({"DJANGO_ENV": "production", "SECRET_KEY": "x" * 32, "DEBUG": "true"}, r"DEBUG: .*local only"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_a_wrong_setting_is_named_in_one_line(tmp_path: Path, env: dict[str, str], says: str) -> None:
    first, *lines = refusal(tmp_path / "home", **env).splitlines()
    assert first == "Wrong settings:"
    assert len(lines) == 1
    assert re.fullmatch(says, lines[0].strip()), lines


def test_all_wrong_settings_are_named_at_once(tmp_path: Path) -> None:
    said = refusal(tmp_path / "home", LOG_LEVEL="LOUD", UPLOAD_MAX_MB="0")
    assert "LOG_LEVEL" in said
    assert "UPLOAD_MAX_MB" in said


def test_an_address_that_is_taken_is_not_shared_with_who_has_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with serving(tmp_path / "other") as other:
        home_make(home)
        said = refusal(home, port=other.port)
        assert said == f"CommandError: Cannot listen on 127.0.0.1, port {other.port}: Address already in use."


def test_a_readings_server_that_is_not_there_ends_the_start(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home_make(home)
    ended = command(
        "serve", "--port", str(free_port()), home=home, READINGS_URL=f"http://127.0.0.1:{free_port()}/default"
    )
    assert ended.returncode != 0
    assert "Cannot start:" in ended.stderr
    assert "Traceback" not in ended.stderr

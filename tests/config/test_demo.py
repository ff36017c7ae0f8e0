"""`wattkeeper demo`: logins that work and a fleet with a history, as often as it is called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.servers import Server, command, home_make, serving

ARGUMENTS = ("demo", "--vehicles", "3", "--days", "1")
READINGS = "/api/v1/vehicle_data/"
ROLES = {"demo-admin", "demo-manager", "demo-operator", "demo-viewer"}
# The tests of this file look at one demo, in one process.
pytestmark = pytest.mark.xdist_group("demo")


@dataclass(frozen=True)
class Demo:
    """What was printed, the first time and the second, and the server on what came of it."""

    first: str
    second: str
    server: Server

    @property
    def password(self) -> str:
        found = re.search(r"the password (\S+) as", self.first)
        assert found
        return found[1]

    def client(self, name: str) -> httpx.Client:
        """A client with the token for one of the logins."""
        credentials = {"username": name, "password": self.password}
        answer = httpx.post(f"{self.server.url}/user/login/", json=credentials)
        assert answer.status_code == 200, answer.text
        return httpx.Client(base_url=self.server.url, headers={"Authorization": f"Bearer {answer.json()['access']}"})


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    home = tmp_path_factory.mktemp("demo") / "home"
    key = home_make(home)
    first, second = command(*ARGUMENTS, home=home), command(*ARGUMENTS, home=home)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    with serving(home, key=key, words=[*ARGUMENTS, "--serve"]) as server:
        yield Demo(first.stdout, second.stdout, server)


def stored(said: str) -> int:
    found = re.search(r"^([\d,]+) readings stored", said, re.MULTILINE)
    assert found
    return int(found[1].replace(",", ""))


def readings(client: httpx.Client) -> list[dict[str, str]]:
    answer = client.get(f"{READINGS}export/", params={"export": "json"})
    assert answer.status_code == 200
    rows: list[dict[str, str]] = answer.json()
    return rows


def test_every_login_that_is_printed_opens_the_fleet(demo: Demo) -> None:
    names = set(re.findall(r"^  (\S+) +\(\w+\)$", demo.first, re.MULTILINE))
    assert names == ROLES
    for name in names:
        with demo.client(name) as client:
            assert client.get(READINGS, params={"page_size": 1}).status_code == 200


def test_the_logins_may_what_their_roles_say(demo: Demo) -> None:
    reading = {"vehicle_id": "new", "timestamp": "2020-01-01T00:00:00Z", "odometer": 1, "soc": 1, "elevation": 1}
    with demo.client("demo-viewer") as viewer:
        assert viewer.post(READINGS, json=reading).status_code == 403


def test_the_fleet_has_a_history(demo: Demo) -> None:
    with demo.client("demo-viewer") as client:
        rows = readings(client)
    vehicles = {row["vehicle_id"] for row in rows}
    assert len(vehicles) == 3
    assert len(rows) >= stored(demo.first) > 100


def test_called_again_it_goes_on_where_it_was(demo: Demo) -> None:
    """As many vehicles, the same logins, and no more readings than the time in between has brought."""
    assert demo.second.splitlines()[2:] == demo.first.splitlines()[2:]
    assert stored(demo.second) < stored(demo.first) / 10
    with demo.client("demo-viewer") as client:
        rows = readings(client)
    assert len({(row["vehicle_id"], row["timestamp"]) for row in rows}) == len(rows)


def test_the_page_shows_the_fleet_with_its_latest_state(demo: Demo) -> None:
    with httpx.Client(base_url=demo.server.url, follow_redirects=True) as browser:
        page = browser.get("/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token
        form = {"username": "demo-viewer", "password": demo.password, "csrfmiddlewaretoken": token[1]}
        browser.post(str(page.url), data=form).raise_for_status()
        page = browser.get("/vehicles/")
    assert page.text.count("<tr>") == 1 + 3
    assert page.text.count("<time ") == 3


def test_another_tenant_sees_nothing_of_it(demo: Demo) -> None:
    with httpx.Client(base_url=demo.server.url, headers={"Authorization": f"Api-Key {demo.server.key}"}) as client:
        assert readings(client) == []


def test_a_home_that_is_being_served_is_left_alone(demo: Demo) -> None:
    outcome = command(*ARGUMENTS, home=demo.server.home)
    assert outcome.returncode == 1
    (line,) = outcome.stderr.splitlines()
    assert "is in use by process" in line
    assert demo.server.url in line


def test_a_home_that_was_never_migrated_is_said_so(tmp_path: Path) -> None:
    outcome = command(*ARGUMENTS, home=tmp_path)
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert outcome.stderr == "CommandError: The database is not up to date: run `wattkeeper migrate` first.\n"


def test_production_has_no_demo(tmp_path: Path) -> None:
    outcome = command(*ARGUMENTS, home=tmp_path, DJANGO_ENV="production", SECRET_KEY="k" * 40)
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert "DJANGO_ENV=local only" in outcome.stderr


@pytest.mark.parametrize("wrong", [("--vehicles", "0"), ("--vehicles", "1001"), ("--days", "0"), ("--days", "366")])
def test_a_fleet_of_no_size_is_refused(wrong: tuple[str, str], tmp_path: Path) -> None:
    outcome = command("demo", *wrong, home=tmp_path)
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert "Give 1 to 1000 vehicles and 1 to 365 days." in outcome.stderr

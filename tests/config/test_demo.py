"""`wattkeeper demo`: logins that work and a fleet with a history, as often as it is called."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from tests.support.servers import Server, command, home_make, serving, wait_until

PACKS = 150  # the first of the two worn ones among them
METERS = 9  # the ninth was exchanged
ARGUMENTS = ("demo", "--vehicles", "3", "--packs", str(PACKS), "--meters", str(METERS), "--days", "1")
READINGS, STATUS, MESSAGES = "/api/v1/vehicle_data/", "/api/v1/battery_status/", "/api/meters/"
BATTERIES, ALERTS = "/api/batteries/", "/api/alerts/"
NOTIFICATIONS = "/api/notifications/"
SAMPLE = 3  # the batteries of the contract, which the demo has beside its packs
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


def readings(client: httpx.Client, path: str = READINGS) -> list[dict[str, str]]:
    answer = client.get(f"{path}export/", params={"export": "json"})
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


def test_the_fleets_have_a_history(demo: Demo) -> None:
    with demo.client("demo-viewer") as client:
        vehicles, packs, messages = readings(client), readings(client, STATUS), readings(client, MESSAGES)
    assert len({row["vehicle_id"] for row in vehicles}) == 3
    assert len({row["serial_number"] for row in packs}) == PACKS
    assert len({row["meter_id"] for row in messages}) == METERS + 1  # the exchanged one, too
    assert len(vehicles) + len(packs) + len(messages) >= stored(demo.first) > 1000


def test_the_packs_are_registered_beside_the_sample(demo: Demo) -> None:
    with demo.client("demo-viewer") as client:
        assert client.get(BATTERIES).json()["count"] == PACKS + SAMPLE
        (pack,) = client.get(BATTERIES, params={"search": "PACK-0012"}).json()["results"]
    assert pack["voltage_nominal"] and pack["battery_type"] and pack["cycle_count"] > 0
    assert 80 <= pack["health_percentage"] <= 100
    assert 0 < pack["current_charge"] < 100


def test_a_worn_pack_has_its_alert_from_the_beginning(demo: Demo) -> None:
    with demo.client("demo-viewer") as client:
        found = client.get(ALERTS, params={"search": "PACK-0147"}).json()["results"]
    assert [(alert["alert_type"], alert["is_resolved"]) for alert in found] == [("HEALTH_DEGRADATION", False)]


def listed(client: httpx.Client) -> list[dict[str, object]]:
    """The meters with what is known last of each."""
    answer = client.get("/meters/export/", params={"export": "json"})
    assert answer.status_code == 200
    found: list[dict[str, object]] = answer.json()
    return found


def test_the_meters_hang_in_their_building_and_report(demo: Demo) -> None:
    with demo.client("demo-viewer") as client:
        found = listed(client)
        reporting = client.get("/meters/export/", params={"export": "json", "fresh": "now"}).json()
    assert {one["site"] for one in found} == {"Lindenhof 12"}
    assert "Flat 1.1 warm water" in {one["name"] for one in found}
    assert len(found) == METERS + 1
    assert len(reporting) == METERS  # all but the one that was taken down


def test_the_history_of_the_meters_is_two_years_long_whatever_the_others_is(demo: Demo) -> None:
    fleets = json.loads((demo.server.home / "demo.json").read_text())["fleets"]
    origins = {name: datetime.fromisoformat(fleet["origin"]) for name, fleet in fleets.items()}
    assert (origins["packs"] - origins["meters"]).days == 729
    with demo.client("demo-viewer") as client:
        (removed,) = (one for one in listed(client) if "until its exchange" in str(one["name"]))
        alerts = client.get(ALERTS, params={"search": removed["key"]}).json()["results"]
    assert alerts == []  # it is out of use, and not silent


def test_the_shift_is_told_of_what_is_bad(demo: Demo) -> None:
    """Made once, however often it is called; there is nobody at its address."""
    with demo.client("demo-manager") as client:
        (channel,) = client.get(f"{NOTIFICATIONS}channels/").json()["results"]
        (route,) = client.get(f"{NOTIFICATIONS}routes/").json()["results"]
    assert (channel["name"], channel["whereto"]) == ("Shift", "shift@demo.invalid")
    assert (route["channel"], route["least_level"], route["kind"]) == (channel["id"], "ERROR", "")


def test_the_present_goes_on_in_both_fleets(demo: Demo) -> None:
    def newest(client: httpx.Client, path: str) -> int:
        return int(client.get(path, params={"page_size": 1}).json()["count"])

    with demo.client("demo-viewer") as client:
        before = {path: newest(client, path) for path in (READINGS, STATUS)}
        wait_until(lambda: newest(client, STATUS) > before[STATUS] + PACKS, "each pack has spoken")
        assert newest(client, READINGS) >= before[READINGS]


def test_called_again_it_goes_on_where_it_was(demo: Demo) -> None:
    """As many vehicles, the same logins, and no more readings than the time in between has brought."""
    assert demo.second.splitlines()[2:] == demo.first.splitlines()[2:]
    assert stored(demo.second) < stored(demo.first) / 10
    with demo.client("demo-viewer") as client:
        rows = readings(client)
        packs = readings(client, STATUS)
    assert len({(row["vehicle_id"], row["timestamp"]) for row in rows}) == len(rows)
    assert len({(row["serial_number"], row["logged_at"]) for row in packs}) == len(packs)


def test_the_page_shows_the_fleet_with_its_latest_state(demo: Demo) -> None:
    with httpx.Client(base_url=demo.server.url, follow_redirects=True) as browser:
        page = browser.get("/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token
        form = {"username": "demo-viewer", "password": demo.password, "csrfmiddlewaretoken": token[1]}
        browser.post(str(page.url), data=form).raise_for_status()
        page = browser.get("/vehicles/")
    assert page.text.count("<tr data-asset=") == 3
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


def test_the_sample_alone_is_three_batteries_and_nothing_else(tmp_path: Path) -> None:
    home = tmp_path / "home"
    key = home_make(home)
    words = ("demo", "--sample")
    first, second = command(*words, home=home), command(*words, home=home)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert (stored(first.stdout), first.stdout) == (0, second.stdout)
    with (
        serving(home, key=key, words=[*words, "--serve"]) as server,
        Demo(first.stdout, "", server).client("demo-viewer") as client,
    ):
        batteries = client.get(BATTERIES).json()["results"]
        assert {battery["serial_number"] for battery in batteries} == {"BAT-001", "BAT-002", "BAT-003"}
        assert client.get(READINGS).json()["count"] == 0
        stats = client.get("/api/dashboard/stats/").json()
    assert stats["batteries"] == {"total": 3, "active": 2, "faulty": 0}
    assert stats["alerts"] == {"total": 1, "unresolved": 1, "critical": 0}


def test_a_demo_that_had_only_vehicles_gets_its_packs(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home_make(home)
    assert command(*ARGUMENTS, "--packs", "1", home=home).returncode == 0
    kept = json.loads((home / "demo.json").read_text())["fleets"]["vehicles"]
    (home / "demo.json").write_text(json.dumps({"vehicles": kept.pop("size"), **kept}))
    again = command(*ARGUMENTS, "--packs", "2", home=home)
    assert again.returncode == 0, again.stderr
    fleets = json.loads((home / "demo.json").read_text())["fleets"]
    assert {name: fleet["size"] for name, fleet in fleets.items()} == {"vehicles": 3, "packs": 2, "meters": METERS}
    assert fleets["vehicles"]["origin"] == kept["origin"]


WRONG = [
    ("--vehicles", "0"),
    ("--vehicles", "1001"),
    ("--packs", "0"),
    ("--packs", "1001"),
    ("--meters", "0"),
    ("--meters", "1001"),
    ("--days", "0"),
    ("--days", "366"),
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_fleet_of_no_size_is_refused(wrong: tuple[str, str], tmp_path: Path) -> None:
    outcome = command("demo", *wrong, home=tmp_path)
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert "Give 1 to 1000 vehicles, 1 to 1000 packs, 1 to 1000 meters and 1 to 365 days." in outcome.stderr

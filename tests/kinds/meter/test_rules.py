"""What a meter's messages raise, and what the next good one makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.people import Person
from tests.support.meters import RECEIVED, message, message_store, meter_make
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog import registry
from wattkeeper.base.core.clock import now
from wattkeeper.flow import ingest
from wattkeeper.flow.alerts.models import Alert, Transition
from wattkeeper.flow.alerts.trial import rule_tried
from wattkeeper.flow.rules.models import Rule
from wattkeeper.flow.rules.queries import specs_of
from wattkeeper.flow.store.store import Store
from wattkeeper.kinds.meter.streams import MESSAGE

HOUR = timedelta(hours=1)
FINE: Mapping[str, Any] = {}


@pytest.fixture
def meter(vehicle_store: Store, tenant: Tenant) -> Asset:
    return meter_make(tenant)


def say(asset: Asset, received_at: datetime, *, status: int = 0, **said: Any) -> None:
    """One message through the whole pipeline; its clock is right unless `at` says otherwise."""
    content = message(who={"status": status}, **{"at": received_at - timedelta(minutes=1), **said})
    message_store(asset.tenant, content, received_at=received_at)


def alerts(asset: Asset) -> list[tuple[str, str, str]]:
    found = Alert.objects.filter(asset=asset, cleared_at=None, resolved_at=None).order_by("pk")
    return list(found.values_list("alert_type", "level", "message"))


def why_cleared(asset: Asset) -> str:
    return Transition.objects.filter(alert__asset=asset, kind="cleared").get().why


@pytest.mark.parametrize(
    ("wrong", "alert", "cleared"),
    [
        ({"status": 0x10}, ("FAULT", "ERROR", "Error reported"), "Error none, no longer reported"),
        ({"status": 0x08}, ("FAULT", "ERROR", "Error reported"), "Error none, no longer reported"),
        ({"status": 0x02}, ("FAULT", "ERROR", "Error reported"), "Error none, no longer reported"),
        ({"status": 0x03}, ("FAULT", "CRITICAL", "Alarm reported"), "Alarm none, no longer reported"),
        ({"status": 0x04}, ("LOW_BATTERY", "WARNING", "Battery low"), "Battery good, no longer low"),
        (
            {"at": "2000-01-01T00:00:00.000000"},
            ("CLOCK_OFF", "WARNING", "Clock offset -7,920 days, outside -48 to 0.1 h"),
            "Clock offset -1 min, no longer outside -48 to 0.1 h",
        ),
        (
            {"at": RECEIVED + 3 * HOUR},
            ("CLOCK_OFF", "WARNING", "Clock offset 3 h, outside -48 to 0.1 h"),
            "Clock offset -1 min, no longer outside -48 to 0.1 h",
        ),
    ],
)
def test_a_message_opens_an_alert_and_the_next_good_one_clears_it(
    wrong: dict[str, Any], alert: tuple[str, str, str], cleared: str, meter: Asset
) -> None:
    say(meter, RECEIVED, **wrong)
    assert alerts(meter) == [alert]
    say(meter, RECEIVED + HOUR)
    assert alerts(meter) == []
    assert why_cleared(meter) == cleared


@pytest.mark.parametrize(
    "well",
    [
        {},
        {"status": 0x01},  # busy
        {"status": 0x40},  # something of the maker's own
        {"at": RECEIVED - 26 * HOUR},  # a gateway has kept it
        {"at": RECEIVED + timedelta(minutes=4)},
        {"at": None},
        {"value": None, "due": None},
    ],
)
def test_what_is_well_raises_nothing(well: dict[str, Any], meter: Asset) -> None:
    say(meter, RECEIVED, **well)
    assert alerts(meter) == []


def test_one_message_may_raise_several(meter: Asset) -> None:
    say(meter, RECEIVED, status=0x1C)
    assert {alert_type for alert_type, *_ in alerts(meter)} == {"FAULT", "LOW_BATTERY"}


def test_a_message_without_a_time_says_nothing_of_the_clock(meter: Asset) -> None:
    say(meter, RECEIVED, at="2000-01-01T00:00:00.000000")
    say(meter, RECEIVED + HOUR, at=None)
    assert [alert_type for alert_type, *_ in alerts(meter)] == ["CLOCK_OFF"]


def test_a_meter_that_is_silent_for_three_times_its_usual_interval_is_heard_of_again(meter: Asset) -> None:
    Asset.objects.filter(pk=meter.pk).update(last_seen=now() - 4 * HOUR, usual_interval=3600.0, readings_seen=50)
    ingest.silences_judge(listening_since=RECEIVED)
    ((alert_type, _, text),) = alerts(meter)
    assert (alert_type, text) == ("COMMUNICATION_ERROR", "Silent for 4 h, longer than 3 h")
    say(meter, now())
    assert alerts(meter) == []


def test_no_two_rules_say_what_to_do_in_the_same_words() -> None:
    texts = [rule.text for rule in registry.kind("meter").default_rules]
    assert all(texts)
    assert len(set(texts)) == len(texts)


@pytest.fixture
def told(meter: Asset) -> Iterator[Asset]:
    """An hour of errors, and one of a low battery."""
    for number, status in enumerate([0, 0x10, 0, 0x04, 0]):
        say(meter, RECEIVED + number * HOUR, status=status)
    yield meter


def test_each_rule_can_be_tried_or_says_why_not(told: Asset) -> None:
    kind = registry.kind(MESSAGE.kind)
    window = {"since": RECEIVED - HOUR, "until": RECEIVED + 6 * HOUR, "now": now()}
    tried = {spec.name: rule_tried(spec, **window) for spec in specs_of(told.tenant_id, kind)}
    assert {name: trial.total for name, trial in tried.items()} == {
        "Reports an error": 1,
        "Reports an alarm": 0,
        "Battery is low": 1,
        "Clock is off": 0,
        "Use is unusual": 0,
        "Is silent": 0,
    }
    assert [name for name, trial in tried.items() if trial.untestable] == ["Use is unusual"]


def test_rules_read_as_words_and_not_as_bits(told: Asset, owner: Person) -> None:
    page = owner.session.get("/rules/?kind=meter").content.decode()
    for sentence in ("Error is reported", "Alarm is reported", "Battery is low", "Clock offset outside"):
        assert sentence in page
    assert "is 1" not in page


def test_the_form_says_what_the_numbers_mean(told: Asset, owner: Person) -> None:
    rule = Rule.objects.get(tenant=told.tenant, kind="meter", default_name="power_low")
    page = owner.session.get(f"/rules/{rule.pk}/").content.decode()
    assert "0: good, 1: low" in page
    assert "usual_least" not in page


@pytest.mark.parametrize("kind", ["battery", "meter"])
def test_a_rule_is_about_what_its_kind_can_have(kind: str, owner: Person) -> None:
    (said,) = (one for one in owner.jwt.get("/api/rules/vocabulary/").json()["kinds"] if one["name"] == kind)
    assert ("UNUSUAL_USE" in said["alert_types"]) is (kind == "meter")
    assert ("OVERCHARGE" in said["alert_types"]) is (kind == "battery")

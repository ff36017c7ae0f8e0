"""Messages that come together, again, or broken: which of them counts, and what is lost of the others (nothing)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.people import Person
from tests.support.meters import KEY, RECEIVED, VOLUME, message, message_store, post, record, telegram_time
from tests.support.reports import fetched, rows
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.core import clock
from wattkeeper.flow.alerts.models import Alert

DAY = timedelta(days=1)
pytestmark = pytest.mark.usefixtures("meter_store")


def newest_in_the_file(owner: Person) -> str:
    (line,) = rows(owner.jwt)
    return line["Newest Value"]


def timeless(value: object, **who: object) -> dict[str, Any]:
    return message([record("Energy (kWh)", value)], who=who)


class TestInOneArray:
    def test_of_those_without_a_time_the_last_is_the_newest(self, owner: Person) -> None:
        assert post(owner.jwt, [timeless(value) for value in (10, 30, 20, 40, 15)]).status_code == 201
        assert newest_in_the_file(owner) == "15"

    def test_of_those_that_are_too_old_the_last_is_the_newest(self, owner: Person) -> None:
        hours = (70, 65, 60, 55, 50)
        said = [message(at=telegram_time(clock.now() - timedelta(hours=ago)), value=100 - ago) for ago in hours]
        assert post(owner.jwt, said).status_code == 201
        assert newest_in_the_file(owner) == "50"

    def test_an_alarm_that_is_over_by_the_next_message_is_over(self, owner: Person) -> None:
        assert post(owner.jwt, [timeless(1, status=3), timeless(2, status=0)]).status_code == 201
        alert = Alert.objects.get(asset__key=KEY)
        assert alert.is_resolved

    @pytest.mark.parametrize(
        "broken",
        [
            b'{"data": [{"value": NaN, "dimension": "Energy (kWh)"}], "device": {}}',
            b'{"data": [{"value": "\xff", "dimension": "Energy (kWh)"}], "device": {}}',
            b'{"data": [{"value": "\\ud800", "dimension": "Energy (kWh)"}], "device": {}}',
        ],
        ids=["NaN", "half a character", "a lone surrogate"],
    )
    def test_one_that_is_no_json_is_refused_alone(self, owner: Person, broken: bytes) -> None:

        good = json.dumps(timeless(7)).encode()
        answer = post(owner.jwt, b"[" + good + b" ,\n" + broken + b"]")
        assert answer.status_code == 207, answer.content
        body = answer.json()
        assert [one["status"] for one in body["receipts"]] == [201, 400]
        assert newest_in_the_file(owner) == "7"

    @pytest.mark.parametrize("broken", [b"[%s", b"[%s,]", b"[%s %s]", b"[%s] more", b"[NaN", b"[%s, }]"])
    def test_what_is_no_array_is_refused_as_a_whole(self, owner: Person, broken: bytes) -> None:

        good = json.dumps(timeless(7)).encode()
        answer = post(owner.jwt, broken.replace(b"%s", good))
        assert answer.status_code == 400
        assert "not valid JSON" in answer.json()["detail"]


class TestAgain:
    def test_a_meter_whose_clock_stands_still_is_heard_each_day(self, owner: Person, tenant: Tenant) -> None:
        stuck = message(at="2000-01-01T00:00:00", value=5)
        outcomes = [message_store(tenant, stuck, received_at=RECEIVED + n * DAY).receipt.outcome for n in range(3)]
        assert outcomes == ["stored"] * 3
        within = message_store(tenant, stuck, received_at=RECEIVED + 2 * DAY + timedelta(minutes=5))
        assert within.receipt.outcome == "duplicate"

    def test_a_telegram_that_is_sent_again_days_later_is_the_same(self, owner: Person, tenant: Tenant) -> None:
        said = message(value=5)
        assert message_store(tenant, said).receipt.outcome == "stored"
        message_store(tenant, message(at=RECEIVED + DAY, value=6), received_at=RECEIVED + DAY)
        assert message_store(tenant, said, received_at=RECEIVED + 5 * DAY).receipt.outcome == "duplicate"


class TestUse:
    def test_a_single_nought_of_a_counter_bills_nothing(self, owner: Person, tenant: Tenant) -> None:
        values = [29690, 29691, 29692, 0, 29693, 29694]
        for number, value in enumerate(values):
            at = RECEIVED + number * DAY
            message_store(tenant, message(at=telegram_time(at), value=value), received_at=at)
        meter = Asset.objects.get(key=KEY)
        answer = owner.jwt.get(
            f"/api/meters/{meter.pk}/consumption/", {"per": "day", "since": "2021-09-06", "until": "2021-09-13"}
        ).json()
        uses = [one["amount"] for one in answer["results"] if one["amount"] is not None]
        assert sum(uses) == pytest.approx(4, abs=0.01)
        assert max(uses) < 2

    def test_a_value_less_than_a_thousandth_keeps_digits(self, owner: Person, tenant: Tenant) -> None:
        message_store(tenant, message(dimension="Energy (J)", value=1, due=None, due_date=None))
        (line,) = rows(owner.jwt, month="2021-09")
        assert line["Newest Value"] == "0.000000277778"


def test_a_due_date_with_a_zone_is_the_same_in_every_file(owner: Person, tenant: Tenant) -> None:
    said = message(due_date="2021-08-31T22:00:00Z", dimension=VOLUME)
    message_store(tenant, said)
    dates = {row["Due Date"] for query in ({}, {"all": "true"}) for row in rows(owner.jwt, month="2021-09", **query)}
    assert dates == {"2021-09-01 00:00:00"}
    assert b"2021-09-01 00:00:00" in fetched(owner.jwt, month="2021-09", raw="true")


class TestDigits:
    @pytest.mark.parametrize(
        ("sent", "scaled"),
        [
            ("100.10", "100.1"),
            ("1e5", "100000"),
            ("0.12345678901234567890", "0.1234567890123456789"),
            ("12345678901234567.891", "12345678901234567.891"),
            ("9007199254740993", "9007199254740993"),
        ],
    )
    def test_none_is_lost(self, owner: Person, tenant: Tenant, sent: str, scaled: str) -> None:
        said = json.dumps(message(value=4711, due=None, due_date=None)).replace("4711", sent).encode()
        message_store(tenant, said)
        for query in ({}, {"all": "true"}):
            (raw,) = rows(owner.jwt, month="2021-09", raw="true", **query)
            (line,) = rows(owner.jwt, month="2021-09", **query)
            assert (raw["Newest Value"], line["Newest Value"]) == (sent, scaled)
        meter = Asset.objects.get(key=KEY)
        (kept,) = owner.jwt.get(f"/api/meters/{meter.pk}/messages/").json()["results"]
        assert kept["raw"].encode() == said


class TestTheUse:
    def test_is_none_while_a_meter_in_error_says_nought(self, owner: Person, tenant: Tenant) -> None:
        said = ((12_345, 0), (12_346, 0), (0, 16), (0, 16), (12_346, 0), (12_347, 0))
        for hour, (value, status) in enumerate(said):
            at = RECEIVED + hour * DAY / 24
            time = record("Time Point (time & date)", telegram_time(at))
            message_store(
                tenant, message([time, record("Energy (kWh)", value)], who={"status": status}), received_at=at
            )
        meter = Asset.objects.get(key=KEY)
        window = {"per": "month", "since": "2021-09-01", "until": "2021-10-01"}
        (month,) = owner.jwt.get(f"/api/meters/{meter.pk}/consumption/", window).json()["results"]
        assert (month["amount"], month["reset"]) == (2.0, False)

    def test_has_no_noise_in_its_digits(self, owner: Person, tenant: Tenant) -> None:
        for day, value in enumerate((0.1, 0.2, 0.4)):
            at = RECEIVED + day * DAY
            time = record("Time Point (time & date)", telegram_time(at))
            message_store(tenant, message([time, record("Energy (kWh)", value)]), received_at=at)
        meter = Asset.objects.get(key=KEY)
        window = {"per": "month", "since": "2021-09-01", "until": "2021-10-01"}
        assert owner.jwt.get(f"/api/meters/{meter.pk}/consumption/", window).json()["total"] == 0.3

    def test_is_that_of_all_tariffs_in_whatever_order_they_come_and_whatever_is_billed(
        self, owner: Person, tenant: Tenant
    ) -> None:
        for day in range(4):
            at = RECEIVED + day * DAY
            both = [record("Energy (kWh)", 1000 + 500 * day), record("Energy (kWh)", 100 + day, tariff=1)]
            due = record("Energy (kWh)", 90, tariff=1, storagenr=1)
            time = record("Time Point (time & date)", telegram_time(at))
            said = message([time, *(both if day % 2 else reversed(both)), due])
            message_store(tenant, said, received_at=at)
        (line,) = rows(owner.jwt, month="2021-09")
        assert line["Newest Value"] == "103"
        meter = Asset.objects.get(key=KEY)
        window = {"per": "day", "since": "2021-09-07", "until": "2021-09-11"}
        answer = owner.jwt.get(f"/api/meters/{meter.pk}/consumption/", window).json()
        assert answer["total"] == pytest.approx(1_500, abs=0.01)

"""The month's file: whose latest message is in it, and what its line says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.people import Person
from tests.support import exports
from tests.support.meters import (
    DATE,
    ENERGY,
    VOLUME,
    documented,
    message,
    messages_store,
    meter_make,
    record,
    records,
)
from tests.support.reports import CSV, HEADER, fetched, lines, local, newest, rows, spoke
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset, SiteZone
from wattkeeper.base.core import clock
from wattkeeper.kinds.meter.models import DueStorage

pytestmark = pytest.mark.usefixtures("meter_store")

NEW_YORK, TOKYO = ZoneInfo("America/New_York"), ZoneInfo("Asia/Tokyo")
RECEIVED = local("2021-09-07T10:30:00")
WORDS = "83251076,EFE (5317),heat (4),0,Energy (kWh),29690,16274,2019-09-30 00:00:00"
CODES = "83251076,5317,4,0,Energy (kWh),29690,16274,2019-09-30 00:00:00"


class TestTheContractsLines:
    def test_of_a_meter_without_a_clock(self, owner: Person, tenant: Tenant) -> None:
        messages_store(tenant, [(message(at=None), RECEIVED)])
        assert lines(owner.jwt, month="2021-09") == [f"2021-09-07 10:30:00,{WORDS},ok (0); no time of its own"]
        assert lines(owner.jwt, month="2021-09", raw="true") == [f"2021-09-07 10:30:00,{CODES},measurement"]

    def test_of_one_whose_clock_is_right(self, owner: Person, tenant: Tenant) -> None:
        messages_store(tenant, [(message(at=RECEIVED), RECEIVED + timedelta(seconds=20))])
        assert lines(owner.jwt, month="2021-09") == [f"2021-09-07 10:30:00,{WORDS},ok (0)"]
        assert lines(owner.jwt, month="2021-09", raw="1") == [f"2021-09-07 10:30:00,{CODES},measurement"]

    def test_of_the_documented_message_a_year_after_its_own_time(self, owner: Person, tenant: Tenant) -> None:
        messages_store(tenant, [(documented(), RECEIVED)])
        assert lines(owner.jwt, month="2021-09") == [f"2021-09-07 10:30:00,{WORDS},ok (0); clock off"]
        assert lines(owner.jwt, month="2020-06") == []

    def test_the_file_is_named_by_the_day_it_is_at_home(
        self, owner: Person, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        SiteZone.objects.create(tenant=tenant, site="", time_zone="Asia/Tokyo")
        monkeypatch.setattr(clock, "now", lambda: datetime(2021, 9, 30, 16, tzinfo=UTC))
        for path in (CSV, "/api/csv/", "/csv"):
            response = owner.session.get(path)
            assert response["Content-Disposition"] == 'attachment; filename="2021-10-01_report.csv"'
            assert response["Content-Type"] == "text/csv; charset=utf-8"
            assert b"".join([HEADER.encode(), b"\n"]) == fetched(owner.session, path)


class TestTheMonth:
    @pytest.mark.parametrize(
        ("last", "first"),
        [
            ("2021-09-30T23:59:59.999999", "2021-10-01T00:00:00"),
            ("2021-12-31T23:59:59.999999", "2022-01-01T00:00:00"),
            ("2024-02-29T23:59:59.999999", "2024-03-01T00:00:00"),
        ],
    )
    def test_ends_at_midnight_of_its_site(self, last: str, first: str, owner: Person, tenant: Tenant) -> None:
        spoke(tenant, last, first)
        assert newest(owner.jwt, last[:7]) == ["1"]
        assert newest(owner.jwt, first[:7]) == ["2"]

    @pytest.mark.parametrize(("zone", "site"), [(NEW_YORK, "Bronx"), (TOKYO, "Ginza")])
    def test_of_another_site_ends_at_its_own_midnight(
        self, zone: ZoneInfo, site: str, owner: Person, tenant: Tenant
    ) -> None:
        SiteZone.objects.create(tenant=tenant, site=site, time_zone=zone.key)
        meter_make(tenant, site=site, identnr=1)
        spoke(tenant, "2021-12-31T23:59:59.999999", "2022-01-01T00:00:00", zone=zone, who={"identnr": 1})
        spoke(tenant, "2021-12-31T23:59:58", "2022-01-01T00:00:01", who={"identnr": 2})
        december = rows(owner.jwt, month="2021-12")
        assert [(row["Date"], row["Newest Value"]) for row in december] == [
            ("2021-12-31 23:59:59", "1"),
            ("2021-12-31 23:59:58", "1"),
        ]
        assert newest(owner.jwt, "2022-01") == ["2", "2"]
        assert newest(owner.jwt, "2022-01", site=site) == ["2"]

    def test_knows_both_hours_of_a_night_in_autumn(self, owner: Person, tenant: Tenant) -> None:
        first, second = local("2021-10-31T02:30:00"), local("2021-10-31T02:30:00", fold=1)
        spoke(tenant, first, second)
        assert newest(owner.jwt, "2021-10") == ["2"]
        assert rows(owner.jwt, month="2021-10")[0]["Date"] == "2021-10-31 02:30:00"

    def test_goes_over_the_night_in_spring(self, owner: Person, tenant: Tenant) -> None:
        spoke(tenant, "2021-03-28T01:59:59", "2021-03-28T03:00:00", "2021-03-31T23:30:00", "2021-04-01T00:30:00")
        assert newest(owner.jwt, "2021-03") == ["3"]

    def test_is_the_one_that_each_site_is_in_where_nobody_says(
        self, owner: Person, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        SiteZone.objects.create(tenant=tenant, site="Ginza", time_zone="Asia/Tokyo")
        meter_make(tenant, site="Ginza", identnr=1)
        spoke(tenant, "2021-10-31T12:00:00", "2021-11-01T01:00:00", zone=TOKYO, who={"identnr": 1})
        spoke(tenant, "2021-10-31T16:00:00", who={"identnr": 2})
        monkeypatch.setattr(clock, "now", lambda: local("2021-10-31T18:00:00"))
        assert [row["Date"] for row in rows(owner.jwt)] == ["2021-11-01 01:00:00", "2021-10-31 16:00:00"]

    def test_has_no_other_years(self, owner: Person, tenant: Tenant) -> None:
        spoke(tenant, "2020-09-07T10:00:00", "2022-09-07T10:00:00")
        assert lines(owner.jwt, month="2021-09") == []

    def test_takes_what_comes_late_for_it(self, owner: Person, tenant: Tenant) -> None:
        at = local("2021-09-30T23:00:00")
        spoke(tenant, "2021-10-01T00:30:00", value=5)
        messages_store(tenant, [(message(at=at, value=4), at + timedelta(hours=40))])
        assert newest(owner.jwt, "2021-09") == ["4"]
        assert newest(owner.jwt, "2021-10") == ["5"]

    def test_of_two_messages_of_one_time_the_one_that_came_last_counts(self, owner: Person, tenant: Tenant) -> None:
        at = local("2021-09-07T10:00:00")
        messages_store(
            tenant,
            [
                (message(at=at, value=8), at + timedelta(minutes=3)),
                (message(at=at, value=9), at + timedelta(minutes=1)),
            ],
        )
        assert newest(owner.jwt, "2021-09") == ["8"]

    @pytest.mark.parametrize(
        ("own", "flag"),
        [
            ("2021-09-05T10:30:00.000000", ""),  # 48 hours behind, and not more
            ("2021-09-05T10:29:59.000000", "; clock off"),
            ("2021-09-07T10:33:00.000000", ""),  # a little ahead
            ("2021-10-07T10:30:00.000000", "; clock off"),
            ("2127-01-01T00:00:00.000000", "; no time of its own"),
            ("2000-00-00T00:00:00.000000", "; no time of its own"),
            ("1999-11-30T00:00:00.000000", "; no time of its own"),
        ],
    )
    def test_is_that_of_reception_where_the_clock_is_wrong(
        self, own: str, flag: str, owner: Person, tenant: Tenant
    ) -> None:
        messages_store(tenant, [(message(at=own), RECEIVED)])
        (row,) = rows(owner.jwt, month="2021-09")
        assert row["Status"] == f"ok (0){flag}"
        assert row["Date"] == (
            "2021-09-05 10:30:00" if own.startswith("2021-09-05") and not flag else "2021-09-07 10:30:00"
        )


class TestALine:
    def line(self, client: Any, tenant: Tenant, data: list[dict[str, Any]], **query: str) -> dict[str, str]:
        messages_store(tenant, [(message(data, who=query.pop("who", None)), RECEIVED)])
        (found,) = rows(client, month="2021-09", **query)
        return found

    @pytest.mark.parametrize(
        ("dimension", "value", "title", "scaled"),
        [
            ("Energy (10 Wh)", 2969012, "Energy (kWh)", "29690.12"),
            ("Energy (MJ)", 1, "Energy (kWh)", "0.277778"),
            ("Volume (m m^3)", 54321, "Volume (m³)", "54.321"),
            ("Volume (1e-2  m^3)", 54321, "Volume (m³)", "543.21"),
            ("Energy (kWh)", 2**63 + 1, "Energy (kWh)", "9223372036854775809"),
            ("Energy (Wh)", 123456789012345678901234567890, "Energy (kWh)", "123456789012345678901234567.89"),
            ("Energy (kWh)", 5_000_000_000, "Energy (kWh)", "5000000000"),
            ("Energy (Wh)", -5, "Energy (kWh)", "-0.005"),
            ("Energy (kWh)", 1.25, "Energy (kWh)", "1.25"),
            ("Flying (carpets)", 7, "Flying (carpets)", "7"),
        ],
    )
    def test_has_its_values_scaled_to_the_last_digit(
        self, dimension: str, value: Any, title: str, scaled: str, owner: Person, tenant: Tenant
    ) -> None:
        row = self.line(owner.jwt, tenant, records(at=None, dimension=dimension, value=value, due=None))
        assert (row["Measurement Dimension"], row["Newest Value"]) == (title, scaled)
        (raw,) = rows(owner.jwt, month="2021-09", raw="true")
        assert (raw["Measurement Dimension"], raw["Newest Value"]) == (dimension, str(value))

    def test_leaves_a_missing_side_empty(self, owner: Person, tenant: Tenant) -> None:
        row = self.line(owner.jwt, tenant, [record(ENERGY, 0)])
        assert (row["Newest Value"], row["Due Date Value"], row["Due Date"]) == ("0", "", "")

    @pytest.mark.parametrize(
        "unset", ["2000-00-00T00:00:00", "1999-11-30T00:00:00", "1900-01-01T00:00:00", "2127-15-31T00:00:00"]
    )
    def test_leaves_an_unset_due_date_empty(self, unset: str, owner: Person, tenant: Tenant) -> None:
        row = self.line(owner.jwt, tenant, records(at=None, due_date=unset))
        assert (row["Due Date Value"], row["Due Date"]) == ("16274", "")

    def test_is_there_of_a_meter_that_measures_nothing(self, owner: Person, tenant: Tenant) -> None:
        said = [record("Fabrication number", 11490378), record(ENERGY, "Value during error state")]
        row = self.line(owner.jwt, tenant, said)
        assert (row["Device ID"], row["Measurement Dimension"], row["Newest Value"]) == ("83251076", "", "")
        assert len(lines(owner.jwt, month="2021-09", all="true")) == 1

    def test_has_the_first_measurement_that_has_a_partner(self, owner: Person, tenant: Tenant) -> None:
        said = [record(VOLUME, 1), record(ENERGY, 2), record(ENERGY, 3, storagenr=1), record(ENERGY, 9, tariff=1)]
        row = self.line(owner.jwt, tenant, said)
        assert (row["Measurement Dimension"], row["Newest Value"], row["Due Date Value"]) == ("Energy (kWh)", "2", "3")

    @pytest.mark.parametrize("all_pairs", ["", "true"])
    def test_says_of_a_value_that_is_missing_that_it_is_and_loses_not_what_is_billed(
        self, all_pairs: str, owner: Person, tenant: Tenant
    ) -> None:
        said = [record(ENERGY, "Value during error state"), record(ENERGY, 5, storagenr=1)]
        asked = {"month": "2021-09"} | ({"all": all_pairs} if all_pairs else {})
        messages_store(tenant, [(message(said), RECEIVED)])
        (row,) = rows(owner.jwt, **asked)
        assert (row["Measurement Dimension"], row["Newest Value"], row["Due Date Value"]) == ("Energy (kWh)", "", "5")
        assert row["Status"] == "ok (0); no time of its own; no value"
        assert len(rows(owner.jwt, **asked, only="flagged")) == 1
        assert rows(owner.jwt, **asked, raw="true")[0]["Status"] == "measurement"

    def test_says_whatever_its_number_is_in_eight_digits(self, owner: Person, tenant: Tenant) -> None:
        for identnr in (7, "A7"):
            messages_store(tenant, [(message(at=None, who={"identnr": identnr}), RECEIVED)])
        assert [row["Device ID"] for row in rows(owner.jwt, month="2021-09")] == ["00000007", "000000A7"]

    @pytest.mark.parametrize(
        ("status", "words", "raw"),
        [
            (0, "ok (0)", "measurement"),
            (4, "power low (4)", "measurement"),
            (0x08, "permanent error (8)", "error"),
            (0x14, "power low, temporary error (20)", "error"),
            (3, "alarm (3)", "error"),
        ],
    )
    def test_says_its_status_in_words_and_in_a_word(
        self, status: int, words: str, raw: str, owner: Person, tenant: Tenant
    ) -> None:
        messages_store(tenant, [(message(at=RECEIVED, who={"status": status}), RECEIVED)])
        assert rows(owner.jwt, month="2021-09")[0]["Status"] == words
        assert rows(owner.jwt, month="2021-09", raw="true")[0]["Status"] == raw

    def test_is_no_formula_in_a_spreadsheet(self, owner: Person, tenant: Tenant) -> None:
        messages_store(tenant, [(message(at=None, dimension="=1+1", value=-5, due=None), RECEIVED)])
        (row,) = rows(owner.jwt, month="2021-09", raw="true")
        assert (row["Measurement Dimension"], row["Newest Value"]) == ("'=1+1", "-5")
        (sheet,) = exports.raw("xlsx", fetched(owner.jwt, month="2021-09", format="xlsx"))
        assert (sheet["Measurement Dimension"], sheet["Newest Value"]) == ("'=1+1", -5)


class TestTheMeters:
    def test_of_one_number_and_two_makers_are_two(self, owner: Person, tenant: Tenant) -> None:
        for maker, due in ((5317, 5), (1143, None)):
            messages_store(tenant, [(message(at=None, due=due, who={"manufacturer": maker}), RECEIVED)])
        found = rows(owner.jwt, month="2021-09")
        assert [(row["Device Manufacturer"], row["Due Date Value"]) for row in found] == [
            ("ACW (1143)", ""),
            ("EFE (5317)", "5"),
        ]

    def test_come_by_maker_number_version_and_type(self, owner: Person, tenant: Tenant) -> None:
        order = [(1143, 9, 0, 4), (5317, 1, 2, 7), (5317, 1, 10, 4), (5317, 1, 10, 6), (5317, 2, 0, 4)]
        for maker, identnr, version, type_ in reversed(order):
            who = {"manufacturer": maker, "identnr": identnr, "version": version, "type": type_}
            messages_store(tenant, [(message(at=None, who=who), RECEIVED)])
        found = [
            (
                int(row["Device Manufacturer"]),
                int(row["Device ID"]),
                int(row["Device Version"]),
                int(row["Device Type"]),
            )
            for row in rows(owner.jwt, month="2021-09", raw="true")
        ]
        assert found == order

    def test_that_were_exchanged_both_have_their_line(self, owner: Person, tenant: Tenant) -> None:
        old = meter_make(tenant, identnr=1)
        spoke(tenant, "2021-09-10T10:00:00", value=99999, who={"identnr": 1})
        spoke(tenant, "2021-09-12T10:00:00", value=3, who={"identnr": 2})
        Asset.objects.filter(pk=old.pk).update(archived_at=local("2021-10-02T10:00:00"))
        assert newest(owner.jwt, "2021-09") == ["99999", "3"]

    def test_are_chosen_by_site_and_medium(self, owner: Person, tenant: Tenant) -> None:
        meter_make(tenant, site="Nord", identnr=1)
        meter_make(tenant, site="Nord", identnr=2, type=22)
        meter_make(tenant, site="Süd", identnr=3)
        for identnr, type_ in ((1, 4), (2, 22), (3, 4)):
            messages_store(tenant, [(message(at=None, who={"identnr": identnr, "type": type_}), RECEIVED)])
        ids = lambda **query: [int(row["Device ID"]) for row in rows(owner.jwt, month="2021-09", **query)]  # noqa: E731
        assert ids(site="Nord") == [1, 2]
        assert ids(type="heat") == ids(type="4") == ids(type="heat (4)") == [1, 3]
        assert ids(site="Nord", type="cold water") == [2]
        assert ids(type="gas") == []

    def test_that_say_an_error_or_are_flagged_can_be_had_alone(self, owner: Person, tenant: Tenant) -> None:
        messages_store(tenant, [(message(at=RECEIVED, who={"identnr": 1, "status": 8}), RECEIVED)])
        messages_store(tenant, [(message(at=None, who={"identnr": 2}), RECEIVED)])
        assert [row["Device ID"] for row in rows(owner.jwt, month="2021-09", only="error")] == ["00000001"]
        assert [row["Device ID"] for row in rows(owner.jwt, month="2021-09", only="flagged")] == ["00000002"]


class TestAllPairs:
    def test_stand_one_below_the_other_as_the_telegram_has_them(self, owner: Person, tenant: Tenant) -> None:
        said = [
            record(VOLUME, 1000),
            record(ENERGY, 2),
            record(ENERGY, 20, tariff=1),
            record(ENERGY, 200, subunit=1),
            record(DATE, "2020-12-31T00:00:00", storagenr=1),
            record(ENERGY, 3, storagenr=1),
            record(ENERGY, 30, storagenr=1, tariff=1),
            record("Power (W)", 40, storagenr=1),
        ]
        messages_store(tenant, [(message(said), RECEIVED)])
        found = rows(owner.jwt, month="2021-09", all="true")
        assert [(row["Measurement Dimension"], row["Newest Value"], row["Due Date Value"]) for row in found] == [
            ("Volume (m³)", "1", ""),
            ("Energy (kWh)", "2", "3"),
            ("Energy (kWh), tariff 1", "20", "30"),
            ("Energy (kWh), subunit 1", "200", ""),
            ("Power (kW)", "", "0.04"),
        ]
        assert {(row["Device ID"], row["Due Date"]) for row in found} == {("83251076", "2020-12-31 00:00:00")}
        raw = rows(owner.jwt, month="2021-09", all="1", raw="1")
        assert [row["Measurement Dimension"] for row in raw] == [VOLUME, ENERGY, ENERGY, ENERGY, "Power (W)"]

    def test_and_the_main_one_follow_what_is_said_of_the_due_dates_storage(self, owner: Person, tenant: Tenant) -> None:
        said = [
            record(ENERGY, 1),
            record(ENERGY, 2, storagenr=1),
            record(DATE, "2020-12-31T00:00:00", storagenr=8),
            record(ENERGY, 8, storagenr=8),
        ]
        messages_store(tenant, [(message(said), RECEIVED)])
        messages_store(tenant, [(message(at=None, who={"manufacturer": 1143}), RECEIVED)])
        DueStorage.objects.create(tenant=tenant, manufacturer=5317, storage=8)
        for query in ({}, {"all": "true"}):
            other, row = rows(owner.jwt, month="2021-09", **query)
            assert (row["Newest Value"], row["Due Date Value"], row["Due Date"]) == ("1", "8", "2020-12-31 00:00:00")
            assert other["Due Date Value"] == "16274"

    def test_of_what_is_no_message_any_more_are_what_was_understood_then(
        self, owner: Person, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        messages_store(tenant, [(message(at=RECEIVED), RECEIVED)])
        before = lines(owner.jwt, month="2021-09")
        monkeypatch.setattr("wattkeeper.kinds.meter.message.BYTES_MOST", 10)
        assert lines(owner.jwt, month="2021-09", all="true") == before

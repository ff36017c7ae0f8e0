"""The vehicles' rows through the API: listed, posted, and had one by one."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import quote

import pytest

from tests.people import Person
from tests.support import vehicles
from tests.support.vehicles import LIST, OLD_LIST, REAL_VEHICLE, ask, listed, post, post_rows, row_of, seconds_of
from wattkeeper.flow.store.keys import ReadingKey

pytestmark = pytest.mark.usefixtures("vehicle_store")

LONG_AGO_AND_FAR_OFF = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "1000-01-01T00:00:00Z",
    "1899-12-31T23:59:59Z",
    "2300-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-14:00",
)


class TestTheList:
    def test_the_rows_of_one_vehicle_are_asked_for_by_its_id(self, owner: Person) -> None:
        post_rows(owner.jwt, [row_of(0), row_of(1, vehicle_id="V2"), row_of(2)])
        assert seconds_of(listed(owner.jwt, vehicle_id="V1")) == [0, 2]
        assert seconds_of(listed(owner.jwt, vehicle_id="V2")) == [1]
        assert seconds_of(listed(owner.jwt)) == [0, 1, 2]
        assert seconds_of(listed(owner.jwt, vehicle_id="")) == [0, 1, 2]

    @pytest.mark.parametrize("vehicle_id", ["V", "v1", "V1 OR 1=1", "V1'", "%", "*", "\0", "V1\0", "é", "V" * 5000])
    def test_a_vehicle_that_is_not_there_has_no_rows(self, vehicle_id: str, owner: Person) -> None:
        post_rows(owner.jwt, [row_of()])
        answer = ask(owner.jwt, vehicle_id=vehicle_id)
        assert answer.status_code == 200
        assert answer.json() == {"count": 0, "next": None, "previous": None, "results": []}

    def test_both_ends_of_the_time_are_inclusive(self, owner: Person) -> None:
        post_rows(owner.jwt, [row_of(second) for second in range(5)])
        first, last = "2024-05-01T12:00:01Z", "2024-05-01T12:00:03Z"
        assert seconds_of(listed(owner.jwt, initial_timestamp=first, final_timestamp=last)) == [1, 2, 3]
        assert seconds_of(listed(owner.jwt, initial_timestamp=first)) == [1, 2, 3, 4]
        assert seconds_of(listed(owner.jwt, final_timestamp=last)) == [0, 1, 2, 3]
        assert seconds_of(listed(owner.jwt, initial_timestamp=last, final_timestamp=last)) == [3]
        assert seconds_of(listed(owner.jwt, initial_timestamp=last, final_timestamp=first)) == []

    def test_the_ends_are_exact_to_the_microsecond(self, owner: Person) -> None:
        at = "2024-05-01T12:00:00.123456Z"
        post_rows(owner.jwt, [row_of(timestamp=at)])
        assert len(listed(owner.jwt, initial_timestamp=at, final_timestamp=at)) == 1
        assert listed(owner.jwt, initial_timestamp="2024-05-01T12:00:00.123457Z") == []
        assert listed(owner.jwt, final_timestamp="2024-05-01T12:00:00.123455Z") == []

    @pytest.mark.parametrize(
        ("time", "zone"),
        [
            ("2024-05-01T12:00:01", ""),
            ("2024-05-01 12:00:01", "UTC"),
            ("2024-05-01T14:00:01", "Europe/Berlin"),  # summer time
            ("2024-05-01T08:00:01", "America/New_York"),
            ("2024-05-01T17:45:01", "Asia/Kathmandu"),
            ("2024-05-01T14:00:01+02:00", "America/New_York"),  # an offset of its own comes first
            ("1714564801", "America/New_York"),
            ("1714564801000", "America/New_York"),
        ],
    )
    def test_a_time_without_an_offset_is_read_in_the_zone_that_is_named(
        self, time: str, zone: str, owner: Person
    ) -> None:
        post_rows(owner.jwt, [row_of(second) for second in range(3)])
        found = listed(owner.jwt, initial_timestamp=time, final_timestamp=time, timezone=zone)
        assert seconds_of(found) == [1]

    def test_a_zones_winter_is_not_its_summer(self, owner: Person) -> None:
        post_rows(owner.jwt, [row_of(timestamp="2024-01-15T11:00:00Z"), row_of(timestamp="2024-07-15T10:00:00Z")])
        for noon in ("2024-01-15T12:00:00", "2024-07-15T12:00:00"):
            found = listed(owner.jwt, initial_timestamp=noon, final_timestamp=noon, timezone="Europe/Berlin")
            assert [row["timestamp"][:10] for row in found] == [noon[:10]]

    @pytest.mark.parametrize(
        ("zone", "day"),
        [("", ["2024-05-01T00:00:00Z", "2024-05-01T23:59:59.999999Z"]),
         ("Europe/Berlin", ["2024-04-30T22:00:00Z", "2024-05-01T00:00:00Z"])],
    )  # fmt: skip
    def test_a_date_means_its_whole_day_in_the_zone_that_is_named(
        self, zone: str, day: list[str], owner: Person
    ) -> None:
        times = ["2024-04-30T21:59:59.999999Z", "2024-04-30T22:00:00Z", "2024-05-01T00:00:00Z"]
        post_rows(owner.jwt, [row_of(timestamp=time) for time in [*times, "2024-05-01T23:59:59.999999Z"]])
        found = listed(owner.jwt, initial_timestamp="2024-05-01", final_timestamp="2024-05-01", timezone=zone)
        assert [row["timestamp"] for row in found] == day

    def test_a_plus_sign_that_was_not_escaped_is_understood(self, owner: Person) -> None:
        post_rows(owner.jwt, [row_of(0), row_of(1)])
        answer = owner.jwt.get(f"{LIST}?initial_timestamp=2024-05-01T14:00:01+02:00")
        assert seconds_of(answer.json()["results"]) == [1]

    @pytest.mark.parametrize(
        "zone", ["Mars/Olympus", "Europe", "../../etc/passwd", "/etc/localtime", "a\0b", "é", "x" * 5000, "+02:00", "."]
    )
    def test_an_unknown_zone_is_a_400(self, zone: str, owner: Person) -> None:
        answer = ask(owner.jwt, timezone=zone, initial_timestamp="2024-05-01T12:00:00")
        assert answer.status_code == 400
        assert set(answer.json()) == {"timezone"}

    @pytest.mark.parametrize("name", ["initial_timestamp", "final_timestamp"])
    @pytest.mark.parametrize(
        "time",
        ["x", "2024", "2024-05", "2024-02-30", "yesterday", "2024-02-30T00:00:00", "0000-01-01T00:00:00", "12:00",
         "NaN", "-1", "2024-05-01T12:00:00\0", "2024-05-01T25:00:00", "9" * 5000, "2024-05-01T12:00:00+99:00"],
    )  # fmt: skip
    def test_a_time_that_cannot_be_read_is_a_400_that_names_it(self, name: str, time: str, owner: Person) -> None:
        answer = ask(owner.jwt, **{name: time})
        assert answer.status_code == 400
        assert set(answer.json()) == {name}

    @pytest.mark.parametrize("time", LONG_AGO_AND_FAR_OFF)
    @pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
    def test_a_time_long_ago_or_far_off_cuts_nothing_wrongly(self, time: str, zone: str, owner: Person) -> None:
        post_rows(owner.jwt, [row_of()])
        past = time < "2000"
        for written in (time, time[:19]):
            query = {"vehicle_id": "V1", "timezone": zone}
            assert len(listed(owner.jwt, initial_timestamp=written, **query)) == (1 if past else 0)
            assert len(listed(owner.jwt, final_timestamp=written, **query)) == (0 if past else 1)

    @pytest.mark.parametrize("column", vehicles.COLUMNS)
    def test_any_field_orders_both_ways(self, column: str, owner: Person) -> None:
        # Each column has an order of its own.
        post_rows(
            owner.jwt,
            [
                row_of(2, vehicle_id="B", speed=1, odometer=30, soc=52, elevation=9, shift_state="R"),
                row_of(0, vehicle_id="A", speed=2, odometer=10, soc=53, elevation=7, shift_state="N"),
                row_of(1, vehicle_id="C", speed=0, odometer=20, soc=51, elevation=8, shift_state="P"),
            ],
        )
        rising, falling = listed(owner.jwt, ordering=column), listed(owner.jwt, ordering=f"-{column}")
        values = [row[column] for row in rising]
        assert values == sorted(values) and len(set(values)) == 3
        assert falling == rising[::-1]

    def test_the_order_is_that_of_time_where_none_is_asked_for(self, owner: Person) -> None:
        post_rows(owner.jwt, [row_of(second, vehicle_id=f"V{second}") for second in (3, 1, 2)])
        assert seconds_of(listed(owner.jwt)) == [1, 2, 3]
        assert seconds_of(listed(owner.jwt, ordering="")) == [1, 2, 3]

    @pytest.mark.parametrize(
        "ordering", ["id", "x", "-", "--speed", "+speed", "speed,soc", "Speed", "asset_key", "version", "speed;", "ts",
                     "tenant_id", "-x" * 5000, "speed\0", "flags"]
    )  # fmt: skip
    def test_an_unknown_ordering_is_a_400(self, ordering: str, owner: Person) -> None:
        answer = ask(owner.jwt, ordering=ordering)
        assert answer.status_code == 400
        assert set(answer.json()) == {"ordering"}

    @pytest.mark.parametrize("sign", ["", "-"])
    @pytest.mark.parametrize("column", [name for name in vehicles.COLUMNS if name != "timestamp"])
    def test_pages_of_equal_values_neither_overlap_nor_leave_a_row_out(
        self, column: str, sign: str, owner: Person
    ) -> None:
        vehicles.upload_rows(owner.jwt, [row_of(second, vehicle_id=f"V{second % 2}") for second in range(24)])
        pages = listed(owner.jwt, ordering=sign + column, page_size=5)
        assert sorted(seconds_of(pages)) == list(range(24))
        assert pages == listed(owner.jwt, ordering=sign + column)

    def test_rows_of_one_moment_keep_their_places_over_the_pages(self, owner: Person) -> None:
        vehicles.upload_rows(owner.jwt, [row_of(vehicle_id=f"V{number}") for number in range(24)])
        for ordering in ("timestamp", "-timestamp"):
            pages = [row["vehicle_id"] for row in listed(owner.jwt, ordering=ordering, page_size=5)]
            assert sorted(pages) == sorted(f"V{number}" for number in range(24))

    def test_null_is_no_value_among_others_in_an_order(self, owner: Person) -> None:
        post_rows(owner.jwt, [row_of(0, speed=None), row_of(1, speed=0), row_of(2, speed=5), row_of(3, speed=None)])
        assert [row["speed"] for row in listed(owner.jwt, ordering="speed")] == [0, 5, None, None]
        assert [row["speed"] for row in listed(owner.jwt, ordering="-speed")] == [5, 0, None, None]

    def test_a_page_has_ten_rows_and_knows_its_neighbours(self, owner: Person) -> None:
        vehicles.upload_rows(owner.jwt, [row_of(second) for second in range(25)])
        first = ask(owner.jwt, vehicle_id="V1", ordering="-timestamp").json()
        assert (first["count"], len(first["results"]), first["previous"]) == (25, 10, None)
        second = owner.jwt.get(first["next"]).json()
        third = owner.jwt.get(second["next"]).json()
        assert (third["count"], len(third["results"]), third["next"]) == (25, 5, None)
        assert owner.jwt.get(third["previous"]).json() == second
        assert seconds_of(first["results"] + second["results"] + third["results"]) == list(range(25))[::-1]

    def test_a_page_has_at_most_a_thousand_rows(self, owner: Person) -> None:
        vehicles.upload_rows(owner.jwt, [row_of(second) for second in range(1001)])
        page = ask(owner.jwt, page_size=1000).json()
        assert (page["count"], len(page["results"])) == (1001, 1000)
        rest = owner.jwt.get(page["next"]).json()
        assert seconds_of(rest["results"]) == [1000]
        too_much = ask(owner.jwt, page_size=1001)
        assert too_much.status_code == 400
        assert set(too_much.json()) == {"page_size"}

    def test_blanks_around_a_vehicles_id_do_not_count_and_blanks_alone_are_no_vehicle(self, owner: Person) -> None:
        post_rows(owner.jwt, [row_of(vehicle_id=" V1 ")])
        assert [len(listed(owner.jwt, vehicle_id=asked)) for asked in ("V1", " V1 ", " ", "V2")] == [1, 1, 0, 0]

    @pytest.mark.parametrize("name", ["page", "page_size"])
    @pytest.mark.parametrize("value", ["0", "-1", "abc", "1.5", "1e3", "²", "٣", "0x1", " 1 x", "1\0", "9" * 5000])
    def test_what_is_no_number_of_a_page_is_a_400_that_names_it(self, name: str, value: str, owner: Person) -> None:
        answer = ask(owner.jwt, **{name: value})
        assert answer.status_code == 400
        assert set(answer.json()) == {name}

    @pytest.mark.parametrize("page", ["3", "1000000000"])
    def test_a_page_beyond_the_last_is_a_404(self, page: str, owner: Person) -> None:
        post_rows(owner.jwt, [row_of(second) for second in range(2)])
        assert len(ask(owner.jwt, page=2, page_size=1).json()["results"]) == 1
        answer = ask(owner.jwt, page=page, page_size=1)
        assert answer.status_code == 404
        assert set(answer.json()) == {"detail"}

    def test_the_first_page_of_nothing_is_empty(self, owner: Person) -> None:
        assert ask(owner.jwt, page=1).json() == {"count": 0, "next": None, "previous": None, "results": []}

    def test_the_count_is_that_of_what_was_asked_and_grows_with_it(self, owner: Person) -> None:
        since = {"vehicle_id": "V1", "initial_timestamp": "2024-05-01T12:00:01Z"}
        for second in range(4):
            post_rows(owner.jwt, [row_of(second), row_of(second, vehicle_id="V2")])
            counts = [
                ask(owner.jwt, page_size=1, **query).json()["count"] for query in ({}, {"vehicle_id": "V1"}, since)
            ]
            assert counts == [2 * second + 2, second + 1, second]
        assert post(owner.jwt, row_of(0)).status_code == 400
        vehicles.upload(owner.jwt, vehicles.csv_of([row_of(0), row_of(9)]))
        assert ask(owner.jwt).json()["count"] == 9

    def test_parameters_that_nobody_knows_change_nothing(self, owner: Person) -> None:
        post_rows(owner.jwt, [row_of()])
        assert len(listed(owner.jwt, format="x", color="red")) == 1


class TestPosting:
    def test_a_row_comes_back_with_all_its_fields_and_its_id(self, owner: Person) -> None:
        (row,) = post_rows(owner.jwt, [row_of()])
        assert row["id"]
        assert row == {**row_of(), "id": row["id"], "flags": []}
        assert listed(owner.jwt) == [row]

    def test_what_may_be_missing_is_null(self, owner: Person) -> None:
        row = row_of()
        del row["speed"], row["shift_state"]
        (stored,) = post_rows(owner.jwt, [row])
        assert (stored["speed"], stored["shift_state"]) == (None, None)

    def test_a_speed_of_zero_stays_zero(self, owner: Person) -> None:
        (posted,) = post_rows(owner.jwt, [row_of(speed=0, odometer=0, soc=0, elevation=0)])
        for row in (posted, *listed(owner.jwt), owner.jwt.get(f"{LIST}{posted['id']}/").json()):
            numbers = [row[name] for name in ("speed", "odometer", "soc", "elevation")]
            assert numbers == [0, 0, 0, 0] and None not in numbers

    def test_a_form_is_understood_as_well(self, owner: Person) -> None:
        row = {**row_of(), "speed": "0", "shift_state": ""}
        answer = owner.jwt.post(LIST, row, format="multipart")
        assert answer.status_code == 201
        assert {**answer.json(), "id": ""} == {**row_of(speed=0, shift_state=None), "id": "", "flags": []}

    @pytest.mark.parametrize(
        ("timestamp", "moment"),
        [
            ("2024-05-01 12:00:00", "2024-05-01T12:00:00Z"),
            ("2024-05-01T14:00:00+02:00", "2024-05-01T12:00:00Z"),
            ("2024-05-01T12:00:00.5", "2024-05-01T12:00:00.500000Z"),
            ("2024-05-01T12:00:00.123456789Z", "2024-05-01T12:00:00.123456Z"),
            (1714564800, "2024-05-01T12:00:00Z"),
            ("1714564800000", "2024-05-01T12:00:00Z"),
            (1714564800.25, "2024-05-01T12:00:00.250000Z"),
        ],
    )
    def test_times_of_all_forms_become_utc(self, timestamp: object, moment: str, owner: Person) -> None:
        (row,) = post_rows(owner.jwt, [row_of(timestamp=timestamp)])
        assert row["timestamp"] == moment

    def test_a_vehicle_id_may_be_a_number_and_is_a_text_from_then_on(self, owner: Person) -> None:
        assert [row["vehicle_id"] for row in post_rows(owner.jwt, [row_of(vehicle_id=7)])] == ["7"]
        assert len(listed(owner.jwt, vehicle_id="7")) == 1

    def test_the_same_vehicle_and_time_again_is_a_400_and_the_first_row_stays(self, owner: Person) -> None:
        post_rows(owner.jwt, [row_of(0), row_of(1)])
        for second in (0, 1):
            again = post(owner.jwt, row_of(second, speed=99))
            assert again.status_code == 400
            assert set(again.json()) == {"non_field_errors"}
        assert post(owner.jwt, row_of(timestamp="2024-05-01T14:00:00+02:00")).status_code == 400
        assert [row["speed"] for row in listed(owner.jwt)] == [10.5, 10.5]

    def test_a_row_that_a_file_has_brought_is_not_taken_again(self, owner: Person) -> None:
        vehicles.upload_rows(owner.jwt, [row_of(0), row_of(1)])
        assert [post(owner.jwt, row_of(second)).status_code for second in (0, 1, 2)] == [400, 400, 201]

    @pytest.mark.parametrize(
        ("field", "bad"),
        [(name, bad) for name in ("vehicle_id", "timestamp")
         for bad in (None, "", "null", [], {}, True, "a\0b", "\ud800")]
        + [("vehicle_id", "x" * 101), ("vehicle_id", 1.5), ("vehicle_id", " \t"), ("vehicle_id", ["V1"])]
        + [("timestamp", bad) for bad in ("yesterday", "2024-02-30T00:00:00Z", "2024-05-01", 5, -1, 10**30, 1e300,
                                          "1989-12-31T23:59:59Z", "x" * 5000, *LONG_AGO_AND_FAR_OFF)]
        + [(name, bad) for name in ("speed", "odometer", "soc", "elevation")
           for bad in ("fast", True, [], {}, "1\0", 10**30, -(10**30), 10**400, "9" * 5000, 1e308, "inf",
                       "1_000", "٣", "\ud800")]
        + [(name, bad) for name in ("odometer", "soc", "elevation") for bad in (None, "", "N/A", "nan")]
        + [("speed", -0.1), ("speed", 400.1), ("odometer", -1), ("odometer", 3_000_000.1), ("soc", -1), ("soc", 101)]
        + [("soc", 50.5), ("soc", "50.5"), ("elevation", -500.1), ("elevation", 9000.1)]
        + [("shift_state", bad) for bad in ("X", "d", "DD", 1, True, [], {}, "D\0", "\ud800", "x" * 5000)],
        ids=lambda value: repr(value)[:30].encode("ascii", "backslashreplace").decode(),
    )  # fmt: skip
    def test_a_bad_value_is_a_400_that_names_its_field(self, field: str, bad: object, owner: Person) -> None:
        answer = post(owner.jwt, row_of(**{field: bad}))
        assert answer.status_code == 400
        assert set(answer.json()) == {field}
        assert isinstance(answer.json()[field][0], str)
        assert listed(owner.jwt) == []

    @pytest.mark.parametrize("field", ["vehicle_id", "timestamp", "odometer", "soc", "elevation"])
    def test_a_required_field_that_is_not_there_is_a_400_that_names_it(self, field: str, owner: Person) -> None:
        row = row_of()
        del row[field]
        answer = post(owner.jwt, row)
        assert answer.status_code == 400
        assert set(answer.json()) == {field}

    def test_all_bad_fields_are_named_at_once(self, owner: Person) -> None:
        answer = post(owner.jwt, row_of(timestamp="x", speed=-1, soc=101, shift_state="X"))
        assert set(answer.json()) == {"timestamp", "speed", "soc", "shift_state"}

    @pytest.mark.parametrize(
        ("field", "value"),
        [("speed", 0), ("speed", 400), ("odometer", 0), ("odometer", 3_000_000), ("soc", 0), ("soc", 100),
         ("soc", "50.0"), ("elevation", -500), ("elevation", 9000), ("speed", " 1e2 "), ("speed", "N/A"),
         ("shift_state", "None"),
         ("vehicle_id", "x" * 100), ("vehicle_id", "é/ü 漢 'quoted' \"twice\""), ("vehicle_id", "'; DROP TABLE x; --"),
         ("timestamp", "1990-01-01T00:00:00Z")],
    )  # fmt: skip
    def test_a_value_at_the_edge_of_the_range_is_good(self, field: str, value: object, owner: Person) -> None:
        (row,) = post_rows(owner.jwt, [row_of(**{field: value})])
        assert owner.jwt.get(f"{LIST}{row['id']}/").json() == row
        assert listed(owner.jwt, vehicle_id=row["vehicle_id"]) == [row]

    @pytest.mark.parametrize(
        "body",
        ["", "{", "[]", "[{}]", "null", "5", '"text"', "[" * 5000, '{"speed": NaN}', '{"speed": Infinity}', "\0", "é",
         '{"speed": ' + "9" * 5000 + "}"],
        ids=lambda body: body[:20].encode("ascii", "backslashreplace").decode().replace("\0", "NUL"),
    )  # fmt: skip
    def test_what_is_no_row_at_all_is_a_400(self, body: str, owner: Person) -> None:
        answer = owner.jwt.post(LIST, body, content_type="application/json")
        assert answer.status_code == 400
        assert answer.json()

    def test_several_rows_are_not_one(self, owner: Person) -> None:
        answer = post(owner.jwt, [row_of(0), row_of(1)])
        assert answer.status_code == 400
        assert listed(owner.jwt) == []

    def test_fields_that_nobody_knows_are_left_alone(self, owner: Person) -> None:
        unknown = {"id": "AAAA", "flags": ["x"], "tenant_id": 1, "batch_id": 5, "colour": "red", "a\0b": [{}]}
        (row,) = post_rows(owner.jwt, [{**row_of(), **unknown}])
        assert set(row) == {*row_of(), "id", "flags"}
        assert row["flags"] == [] and row["id"] != "AAAA"

    def test_an_unknown_vehicle_registers_itself_with_its_first_good_row(self, owner: Person) -> None:
        from wattkeeper.base.assets.models import Asset

        assert post(owner.jwt, row_of(vehicle_id="NEW", soc=101)).status_code == 400
        assert not Asset.objects.filter(key="NEW").exists()
        post_rows(owner.jwt, [row_of(0, vehicle_id="NEW"), row_of(1, vehicle_id="NEW")])
        assert Asset.objects.get(key="NEW").tenant == owner.tenant

    def test_two_tenants_may_have_a_vehicle_of_one_name(self, owner: Person, stranger: Person) -> None:
        mine, theirs = (post_rows(one.jwt, [row_of(soc=soc)])[0] for one, soc in ((owner, 1), (stranger, 2)))
        assert mine["id"] != theirs["id"]
        assert listed(owner.jwt, vehicle_id="V1") == [mine]
        assert listed(stranger.jwt, vehicle_id="V1") == [theirs]


class TestOneById:
    def test_a_row_is_had_by_its_id(self, owner: Person) -> None:
        rows = post_rows(owner.jwt, [row_of(0), row_of(1)])
        for row in rows:
            answer = owner.jwt.get(f"{LIST}{row['id']}/")
            assert answer.status_code == 200
            assert answer.json() == row

    def test_ids_stay_the_same_when_a_file_is_loaded_again(self, owner: Person) -> None:
        vehicles.upload_real(owner.jwt)
        before = listed(owner.jwt, vehicle_id=REAL_VEHICLE)
        again = vehicles.upload_real(owner.key())
        assert (again["inserted"], again["duplicates"]) == (0, len(before))
        assert listed(owner.jwt, vehicle_id=REAL_VEHICLE) == before
        assert len({row["id"] for row in before}) == len(before) == len(vehicles.real_rows())
        assert owner.jwt.get(f"{LIST}{before[3]['id']}/").json() == before[3]

    @pytest.mark.parametrize(
        "nonsense",
        ["1", "0", "-1", "x", "A", "A" * 22, "A" * 23, "_" * 22, "A" * 5000, "é", "\0", "..", "%", "a b", "=", "null",
         "00000000-0000-0000-0000-000000000001", "export.csv", "AAAA=="],
        ids=lambda text: ascii(text[:30]),
    )  # fmt: skip
    @pytest.mark.parametrize("slash", ["", "/"])
    def test_nonsense_is_a_404(self, nonsense: str, slash: str, owner: Person) -> None:
        assert owner.jwt.get(f"{LIST}{quote(nonsense)}{slash}").status_code == 404

    @pytest.mark.parametrize("time", ["1970-01-01T00:00:00+00:00", "2300-01-01T00:00:00+00:00",
                                      "9999-12-31T23:59:59.999999+00:00"])  # fmt: skip
    @pytest.mark.parametrize("asset_id", [0, 1, 2**63, 2**64 - 1])
    def test_the_id_of_a_row_that_never_was_is_a_404(self, time: str, asset_id: int, owner: Person) -> None:
        made_up = ReadingKey(asset_id, datetime.fromisoformat(time)).public_id()
        assert owner.jwt.get(f"{LIST}{made_up}/").status_code == 404

    def test_an_id_is_not_had_in_another_spelling(self, owner: Person) -> None:
        (row,) = post_rows(owner.jwt, [row_of()])
        for other in (row["id"].swapcase(), row["id"] + "=", row["id"] + "A", row["id"][:-1]):
            assert owner.jwt.get(f"{LIST}{quote(other)}/").status_code == 404


class TestTheTwoAddresses:
    @pytest.mark.parametrize("path", [LIST, LIST.rstrip("/"), OLD_LIST, OLD_LIST.rstrip("/")])
    def test_all_is_the_same_under_each_of_them_with_and_without_a_slash(self, path: str, owner: Person) -> None:
        slash = path.removeprefix(path.rstrip("/"))
        row, other = post_rows(owner.jwt, [row_of(0), row_of(1)], path)
        assert ask(owner.jwt, path, vehicle_id="V1").json()["results"] == [row, other]
        assert owner.jwt.get(f"{path.rstrip('/')}/{row['id']}{slash}").json() == row
        assert listed(owner.jwt, LIST) == listed(owner.jwt, OLD_LIST) == [row, other]
        exported = ask(owner.jwt, f"{path.rstrip('/')}/export{slash}", export="json")
        assert len(json.loads(vehicles.body_of(exported))) == 2

    @pytest.mark.parametrize("path", [LIST, OLD_LIST])
    def test_a_next_page_stays_under_the_address_that_was_asked(self, path: str, owner: Person) -> None:
        post_rows(owner.jwt, [row_of(0), row_of(1)])
        page = ask(owner.jwt, path, page_size=1).json()
        assert page["next"].startswith(f"http://testserver{path}?")

    @pytest.mark.parametrize("path", [LIST, OLD_LIST])
    def test_a_file_goes_through_each_of_them(self, path: str, owner: Person) -> None:
        report = vehicles.upload_real(owner.jwt, path=path)
        assert report["inserted"] == len(vehicles.real_rows())
        assert report["refused_csv"].startswith(path)


class TestFlags:
    @pytest.mark.parametrize(
        ("values", "flags"),
        [
            ({"speed": 200}, []),
            ({"speed": 200.1}, ["speed_implausible"]),
            ({"speed": 3, "shift_state": "P"}, []),
            ({"speed": 3.1, "shift_state": "P"}, ["moving_in_park"]),
            ({"speed": 3.1, "shift_state": None}, []),
            ({"speed": 201, "shift_state": "P"}, ["speed_implausible", "moving_in_park"]),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("door", ["post", "file"])
    def test_an_implausible_row_is_kept_and_flagged(
        self, door: str, values: dict[str, Any], flags: list[str], owner: Person
    ) -> None:
        row = row_of(**values)
        if door == "post":
            assert post_rows(owner.jwt, [row])[0]["flags"] == flags
        else:
            assert vehicles.upload_rows(owner.jwt, [row])["flagged"] == (1 if flags else 0)
        (stored,) = listed(owner.jwt)
        assert stored["flags"] == flags
        assert owner.jwt.get(f"{LIST}{stored['id']}/").json() == stored

    @pytest.mark.parametrize(
        ("values", "flags"),
        [
            ({"odometer": 99.75}, []),
            ({"odometer": 99.5}, ["odometer_falling"]),
            ({"soc": 40}, []),
            ({"soc": 39}, ["soc_jump"]),
            ({"soc": 61}, ["soc_jump"]),
            ({"odometer": 0, "soc": 0}, ["odometer_falling", "soc_jump"]),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("door", ["post", "file"])
    def test_a_row_that_does_not_fit_the_one_before_is_kept_and_flagged(
        self, door: str, values: dict[str, Any], flags: list[str], owner: Person
    ) -> None:
        # Another vehicle's row lies between the two and has nothing to do with them.
        rows = [row_of(0), row_of(30, vehicle_id="V2", odometer=9, soc=5), row_of(60, **values)]
        if door == "post":
            assert [row["flags"] for row in post_rows(owner.jwt, rows)] == [[], [], flags]
        else:
            vehicles.upload_rows(owner.jwt, rows)
        assert [row["flags"] for row in listed(owner.jwt)] == [[], [], flags]

    def test_nothing_of_a_real_car_is_flagged(self, owner: Person) -> None:
        assert vehicles.upload_real(owner.jwt)["flags"] == {}


def test_a_real_cars_rows_come_back_as_they_are_in_the_file(owner: Person) -> None:
    vehicles.upload_real(owner.jwt)

    def number(text: str) -> float | None:
        return None if text == "NULL" else float(text)

    expected = sorted(
        (
            datetime.fromisoformat(f"{row['timestamp']:0<23}+00:00"),
            *(number(row[name]) for name in ("speed", "odometer", "soc", "elevation")),
            None if row["shift_state"] == "NULL" else row["shift_state"],
        )
        for row in vehicles.real_rows()
    )
    found = [
        (datetime.fromisoformat(row["timestamp"]), *(row[name] for name in vehicles.COLUMNS[2:]))
        for row in listed(owner.jwt, vehicle_id=REAL_VEHICLE)
    ]
    assert found == expected
    assert {row[1] for row in found} > {0.0, None}

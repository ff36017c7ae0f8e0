"""Who sent a message, and by what it is known when it comes again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.meters import (
    ENERGY,
    compact,
    device,
    documented,
    message,
    record,
    understood,
    with_record,
)

FINITE = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
FIRST = '"value":29690'  # in the documented message, written without blanks


class TestADevice:
    @pytest.mark.parametrize(
        "identnr", [500023, "500023", "00500023", " 500023 ", "0x500023", "0X00500023", "\t0500023"]
    )
    def test_is_the_same_however_its_number_is_written(self, identnr: object) -> None:
        said, plain = understood(message(who={"identnr": identnr})), understood(message(who={"identnr": 500023}))
        assert said.identity == plain.identity
        assert said.digest == plain.digest

    def test_of_hexadecimal_digits_has_them_in_upper_case(self) -> None:
        said = [understood(message(who={"identnr": text})) for text in ("0500023E", "0x0500023e", "500023e")]
        assert {one.identity.key for one in said} == {"EFE-0500023E-0-4"}
        assert len({one.digest for one in said}) == 1

    @pytest.mark.parametrize("manufacturer", [5317, "EFE", "efe", " EFE "])
    def test_is_the_same_by_its_makers_number_and_letters(self, manufacturer: object) -> None:
        said = understood(message(who={"manufacturer": manufacturer}))
        assert said.identity.key == "EFE-83251076-0-4"
        assert said.digest == understood(message()).digest

    def test_is_manufacturer_number_version_and_type(self) -> None:
        others: list[dict[str, object]] = [
            {}, {"manufacturer": 1143}, {"identnr": 83251077}, {"version": 1}, {"type": 6}, {"manufacturer": 0x8000},
        ]  # fmt: skip
        assert len({understood(message(who=who)).identity.key for who in others}) == len(others)

    def test_without_letters_goes_by_its_makers_number(self) -> None:
        assert understood(message(who={"manufacturer": 0})).identity.key == "0-83251076-0-4"


class TestADigest:
    def test_does_not_depend_on_how_the_json_is_written(self) -> None:
        said = documented()
        turned = {
            "device": dict(reversed(said["device"].items())),
            "data": [dict(reversed(one.items())) for one in said["data"]],
        }
        escaped = compact(said).replace('"value"', '"\\u0076alue"')
        spaced = compact(said).replace('":', '" : ')
        written = [compact(said), json.dumps(said, indent=3), compact(turned), escaped, spaced, f" {compact(said)}\n"]
        assert len({understood(one.encode()).digest for one in written}) == 1

    @pytest.mark.parametrize("written", ["29690.0", "2.969e4", "2969E+1", "296900e-1"])
    def test_is_the_same_for_one_number_however_it_is_written(self, written: str) -> None:
        said = compact(documented())
        other = understood(said.replace(FIRST, f'"value":{written}').encode())
        assert other.digest == understood(said.encode()).digest
        assert other.raw != said.encode()

    @given(first=FINITE, second=FINITE)
    @example(first=2**53, second=2**53 + 1)
    @example(first=float(2**53), second=2**53 + 1)
    @example(first=2**70, second=2**70 + 1)
    @example(first=0, second=-0.0)
    @example(first=1, second=1.0)
    @example(first=0.1, second=0.1 + 2**-55)
    def test_tells_numbers_apart_as_they_are(self, first: float, second: float) -> None:
        digests = [understood(with_record(value=value)).digest for value in (first, second)]
        assert (digests[0] == digests[1]) == (first == second)

    def test_is_the_same_where_nothing_is_said_and_where_nothing_is_there(self) -> None:
        bare = understood({"data": [{"dimension": ENERGY}], "device": {**device(), "accessnr": None}})
        whole = understood(message([record(ENERGY, None, function="")], who={"accessnr": None}))
        assert bare.digest == whole.digest

    def test_does_not_count_what_the_gateway_adds(self) -> None:
        assert understood({**message(), "rssi": -70}).digest == understood(message()).digest

    @pytest.mark.parametrize(
        "other",
        [
            message(value=29691), message(due=None), message(who={"status": 4}), message(who={"accessnr": 157}),
            message(who={"accessnr": None}), message(who={"identnr": 1}), message(list(reversed(message()["data"]))),
            message([{**one, "tariff": 1} for one in message()["data"]]),
        ],
    )  # fmt: skip
    def test_is_another_where_anything_is_another(self, other: dict[str, Any]) -> None:
        assert understood(other).digest != understood(message()).digest

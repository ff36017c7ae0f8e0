"""A gateway's message: understood, or refused with all that is wrong and where; whichever way it was looked at."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from tests.support.meters import (
    ENERGY,
    as_bytes,
    captured,
    compact,
    device,
    documented,
    message,
    record,
    understood,
    with_record,
)
from wattkeeper.kinds.meter import message as module
from wattkeeper.kinds.meter.faults import RECORDS_MOST, TEXT_MOST, faults_of
from wattkeeper.kinds.meter.message import BYTES_MOST, Faults, Message, message_of

NO_NUMBER = "not a number of at most 8 digits, nor a hexadecimal text of at most 8"
NO_MAKER = "not a manufacturer's number or its three letters"
FIRST = '"value":29690'  # in the documented message, written without blanks


def refused(raw: bytes | str) -> Faults:
    said = message_of(raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw)
    assert not isinstance(said, Message)
    return said


# -- what is wrong ---------------------------------------------------------------------------------------------------


class TestARefusal:
    @pytest.mark.parametrize(
        ("said", "place", "sentence"),
        [
            (with_record(value=True), "data[0].value", "not a number, a text or null"),
            (with_record(value=[1]), "data[0].value", "not a number, a text or null"),
            (with_record(value="x" * (TEXT_MOST + 1)), "data[0].value", "longer than 1,000 characters"),
            (with_record(value=10**309), "data[0].value", "larger than a number can be"),
            (with_record(value=-(10**309)), "data[0].value", "larger than a number can be"),
            (with_record(value="\ud800"), "data[0].value", "with half a character in it, a lone surrogate"),
            (with_record(dimension=None), "data[0].dimension", "missing"),
            (with_record(dimension=5), "data[0].dimension", "not a text"),
            (with_record(dimension="x" * 201), "data[0].dimension", "longer than 200 characters"),
            (with_record(dimension="a\0"), "data[0].dimension", "with a NUL character in it"),
            (with_record(dimension="\udfff"), "data[0].dimension", "with half a character in it, a lone surrogate"),
            (with_record(function=None), "data[0].function", "missing"),
            (with_record(function="\0"), "data[0].function", "with a NUL character in it"),
            (with_record(tariff=None), "data[0].tariff", "missing"),
            (with_record(tariff=True), "data[0].tariff", "not a whole number"),
            (with_record(tariff=1.0), "data[0].tariff", "not a whole number"),
            (with_record(subunit=-1), "data[0].subunit", "not between 0 and 2,147,483,647"),
            (with_record(storagenr=2**31), "data[0].storagenr", "not between 0 and 2,147,483,647"),
            (with_record(storagenr="0"), "data[0].storagenr", "not a whole number"),
            (message([record(ENERGY, 1), 5]), "data[1]", "not an object"),  # type: ignore[list-item]
            ({"device": device()}, "data", "missing"),
            ({"data": {}, "device": device()}, "data", "not an array"),
            (message([record(ENERGY, 1)] * (RECORDS_MOST + 1)), "detail", "A message has at most 64 KiB."),
            ({"data": [{}] * (RECORDS_MOST + 1), "device": device()}, "data", "more than 1,000 records"),
            ({"data": []}, "device", "missing"),
            ({"data": [], "device": []}, "device", "not an object"),
            (message(who={"identnr": None}), "device.identnr", "missing"),
            (message(who={"identnr": True}), "device.identnr", NO_NUMBER),
            (message(who={"identnr": 123456789}), "device.identnr", NO_NUMBER),
            (message(who={"identnr": "x"}), "device.identnr", NO_NUMBER),
            (message(who={"identnr": f"{'':20}1"}), "device.identnr", NO_NUMBER),
            (message(who={"manufacturer": None}), "device.manufacturer", "missing"),
            (message(who={"manufacturer": "E1E"}), "device.manufacturer", NO_MAKER),
            (message(who={"manufacturer": 65536}), "device.manufacturer", "not between 0 and 65,535"),
            (message(who={"type": 256}), "device.type", "not between 0 and 255"),
            (message(who={"status": None}), "device.status", "missing"),
            (message(who={"version": "0"}), "device.version", "not a whole number"),
            (message(who={"accessnr": 2**70}), "device.accessnr", "not between 0 and 255"),
            ([], "detail", "A message is an object with `data` and `device`."),
            (None, "detail", "A message is an object with `data` and `device`."),
        ],
    )  # fmt: skip
    def test_names_the_place_and_what_is_wrong(self, said: object, place: str, sentence: str) -> None:
        assert refused(compact(said)) == {place: [sentence]}

    def test_names_everything_that_is_wrong(self) -> None:
        said = message([{"dimension": 1, "tariff": "x"}, record(ENERGY, True)], who={"type": -1, "identnr": "?"})
        assert set(refused(compact(said))) == {
            "data[0].dimension", "data[0].tariff", "data[1].value", "device.type", "device.identnr",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("spoilt", "sentence"),
        [
            ('"value":1,"value":29690', "The key `value` is there twice in one object."),
            ('"value" :1,"value":29690', "The key `value` is there twice in one object."),
            ('"value"\n:1,"value":29690', "The key `value` is there twice in one object."),
            ('"\\u0076alue":1,"value":29690', "The key `value` is there twice in one object."),
            ('"x":{"y":[{"z":1,"z":2}]},"value":29690', "The key `z` is there twice in one object."),
            ('"x":{"\\ud800":1,"\\ud800":2},"value":29690', "The key `\\ud800` is there twice in one object."),
            ('"value":NaN', "The body is not valid JSON: NaN is no number in JSON."),
            ('"value":-Infinity', "The body is not valid JSON: -Infinity is no number in JSON."),
            ('"x":' + "[" * 30_000 + "]" * 30_000, "The JSON is nested too deep."),
        ],
    )
    def test_of_the_body_says_what_is_wrong_with_it(self, spoilt: str, sentence: str) -> None:
        said = compact(documented())
        assert FIRST in said
        assert refused(said.replace(FIRST, spoilt)) == {"detail": [sentence]}

    @pytest.mark.parametrize("left_out", ['"tariff":0,', '"subunit":0,'])
    def test_a_key_that_is_there_twice_is_found_also_where_another_is_left_out(self, left_out: str) -> None:
        said = compact(documented()).replace(left_out, "", 1).replace(FIRST, '"value":1,"value":29690')
        assert refused(said) == {"detail": ["The key `value` is there twice in one object."]}

    def test_a_key_that_is_there_twice_is_found_in_the_device_too(self) -> None:
        said = compact(documented()).replace('"accessnr":156', '"status":1')
        assert refused(said) == {"detail": ["The key `status` is there twice in one object."]}

    @pytest.mark.parametrize("digits", ["1e999", "-1e999", "9" * 309, "9" * 5_000, "9" * 400 + ".5"])
    def test_of_a_number_beyond_all_numbers_names_it(self, digits: str) -> None:
        said = compact(documented()).replace(FIRST, f'"value":{digits}')
        assert refused(said) == {"data[1].value": ["larger than a number can be"]}

    def test_of_bytes_that_are_no_text_says_which(self) -> None:
        said = compact(documented()).encode()
        assert refused(said.replace(b"Energy", b"Energ\xff", 1)) == {
            "detail": [f"The body is not UTF-8: byte {said.index(b'Energy') + 5} is 0xff."]
        }
        assert list(refused(said[:-1] + b',"x":"\xff"}')) == ["detail"]
        assert list(refused(said[:-1] + b',"x":"\xed\xa0\x80"}')) == ["detail"]

    def test_of_a_byte_order_mark_says_so(self) -> None:
        said = compact(documented())
        assert refused("\ufeff" + said) == {"detail": ["The body is not valid JSON: it begins with a byte order mark."]}

    def test_of_what_follows_the_message_says_where(self) -> None:
        assert "Extra data" in refused(compact(documented()) + "{}")["detail"][0]

    def test_half_a_character_in_a_key_of_the_gateways_own_is_malformed(self) -> None:
        (place,) = refused(compact({**message(), "x": "\ud800"}))
        assert place == "detail"

    def test_of_a_very_long_text_is_short(self) -> None:
        said = compact(with_record(value="x" * (BYTES_MOST - 1_000)))
        assert refused(said) == {"data[0].value": ["longer than 1,000 characters"]}
        assert refused(compact(with_record(value="x" * 1_000_000))) == {"detail": ["A message has at most 64 KiB."]}
        twice = '{"' + "k" * 20_000 + '":1,"' + "k" * 20_000 + '":1}'
        assert len(refused(twice)["detail"][0]) < 120


# -- what is understood ----------------------------------------------------------------------------------------------


class TestWhatIsUnderstood:
    @pytest.mark.parametrize("value", [2**31, 2**63, 2**70, -(2**70), 0.1, 1e300, "Value during error state", None])
    def test_is_kept_whatever_its_size(self, value: object) -> None:
        (one,) = understood(with_record(value=value)).records
        assert one.value == value
        assert isinstance(one.value, type(value))

    def test_a_nul_in_a_values_text_is_the_meters(self) -> None:
        (one,) = understood(with_record(value="AB\0")).records
        assert one.value == "AB\0"

    def test_what_is_left_out_is_zero_or_nothing(self) -> None:
        said = understood({"data": [{"dimension": ENERGY}], "device": {**device(), "accessnr": None}})
        (one,) = said.records
        assert (one.value, one.tariff, one.subunit, one.storagenr, one.function) == (None, 0, 0, 0, "")
        assert said.accessnr is None

    def test_of_real_meters_is_understood_whole(self) -> None:
        for said in captured().values():
            found = understood(said)
            assert len(found.records) == len(said["data"])
            assert json.loads(found.raw) == said

    def test_a_value_of_an_error_state_is_no_number(self) -> None:
        (one,) = understood(with_record(function="Value during error state")).records
        assert one.number is None
        (one,) = understood(with_record(function="Instantaneous value")).records
        assert one.number == 1


def test_what_counts_as_plain_is_right_also_of_texts_that_look_like_keys() -> None:
    said = compact(message([record('a":', '":"'), record(ENERGY, 1)]))
    assert module._plain(said.encode()) is None
    assert not faults_of(said.encode())
    assert len(understood(said.encode()).records) == 2


@pytest.mark.parametrize("content", [documented(), message(), *captured().values()])
def test_what_gateways_send_is_plain(content: dict[str, Any]) -> None:
    assert module._plain(msgspec.json.encode(content)) is not None
    assert module._plain(as_bytes(content)) is not None

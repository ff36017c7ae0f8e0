"""Whatever bytes come: understood or refused by place, the same whichever way they were looked at."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.meters import (
    ENERGY,
    compact,
    device,
    message,
    understood,
)
from wattkeeper.kinds.meter import message as module
from wattkeeper.kinds.meter.faults import VALUE_MOST
from wattkeeper.kinds.meter.message import Faults, Message, message_of


def all_of(said: Message) -> tuple[Any, ...]:
    """What a message is, whichever way it was looked at."""
    records = msgspec.json.encode(said.records, enc_hook=str)  # a number as it was sent
    return said.identity, said.status, said.accessnr, said.raw, said.digest, records


# -- whatever comes --------------------------------------------------------------------------------------------------

WILD_TEXT = st.text() | st.sampled_from(["", "\0", "0x12", "EFE", "\ud800", "a" * 201, '":', '" :', "\u0661"])
WILD_VALUE = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([-1, 255, 256, 2**31 - 1, 2**31, 2**63, 2**70, VALUE_MOST, VALUE_MOST + 1, 10**400])
    | st.floats()
    | WILD_TEXT
)
KEYS = st.sampled_from(["value", "tariff", "subunit", "dimension", "storagenr", "function", "data", "device", "x"])
WILD_JSON = st.recursive(
    WILD_VALUE, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | WILD_TEXT, inner, max_size=4)
)
RECORDS = st.fixed_dictionaries(
    {"dimension": st.sampled_from([ENERGY, "V", "Volume (1e-2  m^3)"]) | WILD_TEXT},
    optional={
        "value": WILD_VALUE,
        **{name: st.integers(0, 3) | WILD_VALUE for name in ("tariff", "subunit", "storagenr")},
        "function": st.sampled_from(["", "Instantaneous value", "Maximum value"]) | WILD_TEXT,
        "x": WILD_JSON,
    },
)
DEVICES = st.fixed_dictionaries(
    {
        "identnr": st.integers(0, 10**8 - 1) | st.sampled_from(["0500023E", " 0x5 "]) | WILD_VALUE,
        "manufacturer": st.just(5317) | st.sampled_from(["EFE", "efe "]) | WILD_VALUE,
        **{name: st.integers(0, 255) | WILD_VALUE for name in ("type", "status", "version")},
    },
    optional={"accessnr": st.integers(0, 255) | WILD_VALUE, "x": WILD_JSON},
)
NEARLY = st.fixed_dictionaries(
    {"data": st.lists(RECORDS, max_size=4) | WILD_JSON, "device": DEVICES | WILD_JSON}, optional={"x": WILD_JSON}
)
GOOD = st.fixed_dictionaries(
    {
        "data": st.lists(
            st.fixed_dictionaries(
                {
                    "dimension": st.sampled_from([ENERGY, "V", 'a":b']),
                    "value": st.integers(-(2**70), 2**70) | st.floats(-1e9, 1e9) | st.sampled_from(["x", None]),
                    **{name: st.integers(0, 3) for name in ("tariff", "subunit", "storagenr")},
                },
                optional={"function": st.sampled_from(["", "Maximum value"])},
            ),
            max_size=4,
        ),
        "device": st.builds(device, identnr=st.integers(0, 10**8 - 1), accessnr=st.none() | st.integers(0, 255)),
    }
)


@st.composite
def texts(draw: st.DrawFn, content: st.SearchStrategy[Any]) -> str:
    """JSON as anybody may write it: with keys twice, blanks before colons, escapes, and here and there a byte amiss."""
    said = json.dumps(draw(content), indent=draw(st.sampled_from([None, 1])), ensure_ascii=draw(st.booleans()))
    for _ in range(draw(st.integers(0, 2))):
        said = draw(st.sampled_from(SPOILERS))(said, draw(st.randoms(use_true_random=False)))
    return said


def _one_of(said: str, what: str, by: str, chance: random.Random) -> str:
    pieces = said.split(what)
    if len(pieces) == 1:
        return said
    place = chance.randrange(1, len(pieces))
    return what.join(pieces[:place]) + by + what.join(pieces[place:])


SPOILERS: list[Callable[[str, random.Random], str]] = [
    lambda said, chance: _one_of(said, '"value":', '"value": 3, "value":', chance),
    lambda said, chance: _one_of(said, '"value":', '"value" : 3, "value":', chance),
    lambda said, chance: _one_of(said, '"value":', '"\\u0076alue": 3, "value":', chance),
    lambda said, chance: _one_of(said, '"value":', '"\\u0076alue":', chance),
    lambda said, chance: _one_of(said, '"tariff":', '"value":', chance),
    lambda said, chance: _one_of(said, '"accessnr":', '"status":', chance),
    lambda said, chance: _one_of(said, '"storagenr":', '"storagenr"  :', chance),
    lambda said, chance: _one_of(said, '"device":', '"data":[],"device":', chance),
    lambda said, chance: _one_of(said, ": 0", ": -0", chance),
    lambda said, chance: _one_of(said, ": 0", ": 1e999", chance),
    lambda said, chance: _one_of(said, ": 0", ": NaN", chance),
    lambda said, chance: _one_of(said, "a", "\0", chance),
    lambda said, chance: _one_of(said, "a", "\\u0000", chance),
    lambda said, chance: _one_of(said, "a", "\\ud83d", chance),
    lambda said, chance: said + chance.choice([" ", "\n", "x", "{}", "\0"]),
    lambda said, chance: chance.choice([" ", "\ufeff", "\f", "["]) + said,
    lambda said, chance: said[: chance.randrange(len(said) + 1)],
]


class TestWhateverComes:
    @settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=300)
    @given(said=texts(NEARLY | GOOD | WILD_JSON))
    def test_is_understood_or_refused_by_place_the_same_whichever_way_it_was_looked_at(self, said: str) -> None:
        raw = said.encode("utf-8", "surrogatepass")
        found = message_of(raw)
        slow = _slowly(raw)
        if isinstance(found, Message):
            assert isinstance(slow, Message)
            assert all_of(found) == all_of(slow)
            assert found.raw == raw
            assert found.raw.decode() == said
            assert 0 < found.digest < 2**64
            assert all(isinstance(one.dimension, str) and "\0" not in one.dimension for one in found.records)
        else:
            assert found == slow
            assert found and all(place and sentences and all(sentences) for place, sentences in found.items())
            json.dumps(found, ensure_ascii=False).encode()

    @given(raw=st.binary() | st.binary().map(lambda junk: compact(message()).encode() + junk))
    @example(raw=b"")
    @example(raw=b"\xff")
    @example(raw=compact(message()).encode("utf-16"))
    @example(raw=compact(message()).encode("utf-32"))
    def test_of_bytes_never_raises(self, raw: bytes) -> None:
        found = message_of(raw)
        assert isinstance(found, Message) or found
        slow = _slowly(raw)
        assert isinstance(found, Message) == isinstance(slow, Message)
        assert isinstance(found, Message) or found == slow

    @settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
    @given(content=GOOD)
    def test_that_is_good_is_understood_as_it_was_meant(self, content: dict[str, Any]) -> None:
        found = understood(compact(content).encode())
        assert [one.value for one in found.records] == [one["value"] for one in content["data"]]
        assert [one.storagenr for one in found.records] == [one["storagenr"] for one in content["data"]]
        assert found.identity.identnr == f"{content['device']['identnr']:08d}"


def _slowly(raw: bytes) -> Message | Faults:
    """What it is when nothing counts as plain."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_plain", lambda raw: None)
        return message_of(raw)

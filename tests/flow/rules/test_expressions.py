"""Limits as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattkeeper.base.catalog.channels import Channel, ChannelType, Range
from wattkeeper.flow.rules.expressions import LimitError, limit_parse, limit_text, limit_value
from wattkeeper.flow.rules.spec import Limit

NUMBER = Channel(name="voltage", label="Voltage", type=ChannelType.FLOAT, hard=Range(0, 10))
STATUS = Channel(name="status", label="Status", type=ChannelType.TEXT, choices=("IDLE", "FAULT"))
NOTE = Channel(name="note", label="Note", type=ChannelType.TEXT, max_length=5)
FIELDS = ("nominal", "strongest")


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("50", Limit(50.0)),
        (" -0.5 ", Limit(-0.5)),
        ("+.5e1", Limit(5.0)),
        ("5.", Limit(5.0)),
        ("nominal", Limit(1.0, "nominal")),
        ("0.8 * nominal", Limit(0.8, "nominal")),
        ("0.8*nominal", Limit(0.8, "nominal")),
        ("-1 * strongest", Limit(-1.0, "strongest")),
        ("-strongest", Limit(-1.0, "strongest")),
        ("- strongest", Limit(-1.0, "strongest")),
    ],
)
def test_a_limit_is_a_number_or_so_many_times_a_field(text: str, limit: Limit) -> None:
    assert limit_parse(text, channel=NUMBER, fields=FIELDS) == limit


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Say a limit"),
        ("  ", "Say a limit"),
        ("fifty percent", "is not a number, nor so many times nominal or strongest"),
        ("50 %", "is not a number"),
        ("nan", "'nan' is not known here"),
        ("inf", "'inf' is not known here"),
        ("1e400", "too large"),
        ("1e400 * nominal", "too large"),
        ("0.8 * capacity", "'capacity' is not known here; say a number, or so many times nominal or strongest"),
        ("nominal * 0.8", "is not a number"),
        ("1_000", "is not a number"),
        ("٣", "is not a number"),
        ("0.8 * nominal * 2", "is not a number"),
        ("__import__('os')", "is not a number"),
        ("9" * 1_000_000, "at most 200 characters"),
    ],
)
def test_what_is_no_limit_is_said_in_a_sentence(text: str, why: str) -> None:
    with pytest.raises(LimitError, match=why) as caught:
        limit_parse(text, channel=NUMBER, fields=FIELDS)
    assert len(str(caught.value)) < 300


def test_where_nothing_is_on_the_nameplate_a_limit_is_a_number() -> None:
    with pytest.raises(LimitError, match=r"^'x y' is not a number\.$"):
        limit_parse("x y", channel=NUMBER, fields=())


def test_the_limit_of_a_text_is_one_that_it_may_have() -> None:
    assert limit_parse(" FAULT ", channel=STATUS, fields=FIELDS) == Limit(text="FAULT")
    with pytest.raises(LimitError, match="'fault' is not one of IDLE, FAULT"):
        limit_parse("fault", channel=STATUS, fields=FIELDS)
    assert limit_parse("0.8", channel=NOTE, fields=FIELDS) == Limit(text="0.8")
    with pytest.raises(LimitError, match="at most 5 characters"):
        limit_parse("123456", channel=NOTE, fields=FIELDS)


@given(
    st.builds(
        Limit,
        st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number + 0.0),
        st.sampled_from(["", *FIELDS]),
    )
)
def test_a_limit_that_is_written_and_read_again_is_the_same(limit: Limit) -> None:
    assert limit_parse(limit_text(limit), channel=NUMBER, fields=FIELDS) == limit


@given(st.text("0123456789.eE+-* nominalstrogx_\t", max_size=20))
def test_any_text_is_a_limit_or_is_refused(text: str) -> None:
    try:
        limit = limit_parse(text, channel=NUMBER, fields=FIELDS)
    except LimitError:
        return
    value = limit_value(limit, {"nominal": 3.7})
    assert (value is None) == (limit.field == "strongest") or abs(limit.factor) > 1e300

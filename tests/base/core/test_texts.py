"""What people write: what shows is taken, in any script; what nobody sees is not."""

from __future__ import annotations

import pytest

from wattkeeper.base.core.texts import lines_joined, text_trouble


@pytest.mark.parametrize(
    "text",
    [
        "On my way",
        "Größe 5 °C, 3,7 V ±1 %",
        "電池が熱い",
        "バッテリー\N{IDEOGRAPHIC SPACE}交換",
        "بطارية ساخنة",
        "می\N{ZERO WIDTH NON-JOINER}خواهم",  # Persian: two parts of a word
        "क्\N{ZERO WIDTH JOINER}ष",  # Hindi: a half letter
        "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{WRENCH}",
        "\N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16}\N{ZERO WIDTH JOINER}\N{FIRE}",
        "\N{WARNING SIGN}\N{VARIATION SELECTOR-16}",
        "\N{WAVING BLACK FLAG}" + "".join(chr(0xE0000 + ord(one)) for one in "gbeng") + "\N{CANCEL TAG}",
        "e\N{COMBINING ACUTE ACCENT}",
        "10\N{NO-BREAK SPACE}V",
        "\U0001fae8",  # newer than what this Python knows of
    ],
)
def test_what_shows_is_taken(text: str) -> None:
    assert text_trouble(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        *("\u200b", "\u00ad", "\u2066", "\u200d", "\ufeff", "\u2060", "\x07"),
        *("\u202ex", "a\u202eb", "a\u2066b\u2069", "sof\u00adt", "a\u200bb", "\x1b[31mred", "half \ud83d"),
        *(" \u200dx", "a\u200d\u200dx", "\u200cx", "a\U000e0067", "one\u2028two", "one\vtwo"),
    ],
    ids=ascii,
)
def test_what_nobody_sees_is_named(text: str) -> None:
    for lines in (False, True):
        assert text_trouble(text, lines=lines).startswith("There is something in it that nobody can see: U+")


@pytest.mark.parametrize("text", ["\u3164", "\u2800 \u2800", "\u034f", "\ufe0f", "\u00a0", "\U000e0100"], ids=ascii)
def test_what_shows_nothing_is_no_text(text: str) -> None:
    assert text_trouble(text) == "There is nothing in it that anybody can see."


def test_several_lines_are_for_where_they_may_be() -> None:
    assert text_trouble("one\n\ttwo", lines=True) == ""
    assert text_trouble("one\ntwo") == text_trouble("one\ttwo") == "Write it in one line."


def test_lines_end_in_one_way() -> None:
    assert lines_joined(" one\r\ntwo\rthree\u2028four\u2029five\n") == "one\ntwo\nthree\nfour\nfive"

"""What a message says, in words that people need no key for."""

from __future__ import annotations

from tests.support.notify import message, news
from wattkeeper.flow.notify.channels.email.letter import text_of
from wattkeeper.flow.notify.render import title_of


def test_a_title_counts_each_level_and_names_the_place_where_all_is() -> None:
    said = [news(level="CRITICAL")] * 3 + [news(level="WARNING")] * 129
    assert title_of(said) == "3 CRITICAL, 129 WARNING new at North hall"
    mixed = [
        news(),
        news(what="repeated", level="ERROR", site="South hall"),
        news(what="cleared"),
        news(what="cleared"),
    ]
    assert title_of(mixed) == "1 CRITICAL new; 1 ERROR still open; 2 cleared"


def test_a_mail_tells_times_by_the_tenants_clock_and_what_is_the_value_now() -> None:
    text = text_of(message(zone="Europe/Berlin"))
    assert "Since 2026-05-01 14:00 Europe/Berlin" in text
    assert "North, 2026-05-01 14:00 Europe/Berlin" in text
    assert "Now 61.2 °C" in text
    assert "Value" not in text

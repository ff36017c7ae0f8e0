"""What the other tests are built of is what gateways send."""

from __future__ import annotations

import pytest

from tests.support.meters import KEY, RECEIVED, captured, documented, message, reading_of, understood


def test_the_builders_message_has_the_form_of_the_documented_one() -> None:
    ours, theirs = message(), documented()
    assert [sorted(record) for record in ours["data"]] == [sorted(record) for record in theirs["data"]]
    assert [record["dimension"] for record in ours["data"]] == [record["dimension"] for record in theirs["data"]]
    assert ours["device"] == theirs["device"]
    assert understood(theirs).identity.key == KEY


@pytest.mark.parametrize("source", sorted(captured()))
def test_every_captured_message_becomes_a_reading(source: str) -> None:
    said = captured()[source]
    row = reading_of(said, tenant_id=1, asset_id=1).row
    assert row.at <= RECEIVED
    assert row.values["status"] == said["device"]["status"]

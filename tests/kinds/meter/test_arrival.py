"""A meter's state as its messages come: late, twice, of one minute, as history, and after a crash."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.support.meters import (
    KEY,
    RECEIVED,
    captured,
    message,
    message_store,
    messages_read,
    messages_store,
)
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.flow import ingest
from wattkeeper.flow.readings.reading import Outcome
from wattkeeper.flow.store import queries
from wattkeeper.flow.store.queries import Ordering, Selection, StoredRow
from wattkeeper.flow.store.store import store
from wattkeeper.kinds.meter.models import MeterState
from wattkeeper.kinds.meter.streams import MESSAGE

pytestmark = pytest.mark.usefixtures("vehicle_store")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def state_of(tenant: Tenant) -> MeterState:
    return MeterState.objects.get(asset__tenant=tenant, asset__key=KEY)


def rows_of(tenant: Tenant) -> list[StoredRow]:
    by_time = Ordering(column=MESSAGE.time_field)
    chosen = Selection(tenant_id=tenant.pk)
    return queries.page(store().engine, MESSAGE, chosen, ordering=by_time, offset=0, limit=1_000)


class TestAMessage:
    def test_becomes_the_state(self, tenant: Tenant) -> None:
        ingested = message_store(tenant, message(value=29690, who={"status": 4}))
        state = state_of(tenant)
        assert (state.at, state.energy, state.status, state.power_low) == (RECEIVED - MINUTE, 29690.0, 4, 1)
        assert (state.main_dimension, state.main_value) == ("Energy (kWh)", "29690")
        assert ingested.receipt.outcome is Outcome.STORED

    def test_that_is_late_is_kept_and_moves_nothing(self, tenant: Tenant) -> None:
        message_store(tenant, message(value=2))
        message_store(tenant, message(value=1, at=RECEIVED - DAY))
        assert state_of(tenant).energy == 2.0
        assert [row.values["energy"] for row in rows_of(tenant)] == [1.0, 2.0]

    def test_of_the_same_minute_moves_the_state_when_it_comes_later(self, tenant: Tenant) -> None:
        for value in (2, 1, 3):
            message_store(tenant, message(value=value))
        assert state_of(tenant).energy == 3.0
        assert len(rows_of(tenant)) == 3

    def test_that_comes_again_moves_nothing_back(self, tenant: Tenant) -> None:
        for value in (2, 3, 2):
            last = message_store(tenant, message(value=value))
        assert last.receipt.outcome is Outcome.DUPLICATE
        assert last.state.values["energy"] == 3.0
        assert state_of(tenant).energy == 3.0

    def test_of_the_future_never_wins_over_a_later_one(self, tenant: Tenant) -> None:
        message_store(tenant, message(value=9, at=RECEIVED + 400 * DAY))
        message_store(tenant, message(value=2, at=RECEIVED + MINUTE), received_at=RECEIVED + 2 * MINUTE)
        assert (state_of(tenant).energy, state_of(tenant).at) == (2.0, RECEIVED + MINUTE)

    def test_leaves_what_it_does_not_say_as_it_was(self, tenant: Tenant) -> None:
        message_store(tenant, message(value=2))
        message_store(tenant, message(value=None, due=None, at=RECEIVED))
        assert (state_of(tenant).energy, state_of(tenant).main_value) == (2.0, "2")

    @pytest.mark.parametrize("value", [10**308, -(10**308), 1.7e308, 2**70])
    def test_with_a_number_beyond_all_sense_is_kept(self, tenant: Tenant, value: float) -> None:
        message_store(tenant, message(value=value))
        assert (state_of(tenant).energy, state_of(tenant).main_value) == (None, str(value))

    def test_of_any_real_meter_is_kept(self, tenant: Tenant) -> None:
        said = list(captured().values())
        assert messages_store(tenant, [(one, RECEIVED) for one in said]) == len(said)
        assert len(rows_of(tenant)) == len(said)
        assert Asset.objects.filter(tenant=tenant, kind="meter").count() == len(
            {tuple(one["device"][name] for name in ("manufacturer", "identnr", "version", "type")) for one in said}
        )


class TestHistory:
    def test_that_comes_twice_is_stored_once(self, tenant: Tenant) -> None:
        def received(number: int) -> datetime:
            return RECEIVED - number * DAY

        timed = [(message(value=100 - n, at=received(n)), received(n)) for n in range(5)]
        timeless = [(message(value=7, at=None, who={"identnr": 1}), received(n)) for n in range(5)]
        assert messages_store(tenant, [*timed, *timeless]) == 10
        assert messages_store(tenant, [*timed, *timeless]) == 0
        assert len(rows_of(tenant)) == 10
        assert state_of(tenant).energy == 100.0

    def test_leads_to_the_state_of_its_newest(self, tenant: Tenant) -> None:
        said = [(message(value=value, at=RECEIVED - MINUTE), RECEIVED) for value in (1, 3, 2)]
        messages_store(tenant, said)
        assert state_of(tenant).energy == 2.0  # of one time, that which came last


class TestAfterACrash:
    def test_what_was_stored_and_not_judged_is_judged_at_the_next_flush(
        self, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message_store(tenant, message(value=1))

        def full(*_: object, **__: object) -> None:
            raise OSError("No space left")

        said = [(message(value=value, at=RECEIVED), RECEIVED) for value in (2, 4, 3)]
        said += [(message(value=8, at=RECEIVED - DAY), RECEIVED)]
        readings = messages_read(tenant, said)
        with monkeypatch.context() as patch:
            patch.setattr(ingest, "assets_heard", full)
            with pytest.raises(OSError, match="No space"):
                ingest.flush(MESSAGE, readings)
        assert state_of(tenant).energy == 1.0
        assert len(rows_of(tenant)) == 5
        assert ingest.catch_up(MESSAGE) == 4
        assert state_of(tenant).energy == 3.0
        assert {one.receipt.outcome for one in ingest.flush(MESSAGE, readings)} == {Outcome.DUPLICATE}
        assert len(rows_of(tenant)) == 5
        assert ingest.catch_up(MESSAGE) == 0

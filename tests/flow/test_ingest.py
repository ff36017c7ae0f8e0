"""A batch's whole journey: what is acknowledged is stored, has become the state, and is judged; once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from tests.support.heard import START, pack_make, reading, say, state_of
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.core import bus
from wattkeeper.base.core.clock import now
from wattkeeper.flow import ingest
from wattkeeper.flow.alerts.events import AlertsMoved
from wattkeeper.flow.alerts.models import Alert, Transition
from wattkeeper.flow.readings.reading import Outcome
from wattkeeper.flow.rules.actions import plans_outdate, rule_enable
from wattkeeper.flow.rules.marks import mark_of
from wattkeeper.flow.rules.models import Rule
from wattkeeper.flow.store import queries
from wattkeeper.flow.store.queries import Ordering, Selection, StoredRow
from wattkeeper.flow.store.store import Store, store
from wattkeeper.kinds.battery.actions import battery_change, battery_written
from wattkeeper.kinds.battery.models import BatteryState
from wattkeeper.kinds.battery.streams import STATUS

pytestmark = pytest.mark.usefixtures("vehicle_store")

HOT = {"current_temperature": 61.0}


@pytest.fixture
def pack(vehicle_store: Store, tenant: Tenant) -> Asset:
    return pack_make(tenant)


def rows_of(asset: Asset) -> list[StoredRow]:
    """All that is stored of it, by time."""
    selection = Selection(tenant_id=asset.tenant_id, asset_ids=[asset.pk])
    by_time = Ordering(column=STATUS.time_field)
    return queries.page(store().engine, STATUS, selection, ordering=by_time, offset=0, limit=1_000)


def open_alerts(asset: Asset) -> list[str]:
    return sorted(Alert.objects.filter(asset=asset, resolved_at=None).values_list("alert_type", flat=True))


class TestAReading:
    def test_is_stored_and_becomes_the_state(self, pack: Asset) -> None:
        ingested = say(pack, 1, current_charge=42.0)
        assert ingested.receipt.outcome is Outcome.STORED
        assert [row.values["current_charge"] for row in rows_of(pack)] == [42.0]
        assert (state_of(pack).current_charge, state_of(pack).at) == (42.0, START + timedelta(minutes=1))
        assert ingested.state.values["current_charge"] == 42.0
        assert ingested.state.values["health_percentage"] == 100

    def test_that_breaches_opens_an_alert_before_it_is_acknowledged(self, pack: Asset) -> None:
        say(pack, 1, **HOT)
        alert = Alert.objects.get(asset=pack)
        assert (alert.alert_type, alert.level, alert.opened_at) == (
            "OVER_TEMPERATURE",
            "CRITICAL",
            START + timedelta(minutes=1),
        )

    def test_that_comes_late_is_kept_and_moves_neither_state_nor_alerts(self, pack: Asset) -> None:
        say(pack, 10)
        late = say(pack, 5, **HOT)
        assert late.receipt.outcome is Outcome.STORED
        assert len(rows_of(pack)) == 2
        assert state_of(pack).current_temperature == 25.0
        assert late.state.at == START + timedelta(minutes=10)
        assert not open_alerts(pack)

    def test_that_comes_late_and_well_clears_no_newer_alert(self, pack: Asset) -> None:
        say(pack, 10, **HOT)
        say(pack, 5)
        assert open_alerts(pack) == ["OVER_TEMPERATURE"]

    def test_of_the_very_time_of_what_is_known_is_late(self, pack: Asset) -> None:
        say(pack, 1)
        BatteryState.objects.filter(pk=pack.pk).update(at=START + timedelta(minutes=2))  # as when a person wrote it
        say(pack, 2, current_charge=1.0)
        assert state_of(pack).current_charge == 60.0

    def test_that_is_repeated_is_stored_once_and_changes_nothing(self, pack: Asset) -> None:
        say(pack, 1, **HOT)
        before = state_of(pack).updated_at, Transition.objects.count()
        again = say(pack, 1, **HOT)
        assert again.receipt.outcome is Outcome.DUPLICATE
        assert again.state.values["current_temperature"] == 61.0
        assert len(rows_of(pack)) == 1
        assert (state_of(pack).updated_at, Transition.objects.count()) == before

    def test_of_a_clock_that_is_ahead_is_kept_and_never_the_latest(self, pack: Asset) -> None:
        present = now()
        say(pack, present + timedelta(hours=3), **HOT)
        assert state_of(pack).at is None
        assert not open_alerts(pack)
        say(pack, present)
        assert state_of(pack).at == present
        assert len(rows_of(pack)) == 2

    def test_that_leaves_something_out_carries_it_on_and_marks_it(self, pack: Asset) -> None:
        say(pack, 1, current_voltage=3.9)
        say(pack, 2, current_voltage=None, current_charge=50.0)
        row = rows_of(pack)[1]
        assert (row.values["current_voltage"], row.flags) == (3.9, ("current_voltage_carried",))
        assert state_of(pack).current_voltage == 3.9

    def test_whose_value_was_carried_on_clears_no_alert_and_opens_none(self, pack: Asset) -> None:
        say(pack, 1, **HOT)
        for minute in range(2, 9):
            say(pack, minute, current_temperature=None)
        assert open_alerts(pack) == ["OVER_TEMPERATURE"]
        say(pack, 10, current_temperature=25.0)
        say(pack, 12, current_temperature=25.0)
        assert not open_alerts(pack)

    def test_is_a_sign_of_life_even_if_nothing_has_changed(self, pack: Asset) -> None:
        say(pack, 1)
        pack.refresh_from_db()
        changed, seen = pack.last_changed, pack.last_seen
        assert changed == seen
        say(pack, 2)
        pack.refresh_from_db()
        assert (pack.last_changed, pack.readings_seen) == (changed, 2)
        assert pack.last_seen is not None and seen is not None and pack.last_seen > seen

    def test_of_another_tenants_battery_is_judged_by_their_rules(
        self, pack: Asset, other_tenant: Tenant, vehicle_store: Store
    ) -> None:
        theirs = pack_make(other_tenant)
        say(theirs, 1)
        Rule.objects.filter(tenant=other_tenant, alert_type="OVER_TEMPERATURE").update(enabled=False)
        plans_outdate(other_tenant.pk)
        say(theirs, 2, **HOT)
        say(pack, 2, **HOT)
        assert (open_alerts(theirs), open_alerts(pack)) == ([], ["OVER_TEMPERATURE"])


class TestABatch:
    def test_is_judged_in_event_time_whatever_its_order(self, pack: Asset) -> None:
        batch = [reading(pack, 3), reading(pack, 1), reading(pack, 2, **HOT)]
        ingest.flush(STATUS, batch)
        kinds = Transition.objects.order_by("pk").values_list("kind", flat=True)
        assert list(kinds) == ["opened"]  # clear since the third minute, and not yet for long enough
        assert state_of(pack).at == START + timedelta(minutes=3)

    def test_with_one_reading_twice_stores_it_once(self, pack: Asset) -> None:
        outcomes = [one.receipt.outcome for one in ingest.flush(STATUS, [reading(pack, 1), reading(pack, 1)])]
        assert outcomes == [Outcome.STORED, Outcome.DUPLICATE]

    def test_tells_what_has_come_and_which_alerts_moved(
        self, pack: Asset, django_capture_on_commit_callbacks: Any
    ) -> None:
        told: list[Any] = []
        bus.listen(ingest.Stored, told.append)
        bus.listen(AlertsMoved, told.append)
        with django_capture_on_commit_callbacks(execute=True):
            ingest.flush(STATUS, [reading(pack, 1, **HOT)])
        bus._listeners[ingest.Stored].remove(told.append)
        bus._listeners[AlertsMoved].remove(told.append)
        stored, moved = told
        assert [row.asset_id for row in stored.newest] == [pack.pk]
        assert [str(one.kind) for one in moved.transitions] == ["opened"]


class TestPartialUpdates:
    """Each says one thing; together they are the state."""

    SAID = (
        {"current_charge": 5.0},
        {"current_voltage": 3.5},
        {"current_temperature": 60.0},
        {"current_status": "FAULT"},
    )
    STATE = {"current_charge": 5.0, "current_voltage": 3.5, "current_temperature": 60.0, "current_status": "FAULT"}

    def partials(self, pack: Asset, since: float = 1) -> list[Any]:
        nothing = dict.fromkeys((*self.STATE, "current"))
        return [reading(pack, since + minute, **{**nothing, **said}) for minute, said in enumerate(self.SAID)]

    def now_of(self, pack: Asset) -> dict[str, Any]:
        state = state_of(pack)
        return {name: getattr(state, name) for name in self.STATE}

    def test_in_one_flush_all_count(self, pack: Asset) -> None:
        say(pack, 0)
        last = ingest.flush(STATUS, self.partials(pack))[-1]
        assert self.now_of(pack) == self.STATE
        assert {name: last.state.values[name] for name in self.STATE} == self.STATE
        assert {name: rows_of(pack)[-1].values[name] for name in self.STATE} == self.STATE
        assert open_alerts(pack) == ["FAULT", "LOW_CHARGE", "OVER_TEMPERATURE"]

    def test_in_flushes_that_overtake_one_another_all_count(self, pack: Asset) -> None:
        say(pack, 0)
        written = [ingest.write(STATUS, [partial]) for partial in self.partials(pack)]
        for one in written:
            ingest.follow(STATUS, one)
        assert self.now_of(pack) == self.STATE
        assert {name: rows_of(pack)[-1].values[name] for name in self.STATE} == self.STATE

    def test_that_a_crash_left_all_count(self, pack: Asset) -> None:
        say(pack, 0)
        for partial in self.partials(pack):
            ingest.write(STATUS, [partial])
        ingest._unfollowed.clear()
        ingest._behind.add(STATUS.name)
        assert ingest.catch_up(STATUS) == 4
        assert self.now_of(pack) == self.STATE


class TestWhatACrashLeaves:
    """The engine has it, the database does not: nobody was told, and nothing is lost."""

    def test_is_judged_when_the_next_server_starts_and_only_once(self, pack: Asset) -> None:
        say(pack, 1)
        store().write(STATUS, [reading(pack, 2, **HOT)])
        assert not open_alerts(pack)
        for _ in range(2):
            ingest._behind.add(STATUS.name)
            ingest.catch_up(STATUS)
        assert open_alerts(pack) == ["OVER_TEMPERATURE"]
        assert state_of(pack).current_temperature == 61.0
        assert Transition.objects.count() == 1

    def test_is_judged_in_the_order_of_arrival(self, pack: Asset) -> None:
        say(pack, 0)
        store().write(STATUS, [reading(pack, 2, **HOT)])
        store().write(STATUS, [reading(pack, 1)])  # late
        ingest._behind.add(STATUS.name)
        assert ingest.catch_up(STATUS) == 2
        assert open_alerts(pack) == ["OVER_TEMPERATURE"]

    def test_by_a_failed_flush_is_judged_before_the_next_one(
        self, pack: Asset, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        say(pack, 0)
        with monkeypatch.context() as broken:
            broken.setattr(ingest, "verdicts_apply", _fails)
            with pytest.raises(OSError, match="no luck"):
                say(pack, 1, **HOT)
        assert not open_alerts(pack)
        say(pack, 2, **HOT)
        assert Alert.objects.get(asset=pack).opened_at == START + timedelta(minutes=1)

    def test_is_a_duplicate_for_whoever_sends_it_again(self, pack: Asset, monkeypatch: pytest.MonkeyPatch) -> None:
        say(pack, 0)
        with monkeypatch.context() as broken:
            broken.setattr(ingest, "verdicts_apply", _fails)
            with pytest.raises(OSError, match="no luck"):
                say(pack, 1, **HOT)
        assert say(pack, 1, **HOT).receipt.outcome is Outcome.DUPLICATE
        assert open_alerts(pack) == ["OVER_TEMPERATURE"]

    def test_keeps_what_was_carried_on_apart_from_what_was_measured(self, pack: Asset) -> None:
        say(pack, 0, **HOT)
        store().write(STATUS, [reading(pack, minute, ("current_temperature_carried",)) for minute in range(1, 9)])
        ingest._behind.add(STATUS.name)
        ingest.catch_up(STATUS)
        assert open_alerts(pack) == ["OVER_TEMPERATURE"]

    def test_is_not_judged_again_by_the_flush_that_wrote_it(self, pack: Asset) -> None:
        say(pack, 0)
        written = ingest.write(STATUS, [reading(pack, 1, **HOT)])
        ingest._behind.add(STATUS.name)
        ingest.catch_up(STATUS)
        assert ingest.follow(STATUS, written)[0].state.values["current_temperature"] == 61.0
        pack.refresh_from_db()
        assert (pack.readings_seen, Transition.objects.count()) == (2, 1)

    def test_never_has_the_mark_go_back(self, pack: Asset) -> None:
        say(pack, 1)
        mark = mark_of(STATUS.name)
        say(pack, 1)
        assert mark_of(STATUS.name) == mark > 0


class TestSilence:
    @pytest.fixture
    def heard(self, pack: Asset) -> Iterator[Asset]:
        """Heard of every minute, twelve times, and last a while ago."""
        Asset.objects.filter(pk=pack.pk).update(
            readings_seen=12, usual_interval=60, last_seen=now() - timedelta(minutes=4)
        )
        yield pack

    def test_of_three_usual_intervals_opens_an_alert_once(self, heard: Asset) -> None:
        assert ingest.silences_judge(listening_since=START) == 1
        assert ingest.silences_judge(listening_since=START) == 0
        assert open_alerts(heard) == ["COMMUNICATION_ERROR"]

    def test_ends_with_the_next_reading(self, heard: Asset) -> None:
        ingest.silences_judge(listening_since=START)
        say(heard, now())
        assert not open_alerts(heard)

    def test_ends_with_a_late_reading_too(self, heard: Asset) -> None:
        say(heard, now() - timedelta(minutes=1))
        Asset.objects.filter(pk=heard.pk).update(last_seen=now() - timedelta(minutes=9))
        ingest.silences_judge(listening_since=START)
        assert open_alerts(heard) == ["COMMUNICATION_ERROR"]
        say(heard, START)
        assert not open_alerts(heard)

    def test_into_which_nobody_has_listened_is_none(self, heard: Asset) -> None:
        assert ingest.silences_judge(listening_since=now() - timedelta(minutes=2)) == 0

    def test_is_not_known_before_ten_readings(self, heard: Asset) -> None:
        Asset.objects.filter(pk=heard.pk).update(readings_seen=9)
        assert ingest.silences_judge(listening_since=START) == 0


class TestARuleThatChanges:
    @pytest.fixture
    def worn(self, pack: Asset) -> Asset:
        """Health 15 %, as somebody has written it: no reading says so."""
        battery_written(pack, {"health_percentage": 15.0})
        ingest.rules_rejudge()
        return pack

    def test_is_asked_of_what_is_known_when_it_is_switched_on_again(self, worn: Asset) -> None:
        assert open_alerts(worn) == ["HEALTH_DEGRADATION"] * 2
        rule = Rule.objects.get(tenant=worn.tenant, name="Health is lost")
        for enabled, count in ((False, 1), (True, 2)):
            rule.refresh_from_db()
            rule_enable(rule, enabled=enabled, actor="test")
            ingest.rules_rejudge()
            assert open_alerts(worn) == ["HEALTH_DEGRADATION"] * count

    def test_is_asked_of_the_last_reading_when_the_nameplate_is_another(self, pack: Asset) -> None:
        say(pack, 1)
        battery_change(pack, values={"voltage_nominal": 12.0}, actor="test")
        assert not open_alerts(pack)
        ingest.rules_rejudge()
        assert open_alerts(pack) == ["UNDER_VOLTAGE"]
        say(pack, 2, current_voltage=12.0)
        say(pack, 4, current_voltage=12.0)
        assert not open_alerts(pack)

    def test_is_asked_once(self, worn: Asset) -> None:
        before = Transition.objects.count()
        assert ingest.rules_rejudge() == 0
        assert Transition.objects.count() == before

    def test_ends_no_silence(self, pack: Asset) -> None:
        say(pack, 1)
        Asset.objects.filter(pk=pack.pk).update(readings_seen=12, usual_interval=60, last_seen=START)
        ingest.silences_judge(listening_since=START)
        assert open_alerts(pack) == ["COMMUNICATION_ERROR"]
        battery_change(pack, values={"voltage_nominal": 3.8}, actor="test")
        ingest.rules_rejudge()
        assert open_alerts(pack) == ["COMMUNICATION_ERROR"]


class TestWhatAPersonWrites:
    def test_clears_at_once(self, pack: Asset) -> None:
        battery_written(pack, {"current_charge": 5.0})
        assert open_alerts(pack) == ["LOW_CHARGE"]
        battery_written(pack, {"current_charge": 90.0})
        assert not open_alerts(pack)

    def test_is_newer_than_a_reading_of_before_and_older_than_the_next(self, pack: Asset) -> None:
        say(pack, now() - timedelta(minutes=1))
        battery_written(pack, {"current_status": "FAULT"})
        say(pack, now() - timedelta(seconds=30), current_status="IDLE")
        assert (state_of(pack).current_status, open_alerts(pack)) == ("FAULT", ["FAULT"])
        say(pack, now(), current_status="IDLE")
        assert (state_of(pack).current_status, open_alerts(pack)) == ("IDLE", [])

    def test_counts_after_a_clock_that_is_a_little_ahead(self, pack: Asset) -> None:
        say(pack, now() + timedelta(seconds=100), current_status="FAULT")
        battery_written(pack, {"current_status": "IDLE"})
        assert (state_of(pack).current_status, open_alerts(pack)) == ("IDLE", [])


class TestTheCounters:
    def count(self, outcome: str) -> float:
        labels = {"stream": STATUS.name, "outcome": outcome}
        return REGISTRY.get_sample_value("wattkeeper_readings_total", labels) or 0.0

    @pytest.fixture
    def counted(self) -> Callable[[], dict[str, float]]:
        names = ("accepted", "duplicate", "refused", "failed")
        before = {name: self.count(name) for name in names}
        return lambda: {name: self.count(name) - before[name] for name in names if self.count(name) != before[name]}

    def test_say_what_became_of_every_reading(
        self, pack: Asset, counted: Callable[[], dict[str, float]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        say(pack, 1)
        say(pack, 2)
        say(pack, 2)
        with monkeypatch.context() as broken:
            broken.setattr(ingest, "verdicts_apply", _fails)
            with pytest.raises(OSError, match="no luck"):
                say(pack, 3)
        assert counted() == {"accepted": 2, "duplicate": 1, "failed": 1}


def _fails(*_: Any, **__: Any) -> None:
    raise OSError("no luck")

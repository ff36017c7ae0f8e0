from __future__ import annotations

import pytest

from wattkeeper.base.jobs import registry
from wattkeeper.base.jobs.periodic import Timetable
from wattkeeper.base.jobs.registry import Periodic, job, periodic


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_periodics", {})
    monkeypatch.setattr(registry, "_jobs", {})


def test_a_periodic_function_runs_at_the_first_tick_and_then_every_so_many_minutes() -> None:
    called_at: list[float] = []
    moment = 0.0

    @periodic(minutes=3)
    def expire() -> None:
        called_at.append(moment)

    timetable = Timetable(monotonic=lambda: moment)
    for minute in range(10):
        moment = minute * 60 + (minute % 2) / 10  # ticks come a little early and a little late
        timetable.tick()
    assert [round(at / 60) for at in called_at] == [0, 3, 6, 9]


def test_a_periodic_function_that_fails_does_not_disturb_the_others(caplog: pytest.LogCaptureFixture) -> None:
    called: list[str] = []

    def fail() -> None:
        raise RuntimeError

    registry._periodics["a"] = Periodic("a", 1, fail)
    registry._periodics["b"] = Periodic("b", 1, lambda: called.append("b"))
    Timetable().tick()
    assert called == ["b"]
    assert "The periodic function a failed" in caplog.text


def test_a_tick_during_another_does_nothing() -> None:
    called: list[str] = []
    timetable = Timetable()

    def slow() -> None:
        called.append("slow")
        registry._periodics["late"] = Periodic("late", 1, lambda: called.append("late"))
        timetable.tick()

    registry._periodics["slow"] = Periodic("slow", 1, slow)
    timetable.tick()
    assert called == ["slow"]


def test_a_name_is_registered_once() -> None:
    job("twice")(lambda run: {})
    with pytest.raises(ValueError, match="twice"):
        job("twice")(lambda run: {})

    def again() -> None: ...

    periodic(minutes=1)(again)
    with pytest.raises(ValueError, match="registered twice"):
        periodic(minutes=1)(again)

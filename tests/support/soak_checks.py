"""What must be true after a soak: of the readings, the alerts, and the last process's counters."""

from __future__ import annotations

import csv
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.batteries import STATUS, client_of
from tests.support.load import BUSY
from tests.support.servers import Server
from tests.support.status_load import Script

SHOWN = 3  # of each sort of thing that is wrong
OUTCOMES = ("accepted", "duplicate", "refused", "failed")
HOT = "OVER_TEMPERATURE"  # what the script's hot batteries mean
SILENT = "COMMUNICATION_ERROR"  # what a server that is down, or a load that is over, may mean


@dataclass(frozen=True)
class FoundAlert:
    """`opened_at` is the event time of the reading that opened it."""

    battery: int
    type: str
    opened_at: datetime
    cleared: bool


def stored(server: Server, serials: Mapping[int, str]) -> dict[int, list[datetime]]:
    """The times of all stored readings by battery, as the file of all readings has them."""
    times: dict[str, list[datetime]] = {}
    with client_of(server) as client:
        count = client.get(STATUS, params={"page_size": 1}).json()["count"]
        with client.stream("GET", f"{STATUS}export/", params={"export": "csv"}) as answer:
            for row in csv.DictReader(answer.iter_lines()):
                times.setdefault(row["serial_number"], []).append(datetime.fromisoformat(row["logged_at"]))
    found = sum(map(len, times.values()))
    assert count == found, f"The list counts {count} readings, the file has {found}"
    return {battery: times.get(serial, []) for battery, serial in serials.items()}


def readings_wrong(
    found: Mapping[int, Sequence[datetime]], taken: Mapping[int, int], unsure: Mapping[int, int], script: Script
) -> Iterator[str]:
    """Each battery has its first readings, as many as were acknowledged, once each and nothing else.

    `unsure` are numbers of readings that were sent and never answered: these may be there.
    """
    for battery, count in taken.items():
        times = Counter(found.get(battery, []))
        due = {script.at(number) for number in range(count)}
        sent = due | ({script.at(unsure[battery])} if battery in unsure else set())
        yield from _shown(f"Battery {battery}: acknowledged, but not there", sorted(due - times.keys()))
        yield from _shown(f"Battery {battery}: there, but never sent", sorted(times.keys() - sent))
        yield from _shown(f"Battery {battery}: there more than once", [at for at in times if times[at] > 1])


def counters(server: Server) -> dict[str, int]:
    """What the server's process has counted of single readings of batteries."""
    with client_of(server) as client:
        lines = client.get("/metrics").raise_for_status().text.splitlines()
    counts = dict.fromkeys(OUTCOMES, 0)
    for line in lines:
        name, _, value = line.rpartition(" ")
        for outcome in OUTCOMES:
            if name.startswith("wattkeeper_readings_total{") and f'outcome="{outcome}"' in name and "battery" in name:
                counts[outcome] = int(float(value))
    return counts


def counters_wrong(counts: Mapping[str, int], answers: Counter[int], *, odd: int, unsure: int) -> Iterator[str]:
    """All requests were counted, each once. `odd` of them were stored before, as many refused.

    `unsure` were sent to the process before and may have been stored then.
    """
    if sum(counts.values()) != answers.total():
        yield f"{answers.total()} requests were answered, {sum(counts.values())} are counted: {dict(counts)}"
    if counts["accepted"] + counts["duplicate"] != answers[200]:
        yield f"{answers[200]} readings were acknowledged, but counted are {dict(counts)}"
    if not odd <= counts["duplicate"] <= odd + unsure:
        yield f"{odd} to {odd + unsure} duplicates were sent, {counts['duplicate']} are counted"
    if counts["refused"] != odd:
        yield f"{odd} readings had to be refused, {counts['refused']} are counted"
    if counts["failed"] != answers[BUSY]:
        yield f"{answers[BUSY]} readings had to wait, {counts['failed']} are counted"


def alerts(home: Path) -> list[FoundAlert]:
    """All that were ever opened, from the database itself: the server is down."""
    question = "SELECT asset_id, alert_type, opened_at, cleared_at FROM alerts_alert ORDER BY asset_id, opened_at"
    with closing(sqlite3.connect(home / "wattkeeper.sqlite3")) as database:
        rows = database.execute(question).fetchall()
    return [
        FoundAlert(asset, type_, datetime.fromisoformat(opened).replace(tzinfo=UTC), cleared is not None)
        for asset, type_, opened, cleared in rows
    ]


def alerts_wrong(found: Sequence[FoundAlert], counts: Mapping[int, int], script: Script) -> Iterator[str]:
    """They are what the stored readings of each battery mean, replayed in their order through the rule.

    `counts`: so many of each battery's readings are stored, from the first one on.
    """
    for battery, count in counts.items():
        own = [alert for alert in found if alert.battery == battery]
        hot = [(alert.opened_at, alert.cleared) for alert in own if alert.type == HOT]
        due = replayed(script, battery, count)
        if hot != due:
            yield f"Battery {battery}: {len(hot)} alerts, but the readings mean {len(due)}: {hot} instead of {due}"
        if sum(alert.type == SILENT and not alert.cleared for alert in own) > 1:
            yield f"Battery {battery} is said to be silent more than once at a time"
        yield from _shown(f"Battery {battery}: of nothing", [a for a in own if a.type not in (HOT, SILENT)])


def replayed(script: Script, battery: int, count: int) -> list[tuple[datetime, bool]]:
    """When the rule opens, and whether it clears afterwards, over the first `count` readings of the battery."""
    from wattkeeper.flow.alerts.machine import Step, Watch, advance
    from wattkeeper.flow.rules.conditions import Zone
    from wattkeeper.kinds.battery.rules import DEFAULT_RULES

    (rule,) = (rule for rule in DEFAULT_RULES if rule.alert_type == HOT)
    limit = float(rule.limit)
    zone = Zone(high=limit, clear_high=limit - rule.deadband)
    delays = {
        "on_delay": timedelta(seconds=rule.on_delay_seconds),
        "off_delay": timedelta(seconds=rule.off_delay_seconds),
    }
    watch: Watch | None = None
    opened: list[tuple[datetime, bool]] = []
    for number in range(count):
        at = script.at(number)
        verdict = zone.verdict(script.values(battery, number)["current_temperature"])
        watch, step = advance(watch, verdict, at, **delays)
        if step is Step.OPEN:
            opened.append((at, False))
        elif step is Step.CLEAR:
            opened[-1] = (opened[-1][0], True)
    return opened


def transitions_wrong(home: Path) -> Iterator[str]:
    """Each alert was opened once, and cleared once at most."""
    question = (
        "SELECT a.id, sum(t.kind = 'opened'), sum(t.kind = 'cleared'), a.cleared_at IS NOT NULL FROM alerts_alert a "
        "LEFT JOIN alerts_transition t ON t.alert_id = a.id GROUP BY a.id"
    )
    with closing(sqlite3.connect(home / "wattkeeper.sqlite3")) as database:
        rows = database.execute(question).fetchall()
    for alert, opened, cleared, is_cleared in rows:
        if (opened, cleared) != (1, is_cleared):
            yield f"Alert {alert} was opened {opened} times and cleared {cleared} times"


def _shown(what: str, which: Sequence[object]) -> Iterator[str]:
    if which:
        yield f"{what}: {len(which)}, as {', '.join(map(str, which[:SHOWN]))}"

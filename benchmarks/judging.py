"""Readings through the default rules of batteries, in one process: no store, no writer, nobody who listens."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management import call_command

from benchmarks.report import Figure
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.states import KnownState
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.flow.rules.judge import judge
from wattkeeper.flow.rules.verdicts import Judged, Sample
from wattkeeper.kinds.battery.models import Battery

PACKS, READINGS, ROUNDS = 1_000, 128_000, 5
BATCHES = (64, 1_000)
IN_TROUBLE = 0.01
LIMIT = 200_000  # readings a second
START = datetime(2025, 1, 1, tzinfo=UTC)
NAMEPLATES = (
    {"capacity": 5000.0, "voltage_nominal": 3.7, "max_discharge_current": 10.0, "max_charge_current": 5.0},
    {"capacity": 4000.0, "voltage_nominal": 3.7, "max_discharge_current": 8.0, "max_charge_current": 4.0},
    {"capacity": 2500.0, "voltage_nominal": 1.2, "max_discharge_current": 5.0, "max_charge_current": 2.5},
    {"capacity": 90_000.0, "voltage_nominal": 48.0, "max_discharge_current": 100.0, "max_charge_current": 50.0},
)


def judging_figures() -> Iterator[Figure]:
    """A fleet's readings in batches as the writer flushes them, and as a large backlog comes."""
    call_command("migrate", verbosity=0)
    kind = registry.kind("battery")
    tenant = Tenant.objects.create(slug="judging", name="Judging")
    packs = _packs(tenant)
    samples = _samples(tenant, packs)
    states = {pack.pk: KnownState(START, {"current_charge": 55.0}) for pack in packs}
    for size in BATCHES:
        batches = [_in_order(samples[start : start + size]) for start in range(0, len(samples), size)]
        times, judged = [], 0
        for _ in range(ROUNDS):
            seconds, judged = _round(kind, batches, states)
            times.append(seconds)
        speed = len(samples) / statistics.median(times)
        yield Figure(
            f"judge readings by {len(kind.default_rules)} rules, {size:,} at a time",
            f"{speed:,.0f}/s ({judged:,} verdicts of {len(samples):,} readings)",
            "",
            f"{LIMIT:,}/s",
            speed >= LIMIT,
        )


def _round(kind: Kind, batches: Sequence[Sequence[Sample]], states: dict[int, KnownState]) -> tuple[float, int]:
    """Seconds, and how many verdicts there were. What was not clear stays watched, as it would."""
    watched: set[tuple[int, int]] = set()
    verdicts = 0
    start = time.perf_counter()
    for batch in batches:
        judged = judge(kind, batch, before=states, watched=watched)
        verdicts += len(judged)
        _watch(watched, judged)
    return time.perf_counter() - start, verdicts


def _watch(watched: set[tuple[int, int]], judged: Sequence[Judged]) -> None:
    for one in judged:
        assert one.rule.id is not None
        pair = (one.rule.id, one.asset_id)
        watched.discard(pair) if one.verdict == "clear" else watched.add(pair)


def _packs(tenant: Tenant) -> list[Asset]:
    packs = Asset.objects.bulk_create(
        Asset(tenant=tenant, kind="battery", key=f"PACK-{number:05}", registered_by="bench") for number in range(PACKS)
    )
    Battery.objects.bulk_create(
        Battery(asset=pack, **NAMEPLATES[number % len(NAMEPLATES)]) for number, pack in enumerate(packs)
    )
    return packs


def _samples(tenant: Tenant, packs: Sequence[Asset]) -> list[Sample]:
    """Of one pack after the other, round and round, mostly in health, charging or not."""
    chance = random.Random(1)
    samples = []
    for number in range(READINGS):
        pack = number % len(packs)
        at = START + timedelta(seconds=number // len(packs) * 10 + 1)
        values = _values(NAMEPLATES[pack % len(NAMEPLATES)], chance)
        samples.append(Sample(tenant.pk, packs[pack].pk, at, at, values))
    return samples


def _values(nameplate: dict[str, float], chance: random.Random) -> dict[str, Any]:
    nominal, charging = nameplate["voltage_nominal"], chance.random() < 0.4
    strongest = nameplate["max_charge_current"] if charging else -nameplate["max_discharge_current"]
    values: dict[str, Any] = {
        "current_charge": chance.uniform(15, 99),
        "current_voltage": nominal * chance.uniform(0.85, 1.1),
        "current_temperature": chance.uniform(10, 45),
        "current_status": "CHARGING" if charging else "DISCHARGING",
        "current": strongest * chance.uniform(0, 0.95),
    }
    if chance.random() < IN_TROUBLE:
        trouble = (("current_charge", 4.0), ("current_temperature", 61.0), ("current_status", "FAULT"))
        values.update([chance.choice([*trouble, ("current_voltage", nominal * 1.3), ("current", strongest * 2)])])
    return values


def _in_order(batch: Sequence[Sample]) -> list[Sample]:
    return sorted(batch, key=lambda sample: (sample.asset_id, sample.at))

"""`python -m benchmarks.meters METERS DAYS`: meters with a message a day, in the settings' database and store.

The engine makes the messages itself: to send seven million through the door takes too long.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from itertools import islice

import django

CHUNK = 5_000
DAYS_A_PART = 73  # as many merged parts as the engine would have made of messages that came day by day
EFE = 5317
NEWEST = datetime(2026, 1, 1, tzinfo=UTC)  # the messages are of the two years before


def main(meters: int, days: int) -> None:
    from django.db import transaction

    from wattkeeper.base.accounts.models import Tenant
    from wattkeeper.base.catalog import registry
    from wattkeeper.config.serving import engine_options
    from wattkeeper.flow.store.store import close_store, open_store
    from wattkeeper.kinds.meter.actions import meters_register
    from wattkeeper.kinds.meter.message import Identity

    tenant = Tenant.objects.get()
    identities, ids = (Identity(EFE, f"{number:08d}", 0, 4) for number in range(meters)), list[int]()
    with transaction.atomic():
        while some := list(islice(identities, CHUNK)):
            ids += meters_register(tenant_id=tenant.pk, meters=some, by="bench").values()
    first = min(ids)
    assert sorted(ids) == list(range(first, first + meters))
    opened = open_store(engine_options(holder="a benchmark"), registry.streams())
    try:
        with opened.engine.client() as client:
            for day in range(0, days, DAYS_A_PART):
                client.command(_insert(tenant.pk, first, meters, range(day, min(day + DAYS_A_PART, days)), days))
            client.command("OPTIMIZE TABLE meter_message FINAL")
    finally:
        close_store()


def _insert(tenant_id: int, first: int, meters: int, some: range, days: int) -> str:
    """A message of each meter on each of `some` days, shortly after midnight; each uses 40 kWh a day and its own."""
    start = int((NEWEST - timedelta(days=days)).timestamp())
    message = (
        '{"data":[{"value":"%s","tariff":0,"subunit":0,"dimension":"Time Point (time & date)","storagenr":0},'
        '{"value":%s,"tariff":0,"subunit":0,"dimension":"Energy (kWh)","storagenr":0},'
        '{"value":%s,"tariff":0,"subunit":0,"dimension":"Volume (m m^3)","storagenr":0},'
        '{"value":%s,"tariff":0,"subunit":0,"dimension":"Power (W)","storagenr":0},'
        '{"value":"2024-09-30T00:00:00.000000","tariff":0,"subunit":0,"dimension":"Time Point (date)","storagenr":1},'
        '{"value":16274,"tariff":0,"subunit":0,"dimension":"Energy (kWh)","storagenr":1}],'
        '"device":{"type":4,"status":0,"identnr":%s,"version":0,"accessnr":%s,"manufacturer":5317}}'
    )
    pieces = message.split("%s")
    values = (
        "formatDateTime(own, '%Y-%m-%dT%H:%i:%S.000000', 'Europe/Berlin')",
        "toString(energy)",
        "toString(energy * 17 + meter)",
        "toString(cityHash64(number) % 9000)",
        "toString(meter)",
        "toString(day % 256)",
    )
    quoted = [f"'{piece}'" for piece in pieces]
    text = ", ".join(part for pair in zip(quoted, (*values, "''"), strict=True) for part in pair)
    return f"""
        INSERT INTO meter_message (
            tenant_id, asset_id, ts, asset_key, batch_id, version, energy, volume, power, status, error, alarm,
            power_low, clock_offset, digest, received_at, own_time, main_dimension, main_value, due_value, due_date,
            due_storage, message
        )
        SELECT {tenant_id}, {first} + meter, own, concat('EFE-', leftPad(toString(meter), 8, '0'), '-0-4'), 1,
            4611686018427387904 - number, energy, energy * 0.017, 4.5, 0, 0, 0, 0, -0.01, cityHash64(number, 'digest'),
            own + INTERVAL 30 SECOND, own, 'Energy (kWh)', toString(energy), '16274', '2024-09-30 00:00:00', 1,
            concat({text})
        FROM (
            SELECT number, number % {meters} AS meter, intDiv(number, {meters}) AS day,
                toDateTime64({start} + day * 86400 + 3600 + cityHash64(meter) % 7200, 6, 'UTC') AS own,
                day * 40 + cityHash64(number) % 30 + meter AS energy
            FROM numbers({some.start * meters}, {len(some) * meters})
        )
    """


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wattkeeper.config.settings")
    django.setup()
    main(int(sys.argv[1]), int(sys.argv[2]))

"""`python -m benchmarks.batteries N`: N batteries with a state, in the database that the settings mean."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random

import django

CHUNK = 5_000
AGO = timedelta(days=365)  # their states are older than all that is sent to them


def main(count: int) -> None:
    from django.db import transaction

    from wattkeeper.base.accounts.models import Tenant

    tenant = Tenant.objects.get()
    names, rng = (f"BAT-{number:06d}" for number in range(count)), Random("batteries")
    with transaction.atomic():
        while keys := list(islice(names, CHUNK)):
            _add(tenant.pk, keys, rng)


def _add(tenant_id: int, keys: list[str], rng: Random) -> None:
    from wattkeeper.base.assets.models import Asset
    from wattkeeper.kinds.battery.models import Battery, BatteryState, Status

    moment = datetime.now(UTC) - AGO
    plate = {"capacity": 5000, "voltage_nominal": 3.7, "max_discharge_current": 10, "max_charge_current": 5}
    about = {"tenant_id": tenant_id, "kind": "battery", "registered_by": "bench"}
    assets = Asset.objects.bulk_create(
        Asset(key=key, type=rng.choice(("Li-ion", "LiFePO4", "NMC")), site=f"Depot {rng.randrange(20)}", **about)
        for key in keys
    )
    Battery.objects.bulk_create(Battery(asset=asset, **plate) for asset in assets)
    BatteryState.objects.bulk_create(
        BatteryState(
            asset=asset,
            at=moment,
            updated_at=moment,
            current_charge=rng.uniform(5, 100),
            current_voltage=rng.uniform(3.2, 4.1),
            current_temperature=rng.uniform(10, 45),
            current_status=rng.choices(Status.values, (30, 40, 29, 1))[0],
            current=0.0,
            health_percentage=rng.uniform(40, 100),
            cycle_count=rng.randrange(2_000),
        )
        for asset in assets
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wattkeeper.config.settings")
    django.setup()
    main(int(sys.argv[1]))

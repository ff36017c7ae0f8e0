"""`python -m tests.support.meter_history`: three meters that spoke last month, in the home that the environment means.

One is well, one says an error, one has no clock; the tenant is the demo's.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import django

from tests.support.machine import repository
from tests.support.servers import environment


def history_make(home: Path) -> None:
    """Write them into a home that nobody serves."""
    command = [sys.executable, "-m", "tests.support.meter_history"]
    subprocess.run(command, env=environment(home), cwd=repository(), check=True)


def main() -> None:
    from tests.support.meters import BERLIN, ENERGY, message, messages_store, record, records
    from wattkeeper.base.accounts.models import Tenant
    from wattkeeper.base.catalog import registry
    from wattkeeper.base.core.clock import now
    from wattkeeper.config.demo.people import TENANT
    from wattkeeper.config.serving import engine_options
    from wattkeeper.flow.store.store import close_store, open_store
    from wattkeeper.kinds.meter.report.months import current_month

    month = current_month(BERLIN, now=now()).moved(-1)
    at = month.until(BERLIN) - timedelta(hours=3)
    said = [
        message([*records(at=at), record("Volume (m m^3)", 54321)], who={"identnr": 1}),
        message([*records(at=at), record(ENERGY, 7, tariff=1)], who={"identnr": 2, "status": 8}),
        message(at=None, who={"identnr": 3, "type": 7}, dimension="Volume (m m^3)"),
    ]
    open_store(engine_options(holder="a test"), registry.streams())
    try:
        messages_store(Tenant.objects.get(slug=TENANT), [(one, at) for one in said])
    finally:
        close_store()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wattkeeper.config.settings")
    django.setup()
    main()

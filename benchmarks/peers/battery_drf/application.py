"""For a WSGI server; as a module, `application N` makes the tables and N batteries."""

from __future__ import annotations

import os
import sys

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.peers.battery_drf.settings"

if __name__ == "__main__":
    django.setup()
    from django.core.management import call_command

    from benchmarks.peers.battery_drf.models import Battery

    call_command("migrate", run_syncdb=True, verbosity=0)
    Battery.objects.bulk_create(
        Battery(
            serial_number=f"BAT-{number:06d}",
            battery_type="Li-ion",
            capacity=5000,
            voltage_nominal=3.7,
            current_charge=85,
            current_voltage=3.65,
            current_temperature=25,
            max_discharge_current=10,
            max_charge_current=5,
        )
        for number in range(int(sys.argv[1]))
    )
else:
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()

"""For a WSGI server; as a module, `application` makes the tables and the key `peer`."""

from __future__ import annotations

import os
from hashlib import sha256

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.peers.meter_drf.settings"

if __name__ == "__main__":
    django.setup()
    from django.core.management import call_command

    from benchmarks.peers.meter_drf.models import ApiKey

    call_command("migrate", run_syncdb=True, verbosity=0)
    ApiKey.objects.create(digest=sha256(b"peer").hexdigest())
else:
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()

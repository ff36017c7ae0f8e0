"""`python -m tests.support.live_people`: people and keys in the database that the settings mean; their credentials as
JSON. The server that uses them may run already, or start later."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.machine import repository
from tests.support.servers import environment


@dataclass(frozen=True)
class Credentials:
    """By name of who has them: `owner`, `colleague` (a viewer), `stranger` (another tenant's admin), `root` (above
    tenants). `keys` by scope, of the owner's tenant; `key_ids` theirs."""

    cookies: dict[str, str]
    tokens: dict[str, str]
    keys: dict[str, str]
    key_ids: dict[str, int]


def people_make(home: Path) -> Credentials:
    """Once a home, which is migrated and has the tenant of its key."""
    path = os.pathsep.join([str(repository()), *filter(None, sys.path)])
    made = subprocess.run(
        [sys.executable, "-m", "tests.support.live_people"],
        env=environment(home, PYTHONPATH=path, DJANGO_SETTINGS_MODULE="wattkeeper.config.settings"),
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return Credentials(**json.loads(made.stdout))


def main() -> None:
    import django

    django.setup()
    from django.conf import settings
    from rest_framework_simplejwt.tokens import AccessToken

    from tests.people import PASSWORD, Person, person_make
    from wattkeeper.base.accounts import actions
    from wattkeeper.base.accounts.matrix import Scope
    from wattkeeper.base.accounts.models import Tenant, User

    settings.ALLOWED_HOSTS.append("testserver")
    north = Tenant.objects.get()
    south = Tenant.objects.create(slug="south", name="South")
    people = {
        "owner": person_make("admin", tenant=north, name="owner"),
        "colleague": person_make("viewer", tenant=north, name="colleague"),
        "stranger": person_make("admin", tenant=south, name="stranger"),
        "root": Person(User.objects.create_superuser("root", password=PASSWORD)),
    }
    keys = {
        scope: actions.key_add(tenant=north, name=f"live {scope}", scope=scope, actor="test")
        for scope in (Scope.READ, Scope.INGEST, Scope.ADMIN)
    }
    made = {
        "cookies": {name: one.session.cookies[settings.SESSION_COOKIE_NAME].value for name, one in people.items()},
        "tokens": {name: str(AccessToken.for_user(one.user)) for name, one in people.items()},
        "keys": {scope.value: secret for scope, (_, secret) in keys.items()},
        "key_ids": {scope.value: key.pk for scope, (key, _) in keys.items()},
    }
    sys.stdout.write(json.dumps(made))


if __name__ == "__main__":
    main()

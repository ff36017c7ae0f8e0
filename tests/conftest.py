"""Every test process has a home of its own, with its own database file in it, and leaves nothing behind."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
import pytest
from _pytest.nodeid import NodeId

pytest_plugins = ["tests.support.machine"]

HOME = Path(tempfile.mkdtemp(prefix="wattkeeper-test-"))
os.environ["WATTKEEPER_HOME"] = str(HOME)
os.environ["DJANGO_SETTINGS_MODULE"] = "wattkeeper.config.settings"
django.setup()
# An xdist worker inherits the environment, and pytest-django would load its settings before this file has
# given it a home of its own.
del os.environ["DJANGO_SETTINGS_MODULE"]

if TYPE_CHECKING:
    from tests.people import Person
    from wattkeeper.base.accounts.models import Tenant
    from wattkeeper.flow.store.store import Store


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one `xdist_group` go to one worker.

    pytest-xdist 3.8 writes the group to where pytest 9.2 no longer looks, and says nothing
    (https://github.com/pytest-dev/pytest-xdist/issues/1386).
    """
    for item in items:
        if grouped := vars(item).get("_nodeid"):
            item._id = NodeId.parse(grouped)


@pytest.fixture(autouse=True)
def _quick_passwords_and_fresh_memory(settings: Any) -> Iterator[None]:
    from wattkeeper.base.accounts import keys

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    keys.forget()
    yield
    keys.forget()


@pytest.fixture(autouse=True)
def _nothing_left_to_be_judged() -> Iterator[None]:
    """A flush that a test has made fail leaves readings to the next one, which knows nothing of their assets."""
    yield
    from wattkeeper.flow import ingest

    ingest._behind.clear()
    ingest._judged_to.clear()
    ingest._rejudged.clear()
    ingest._unfollowed.clear()


@pytest.fixture(autouse=True)
def _no_download_left_open() -> Iterator[None]:
    """An answer that a test has not read holds a place until someone collects it; the next test wants them all."""
    from wattkeeper.base.core import download

    yield
    for left in list(download._open):
        left.close()
        left._thread.shutdown(wait=True)


# The database forgets its rows after a test, the readings' engine does not: no number comes twice.
_tenant_ids = itertools.count(1_000)
_asset_ids = itertools.count(1_000_000, 1_000)


@pytest.fixture
def tenant(db: None) -> Tenant:
    from wattkeeper.base.accounts.models import Tenant

    return Tenant.objects.create(pk=next(_tenant_ids), slug="north", name="North")


@pytest.fixture
def other_tenant(db: None) -> Tenant:
    from wattkeeper.base.accounts.models import Tenant

    return Tenant.objects.create(pk=next(_tenant_ids), slug="south", name="South")


@pytest.fixture
def make_person(tenant: Tenant) -> Callable[..., Person]:
    """make_person("manager", tenant=..., name=...): a Person, by default of `tenant`."""
    from tests.people import person_make

    def make(role: str = "viewer", **options: Any) -> Person:
        return person_make(role, **{"tenant": tenant, **options})

    return make


@pytest.fixture
def owner(tenant: Tenant) -> Person:
    """The admin of `tenant`; `owner.jwt`, `owner.session` and `owner.key()` are their clients."""
    from tests.people import person_make

    return person_make("admin", tenant=tenant, name="owner")


@pytest.fixture
def colleague(tenant: Tenant) -> Person:
    """A viewer in the same tenant."""
    from tests.people import person_make

    return person_make("viewer", tenant=tenant, name="colleague")


@pytest.fixture
def stranger(other_tenant: Tenant) -> Person:
    """The admin of another tenant: may do all that `owner` may, to nothing of theirs."""
    from tests.people import person_make

    return person_make("admin", tenant=other_tenant, name="stranger")


@pytest.fixture
def superuser(db: None) -> Person:
    from tests.people import PASSWORD, Person
    from wattkeeper.base.accounts.models import User

    return Person(User.objects.create_superuser("root", password=PASSWORD))


@pytest.fixture(scope="session")
def embedded_store() -> Iterator[Store]:
    """The engine of this process: there can be only one, so all tests share it, each with a tenant of its own."""
    from wattkeeper.base.catalog import registry
    from wattkeeper.flow.store.engine import EngineOptions
    from wattkeeper.flow.store.store import close_store, open_store

    # More threads than cores: what is only right on one thread must fail here.
    yield open_store(EngineOptions(f"chdb://{HOME / 'readings'}", max_threads=8), registry.streams())
    close_store()


@pytest.fixture
def vehicle_store(embedded_store: Store, tenant: Tenant) -> Store:
    """The same engine, for tests whose assets come from the database: their ids are none that a test had before."""
    from wattkeeper.base.assets.models import Asset

    # The database counts on from the highest id that it ever had.
    Asset.objects.create(pk=next(_asset_ids), tenant=tenant, kind="none", key="none").delete()
    return embedded_store


@pytest.fixture(scope="session")
def server_store() -> Iterator[Store]:
    """The same engine behind ClickHouse's HTTP protocol, in a process of its own."""
    from tests.support.stores import clickhouse
    from wattkeeper.base.catalog import registry
    from wattkeeper.flow.store.engine import EngineOptions
    from wattkeeper.flow.store.store import Store

    with clickhouse(HOME / "server-readings") as address:
        opened = Store(EngineOptions(address, max_threads=8), registry.streams())
        opened.open()
        yield opened
        opened.close()

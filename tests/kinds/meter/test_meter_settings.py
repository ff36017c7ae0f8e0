"""The settings of meters: zones of sites, and where makers keep the due date's values."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from tests.people import Person
from tests.support.meters import message, meter_make, understood
from tests.views.dashboard.test_pages import browser, rows_of
from wattkeeper.base.accounts.models import AuditEntry, Tenant
from wattkeeper.base.assets.models import SiteZone
from wattkeeper.kinds.meter.events import StoragesChanged
from wattkeeper.kinds.meter.known import meters
from wattkeeper.kinds.meter.models import DueStorage

PAGE = "/meters/settings/"
ZONE = {"what": "zone", "site": "", "time_zone": "Europe/London"}
STORAGE = {"what": "storage", "manufacturer": "efe", "device_type": "4", "version": "", "storage": "8"}


def problems(answer: Any) -> list[str]:
    said = re.findall(r'<p class="problem"[^>]*>(.*?)</p>|role="alert">.*?<span>(.*?)</span>', answer.content.decode())
    return [unescape(field or whole) for field, whole in said]


def test_the_houses_default_is_shown_until_another_is_said(owner: Person, tenant: Tenant) -> None:
    client = browser(owner)
    assert "Europe/Berlin" in rows_of(client.get(PAGE))[0][1]
    assert client.post(PAGE, ZONE).status_code == 302
    assert client.post(PAGE, {**ZONE, "site": "Dover"}).status_code == 302
    assert [row[:2] for row in rows_of(client.get(PAGE))] == [
        ["All other sites", "Europe/London"],
        ["Dover", "Europe/London"],
    ]


def test_a_setting_counts_at_once_and_is_noted(
    owner: Person, tenant: Tenant, django_capture_on_commit_callbacks: Any
) -> None:
    meter_make(tenant)
    who, client = [understood(message()).identity], browser(owner)

    def known() -> tuple[str, int]:
        (one,) = meters.ask(tenant.pk, who, by="test").values()
        return one.zone.key, one.due_storage

    meters.forget_all(StoragesChanged(tenant.pk))
    assert known() == ("Europe/Berlin", 1)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(PAGE, ZONE)
        client.post(PAGE, STORAGE)
    assert known() == ("Europe/London", 8)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"{PAGE}zones/{SiteZone.objects.get(tenant=tenant).pk}/remove/")
        client.post(f"{PAGE}storages/{DueStorage.objects.get(tenant=tenant).pk}/remove/")
    assert known() == ("Europe/Berlin", 1)
    noted = AuditEntry.objects.filter(tenant=tenant, actor=f"user:{owner.user.pk}").order_by("pk")
    assert [entry.action for entry in noted] == [
        "site_zone_set", "due_storage_add", "site_zone_remove", "due_storage_remove",
    ]  # fmt: skip


def test_what_is_saved_and_what_is_removed_says_what_it_changes(owner: Person, tenant: Tenant) -> None:
    client = browser(owner)
    said = client.post(PAGE, STORAGE, follow=True).content.decode()
    assert "It counts for what comes from now on, and for every month that is not frozen." in said
    client.post(PAGE, {**ZONE, "site": "Dover"})
    page = client.get(PAGE).content.decode()
    for name in (f"zone-{SiteZone.objects.get().pk}", f"storage-{DueStorage.objects.get().pk}"):
        (dialog,) = re.findall(rf'<dialog class="dialog" id="{name}".*?</dialog>', page, re.DOTALL)
        assert f'data-opens="{name}"' in page
        assert "that changes every month that is not frozen" in dialog and "/remove/" in dialog
    outside = re.sub(r"<dialog.*?</dialog>", "", page, flags=re.DOTALL)
    assert "/remove/" not in outside


def test_a_zone_that_is_said_again_takes_the_place_of_the_first(owner: Person, tenant: Tenant) -> None:
    client = browser(owner)
    client.post(PAGE, ZONE)
    client.post(PAGE, {**ZONE, "time_zone": "Europe/Vienna"})
    assert SiteZone.objects.get(tenant=tenant).time_zone == "Europe/Vienna"


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({**ZONE, "time_zone": "Middle/Earth"}, "'Middle/Earth' is no IANA time zone, such as Europe/Berlin."),
        ({**ZONE, "time_zone": ""}, "This field is required."),
        ({**STORAGE, "manufacturer": "E1"}, "Not a manufacturer's number or its three letters."),
        ({**STORAGE, "manufacturer": "65536"}, "Not a manufacturer's number or its three letters."),
        ({**STORAGE, "device_type": "256"}, "Ensure this value is less than or equal to 255."),
        ({**STORAGE, "storage": "0"}, "Ensure this value is greater than or equal to 1."),
        ({**STORAGE, "storage": str(2**31)}, "Ensure this value is less than or equal to 2147483647."),
        ({**STORAGE, "storage": "one"}, "Enter a whole number."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(form: dict[str, str], told: str, owner: Person) -> None:
    answer = browser(owner).post(PAGE, form)
    assert (answer.status_code, problems(answer)) == (422, [told])
    assert not SiteZone.objects.exists() and not DueStorage.objects.exists()


def test_the_same_meters_are_said_of_once(owner: Person) -> None:
    client = browser(owner)
    assert client.post(PAGE, STORAGE).status_code == 302
    answer = client.post(PAGE, {**STORAGE, "storage": "3"})
    assert (answer.status_code, problems(answer)) == (422, ["There is a setting for these meters already."])


def test_a_form_of_nothing_says_so(owner: Person) -> None:
    assert browser(owner).post(PAGE, {}).status_code == 422


@pytest.mark.parametrize(("role", "may"), [("admin", True), ("manager", True), ("operator", False), ("viewer", False)])
def test_managers_change_and_others_read(
    role: str, may: bool, make_person: Callable[..., Person], tenant: Tenant
) -> None:
    row = DueStorage.objects.create(tenant=tenant, manufacturer=5317, storage=8)
    client = browser(make_person(role))
    page = client.get(PAGE)
    assert page.status_code == 200
    assert ("Set the zone" in page.content.decode()) is may
    assert client.post(PAGE, ZONE).status_code == (302 if may else 403)
    assert client.post(f"{PAGE}storages/{row.pk}/remove/").status_code == (302 if may else 403)


def test_another_tenants_settings_are_not_there(owner: Person, stranger: Person, tenant: Tenant) -> None:
    client = browser(owner)
    client.post(PAGE, {**ZONE, "site": "Secret site"})
    client.post(PAGE, STORAGE)
    theirs = browser(stranger).get(PAGE).content.decode()
    assert "Secret site" not in theirs and "EFE" not in theirs.replace("such as EFE", "")


def test_who_stands_above_tenants_chooses_one(superuser: Person, tenant: Tenant) -> None:
    client = browser(superuser)
    assert "?tenant=north" in client.get(PAGE).content.decode()
    assert client.post(f"{PAGE}?tenant=north", ZONE).status_code == 302
    assert SiteZone.objects.get().tenant == tenant

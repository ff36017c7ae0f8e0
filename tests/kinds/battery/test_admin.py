"""Batteries and devices in Django admin: to each tenant's admin their own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.people import Person
from tests.support.registered import register
from wattkeeper.base.accounts.models import AuditEntry
from wattkeeper.kinds.battery.models import Battery, Device

pytestmark = pytest.mark.usefixtures("battery_store")

ADD = "/admin/battery/device/add/"


def device(person: Person, *batteries: int) -> dict[str, Any]:
    named = {"device_name": "Phone", "device_type": "MOBILE", "serial_number": "D-1", "is_active": "on"}
    return {**named, "tenant": person.user.tenant_id, "batteries": batteries}


def test_a_device_is_added_with_its_batteries(owner: Person) -> None:
    made = register(owner.jwt)["id"]
    assert owner.session.post(ADD, device(owner, made)).status_code == 302
    assert [battery.pk for battery in Device.objects.get().batteries.all()] == [made]
    assert AuditEntry.objects.get(action="device_add").tenant == owner.tenant


def test_a_device_holds_no_battery_of_another_tenant(owner: Person, stranger: Person, superuser: Person) -> None:
    theirs = register(stranger.jwt)["id"]
    for person in (owner, superuser):
        answer = person.session.post(ADD, device(owner, theirs))
        assert answer.status_code == 200
        assert "errorlist" in answer.content.decode()
    assert not Device.objects.exists()


def test_only_ones_own_batteries_are_offered(owner: Person, stranger: Person) -> None:
    register(owner.jwt, "MINE-1")
    register(stranger.jwt, "THEIRS-1")
    asked = {"app_label": "battery", "model_name": "device", "field_name": "batteries"}
    offered = owner.session.get("/admin/autocomplete/", {**asked, "term": "-1"}).json()["results"]
    assert [one["text"] for one in offered] == ["MINE-1"]


def test_a_nameplate_is_changed_and_audited(owner: Person, stranger: Person) -> None:
    place = f"/admin/battery/battery/{register(owner.jwt)['id']}/change/"
    plate = {"capacity": 4000, "voltage_nominal": 3.6, "max_discharge_current": 10, "max_charge_current": 5}
    assert stranger.session.post(place, plate).status_code == 302
    assert Battery.objects.get().capacity == 5000
    assert owner.session.post(place, plate).status_code == 302
    assert Battery.objects.get().capacity == 4000
    assert AuditEntry.objects.get(action="battery_change").tenant == owner.tenant


def test_a_state_is_only_looked_at(owner: Person) -> None:
    made = register(owner.jwt)["id"]
    place = f"/admin/battery/batterystate/{made}/"
    assert owner.session.get(f"{place}change/").status_code == 200
    assert owner.session.post(f"{place}change/", {"current_charge": 1}).status_code == 403
    assert owner.session.get("/admin/battery/batterystate/add/").status_code == 403

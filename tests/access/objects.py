"""Things of a tenant, for the walk over all URLs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.people import key_make, person_make
from tests.support.alerts import battery, posted
from tests.support.channels import mail, message_make, route_make
from tests.support.meters import RECEIVED, message, message_store, meter_make
from wattkeeper.base.accounts.models import ApiKey, Tenant
from wattkeeper.base.assets.actions import assets_register, site_zone_set
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.flow.readings.reading import Reading, Row
from wattkeeper.flow.rules.actions import rule_add
from wattkeeper.flow.rules.fields import RuleFields
from wattkeeper.flow.sources.csv_upload.models import Upload
from wattkeeper.flow.store.keys import ReadingKey
from wattkeeper.kinds.battery.actions import battery_register, device_add
from wattkeeper.kinds.battery.streams import STATUS
from wattkeeper.kinds.meter.actions import due_storage_add
from wattkeeper.kinds.vehicle.streams import TELEMETRY

VALUES = {"speed": 1.0, "odometer": 2.0, "soc": 3, "elevation": 4.0, "shift_state": "D"}


def reading_id(tenant: Tenant, request: pytest.FixtureRequest) -> dict[str, str]:
    store = request.getfixturevalue("embedded_store")
    asset_id = assets_register(tenant_id=tenant.pk, kind="vehicle", keys=["V1"], by="test")["V1"]
    at = datetime(2024, 5, 1, tzinfo=UTC)
    store.write(TELEMETRY, [Reading(tenant.pk, asset_id, Row("V1", at, VALUES))])
    return {"reading_id": ReadingKey(asset_id, at).public_id()}


def user_id(tenant: Tenant, request: pytest.FixtureRequest) -> dict[str, str]:
    return {"user_id": str(person_make("viewer", tenant=tenant).user.pk)}


def key_id(tenant: Tenant, request: pytest.FixtureRequest) -> dict[str, str]:
    key_make(tenant, name="walked")
    return {"key_id": str(ApiKey.objects.get(tenant=tenant, name="walked").pk)}


def asset_id(tenant: Tenant, request: pytest.FixtureRequest) -> dict[str, str]:
    request.getfixturevalue("embedded_store")
    return {"asset_id": str(assets_register(tenant_id=tenant.pk, kind="vehicle", keys=["V1"], by="test")["V1"])}


def battery_id(tenant: Tenant, request: pytest.FixtureRequest) -> dict[str, str]:
    request.getfixturevalue("embedded_store")
    values = {"serial_number": "B1", "battery_type": "Li-ion", "capacity": 5000.0, "voltage_nominal": 3.7}
    return {"battery_id": str(battery_register(tenant=tenant, values=values, actor="test").pk)}


def battery_page_id(tenant: Tenant, request: pytest.FixtureRequest) -> dict[str, str]:
    return {"asset_id": battery_id(tenant, request)["battery_id"]}


def log_id(tenant: Tenant, request: pytest.FixtureRequest) -> dict[str, str]:
    pk, at = int(battery_id(tenant, request)["battery_id"]), datetime(2024, 5, 1, tzinfo=UTC)
    row = Row("B1", at, {"current_charge": 50.0})
    request.getfixturevalue("embedded_store").write(STATUS, [Reading(tenant.pk, pk, row)])
    return {"log_id": ReadingKey(pk, at).public_id()}


def battery_reading_id(tenant: Tenant, request: pytest.FixtureRequest) -> dict[str, str]:
    return {"reading_id": log_id(tenant, request)["log_id"]}


def device_id(tenant: Tenant, request: pytest.FixtureRequest) -> dict[str, str]:
    values = {"device_name": "Laptop", "device_type": "LAPTOP", "serial_number": "D1"}
    return {"device_id": str(device_add(tenant=tenant, values=values, actor="test").pk)}


def alert_id(tenant: Tenant, request: pytest.FixtureRequest) -> dict[str, str]:
    return {"alert_id": str(posted(battery(tenant)).pk)}


def upload_id(tenant: Tenant, request: pytest.FixtureRequest) -> dict[str, str]:
    request.getfixturevalue("embedded_store")
    return {"upload_id": _upload(tenant, TELEMETRY)}


def battery_upload_id(tenant: Tenant, request: pytest.FixtureRequest) -> dict[str, str]:
    request.getfixturevalue("embedded_store")
    return {"upload_id": _upload(tenant, STATUS)}


def rule_id(tenant: Tenant, request: pytest.FixtureRequest) -> dict[str, str]:
    fields = RuleFields(
        kind="vehicle",
        name="Fast",
        channel="speed",
        condition="above",
        limit="130",
        level="INFO",
        alert_type="FAULT",
    )
    return {"rule_id": str(rule_add(tenant=tenant, fields=fields, actor="test").pk)}


def channel_id(tenant: Tenant, request: pytest.FixtureRequest) -> dict[str, str]:
    return {"channel_id": str(mail(tenant).pk)}


def route_id(tenant: Tenant, request: pytest.FixtureRequest) -> dict[str, str]:
    return {"route_id": str(route_make(mail(tenant)).pk)}


def message_id(tenant: Tenant, request: pytest.FixtureRequest) -> dict[str, str]:
    return {"message_id": str(message_make(mail(tenant)).pk)}


def meter_month(tenant: Tenant, request: pytest.FixtureRequest) -> dict[str, str]:
    request.getfixturevalue("vehicle_store")
    message_store(tenant, message(at=None))
    return {"month": f"{RECEIVED:%Y-%m}"}


def _upload(tenant: Tenant, stream: Stream) -> str:
    named = {"owner": "user:0", "stream": stream.name, "file_name": "fleet.csv", "total_chunks": 1}
    return str(Upload.objects.create(tenant=tenant, **named).pk)


def meter_id(tenant: Tenant, request: pytest.FixtureRequest) -> dict[str, str]:
    request.getfixturevalue("embedded_store")
    return {"meter_id": str(meter_make(tenant).pk)}


def meter_page_id(tenant: Tenant, request: pytest.FixtureRequest) -> dict[str, str]:
    return {"asset_id": meter_id(tenant, request)["meter_id"]}


def site_zone_id(tenant: Tenant, request: pytest.FixtureRequest) -> dict[str, str]:
    return {"zone_id": str(site_zone_set(tenant=tenant, site="", time_zone="Europe/Vienna", actor="test").pk)}


def due_storage_id(tenant: Tenant, request: pytest.FixtureRequest) -> dict[str, str]:
    row = due_storage_add(tenant=tenant, manufacturer=5317, device_type=4, version=None, storage=8, actor="test")
    return {"storage_id": str(row.pk)}

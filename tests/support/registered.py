"""Batteries and devices as a client of the API has them: the contract's bodies, sent."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

BATTERIES, DEVICES, LOGS = "/api/batteries/", "/api/devices/", "/api/logs/"

# As the contract has them, word by word.
BATTERY = {
    "serial_number": "BAT-004",
    "battery_type": "Li-ion",
    "capacity": 5000,
    "voltage_nominal": 3.7,
    "current_charge": 100,
    "current_voltage": 3.7,
    "current_temperature": 25,
    "current_status": "IDLE",
    "health_percentage": 100,
    "cycle_count": 0,
    "max_discharge_current": 10,
    "max_charge_current": 5,
}
STATUS = {
    "current_charge": 85,
    "current_voltage": 3.6,
    "current_temperature": 28,
    "current_status": "DISCHARGING",
    "current": -2.5,
}
DEVICE = {
    "device_name": "Laptop - MacBook Pro",
    "device_type": "LAPTOP",
    "serial_number": "DEVICE-002",
    "location": "Office A",
    "batteries": [],
}


def send(client: APIClient, method: str, path: str, body: Any = None) -> Any:
    """JSON; `body` may be its text, for what Python would not write."""
    if isinstance(body, str):
        return client.generic(method.upper(), path, body, content_type="application/json")
    return getattr(client, method)(path, body, format="json")


def register(client: APIClient, serial: str = "BAT-004", **values: Any) -> dict[str, Any]:
    """The battery as the answer has it."""
    answer = send(client, "post", BATTERIES, {**BATTERY, "serial_number": serial, **values})
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def update(client: APIClient, battery_id: int, **values: Any) -> Any:
    return send(client, "post", f"{BATTERIES}{battery_id}/update_status/", values)


def battery(client: APIClient, battery_id: int) -> dict[str, Any]:
    return dict(client.get(f"{BATTERIES}{battery_id}/").json())


def report(client: APIClient, battery_id: int) -> dict[str, Any]:
    return dict(client.get(f"{BATTERIES}{battery_id}/health_report/").json())


def device(client: APIClient, **values: Any) -> dict[str, Any]:
    answer = send(client, "post", DEVICES, {**DEVICE, **values})
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def serials(client: APIClient, path: str = BATTERIES, **query: Any) -> list[str]:
    """Of a list's first page, in order."""
    answer = client.get(path, query)
    assert answer.status_code == 200, answer.content
    return [one["serial_number"] for one in answer.json()["results"]]

"""Batteries of a running server: made and asked for through its API."""

from __future__ import annotations

from typing import Any

import httpx

from tests.support.servers import PATIENCE_SECONDS, Server

API = "/api/batteries/"
STATUS = "/api/v1/battery_status/"
BATTERY = {
    "battery_type": "Li-ion",
    "capacity": 5000,
    "voltage_nominal": 3.7,
    "max_discharge_current": 10,
    "max_charge_current": 5,
}


def client_of(server: Server) -> httpx.Client:
    """Speaks with the server's key, to any of its paths."""
    return httpx.Client(
        base_url=server.url, headers={"Authorization": f"Api-Key {server.key}"}, timeout=PATIENCE_SECONDS
    )


def batteries_make(server: Server, count: int) -> dict[int, str]:
    """New batteries; their serial numbers by id."""
    made = {}
    with client_of(server) as client:
        for number in range(count):
            answer = client.post(API, json={"serial_number": f"BAT-{number:05d}", **BATTERY})
            assert answer.status_code == 201, answer.text
            battery: dict[str, Any] = answer.json()
            made[int(battery["id"])] = str(battery["serial_number"])
    return made

"""What schemathesis cannot know of the API; loaded by its process, as schemathesis.toml says.

`UPLOADS` in its environment are the ids of uploads that are there: of vehicles and of batteries by turns; `CHANNELS`
says how many channels, routes and messages there are, with the ids from 1 on.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import schemathesis
from hypothesis import strategies

MOMENTS = [
    "2024-05-01",
    "2024-05-01T12:00:00Z",
    "2024-05-01 12:00:00.123456789",
    "2024-05-01T12:00+05:30",
    "1714564800",
]
CSV = b"vehicle_id,timestamp,odometer,soc,elevation\nF1,2024-05-02T00:00:00Z,1,50,3\nF1,2024-05-02T00:00:01Z,1,500,3\n"

_ids = os.environ["UPLOADS"].split()
OF_VEHICLES, OF_BATTERIES = _ids[::2], _ids[1::2]
BATTERYS = dict(zip(OF_VEHICLES, OF_BATTERIES, strict=True))

CHANNELS = int(os.environ["CHANNELS"])

uploads = strategies.sampled_from(OF_VEHICLES)
times = strategies.datetimes(datetime(1990, 1, 2), datetime(2025, 1, 1)).map(lambda at: at.isoformat() + "Z")

today = datetime.now(UTC).date()

for name, values in {
    "day-of-late": strategies.integers(10, 40).map(lambda days: f"{today - timedelta(days=days)}"),
    "day-of-these-days": strategies.integers(0, 9).map(lambda days: f"{today - timedelta(days=days)}"),
    "binary": strategies.just(CSV),
    "date-time": times,  # a reading is of the past, and not older than 1990
    "iana-time-zone": strategies.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]),
    "iso-8601-or-epoch": strategies.sampled_from(MOMENTS),
    "medium": strategies.sampled_from(["heat", "4", "cold water (22)"]),
    "month-that-has-begun": strategies.sampled_from(["2021-09", "2024-02"]),
    "site-of-meters": strategies.just(""),  # there is none
    "tenant-slug": strategies.just("default"),
    "uuid": uploads | strategies.uuids().map(str),
}.items():
    schemathesis.openapi.format(name, values)


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """An upload belongs to a stream, which a format cannot say; what is read of notifications is mostly there."""
    if path_parameters and "battery_status" in context.operation.path:
        return {name: BATTERYS.get(value, value) for name, value in path_parameters.items()}
    if path_parameters and "/notifications/" in context.operation.path and context.operation.method == "get":
        return {name: _mostly_there(value) for name, value in path_parameters.items()}
    return path_parameters


def _mostly_there(value: Any) -> Any:
    return 1 + value % (2 * CHANNELS) if isinstance(value, int) and value > 0 else value

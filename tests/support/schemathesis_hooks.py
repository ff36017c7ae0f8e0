"""What schemathesis cannot know of the API; loaded by its process, as schemathesis.toml says.

`UPLOADS` in its environment are the ids of uploads that are there.
"""

from __future__ import annotations

import os
from datetime import datetime

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

uploads = strategies.sampled_from(os.environ["UPLOADS"].split())
times = strategies.datetimes(datetime(1990, 1, 2), datetime(2025, 1, 1)).map(lambda at: at.isoformat() + "Z")

for name, values in {
    "binary": strategies.just(CSV),
    "date-time": times,  # a reading is of the past, and not older than 1990
    "iana-time-zone": strategies.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]),
    "iso-8601-or-epoch": strategies.sampled_from(MOMENTS),
    "tenant-slug": strategies.just("default"),
    "uuid": uploads | strategies.uuids().map(str),
}.items():
    schemathesis.openapi.format(name, values)

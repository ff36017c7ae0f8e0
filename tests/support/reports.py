"""Month reports as people and programs fetch them."""

from __future__ import annotations

import csv
import io
import itertools
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rest_framework.test import APIClient

from tests.support.meters import BERLIN, message, messages_store, telegram_time
from tests.support.vehicles import body_of
from wattkeeper.base.accounts.models import Tenant

CSV = "/csv/"
MONTHS = "/api/meters/months/"
HEADER = (
    "Date,Device ID,Device Manufacturer,Device Type,Device Version,Measurement Dimension,Newest Value,Due Date Value,"
    "Due Date,Status"
)


def local(text: str, zone: ZoneInfo = BERLIN, *, fold: int = 0) -> datetime:
    """The moment of a local time."""
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


def spoke(tenant: Tenant, *moments: str | datetime, zone: ZoneInfo = BERLIN, **said: Any) -> None:
    """The meter `who` spoke at those local times, each message with its own time and another value, from 1 on."""
    times = [local(one, zone) if isinstance(one, str) else one for one in moments]
    messages_store(
        tenant,
        [
            (message(**{"at": telegram_time(at, zone), "value": value, **said}), at)
            for value, at in zip(itertools.count(1), times, strict=False)
        ],
    )


def fetched(client: APIClient, path: str = CSV, **query: str) -> bytes:
    """The file that the parameters mean."""
    response = client.get(path, query)
    assert response.status_code == 200, response.content
    return body_of(response)


def lines(client: APIClient, **query: str) -> list[str]:
    """The CSV's lines below its header."""
    header, *rest = fetched(client, **query).decode().splitlines()
    assert header == HEADER
    return rest


def rows(client: APIClient, **query: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(fetched(client, **query).decode(), newline=""), strict=True))


def newest(client: APIClient, month: str, **query: str) -> list[str]:
    """The newest value of each line."""
    return [row["Newest Value"] for row in rows(client, month=month, **query)]

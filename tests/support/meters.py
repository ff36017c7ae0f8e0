"""Gateway messages: made, posted, and stored as if received at any moment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rest_framework.test import APIClient

from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.flow.ingest import Ingested, flush, ingest_history
from wattkeeper.flow.readings.reading import Reading
from wattkeeper.kinds.meter.actions import meters_register
from wattkeeper.kinds.meter.known import KnownMeters
from wattkeeper.kinds.meter.message import Message, message_of
from wattkeeper.kinds.meter.pairs import DUE_STORAGE
from wattkeeper.kinds.meter.reading import row_of
from wattkeeper.kinds.meter.streams import MESSAGE

PATH = "/api/data/"
FIXTURES = Path(__file__).parent.parent / "fixtures" / "meters"
BERLIN = ZoneInfo("Europe/Berlin")
RECEIVED = datetime(2021, 9, 7, 8, 31, tzinfo=UTC)  # 10:31 in Berlin
KEY = "EFE-83251076-0-4"  # of the meter that `device()` is

TIME, DATE, ENERGY, VOLUME = "Time Point (time & date)", "Time Point (date)", "Energy (kWh)", "Volume (m m^3)"

Said = dict[str, Any]


# -- what a gateway says ---------------------------------------------------------------------------------------------


def record(dimension: str, value: object, *, storagenr: int = 0, **said: object) -> Said:
    """One record of tariff and subunit 0, unless it is said otherwise."""
    return {"value": value, "tariff": 0, "subunit": 0, "dimension": dimension, "storagenr": storagenr, **said}


def device(**said: object) -> Said:
    """The documented device, but for what is said otherwise."""
    documented = {"type": 4, "status": 0, "identnr": 83251076, "version": 0, "accessnr": 156, "manufacturer": 5317}
    return {**documented, **said}


def telegram_time(at: datetime, zone: ZoneInfo = BERLIN) -> str:
    """A moment as a meter's clock in that zone says it."""
    return f"{at.astimezone(zone):%Y-%m-%dT%H:%M:%S.%f}"


def records(
    *,
    at: datetime | str | None = RECEIVED - timedelta(minutes=1),
    value: object = 29690,
    due: object = 16274,
    due_date: str | None = "2019-09-30T00:00:00.000000",
    dimension: str = ENERGY,
) -> list[Said]:
    """The documented four: time, value, due date, due value; None leaves one out. `at`: a moment, or its text."""
    said = []
    if at is not None:
        said.append(record(TIME, at if isinstance(at, str) else telegram_time(at)))
    if value is not None:
        said.append(record(dimension, value))
    if due_date is not None:
        said.append(record(DATE, due_date, storagenr=1))
    if due is not None:
        said.append(record(dimension, due, storagenr=1))
    return said


def message(data: Sequence[Said] | None = None, *, who: Mapping[str, object] | None = None, **said: Any) -> Said:
    """A message of `data`, else of `records(**said)`, from `device(**who)`."""
    return {"data": list(records(**said) if data is None else data), "device": device(**(who or {}))}


def with_record(**said: object) -> Said:
    """A message of one record: 1 kWh now, but for what is said otherwise."""
    return message([{**record(ENERGY, 1), **said}])


def compact(content: object) -> str:
    """JSON without a blank."""
    return json.dumps(content, separators=(",", ":"))


def as_bytes(content: object) -> bytes:
    """As a gateway sends it."""
    return content if isinstance(content, bytes) else json.dumps(content).encode()


def documented() -> Said:
    """The contract's example."""
    said: Said = json.loads((FIXTURES / "example.json").read_bytes())
    return said


def captured() -> dict[str, Said]:
    """Messages of real meters, by the frame that they are derived from."""
    lines = [json.loads(line) for line in (FIXTURES / "messages.jsonl").read_text().splitlines()]
    return {line.pop("_source"): line for line in lines}


def codes() -> dict[str, list[list[Any]]]:
    """What the field's tables say: `dimensions`, `device_types`, `status`."""
    said: dict[str, list[list[Any]]] = json.loads((FIXTURES / "codes.json").read_bytes())
    return said


# -- into the platform -----------------------------------------------------------------------------------------------


def post(client: APIClient, content: object, path: str = PATH, **headers: str) -> Any:
    """One message, an array of them, or any bytes, to the door."""
    return client.post(path, as_bytes(content), content_type="application/json", headers=headers)


def understood(content: object) -> Message:
    """The message that must be understood."""
    said = message_of(as_bytes(content))
    assert isinstance(said, Message), said
    return said


def meter_make(tenant: Tenant, *, site: str = "", name: str = "", **who: object) -> Asset:
    """The meter that `device(**who)` is, as its first message makes it."""
    identity = understood(message(who=who)).identity
    ids = meters_register(tenant_id=tenant.pk, meters=[identity], by="test")
    Asset.objects.filter(pk=ids[identity.key]).update(site=site, name=name)
    return Asset.objects.get(pk=ids[identity.key])


def reading_of(
    content: object,
    *,
    tenant_id: int,
    asset_id: int,
    received_at: datetime = RECEIVED,
    zone: ZoneInfo = BERLIN,
    due_storage: int = DUE_STORAGE,
) -> Reading:
    """A message as the store takes it, of an asset that need not be there."""
    row = row_of(understood(content), received_at=received_at, zone=zone, due_storage=due_storage)
    return Reading(tenant_id, asset_id, row)


def messages_read(tenant: Tenant, received: Iterable[tuple[object, datetime]]) -> list[Reading]:
    """Messages with their moments of reception as readings of the tenant's meters; new ones appear."""
    pairs = [(understood(content), at) for content, at in received]
    known = KnownMeters().ask(tenant.pk, [said.identity for said, _ in pairs], by="test")
    return [
        Reading(tenant.pk, meter.asset_id, row_of(said, received_at=at, zone=meter.zone, due_storage=meter.due_storage))
        for said, at in pairs
        for meter in [known[said.identity.key]]
    ]


def message_store(tenant: Tenant, content: object, *, received_at: datetime = RECEIVED) -> Ingested:
    """One message as if it had come then: stored, the state, judged."""
    (ingested,) = flush(MESSAGE, messages_read(tenant, [(content, received_at)]))
    return ingested


def messages_store(tenant: Tenant, received: Iterable[tuple[object, datetime]]) -> int:
    """Many messages, each with its moment of reception, as history; gives how many were new."""
    return ingest_history(MESSAGE, messages_read(tenant, received))

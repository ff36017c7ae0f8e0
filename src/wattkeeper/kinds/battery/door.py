"""The hot door of `update_status`: the plain case is answered here, beside Django, and everything else by the view."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec

from wattkeeper.base.accounts.callers import Caller
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.assets.events import AssetChanged
from wattkeeper.base.core import bus
from wattkeeper.base.core.clock import EPOCH, now
from wattkeeper.flow.ingest import WAIT_SECONDS, Ingested, ingest_submit
from wattkeeper.flow.readings.normalise import normalise
from wattkeeper.flow.readings.reading import Outcome, Reading, Row
from wattkeeper.flow.readings.reasons import NULL_WORDS
from wattkeeper.kinds.battery.queries import battery_by_id
from wattkeeper.kinds.battery.serializers import BatterySerializer
from wattkeeper.kinds.battery.streams import STATUS
from wattkeeper.views.api.hot import Answer, Application, Bridge, HotDoor, Memory, failed

PATH = re.compile(r"/api/batteries/([0-9]{1,18})/update_status/?")
FIELDS = frozenset({*(channel.name for channel in STATUS.channels), STATUS.time_field})

# Whoever changes or deletes a battery in this process has it forgotten at once.
BATTERY_SECONDS = 60.0
_MICROSECOND = timedelta(microseconds=1)


def status_door(otherwise: Application) -> HotDoor:
    """`otherwise` behind the door."""
    door = _StatusDoor()
    bus.listen(AssetChanged, door.forget)
    return HotDoor(PATH, door.answer, otherwise=otherwise)


@dataclass(slots=True)
class _Battery:
    """A battery as the API shows it; of some seconds ago, but for what readings change."""

    pk: int
    tenant_id: int
    serial_number: str
    shown: dict[str, Any]

    def shown_after(self, ingested: Ingested) -> dict[str, Any]:
        """As it is after a reading. One that is late or repeated has moved nothing."""
        state = ingested.state
        self.shown |= {name: value for name, value in state.values.items() if name in self.shown}
        if ingested.receipt.outcome is Outcome.STORED and state.at == ingested.receipt.reading.row.at:
            self.shown["last_updated"] = ingested.received_at.isoformat().replace("+00:00", "Z")
        return self.shown


class _StatusDoor:
    def __init__(self) -> None:
        self._batteries: Memory[int, _Battery] = Memory(seconds=BATTERY_SECONDS)
        self._bridge: Bridge[Sequence[Ingested]] = Bridge(seconds=WAIT_SECONDS)
        self._last_moment = EPOCH

    def forget(self, event: AssetChanged) -> None:
        self._batteries.forget(event.asset_id)

    async def answer(self, caller: Caller, path: re.Match[str], body: bytes, encoding: str) -> Answer | None:
        if not caller.may(Action.STATUS_UPDATE):
            return None
        battery = await self._batteries.get(int(path[1]), partial(_battery_of, int(path[1])))
        if battery is None or not (caller.above_tenants or caller.tenant_id == battery.tenant_id):
            return None
        row = self._row_of(body, battery.serial_number)
        if row is None:
            return None
        try:
            submitted = ingest_submit(STATUS, [Reading(battery.tenant_id, battery.pk, row)])
            (ingested,) = await self._bridge.awaited(submitted)
        except Exception as error:
            return failed(error)
        return Answer(200, msgspec.json.encode(battery.shown_after(ingested)))

    def _row_of(self, body: bytes, serial_number: str) -> Row | None:
        """The reading that the body says; None where anything is wrong with it, which the view will name."""
        try:
            said = msgspec.json.decode(body)
        except ValueError:
            return None
        if not isinstance(said, dict) or not said.keys() <= FIELDS:
            return None
        present = self._moment()
        named = {name: value for name, value in said.items() if value is not None}
        if any(isinstance(value, str) and value.strip().lower() in NULL_WORDS for value in named.values()):
            return None
        raw = {"current": 0, STATUS.time_field: present.isoformat(), **named, STATUS.asset_field: serial_number}
        row = normalise(STATUS, raw, now=present)
        return row if isinstance(row, Row) else None

    def _moment(self) -> datetime:
        """The present, and never the same twice: two readings at once are two readings."""
        self._last_moment = max(now(), self._last_moment + _MICROSECOND)
        return self._last_moment


def _battery_of(pk: int) -> _Battery | None:
    found = battery_by_id(pk, tenant_id=None)
    if found is None:
        return None
    return _Battery(found.pk, found.tenant_id, found.key, _SHOWN.to_representation(found))


_SHOWN = BatterySerializer()  # one for all: each of its kind copies every field anew

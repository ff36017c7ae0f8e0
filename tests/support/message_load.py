"""Messages of gateways, for `tests.support.load`: each of the size of the documented example."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

PATH = "/api/data/"
MANUFACTURER, FIRST_IDENTNR = 5317, 10_000_000
_TIME, _VALUE, _DUE, _IDENTNR, _ACCESSNR = "2001-01-01T01:01:01.000000", 20_000_001, 16274, 20_000_002, 251


def _template() -> bytes:
    device = {"type": 4, "status": 0, "identnr": _IDENTNR, "version": 0, "accessnr": _ACCESSNR}
    records = (
        (_TIME, "Time Point (time & date)", 0),
        (_VALUE, "Energy (kWh)", 0),
        ("2019-09-30T00:00:00.000000", "Time Point (date)", 1),
        (_DUE, "Energy (kWh)", 1),
    )
    data = [
        {"value": value, "tariff": 0, "subunit": 0, "dimension": dimension, "storagenr": storage}
        for value, dimension, storage in records
    ]
    text = json.dumps({"data": data, "device": {**device, "manufacturer": MANUFACTURER}}).replace("%", "%%")
    for said, place in ((_TIME, "%b"), (_VALUE, "%d"), (_IDENTNR, "%d"), (_ACCESSNR, "%d")):
        text = text.replace(str(said), place)
    return text.encode()


_TEMPLATE = _template()


@dataclass(frozen=True)
class Messages:
    """What the meters send: the message `number` of a meter says the same however often it is sent.

    `start`: a local time without its zone, of the messages 0. `per` meters send together, as an array: then a thing is
    such a group of neighbours.
    """

    start: datetime
    step: timedelta = timedelta(minutes=1)
    per: int = 0
    first_identnr: int = FIRST_IDENTNR

    def body(self, thing: int, number: int) -> bytes:
        if not self.per:
            return self._one(thing, number)
        first = thing * self.per
        return b"[%b]" % b", ".join([self._one(meter, number) for meter in range(first, first + self.per)])

    def mark(self, thing: int, number: int) -> str:
        return ""

    def at(self, number: int) -> datetime:
        return self.start + number * self.step

    def _one(self, meter: int, number: int) -> bytes:
        at = self.at(number).isoformat(timespec="microseconds").encode()
        return _TEMPLATE % (at, 29690 + number, self.first_identnr + meter, number % 256)

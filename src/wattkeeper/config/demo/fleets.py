"""The simulated fleets: what the demo asks of one, and which there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Protocol, TextIO, runtime_checkable

from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.flow.readings.reading import Row
from wattkeeper.kinds.battery.simulator import fleet as packs
from wattkeeper.kinds.meter import demo as meters
from wattkeeper.kinds.vehicle import demo as vehicles


class Fleet(Protocol):
    """A module that simulates a fleet; the same `size` and `origin` give the same lives.

    `HISTORY_DAYS`: how long its history is; None where that is for whoever starts the demo to say.
    """

    STREAM: Stream
    HISTORY_DAYS: int | None

    def tend(self, *, size: int, origin: datetime, at: datetime, tenant: Tenant, by: str) -> None:
        """Do what people do for the fleet, as of `at`: make what readings do not, write what no reading tells."""

    def present(self, *, size: int, origin: datetime, since: datetime) -> Iterator[Row]:
        """The samples from `since` on in the order of time, without end.

        That is the time at which they are received, where the stream notes it.
        """


@runtime_checkable
class FileFleet(Fleet, Protocol):
    """A fleet whose history is a file."""

    def history_write(self, out: TextIO, *, size: int, origin: datetime, since: datetime, until: datetime) -> int:
        """The samples in `[since, until)` as CSV; gives how many."""


@runtime_checkable
class RowsFleet(Fleet, Protocol):
    """A fleet of a stream that takes no files."""

    def history_rows(self, *, size: int, origin: datetime, since: datetime, until: datetime) -> Iterator[Row]:
        """The samples in `[since, until)`, in the order of time as in `present`."""


# By the names under which the demo's state remembers them.
FLEETS: Mapping[str, FileFleet | RowsFleet] = {"vehicles": vehicles, "packs": packs, "meters": meters}

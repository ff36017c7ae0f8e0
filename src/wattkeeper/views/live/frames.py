"""What is sent: frames of things that are now so, and the small ones around them. Pure.

A frame holds, by id, the text of each thing as it is now, or None where it is gone. So frames can be narrowed to some
things and put together, the later over the earlier, without reading or writing JSON again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

_OVERHEAD = 100  # bytes that an item costs beside its text


class Topic(StrEnum):
    """What a frame is about. Two of them are between hubs and their sockets, and say no more than that they are."""

    ASSETS = "assets"
    ALERTS = "alerts"
    RESYNC = "resync"  # something was missed: fetch anew
    WANTED = "wanted"  # somebody listens to this tenant; for hubs alone


@dataclass(frozen=True)
class Frame:
    """What has changed of one tenant's things, or alerts of things, of one kind. `tenant_id` None: all tenants.

    `listed_as` is the name of the list in the text. `items`: the JSON of each, by id, or None: it is gone.
    """

    topic: Topic
    tenant_id: int | None = None
    kind: str = ""
    listed_as: str = ""
    items: Mapping[int, str | None] = field(default_factory=dict)

    @cached_property
    def size(self) -> int:
        """About how many bytes it holds."""
        return sum(_OVERHEAD + len(text or "") for text in self.items.values())

    def narrowed(self, asset_ids: Collection[int]) -> Frame | None:
        """Only these things; None where it has none of them."""
        items, wanted = self.items, asset_ids
        few, many = (wanted, items) if len(wanted) < len(items) else (items, wanted)
        found = {pk: items[pk] for pk in few if pk in many}
        return Frame(self.topic, self.tenant_id, self.kind, self.listed_as, found) if found else None

    def text(self, id: str) -> str:
        """As a socket gets it, under this id."""
        head = f'{{"type":"{self._type}","id":"{id}"'
        if self.topic is Topic.RESYNC:
            return f"{head}}}"
        there = ",".join([text for text in self.items.values() if text is not None])
        gone = ",".join([str(pk) for pk, text in self.items.items() if text is None])
        return f'{head},"{self.listed_as}":[{there}],"removed":[{gone}]}}'

    @property
    def _type(self) -> str:
        return {Topic.ASSETS: f"{self.kind}_update", Topic.ALERTS: "alert_update"}.get(self.topic, str(self.topic))


@dataclass(frozen=True, slots=True)
class Numbered:
    """A frame and its place among all of an epoch; `whole` is its text, made once for all who get it as it is."""

    epoch: str
    number: int
    frame: Frame
    _kept: list[str] = field(default_factory=list, compare=False)

    @property
    def whole(self) -> str:
        if not self._kept:
            self._kept.append(self.frame.text(id_of(self.epoch, self.number)))
        return self._kept[0]


def merged(frames: Iterable[Frame]) -> Frame:
    """One frame of the same topic and kind, that says what all of them say, one after the other."""
    items: dict[int, str | None] = {}
    last: Frame | None = None
    for last in frames:
        for pk, text in last.items.items():
            items.pop(pk, None)  # the newest come last
            items[pk] = text
    assert last is not None, "there is nothing to put together"
    return Frame(last.topic, last.tenant_id, last.kind, last.listed_as, items)


def id_of(epoch: str, number: int) -> str:
    return f"{epoch}-{number}"


def number_in(id: str, epoch: str) -> int | None:
    """The number in an id of this epoch; None where it is of another, or none at all."""
    said, _, number = id.rpartition("-")
    if said != epoch or not (number.isascii() and number.isdecimal() and len(number) < 20):
        return None
    return int(number) if str(int(number)) == number else None  # an id is written in one way


def hello(id: str, *, resumed: bool) -> str:
    return f'{{"type":"hello","id":"{id}","resumed":{"true" if resumed else "false"}}}'


def alive(id: str) -> str:
    return f'{{"type":"alive","id":"{id}"}}'


def error(detail: str) -> str:
    """`detail` is a sentence of ours, without quotation marks."""
    return f'{{"type":"error","detail":"{detail}"}}'

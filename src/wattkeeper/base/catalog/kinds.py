"""A kind is a page of declarations: all that the pipeline and the views need to know of a kind of thing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct

from wattkeeper.base.catalog.alerting import AlertType, RuleDefault
from wattkeeper.base.catalog.channels import Channel
from wattkeeper.base.catalog.streams import Stream

STALE_AFTER = timedelta(minutes=15)


class UnknownAsset(StrEnum):
    """What becomes of a reading whose asset nobody has registered."""

    REGISTER = "register"  # it appears at its first reading
    REFUSE = "refuse"


class NewestRow(Struct, frozen=True, gc=False):
    """The newest stored reading of one asset in a batch: what its current state may become.

    `received_at`: by the clock; None where it came with a file.
    """

    asset_id: int
    at: datetime
    values: Mapping[str, Any]
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the page of one thing that only its kind knows: a template, and what it shows of the asset of an id.

    `wide`: over both columns.
    """

    title: str
    template: str
    context_of: Callable[[int], Mapping[str, Any]]
    wide: bool = False


@dataclass(frozen=True, slots=True)
class KindPage:
    """A page of a kind's own that stands in the bar at the side, for all who may read: the name of its URL."""

    label: str
    url_name: str
    icon: str


def _no_nameplates(asset_ids: Sequence[int]) -> Mapping[int, Mapping[str, float | None]]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Registered by the kind's `AppConfig.ready()`.

    `apply_state` moves the assets' current state forward from the newest rows of a stream, in one statement,
    never backward. `state_relation` is the related name by which an asset leads to its current state: one row an
    asset, with its event time in `at` and a column for each channel that is part of the state.

    `written`: channels of the state that no stream brings, because people or programs write them.
    `nameplate`: what a rule's limit may be relative to, and `nameplate_of` the values: by asset id, then by name.
    `panels`: what the page of one thing shows beside what all kinds have.
    `stale_after`: how old its newest reading is when a thing no longer reports.
    `dashboard_url`: the name of the page that shows the whole fleet, where the kind has one. `pages`: what else it has.
    """

    name: str
    label: str
    label_plural: str
    icon: str
    streams: tuple[Stream, ...]
    unknown_asset: UnknownAsset
    apply_state: Callable[[Stream, Sequence[NewestRow]], None]
    state_relation: str
    written: tuple[Channel, ...] = ()
    nameplate: tuple[Channel, ...] = ()
    nameplate_of: Callable[[Sequence[int]], Mapping[int, Mapping[str, float | None]]] = _no_nameplates
    alert_types: tuple[AlertType, ...] = tuple(AlertType)
    default_rules: tuple[RuleDefault, ...] = ()
    panels: tuple[Panel, ...] = ()
    stale_after: timedelta = STALE_AFTER
    dashboard_url: str = ""
    pages: tuple[KindPage, ...] = ()

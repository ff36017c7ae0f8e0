"""What is known last of an asset: the row behind its kind's `state_relation`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct

from wattkeeper.base.assets.many import among, moment_read, rows_raw
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog.channels import Channel
from wattkeeper.base.catalog.kinds import Kind


class Freshness(StrEnum):
    """How long ago an asset's newest reading was taken, by its own time."""

    NOW = "now"  # less than its kind's `stale_after` ago
    STALE = "stale"
    NEVER = "never"  # there is none


class KnownState(Struct, frozen=True, gc=False):
    """What is known last of an asset: by event time, None while no reading has come; a value for each channel."""

    at: datetime | None
    values: Mapping[str, Any]


def state_channels(kind: Kind) -> tuple[Channel, ...]:
    """The channels that are part of the kind's current state, in the order of their declaration."""
    model = Asset._meta.get_field(kind.state_relation).related_model
    assert model is not None and not isinstance(model, str)
    columns = {field.name for field in model._meta.concrete_fields}
    brought = (channel for stream in kind.streams for channel in stream.channels)
    declared: dict[str, Channel] = {}
    for channel in (*brought, *kind.written):
        declared.setdefault(channel.name, channel)
    return tuple(channel for name, channel in declared.items() if name in columns)


def state_of(asset: Asset, kind: Kind) -> Mapping[str, Any] | None:
    """`{"at": ..., channel: value}` of what is known last; None where nothing is, `at` None before the first reading.

    Costs a question unless the asset was asked for with `select_related(kind.state_relation)`.
    """
    state = getattr(asset, kind.state_relation, None)
    if state is None:
        return None
    return {"at": state.at, **{channel.name: getattr(state, channel.name) for channel in state_channels(kind)}}


def moved_at(asset: Asset, kind: Kind) -> datetime | None:
    """When what is known of it was last written: by the clock where its kind notes that, else by event time.

    Of two states of one asset the one with the later time is the newer.
    """
    state = getattr(asset, kind.state_relation, None)
    return None if state is None else getattr(state, "updated_at", None) or state.at


def freshness_of(at: datetime | None, kind: Kind, *, now: datetime) -> Freshness:
    """How fresh a thing of the kind is whose newest reading was taken at `at`."""
    if at is None:
        return Freshness.NEVER
    return Freshness.NOW if now - at < kind.stale_after else Freshness.STALE


def states_known(kind: Kind, asset_ids: Sequence[int], *, lock: bool = False) -> dict[int, KnownState]:
    """The current states of those assets that have one. `lock`: nobody else changes them until the commit."""
    model = Asset._meta.get_field(kind.state_relation).related_model
    assert model is not None and not isinstance(model, str)
    names = [channel.name for channel in state_channels(kind)]
    rows = model._default_manager.filter(pk__in=among(asset_ids))
    if lock:
        rows = rows.select_for_update()
    found = rows_raw(rows.values_list("pk", "at", *names))
    return {pk: KnownState(moment_read(at), dict(zip(names, values, strict=True))) for pk, at, *values in found}

"""The one function that calls the stages of the pipeline in their order: a batch's whole journey.

A source hands over what it has parsed; it hears from the receipt what became of it. Effects come in this order:
normalise (the source did), store (durable), current state, then whoever listens is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wattkeeper.base.assets.actions import assets_register, assets_seen
from wattkeeper.base.assets.queries import ids_of
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.kinds import NewestRow, UnknownAsset
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.core import bus
from wattkeeper.base.core.clock import now
from wattkeeper.flow.readings import reasons
from wattkeeper.flow.readings.files import DelimitedFile
from wattkeeper.flow.readings.reading import LoadReceipt, Outcome, Reading, Receipt, Refusal, Row
from wattkeeper.flow.store.store import store

WAIT_SECONDS = 30  # for a flush; the caller may send the reading again


@dataclass(frozen=True, slots=True)
class Stored:
    """Told after the commit: readings of these assets have come."""

    stream: Stream
    tenant_id: int
    newest: Sequence[NewestRow]


@dataclass(frozen=True, slots=True)
class KindAssets:
    """Finds, and where its kind allows it makes, the assets that readings speak of."""

    tenant_id: int
    kind: str
    by: str

    def ids_of(self, keys: Sequence[str]) -> Mapping[str, int]:
        return ids_of(tenant_id=self.tenant_id, kind=self.kind, keys=keys)

    def register(self, keys: Sequence[str]) -> Mapping[str, int]:
        if registry.kind(self.kind).unknown_asset is UnknownAsset.REFUSE:
            return {}
        return assets_register(tenant_id=self.tenant_id, kind=self.kind, keys=keys, by=self.by)


def ingest_row(stream: Stream, row: Row, *, tenant_id: int, by: str) -> Receipt | Refusal:
    """One reading through the pipeline; returns when it is durable. BusyError when too many wait."""
    assets = KindAssets(tenant_id, stream.kind, by)
    ids = assets.ids_of([row.asset_key]) or assets.register([row.asset_key])
    if row.asset_key not in ids:
        return Refusal(stream.asset_field, row.asset_key, reasons.UNKNOWN_ASSET)
    reading = Reading(tenant_id, ids[row.asset_key], row)
    receipt = store().append(stream, reading).result(timeout=WAIT_SECONDS)
    if receipt.outcome is Outcome.STORED:
        _after(stream, tenant_id, [NewestRow(reading.asset_id, row.at, row.values)])
    return receipt


def ingest_file(stream: Stream, file: DelimitedFile, *, tenant_id: int, batch_id: int, by: str) -> LoadReceipt:
    """A file of history through the pipeline. With the same `batch_id` it can run again after any failure."""
    receipt, newest = store().load_file(
        stream, file, tenant_id=tenant_id, batch_id=batch_id, assets=KindAssets(tenant_id, stream.kind, by)
    )
    _after(stream, tenant_id, newest)
    return receipt


def _after(stream: Stream, tenant_id: int, newest: Sequence[NewestRow]) -> None:
    registry.kind(stream.kind).apply_state(stream, newest)
    present = now()
    assets_seen({row.asset_id: min(row.at, present) for row in newest})
    bus.tell(Stored(stream, tenant_id, newest))

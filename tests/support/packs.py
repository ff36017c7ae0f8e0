"""A kind of thing of the tests' own, with rules of every sort: packs, whose nameplates a test says."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.states import KnownState
from wattkeeper.base.catalog.channels import Channel, ChannelType, Range
from wattkeeper.base.catalog.kinds import Kind, UnknownAsset
from wattkeeper.base.catalog.streams import Stream
from wattkeeper.base.catalog.units import Unit
from wattkeeper.flow.rules.actions import rule_add
from wattkeeper.flow.rules.fields import RuleFields, fields_changed
from wattkeeper.flow.rules.judge import judge
from wattkeeper.flow.rules.models import Rule
from wattkeeper.flow.rules.verdicts import Judged, Sample

FLOAT, INTEGER, TEXT = ChannelType.FLOAT, ChannelType.INTEGER, ChannelType.TEXT
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
NO_LIMIT = Range(-1e6, 1e6)

NAMEPLATES: dict[int, dict[str, float | None]] = {}  # by asset; a test fills it for the assets that it makes

PACK = Kind(
    name="pack",
    label="Pack",
    label_plural="Packs",
    icon="truck",
    streams=(
        Stream(
            name="pack.status",
            label="Status",
            asset_field="pack",
            channels=(
                Channel(name="charge", label="Charge", type=FLOAT, unit=Unit.PERCENT, hard=Range(0, 100)),
                Channel(name="temperature", label="Temperature", type=FLOAT, unit=Unit.CELSIUS, hard=NO_LIMIT),
                Channel(name="current", label="Current", type=FLOAT, unit=Unit.AMPERE, hard=NO_LIMIT),
                Channel(name="status", label="Status", type=TEXT, choices=("IDLE", "CHARGING", "FAULT")),
            ),
        ),
    ),
    written=(Channel(name="health", label="Health", type=FLOAT, unit=Unit.PERCENT, hard=Range(0, 100)),),
    nameplate=(
        Channel(name="nominal", label="Nominal", type=FLOAT, hard=NO_LIMIT),
        Channel(name="strongest", label="Strongest", type=FLOAT, hard=NO_LIMIT),
    ),
    nameplate_of=lambda asset_ids: {asset_id: NAMEPLATES.get(asset_id, {}) for asset_id in asset_ids},
    unknown_asset=UnknownAsset.REFUSE,
    apply_state=lambda stream, rows: None,
    state_relation="vehicle_state",
)

HOT = RuleFields(
    kind="pack",
    name="Hot",
    channel="temperature",
    condition="above",
    limit="50",
    level="CRITICAL",
    alert_type="OVER_TEMPERATURE",
)


def pack(tenant: Tenant, key: str = "P1", *, nameplate: Mapping[str, float | None] | None = None, **own: Any) -> Asset:
    """A pack with that nameplate."""
    made = Asset.objects.create(tenant=tenant, kind="pack", key=key, registered_by="test", **own)
    NAMEPLATES[made.pk] = dict(nameplate or {})
    return made


def hot(**fields: Any) -> RuleFields:
    """HOT, but for `fields`."""
    return fields_changed(HOT, fields)


def rule(tenant: Tenant, **fields: Any) -> Rule:
    """A rule of the tenant: HOT, but for `fields`."""
    return rule_add(tenant=tenant, fields=hot(**fields), actor="user:1")


def sample(asset: Asset, minutes: float = 0, **values: Any) -> Sample:
    """What the asset said so many minutes after NOON, heard of two seconds later."""
    at = NOON + timedelta(minutes=minutes)
    return Sample(asset.tenant_id, asset.pk, at, at + timedelta(seconds=2), values)


def known(minutes: float | None = -1, **values: Any) -> KnownState:
    """What was known so many minutes after NOON; None: from people, before the first reading."""
    return KnownState(None if minutes is None else NOON + timedelta(minutes=minutes), values)


def judged(
    *samples: Sample,
    before: Mapping[int, KnownState] | None = None,
    watched: Collection[tuple[Rule, Asset]] = (),
    kind: Kind = PACK,
) -> list[Judged]:
    """What the rules say of the samples."""
    pairs = [(one.pk, asset.pk) for one, asset in watched]
    return judge(kind, samples, before=before or {}, watched=pairs)


def told(verdicts: Sequence[Judged]) -> list[tuple[str, str]]:
    """The rules' names and what they say."""
    return [(one.rule.name, one.verdict.value) for one in verdicts]

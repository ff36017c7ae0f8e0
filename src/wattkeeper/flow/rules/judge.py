"""Readings through the rules."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from wattkeeper.base.assets.states import KnownState
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.flow.rules.verdicts import Judged, Sample


def judge(
    kind: Kind, samples: Sequence[Sample], *, before: Mapping[int, KnownState], watched: Collection[tuple[int, int]]
) -> list[Judged]:
    """What the tenants' rules say of the samples, in the samples' order.

    `samples` are sorted by asset and event time, and newer than `before`: what was known of each asset. `watched` are
    the pairs of rule and asset that are not clear. Given are breaches, and every verdict on a pair that is watched or
    has breached earlier in the call; of a watched `silent` rule that the asset has been heard of.
    """
    raise NotImplementedError

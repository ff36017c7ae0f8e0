"""What is asked about batteries and devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wattkeeper.kinds.battery.models import Battery
from wattkeeper.kinds.battery.streams import NAMEPLATE

_NAMEPLATE = tuple(channel.name for channel in NAMEPLATE)


def nameplates_of(asset_ids: Sequence[int]) -> Mapping[int, Mapping[str, float | None]]:
    """The nameplates of those batteries, by asset id; of each a value for every channel of NAMEPLATE."""
    rows = Battery.objects.filter(pk__in=asset_ids).values_list("pk", *_NAMEPLATE)
    return {pk: dict(zip(_NAMEPLATE, values, strict=True)) for pk, *values in rows}

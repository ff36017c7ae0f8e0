"""Counts as pictures, drawn by the server; `/components/` shows each. Their colours are in wattkeeper.css, by class.

Each count has its name, its number and, where there is one, the address of what it counts: never a colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django import template

register = template.Library()

COLOURS = 6  # the sheet's series
SLICES_MOST = 6  # more would be too thin to tell apart
_RADIUS = 100 / (2 * math.pi)  # so that the whole way round is 100
_BETWEEN = 0.8  # of 100


@dataclass(frozen=True, slots=True)
class Share:
    """`look` is a class of the sheet; without one it has its place's colour."""

    name: str
    count: int
    address: str = ""
    look: str = ""


@register.inclusion_tag("wattkeeper/components/pie.html")
def pie(shares: Sequence[Share], label: str, noun: str) -> dict[str, Any]:
    """A ring of slices, with the list of them beside it; `noun` is what they add up to. The smallest become one."""
    counted = [one for one in shares if one.count]
    kept, rest = counted, counted[SLICES_MOST:]
    if rest:
        kept = sorted(counted, key=lambda one: -one.count)[: SLICES_MOST - 1]
        left = sum(one.count for one in counted) - sum(one.count for one in kept)
        kept = [*kept, Share(f"{len(counted) - len(kept)} others", left, look="quiet")]
    total = sum(one.count for one in kept)
    return {"slices": list(_slices(kept, total)), "label": label, "noun": noun, "total": total, "radius": _RADIUS}


@register.inclusion_tag("wattkeeper/components/tallies.html")
def tallies(shares: Sequence[Share], label: str, none: str = "None") -> dict[str, Any]:
    """A bar for each, the longest as long as there is room."""
    most = max((one.count for one in shares), default=0)
    return {"rows": [(one, 100 * one.count / most if most else 0) for one in shares], "label": label, "none": none}


def _slices(shares: Sequence[Share], total: int) -> Iterator[dict[str, Any]]:
    """Each with its length, and how far round it begins; both in hundredths of the ring, from the top."""
    begin, between = 0.0, _BETWEEN if len(shares) > 1 else 0.0
    for place, share in enumerate(shares):
        part = 100 * share.count / total
        length = max(part - between, 0.2)
        yield {
            "share": share if share.look else replace(share, look=f"series-{place % COLOURS + 1}"),
            "percent": part,
            "length": round(length, 3),
            "rest": round(100 - length, 3),
            "offset": round(25 - begin, 3),
        }
        begin += part

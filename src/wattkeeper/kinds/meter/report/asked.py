"""Which report is asked for, as an address says it. Whatever cannot be understood is a 400 that names it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from wattkeeper.base.assets.queries import LONGEST_TEXT
from wattkeeper.base.assets.zones import SiteZones
from wattkeeper.base.core.errors import BadRequestError
from wattkeeper.kinds.meter.codes import media
from wattkeeper.kinds.meter.report.months import Month, month_said
from wattkeeper.views.api.parameters import one_of

BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class Only(StrEnum):
    """Which lines of a report: those whose meter says that something is wrong, or whose date is not its own."""

    ERROR = "error"
    FLAGGED = "flagged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`month` None: the one that each site is in. `site` empty and `device_type` None: all."""

    month: Month | None = None
    site: str = ""
    device_type: int | None = None
    only: Only | None = None
    raw: bool = False
    all_pairs: bool = False
    format: str = "csv"


PARAMETERS = ("month", "raw", "all", "format", "site", "type", "only", "tenant")


def asked_of(
    parameters: Mapping[str, Sequence[str]], *, zones: SiteZones, formats: Sequence[str], now: datetime
) -> Asked:
    """What a file's address says; also a parameter that is none is wrong, for it may be one that is misspelt."""
    for name, values in parameters.items():
        if name not in PARAMETERS:
            raise BadRequestError(f"This is not one of {', '.join(PARAMETERS)}.", field=name[:40])
        if len(values) > 1:
            raise BadRequestError("This is said more than once.", field=name)
    said = {name: _text(values[0], name) for name, values in parameters.items()}
    month = said.get("month", "")
    only = one_of(said.get("only", ""), [one.value for one in Only], "only")
    return Asked(
        month=month_said(month, zones=zones.all, now=now) if month else None,
        site=said.get("site", ""),
        device_type=type_said(said.get("type", "")),
        only=Only(only) if only else None,
        raw=_truth(said.get("raw", ""), "raw"),
        all_pairs=_truth(said.get("all", ""), "all"),
        format=one_of(said.get("format", ""), formats, "format") or "csv",
    )


def type_said(text: str) -> int | None:
    """The medium that `heat`, `4` or `heat (4)` names; None of nothing."""
    if not text:
        return None
    code = media.code_said(text)
    if code is None:
        raise BadRequestError(f"{text[:40]!r} is not a medium, such as heat, 4 or heat (4).", field="type")
    return code


def _truth(text: str, field: str) -> bool:
    return bool(BOOLEANS.get(one_of(text.lower(), tuple(BOOLEANS), field), False))


def _text(text: str, field: str) -> str:
    text = text.strip()
    if "\0" in text:
        raise BadRequestError("Contains a NUL byte.", field=field)
    if len(text) > LONGEST_TEXT:
        raise BadRequestError(f"Longer than {LONGEST_TEXT} characters.", field=field)
    return text

"""How pages show states that channels tell by their names. Kinds register theirs; what registers nothing is shown as it
is called. Files and the API have the names."""

from __future__ import annotations

from collections.abc import Mapping

from wattkeeper.views.dashboard.templatetags.components import StateBadge

_badges: dict[str, Mapping[str, Mapping[str, StateBadge]]] = {}


def register(kind: str, badges: Mapping[str, Mapping[str, StateBadge]]) -> None:
    """Show the states of `kind` so, by channel and name; ValueError if somebody has said so already."""
    if kind in _badges:
        raise ValueError(f"How the states of the kind {kind} are shown is registered twice")
    _badges[kind] = badges


def badges_of(kind: str) -> Mapping[str, Mapping[str, StateBadge]]:
    """By channel, then by the state's name."""
    return _badges.get(kind, {})

"""What a kind shows of its things otherwise than all kinds do: columns of its own, and other tiles. Kinds register
theirs; of what registers nothing each channel of the state is a column and a tile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.assets.models import Asset
from wattkeeper.views.dashboard.templatetags.components import StateBadge


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Of the list. `cell` gives what stands in it, asked of assets with their state. One with a channel's name stands
    in its place. `sort`: the channel by which it is sorted, where there is one."""

    name: str
    label: str
    cell: Callable[[Asset], SafeString]
    numeric: bool = False
    sort: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """On the page of one thing. `is_wide`: what stands in it is long, and not to be broken."""

    label: str
    content: SafeString
    is_wide: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """From the list to another page, for those who may."""

    label: str
    url_name: str
    icon: str
    action: Action = Action.READ


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """`at_first`: the columns, own ones and channels, that the list has where nobody chooses; none: all of them.
    `tiles`: those of one thing, in place of its channels'. `window`: the time that its page shows at first.
    `hides_unsaid`: no chart of a channel of which a thing's state says nothing, where things of the kind are of many
    makes. `has_keys`: the list has the key below the name that people have given. `silent`: of those of the ids that
    are silent for a good reason, what to say instead. `first_sent`: the line by which a program sends the first of
    them, after the server's address; where none stands, they come by files."""

    columns: tuple[Column, ...] = ()
    at_first: tuple[str, ...] = ()
    tiles: Callable[[Asset], Sequence[Tile]] | None = None
    links: tuple[Link, ...] = ()
    window: str = ""
    has_keys: bool = False
    hides_unsaid: bool = False
    silent: Callable[[Sequence[int]], Mapping[int, StateBadge]] | None = None
    first_sent: str = ""


_looks: dict[str, Looks] = {}
_PLAIN = Looks()


def register(kind: str, looks: Looks) -> None:
    """Show the things of `kind` so; ValueError if somebody has said so already."""
    if kind in _looks:
        raise ValueError(f"How the things of the kind {kind} look is registered twice")
    _looks[kind] = looks


def looks_of(kind: str) -> Looks:
    return _looks.get(kind, _PLAIN)

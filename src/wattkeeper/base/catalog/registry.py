"""The kinds and streams that this installation knows. Filled once, at start."""

from __future__ import annotations

from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.base.catalog.streams import Stream

_kinds: dict[str, Kind] = {}
_streams: dict[str, Stream] = {}


def register(kind: Kind) -> None:
    """Make `kind` and its streams known; ValueError if the name is taken."""
    if kind.name in _kinds:
        raise ValueError(f"The kind {kind.name} is registered twice")
    _kinds[kind.name] = kind
    _streams.update({stream.name: stream for stream in kind.streams})


def kinds() -> tuple[Kind, ...]:
    return tuple(_kinds.values())


def kind(name: str) -> Kind:
    """The kind of that name; KeyError if there is none."""
    return _kinds[name]


def streams() -> tuple[Stream, ...]:
    return tuple(_streams.values())


def stream(name: str) -> Stream:
    """The stream of that name; KeyError if there is none."""
    return _streams[name]

"""The hub of this process, and what it hears."""

from __future__ import annotations

import asyncio

from wattkeeper.base.assets.events import AssetChanged
from wattkeeper.base.core import bus
from wattkeeper.flow.alerts.events import AlertsMoved
from wattkeeper.flow.ingest import Stored
from wattkeeper.views.live.hub import Hub
from wattkeeper.views.live.links import Link, LocalLink

_hub: Hub | None = None


def start(loop: asyncio.AbstractEventLoop, link: Link | None = None) -> None:
    """Make frames from now on, for sockets of this event loop. Without a link they are this process's alone."""
    global _hub
    started = Hub(loop, link or LocalLink())
    started.start()
    _hub = started


def stop() -> None:
    """Make no more frames."""
    global _hub
    stopped, _hub = _hub, None
    if stopped is not None:
        stopped.stop()


def hub() -> Hub | None:
    """None while this process serves nobody, or not any more."""
    return _hub


def listen() -> None:
    """Hear, from now on, of all that changes things and alerts. Once."""
    bus.listen(Stored, _stored)
    bus.listen(AssetChanged, _changed)
    bus.listen(AlertsMoved, _moved)


def _stored(event: Stored) -> None:
    if _hub is not None:
        _hub.notes.assets(event.tenant_id, event.stream.kind, [row.asset_id for row in event.newest])


def _changed(event: AssetChanged) -> None:
    if _hub is not None:
        _hub.notes.assets(event.tenant_id, event.kind, [event.asset_id], changed=True)


def _moved(event: AlertsMoved) -> None:
    if _hub is not None:
        _hub.notes.alerts([transition.alert_id for transition in event.transitions])

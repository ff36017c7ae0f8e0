"""What a serving process holds, opened in the order of the floors and closed in reverse."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import threading
import time
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from wattkeeper.base.catalog import registry
from wattkeeper.config.demo.feed import DemoFeed
from wattkeeper.config.env import load as load_env
from wattkeeper.config.jobs import EmbeddedConsumer
from wattkeeper.config.notifier import Notifier
from wattkeeper.config.outside import outside_of
from wattkeeper.config.watch import Watch
from wattkeeper.flow import ingest
from wattkeeper.flow.notify.channels.outside import connect as notify_connect
from wattkeeper.flow.store.engine import EngineOptions
from wattkeeper.flow.store.store import close_store, open_store
from wattkeeper.views.live import process as live
from wattkeeper.views.live.links import Link

log = logging.getLogger("wattkeeper")

HOLDER = "WATTKEEPER_HOLDER"  # how a serving process names itself in the lock: set by `serve`
DEMO_FEED = "WATTKEEPER_DEMO_FEED"  # set by `demo --serve`
_PARENT_POLL_SECONDS = 0.5
# Whoever computes lets another thread in after this long. A flush calls the database and the engine some thirty times,
# and after each call waits for its turn again: at Python's own 5 ms it would wait longer than it works.
_SWITCH_SECONDS = 0.0005
# New objects between two looks for cycles among them. What was there at the start is for good, and is left out: each
# full look at it would hold up everyone for a tenth of a second.
_OBJECTS_BETWEEN_COLLECTIONS = 50_000

_consumer: EmbeddedConsumer | None = None
_feed: DemoFeed | None = None
_notifier: Notifier | None = None
_watch: Watch | None = None


def engine_options(*, holder: str) -> EngineOptions:
    """The readings' engine as the settings want it."""
    env = load_env()
    return EngineOptions(
        dsn=env.readings_dsn,
        max_memory_bytes=env.readings_max_memory_mb << 20,
        max_threads=env.readings_max_threads,
        holder=holder,
    )


def start(loop: asyncio.AbstractEventLoop) -> None:
    """Open the store, judge what is not yet judged, then start the background work; live frames go out by `loop`.

    HomeInUseError if another server has this home.
    """
    global _consumer, _feed, _notifier, _watch
    if HOLDER in os.environ:
        threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    Path(settings.HOME).mkdir(parents=True, exist_ok=True)
    notify_connect(outside_of(load_env()))  # again: by now the address that is served on is known
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 20)
    open_store(engine_options(holder=os.environ.get(HOLDER, "a server")), registry.streams())
    ingest.start(registry.streams())
    live.start(loop, _link())
    _watch = Watch()
    _watch.start()
    _notifier = Notifier()
    _notifier.start()
    _consumer = EmbeddedConsumer()
    _consumer.start()
    if os.environ.get(DEMO_FEED):
        _feed = DemoFeed(settings.HOME)
        _feed.start()


def stop() -> None:
    if _feed is not None:
        _feed.stop()
    if _consumer is not None:
        _consumer.stop()
    if _watch is not None:
        _watch.stop()
    live.stop()
    ingest.stop()
    if _notifier is not None:
        _notifier.stop()
    close_store()


def _link() -> Link | None:
    """What links the live frames of this process with those of others; None where there are no others."""
    url = load_env().redis_url
    if not url:
        return None
    try:
        from wattkeeper.views.live.redis_link import RedisLink
    except ImportError:
        raise ImproperlyConfigured("REDIS_URL is set, but redis is missing: pip install wattkeeper[redis].") from None
    return RedisLink(url)


def _end_with_parent(parent: int) -> None:
    """A worker whose supervisor was killed would go on alone, holding the home and the port.

    It ends at once, as if killed too: what was acknowledged is durable, and the rest is made good at the start.
    """
    while os.getppid() == parent:
        time.sleep(_PARENT_POLL_SECONDS)
    os._exit(1)

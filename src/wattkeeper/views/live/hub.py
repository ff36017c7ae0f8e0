"""The one hub of a process: it hears what has changed, has frames made of it, and hands them to its sockets."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from django.db import close_old_connections, connections
from prometheus_client import Counter, Gauge

from wattkeeper.views.live.frames import Frame, Numbered, Topic, id_of, number_in
from wattkeeper.views.live.links import Delivery, Link
from wattkeeper.views.live.mailbox import FullError, Mailbox
from wattkeeper.views.live.making import ITEMS_MOST, Maker
from wattkeeper.views.live.notes import Notes
from wattkeeper.views.live.pace import Batch, Pace
from wattkeeper.views.live.ring import LINGER_SECONDS, Ring

log = logging.getLogger(__name__)

WANT_SECONDS = LINGER_SECONDS / 3  # between two times that a hub says to whom its sockets listen
ASSETS_MOST = 2 * ITEMS_MOST  # that are read at once; the rest is next
_CLEAN_SECONDS = 30.0  # between two looks at the connection to the database

SOCKETS = Gauge("wattkeeper_live_sockets", "Live sockets that are open.")
FRAMES = Counter("wattkeeper_live_frames", "Frames that this process has made.", ["topic"])
DROPPED = Counter("wattkeeper_live_dropped", "Live sockets that were closed by the server.", ["why"])
RESUMED = Counter("wattkeeper_live_resumed", "Live sockets that came back, by whether nothing was missed.", ["whole"])


class Subscriber:
    """A socket as the hub knows it: its mailbox, and whom to tell that something is in it. Of the event loop alone."""

    def __init__(self, mailbox: Mailbox, *, wake: Callable[[], None], drop: Callable[[], None]) -> None:
        self.mailbox = mailbox
        self.wake = wake
        self.drop = drop  # it reads too slowly
        self.is_idle = False
        self.batch: Batch | None = None


class Hub:
    """`start` and `stop` once, then it is over. What is noted may come from any thread; the rest is the event loop's.

    A number is given to each frame by the link. The ring and the mailboxes change on the event loop only, so a socket
    that opens sees each frame either in the ring or in its mailbox.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, link: Link, *, ring: Ring | None = None) -> None:
        self.notes = Notes()
        self.subscribers: set[Subscriber] = set()
        self._loop, self._link = loop, link
        self._ring = ring or Ring()
        self._pace = Pace()
        self._scopes: dict[int | None, int] = {}  # how many sockets listen to each tenant; replaced, never changed
        self._thread = threading.Thread(target=self._make, name="live", daemon=True)

    def start(self) -> None:
        """Called from outside of the event loop, or within it."""
        self._link.start(self._deliver)
        self._thread.start()

    def stop(self) -> None:
        """Make no more frames. Sockets are closed by who has them."""
        self.notes.end()
        self._thread.join()
        self._link.stop()

    # -- sockets: on the event loop ----------------------------------------------------------------------------------

    @property
    def newest_id(self) -> str:
        return id_of(self._ring.epoch, self._ring.newest)

    @property
    def epoch(self) -> str:
        return self._ring.epoch

    def open(self, subscriber: Subscriber, *, after: str = "") -> tuple[str, bool]:
        """From now on it gets frames; gives the id that it begins with, and whether none is missing since `after`."""
        mailbox = subscriber.mailbox
        missed = None
        if after and (number := number_in(after, self._ring.epoch)) is not None:
            missed = self._ring.since(number, mailbox.tenant_id, at=time.time())
        begins, resumed = (after, True) if missed is not None else (self.newest_id, False)
        try:
            for numbered in missed or ():
                mailbox.put(numbered)
        except FullError:  # it is better off fetching anew
            subscriber.mailbox = Mailbox(tenant_id=mailbox.tenant_id, kind=mailbox.kind, watched=mailbox.watched)
            begins, resumed = self.newest_id, False
        if after:
            RESUMED.labels(str(resumed).lower()).inc()
        self.subscribers.add(subscriber)
        SOCKETS.inc()
        self._count(mailbox.tenant_id, 1)
        self.notes.want([mailbox.tenant_id])
        if not resumed:
            self.look(mailbox.watched or ())
        return begins, resumed

    def watch(self, subscriber: Subscriber, asset_ids: Iterable[int] | None) -> None:
        """It is told of these things alone (None: of all); of those that it was not told of before, how they are.

        All may be many, of which it has asked for most: where it changes to all, it is to fetch anew.
        """
        mailbox = subscriber.mailbox
        before, mailbox.watched = mailbox.watched, None if asset_ids is None else frozenset(asset_ids)
        if before is None:
            return
        if mailbox.watched is not None:
            self.look(mailbox.watched - before)
            return
        mailbox.put(Numbered(self._ring.epoch, self._ring.newest, Frame(Topic.RESYNC)))
        if subscriber.is_idle:
            subscriber.is_idle = False
            subscriber.wake()

    def look(self, asset_ids: Iterable[int]) -> None:
        """Show these as they are, to all who watch them."""
        if ids := list(asset_ids):
            self.notes.look(ids)

    def close(self, subscriber: Subscriber) -> None:
        """It gets nothing more. Closing it twice is closing it once."""
        if subscriber in self.subscribers:
            self.subscribers.remove(subscriber)
            SOCKETS.dec()
            self._count(subscriber.mailbox.tenant_id, -1)
            self.sent(subscriber)

    def sent(self, subscriber: Subscriber) -> None:
        """All that it had got is sent."""
        if subscriber.batch is not None:
            subscriber.batch.sent()
            subscriber.batch = None

    def _count(self, tenant_id: int | None, more: int) -> None:
        counts = dict(self._scopes)
        counts[tenant_id] = counts.get(tenant_id, 0) + more
        self._scopes = {scope: count for scope, count in counts.items() if count}

    # -- frames: from the link, onto the event loop ------------------------------------------------------------------

    def _deliver(self, delivery: Delivery) -> None:
        try:
            self._loop.call_soon_threadsafe(self._delivered, delivery, time.monotonic())
        except RuntimeError:  # the loop is closed: the process ends
            return

    def _delivered(self, delivery: Delivery, began: float) -> None:
        if delivery.restart is not None:
            self._ring.restart(*delivery.restart)
            self.notes.want(self._scopes)
        if delivery.again:
            self.notes.look(pk for topic, pk in delivery.again if topic is Topic.ASSETS)
            self.notes.alerts(pk for topic, pk in delivery.again if topic is Topic.ALERTS)
        batch = Batch(self._pace, began)
        for numbered, at in delivery.frames:
            self._ring.add(numbered, at=at)
            if numbered.frame.topic is Topic.WANTED:
                self.notes.wake()
                continue
            for subscriber in list(self.subscribers):
                try:
                    is_for_it = subscriber.mailbox.put(numbered)
                except FullError:
                    subscriber.drop()
                    continue
                if is_for_it and subscriber.is_idle:
                    subscriber.is_idle = False
                    subscriber.batch = batch
                    batch.woken()
                    subscriber.wake()

    # -- the maker: a thread of its own ------------------------------------------------------------------------------

    def _make(self) -> None:
        maker, wants, cleaned = Maker(), 0.0, time.monotonic()
        try:
            while not self.notes.is_over:
                self.notes.wait(
                    alerts_from=self._pace.alerts_from, assets_from=self._pace.assets_from, is_heard=self._is_any_heard
                )
                now = time.monotonic()
                if now >= wants + WANT_SECONDS:
                    wants = now
                    self.notes.want(self._scopes)
                if now >= cleaned + _CLEAN_SECONDS:
                    cleaned = now
                    close_old_connections()
                try:
                    self._make_once(maker)
                except Exception:
                    log.exception("Frames could not be made; sockets are told to fetch anew")
                    close_old_connections()
                    self._link.publish([Frame(Topic.RESYNC)])
        finally:
            connections.close_all()

    def _make_once(self, maker: Maker) -> None:
        began = time.monotonic()
        with_assets = began >= self._pace.assets_from
        taken = self.notes.take(
            with_assets=with_assets, is_heard=self._is_heard, assets_most=ASSETS_MOST, alerts_most=ITEMS_MOST
        )
        if taken.wanted:
            self._link.publish([Frame(Topic.WANTED, tenant_id) for tenant_id in taken.wanted])
        for frames in maker.frames(taken, is_heard=self._is_heard):
            self._publish(frames)
        self._pace.made(began=began, with_assets=with_assets)

    def _publish(self, frames: Sequence[Frame]) -> None:
        for frame in frames:
            FRAMES.labels(str(frame.topic)).inc()
        if frames:
            self._link.publish(frames)

    def _is_heard(self, tenant_id: int | None) -> bool:
        return tenant_id in self._scopes or None in self._scopes or self._ring.is_wanted(tenant_id, at=time.time())

    def _is_any_heard(self) -> bool:
        return bool(self._scopes) or self._ring.is_any_wanted(at=time.time())

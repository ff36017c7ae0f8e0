"""The worker that tells people: woken by what happens to alerts, and by a clock."""

from __future__ import annotations

import logging
import threading
import time

from django.db import close_old_connections, connections

from wattkeeper.base.core import bus
from wattkeeper.flow.alerts.events import AlertsMoved
from wattkeeper.flow.notify.deliver import Claim, claims_take, leases_renew, notification_send
from wattkeeper.flow.notify.gather import transitions_gather
from wattkeeper.flow.notify.repeat import news_repeat

log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
# Between two looks: each writes, and while alerts move many times a second readings wait for the same database.
LEAST_SECONDS = 0.5
RENEW_SECONDS = 15.0
STOP_SECONDS = 2.0
# Channels: one that hangs has a thread of its own, and holds up nobody. More than one tenant may have.
MOST_AT_ONCE = 64


class Notifier:
    """Gathers, repeats and sends until it is stopped: `start` and `stop` once."""

    def __init__(self, *, stop_seconds: float = STOP_SECONDS) -> None:
        self._stop_seconds = stop_seconds
        self._over = threading.Event()
        self._woken = threading.Event()
        self._lock = threading.Lock()
        self._sending: dict[threading.Thread, Claim] = {}
        self._renewed_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)

    def start(self) -> None:
        bus.listen(AlertsMoved, lambda _: self._woken.set())
        self._thread.start()

    def stop(self) -> None:
        """What is on its way has a moment to be noted. What hangs is left to its lease: the next server sends it."""
        self._over.set()
        self._woken.set()
        self._thread.join()
        until = time.monotonic() + self._stop_seconds
        with self._lock:
            sending = list(self._sending)
        for thread in sending:
            thread.join(max(0.0, until - time.monotonic()))

    def _run(self) -> None:
        try:
            while not self._over.is_set():
                self._woken.clear()
                close_old_connections()
                try:
                    self._work()
                except Exception:
                    log.exception("The notifier failed; it goes on")
                if not self._over.wait(LEAST_SECONDS):
                    self._woken.wait(EVERY_SECONDS - LEAST_SECONDS)
        finally:
            connections.close_all()

    def _work(self) -> None:
        transitions_gather()
        news_repeat()
        with self._lock:
            sending = list(self._sending.values())
        if time.monotonic() - self._renewed_at > RENEW_SECONDS:
            leases_renew(sending)
            self._renewed_at = time.monotonic()
        busy = {claim.channel_id: claim.tenant_id for claim in sending}
        for claim in claims_take(busy, most=MOST_AT_ONCE - len(sending)):
            # A daemon: a process that ends does not wait for an endpoint that hangs.
            thread = threading.Thread(target=self._send, args=(claim,), name="notify", daemon=True)
            with self._lock:
                self._sending[thread] = claim
            thread.start()

    def _send(self, claim: Claim) -> None:
        try:
            notification_send(claim)
        except Exception:
            log.exception("A notification could not be sent; its lease ends, and it is sent again")
        finally:
            connections.close_all()
            with self._lock:
                del self._sending[threading.current_thread()]
            self._woken.set()  # the channel is free for what waits for it

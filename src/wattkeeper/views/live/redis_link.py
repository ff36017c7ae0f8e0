"""Hubs of several processes, linked by a Redis Stream: each publishes to it and reads all of it, its own frames too.

So all number alike, and a client goes on at another process. While Redis is away, frames still reach the sockets of
the process that made them, under numbers of its own; when it is back, every socket fetches anew. So it does where
an entry of the stream cannot be read: what that said is missed, and nothing else is.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from wattkeeper.views.live.frames import Frame, Numbered, Topic
from wattkeeper.views.live.links import Deliver, Delivery, Numbers

log = logging.getLogger(__name__)

PREFIX = "wattkeeper:live"
FORMAT = 1  # of an entry; raise it with every change of `_packed`: releases that write otherwise keep apart
FRAMES_MOST = 4_000  # that the stream keeps, about
PRELOADED_MOST = 2_000
ANSWER_SECONDS = 2.0
BLOCK_MS = 1_000
AGAIN_SECONDS = 1.0  # between two attempts to reach a Redis that is away
_COUNT = 200
# Two processes that read the same thing within this time may have published the older of what they read last.
_CROSSED_SECONDS = 2.0
_SHIFT = 20  # a stream's id is a time in ms and a count within it; one number has both

Entry = tuple[bytes, dict[bytes, bytes]]


class _Came(NamedTuple):
    """An entry, read. `serial`: how its origin counts it; None where that cannot be read."""

    numbered: Numbered
    at: float
    origin: bytes
    serial: int | None


class RedisLink:
    """`start` and `stop` once. `url` may hold a password: it is in no log."""

    def __init__(self, url: str, *, prefix: str = PREFIX) -> None:
        self._stream, self._epoch_key = (f"{prefix}:v{FORMAT}:{name}" for name in ("frames", "epoch"))
        self._writer, self._reader = (_client(url, seconds) for seconds in (ANSWER_SECONDS, 2 * ANSWER_SECONDS))
        self._origin = secrets.token_hex(6).encode()
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._deliver: Deliver | None = None
        self._epoch = ""
        self._last = b"0-0"  # of the stream, what was read
        self._alone: Numbers | None = None  # while Redis is away
        self._unread: OrderedDict[int, Frame] = OrderedDict()  # published, and not yet come back
        self._published = 0
        self._is_unreadable_told = False
        self._origins: OrderedDict[tuple[Topic, int], tuple[bytes, float]] = OrderedDict()
        self._thread = threading.Thread(target=self._read, name="live-redis", daemon=True)

    def start(self, deliver: Deliver) -> None:
        self._deliver = deliver
        with self._lock:
            try:
                self._join()
            except redis.RedisError as error:
                self._leave(error)
        self._thread.start()

    def publish(self, frames: Sequence[Frame]) -> None:
        with self._lock:
            numbers = {self._serial(): frame for frame in frames}
            if self._alone is None:
                self._unread |= numbers
                try:
                    self._write(numbers)
                except redis.RedisError as error:
                    self._leave(error)  # delivers what is unread
            else:
                self._told(self._alone.given(frames))

    def stop(self) -> None:
        self._over.set()
        self._deliver = None
        self._thread.join(2 * BLOCK_MS / 1e3)
        self._writer.close()
        self._reader.close()

    def _serial(self) -> int:
        self._published += 1
        return self._published

    def _write(self, frames: dict[int, Frame]) -> None:
        pipe = self._writer.pipeline(transaction=False)
        for number, frame in frames.items():
            fields: dict[Any, Any] = {"o": self._origin, "n": number, "f": _packed(frame)}
            pipe.xadd(self._stream, fields, maxlen=FRAMES_MOST, approximate=True)
        pipe.get(self._epoch_key)
        self._require_same(pipe.execute()[-1])

    def _require_same(self, epoch: Any) -> None:
        if epoch != self._epoch.encode():
            raise redis.DataError("Redis was emptied, or is another than it was")

    # -- away, and back ----------------------------------------------------------------------------------------------

    def _leave(self, error: redis.RedisError) -> None:
        """Redis is away: go on alone, and begin with what may not have reached anybody."""
        if self._alone is not None:
            return
        # Its class alone: what it says may hold the address.
        log.warning("Redis does not answer (%s): live frames reach this process's own sockets", type(error).__name__)
        self._alone = Numbers()
        self._told(self._alone.begin())
        unread, self._unread = list(self._unread.values()), OrderedDict()
        self._told(self._alone.given(unread))

    def _join(self) -> None:
        """Number as all others do, and know what they know of the newest frames."""
        self._writer.set(self._epoch_key, secrets.token_hex(6), nx=True)
        self._epoch = cast("bytes", self._writer.get(self._epoch_key) or b"").decode()
        newest = cast("list[Entry]", self._writer.xrevrange(self._stream, count=PRELOADED_MOST))[::-1]
        was_away = self._alone is not None
        self._alone = None
        self._last = newest[-1][0] if newest else self._last
        before = _number_of(newest[0][0]) - 1 if newest else _number_of(self._last)
        came = [self._came(entry) for entry in newest]
        self._told(Delivery([(one.numbered, one.at) for one in came], restart=(self._epoch, before)))
        if was_away:
            log.info("Redis answers again; live sockets are told to fetch anew")
            self._write({self._serial(): Frame(Topic.RESYNC)})

    # -- reading -----------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        looked = 0.0
        while not self._over.is_set():
            try:
                if self._alone is not None:
                    with self._lock:
                        self._join()
                answer: Any = self._reader.xread({self._stream: self._last}, count=_COUNT, block=BLOCK_MS)
                if time.monotonic() > looked + BLOCK_MS / 1e3:
                    self._require_same(self._reader.get(self._epoch_key))
                    looked = time.monotonic()
                for _, entries in answer or ():
                    self._take(entries)
            except redis.RedisError as error:
                with self._lock:
                    if not self._over.is_set():
                        self._leave(error)
                self._over.wait(AGAIN_SECONDS)
            except Exception:
                log.exception("What came by Redis could not be read; it goes on")
                self._over.wait(AGAIN_SECONDS)

    def _take(self, entries: Sequence[Entry]) -> None:
        with self._lock:
            if self._alone is not None:  # it went away in between, and what this says was told already
                return
            self._last = entries[-1][0]
            came = [self._came(entry) for entry in entries]
            for one in came:
                if one.origin == self._origin and one.serial is not None:
                    self._unread.pop(one.serial, None)
            self._told(Delivery([(one.numbered, one.at) for one in came], again=self._crossed(came)))

    def _came(self, entry: Entry) -> _Came:
        """What cannot be read counts as a RESYNC, in its place among the others."""
        entry_id, fields = entry
        try:
            frame = _unpacked(fields.get(b"f", b""))
        except ValueError as error:  # msgspec.DecodeError is one, too
            frame = Frame(Topic.RESYNC)
            self._unreadable(error)
        numbered = Numbered(self._epoch, _number_of(entry_id), frame)
        serial = fields.get(b"n", b"")
        return _Came(numbered, _at(entry_id), fields.get(b"o", b""), int(serial) if serial.isdigit() else None)

    def _unreadable(self, error: Exception) -> None:
        """Said once: there may be thousands of them."""
        if not self._is_unreadable_told:
            self._is_unreadable_told = True
            log.warning("What came by Redis cannot be read (%s): live sockets are told to fetch anew", error)

    def _told(self, delivery: Delivery) -> None:
        if self._deliver is not None:
            self._deliver(delivery)

    def _crossed(self, came: Sequence[_Came]) -> list[tuple[Topic, int]]:
        """What two processes have shown at almost the same time, and this one later: it may have looked earlier."""
        now, crossed = time.monotonic(), list[tuple[Topic, int]]()
        for one in came:
            for pk in one.numbered.frame.items:
                key = (one.numbered.frame.topic, pk)
                other, at = self._origins.pop(key, (one.origin, now))
                self._origins[key] = (one.origin, now)
                if one.origin == self._origin != other and now - at < _CROSSED_SECONDS:
                    crossed.append(key)
        while self._origins and next(iter(self._origins.values()))[1] < now - _CROSSED_SECONDS:
            self._origins.popitem(last=False)
        return crossed


def _client(url: str, seconds: float) -> redis.Redis:
    """Without attempts of its own: a frame that was sent twice would be there twice."""
    return redis.Redis.from_url(
        url, socket_timeout=seconds, socket_connect_timeout=ANSWER_SECONDS, retry=Retry(NoBackoff(), 0)
    )


def _number_of(entry_id: bytes) -> int:
    milliseconds, _, count = entry_id.partition(b"-")
    return (int(milliseconds) << _SHIFT) + int(count)


def _at(entry_id: bytes) -> float:
    return int(entry_id.partition(b"-")[0]) / 1e3


def _packed(frame: Frame) -> bytes:
    items = [[pk, text] for pk, text in frame.items.items()]
    return msgspec.msgpack.encode([frame.topic.value, frame.tenant_id, frame.kind, frame.listed_as, items])


_FRAME = msgspec.msgpack.Decoder(tuple[Topic, int | None, str, str, list[tuple[int, str | None]]])


def _unpacked(packed: bytes) -> Frame:
    """ValueError where it is no frame."""
    topic, tenant_id, kind, listed_as, items = _FRAME.decode(packed)
    return Frame(topic, tenant_id, kind, listed_as, dict(items))

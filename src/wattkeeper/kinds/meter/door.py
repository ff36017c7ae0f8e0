"""The hot door of gateway messages: every body of a known key is answered here, beside Django."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from wattkeeper.base.accounts.callers import Caller
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.core.clock import now
from wattkeeper.flow.ingest import WAIT_SECONDS, Ingested, count_readings
from wattkeeper.kinds.meter.known import meters
from wattkeeper.kinds.meter.receive import (
    BODY_MOST,
    ENCODINGS,
    Asked,
    answer_of,
    asked_of,
    body_of,
    submitted,
    unpacked,
)
from wattkeeper.kinds.meter.streams import MESSAGE
from wattkeeper.views.api.hot import Answer, Application, Bridge, HotDoor, failed, in_thread

PATH = re.compile(r"/api/data/?")
# What is larger takes so long to read, and to answer, that others would wait for it.
INLINE_BYTES, INLINE_MESSAGES = 16 << 10, 20


def data_door(otherwise: Application) -> HotDoor:
    """`otherwise` behind the door."""
    door = _DataDoor()
    return HotDoor(PATH, door.answer, otherwise=otherwise, body_most=BODY_MOST, encodings=ENCODINGS)


class _DataDoor:
    def __init__(self) -> None:
        self._bridge: Bridge[Sequence[Ingested]] = Bridge(seconds=WAIT_SECONDS)

    async def answer(self, caller: Caller, path: re.Match[str], body: bytes, encoding: str) -> Answer | None:
        tenant_id = caller.tenant_id
        if tenant_id is None or not caller.may(Action.INGEST):
            return None
        is_submitted = False  # from then on the pipeline counts
        try:
            is_small = len(body) < INLINE_BYTES and not encoding
            asked = _asked_at_once(body, tenant_id) if is_small else None
            if asked is None:
                asked = await in_thread(partial(_asked, body, encoding, tenant_id, caller.identity))
            is_submitted = True
            ingested: Sequence[Ingested] = ()
            if (future := submitted(asked)) is not None:
                ingested = await self._bridge.awaited(future)
            if asked.count < INLINE_MESSAGES:
                return Answer(*answer_of(asked, ingested))
            return Answer(*await in_thread(partial(answer_of, asked, ingested)))
        except Exception as error:
            answer = failed(error)
            if not is_submitted:
                count_readings(MESSAGE, "failed" if answer.status >= 500 else "refused")
            return answer


def _asked(body: bytes, encoding: str, tenant_id: int, by: str) -> Asked:
    said = body_of(unpacked(body, encoding))
    known = meters.ask(tenant_id, list(said.meters.values()), by=by)
    return asked_of(said, known, tenant_id=tenant_id, received_at=now())


def _asked_at_once(body: bytes, tenant_id: int) -> Asked | None:
    """The same of a small body, without waiting for anybody; None where one of its meters is not remembered."""
    said = body_of(body)
    known = meters.remembered(tenant_id, said.meters)
    return asked_of(said, known, tenant_id=tenant_id, received_at=now()) if len(known) == len(said.meters) else None

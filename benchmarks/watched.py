"""The program, with a note of how long its event loop was held: a line `when seconds` for each tick that came late."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

TICK_SECONDS = 0.005
WORTH_NOTING_SECONDS = 0.02
LOG = "WATTKEEPER_BENCH_GAPS"

_ticker: asyncio.Task[None] | None = None


async def application(scope: Any, receive: Any, send: Any) -> None:
    # Not before the server is about to serve: it is then that static files are looked for.
    from wattkeeper.config import asgi

    global _ticker
    if _ticker is None:
        _ticker = asyncio.get_running_loop().create_task(_tick())
    await asgi.application(scope, receive, send)


async def _tick() -> None:
    with Path(os.environ[LOG]).open("a", buffering=1) as log:  # noqa: ASYNC230 - a line now and then
        while True:
            before = time.monotonic()
            await asyncio.sleep(TICK_SECONDS)
            held = time.monotonic() - before - TICK_SECONDS
            if held > WORTH_NOTING_SECONDS:
                log.write(f"{before} {held}\n")

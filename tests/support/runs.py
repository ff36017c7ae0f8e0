"""Background runs, waited for."""

from __future__ import annotations

import time
from uuid import UUID

from wattkeeper.base.jobs.models import UNFINISHED, Run


def run_wait(run_id: UUID, seconds: float) -> Run:
    """The run when it is finished, or as it is after `seconds`. Asks the database now and then."""
    until = time.monotonic() + seconds
    pause = 0.02
    while True:
        run = Run.objects.get(pk=run_id)
        left = until - time.monotonic()
        if run.state not in UNFINISHED or left <= 0:
            return run
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, 0.5)

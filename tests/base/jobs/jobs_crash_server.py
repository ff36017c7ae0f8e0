"""A server that works its queue off until it is killed in the middle of a job."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEPS = 6
NAME = "test.crash"


def crash_job(ledger: Path, *, in_the_middle: Callable[[], None]) -> Callable[[Any], dict[str, Any]]:
    """A job that does each of its steps once however often it is started, as every job has to."""

    def work(run: Any) -> dict[str, Any]:
        done = ledger.read_text().split() if ledger.exists() else []
        found = len(done)
        for step in range(found, STEPS):
            if step == STEPS // 2:
                in_the_middle()
            with ledger.open("a") as file:
                file.write(f"{step}\n")
            run.progress(step + 1, STEPS)
        return {"found": found}

    return work


def say_and_hang() -> None:
    sys.stdout.write("in the middle\n")
    sys.stdout.flush()
    threading.Event().wait()


def main() -> None:
    import django

    django.setup()
    from wattkeeper.base.jobs.registry import job
    from wattkeeper.config.jobs import EmbeddedConsumer

    job(NAME)(crash_job(Path(sys.argv[1]), in_the_middle=say_and_hang))
    EmbeddedConsumer().start()
    sys.stdin.read()  # lives until it is killed


if __name__ == "__main__":
    main()

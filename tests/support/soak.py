"""A server under the load of many clients that is killed again and again: nothing is lost, nothing is double.

    python -m tests.support.soak --kills 20

Each time it is killed at a random moment, by its group, its supervisor or its worker; what was not acknowledged is sent
again to the next one. The last process ends in order, and its books must balance.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import psutil

from tests.support import soak_checks as checks
from tests.support.batteries import API, batteries_make, client_of
from tests.support.load import Load, Sent, beside
from tests.support.servers import Server, serving
from tests.support.status_load import PATH, Script

AGO = timedelta(days=60)  # the readings' own times begin there, and lie close behind one another
ODD = 5  # requests of each odd sort, whose counts are known
PATIENCE_SECONDS = 30  # of a load for the end of its server


@dataclass(frozen=True)
class Plan:
    """`kills` rounds of at most `seconds` of load each, then one that ends in order."""

    kills: int
    seconds: float
    batteries: int = 200
    clients: int = 64
    seed: int = 0


@dataclass
class Round:
    """One process of the server under load."""

    ended: str
    start: float  # seconds until it answered
    sent: Sent

    def cells(self) -> tuple[str, ...]:
        sent = self.sent
        middle, slow = (f"{sent.quantile(share) * 1e3:.0f} ms" for share in (0.5, 0.99))
        count = sum(sent.acknowledged.values())
        return (
            self.ended,
            f"{self.start:.1f} s",
            f"{count:,}",
            f"{sent.rate:,.0f}",
            middle,
            slow,
            f"{len(sent.unsure)}",
        )


@dataclass
class Outcome:
    """What was done and found. `wrong` has a sentence for each thing that is not as it must be."""

    rounds: list[Round] = field(default_factory=list)
    stored: int = 0
    alerts: int = 0
    cleared: int = 0
    counters: Mapping[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def acknowledged(self) -> int:
        return sum(sum(one.sent.acknowledged.values()) for one in self.rounds)

    def table(self) -> str:
        heads = ("ended by", "start", "acknowledged", "a second", "p50", "p99", "unanswered")
        rows = [heads, *(one.cells() for one in self.rounds)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        counted = ", ".join(f"{count:,} {name}" for name, count in self.counters.items())
        lines += [
            f"{self.acknowledged:,} readings acknowledged, {self.stored:,} stored.",
            f"{self.alerts:,} alerts opened, {self.cleared:,} of them cleared.",
            f"The last process counted {counted}.",
            *(self.wrong or ["Each acknowledged reading is there once; the alerts are what the readings mean."]),
        ]
        return "\n".join(lines)


def soak(home: Path, plan: Plan) -> Outcome:
    """Do as planned on a fresh home."""
    with serving(home) as server:
        return _Soak(server, plan).run()


class _Soak:
    def __init__(self, server: Server, plan: Plan) -> None:
        self._server, self._plan, self._rng = server, plan, Random(plan.seed)
        self._script = Script(datetime.now(UTC).replace(microsecond=0) - AGO)
        self._serials = batteries_make(server, plan.batteries)
        self._taken = dict.fromkeys(self._serials, 0)  # by battery: so many are acknowledged, from the first one on
        self._unsure: dict[int, int] = {}  # by battery: the number that was sent and never answered
        self._start_seconds = 0.0
        self.outcome = Outcome()

    def run(self) -> Outcome:
        outcome = self.outcome
        with beside() as send:
            for _ in range(self._plan.kills):
                self._killed(send)
            unsure = len(self._unsure)
            answers = self._in_order(send)
        outcome.counters = checks.counters(self._server)
        outcome.wrong += checks.counters_wrong(outcome.counters, answers, odd=ODD, unsure=unsure)
        stored = checks.stored(self._server, self._serials)
        counts = {battery: len(times) for battery, times in stored.items()}
        outcome.stored = sum(counts.values())
        outcome.wrong += checks.readings_wrong(stored, self._taken, self._unsure, self._script)
        if self._server.stop() != 0:
            outcome.wrong.append("The last process did not end in order.")
        alerts = checks.alerts(self._server.home)
        outcome.alerts, outcome.cleared = len(alerts), sum(alert.cleared for alert in alerts)
        outcome.wrong += checks.alerts_wrong(alerts, counts, self._script)
        outcome.wrong += checks.transitions_wrong(self._server.home)
        return outcome

    def _killed(self, send: Callable[[Load], Sent]) -> None:
        """Load, until the server is killed at some moment of it; then it is started again."""
        name, kill = self._rng.choice(list(WAYS.items()))
        ending = threading.Timer(self._rng.uniform(0.5, self._plan.seconds), kill, [self._server])
        ending.start()
        sent = send(self._load(self._plan.seconds + PATIENCE_SECONDS))
        ending.join()
        self._server.wait()
        self._note(name, sent)
        began = time.perf_counter()
        self._server.start()
        self._start_seconds = time.perf_counter() - began

    def _in_order(self, send: Callable[[Load], Sent]) -> Counter[int]:
        """The last round: all that was asked of its process, by the status of the answer."""
        sent = send(self._load(self._plan.seconds))
        self._note("a signal", sent)
        answers = Counter(sent.answers)
        with client_of(self._server) as client:
            for battery in list(self._serials)[:ODD]:
                for body in (self._script.body(battery, 0), b'{"current_charge": "full"}'):
                    path = f"{API}{battery}/update_status/"
                    answers[client.post(path, content=body, headers=JSON).status_code] += 1
        return answers

    def _load(self, seconds: float) -> Load:
        headers = {"Authorization": f"Api-Key {self._server.key}"}
        batteries, first = list(self._serials), dict(self._taken)
        plan = self._plan
        return Load(
            self._server.port,
            headers,
            batteries,
            self._script,
            PATH,
            clients=plan.clients,
            seconds=seconds,
            first=first,
        )

    def _note(self, ended: str, sent: Sent) -> None:
        for battery, count in sent.acknowledged.items():
            self._taken[battery] += count
            self._unsure.pop(battery, None)
        self._unsure |= sent.unsure
        self.outcome.rounds.append(Round(ended, self._start_seconds, sent))
        if sent.said:
            self.outcome.wrong.append(f"Round {len(self.outcome.rounds)}: an update was answered with {sent.said}")


JSON = {"Content-Type": "application/json"}
# `start_new_session` of the server: its group has the supervisor's id.
WAYS: Mapping[str, Callable[[Server], None]] = {
    "kill of all": lambda server: os.killpg(server.parent, 9),
    "kill of supervisor": lambda server: os.kill(server.parent, 9),
    "kill of worker": lambda server: psutil.Process(server.worker).kill(),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=8.0, help="of load before each, at most")
    parser.add_argument("--batteries", type=int, default=200)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the moments")
    wanted = vars(parser.parse_args())
    sys.stdout.write(f"{wanted}\n")
    with tempfile.TemporaryDirectory(prefix="wattkeeper-soak-") as folder:
        outcome = soak(Path(folder) / "home", Plan(**wanted))
    sys.stdout.write(f"{outcome.table()}\n")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="wattkeeper-soak-") as own:
        os.environ |= {"WATTKEEPER_HOME": own, "DJANGO_SETTINGS_MODULE": "wattkeeper.config.settings"}
        sys.exit(main())

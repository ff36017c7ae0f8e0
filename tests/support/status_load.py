"""Status updates of batteries, for `tests.support.load`.

python -m tests.support.status_load --port 8000 --key KEY --batteries 1 2 3 --clients 64 --seconds 10
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import pi, sin

from tests.support.load import Load, load_send

PATH = "/api/batteries/{thing}/update_status/"


@dataclass(frozen=True)
class Script:
    """What the batteries send: the reading `number` of a battery says the same however often it is sent.

    `start` and `step`: the event times. Every `hot_every`th battery (0: none) is cool for half of each `period` of
    readings, then hot for the other half: by the default rules an alert that opens and clears.
    """

    start: datetime
    step: timedelta = timedelta(minutes=5)
    period: int = 8  # of 40 minutes: too long to be taken for flapping
    hot_every: int = 2

    def at(self, number: int) -> datetime:
        return self.start + number * self.step

    def is_hot(self, battery: int, number: int) -> bool:
        return bool(self.hot_every) and battery % self.hot_every == 0 and number % self.period >= self.period // 2

    def values(self, battery: int, number: int) -> dict[str, float | str]:
        wave = sin(2 * pi * (number % 500) / 500)
        return {
            "current_charge": round(55 + 35 * wave, 1),
            "current_voltage": round(3.7 + 0.3 * wave, 3),
            "current_temperature": round((60 if self.is_hot(battery, number) else 25) + 3 * wave, 1),
            "current_status": "CHARGING" if number % 500 < 125 else "DISCHARGING",
            "current": 2.5 if number % 500 < 125 else -2.5,
        }

    def body(self, battery: int, number: int) -> bytes:
        return json.dumps({**self.values(battery, number), "logged_at": self.at(number).isoformat()}).encode()

    def mark(self, battery: int, number: int) -> str:
        """The event time of a reading that opens or ends an alert by the default rules: of the first hot one, and of
        the second cool one, after the off-delay."""
        is_hot = [self.is_hot(battery, number - back) for back in range(3)]
        turns = number > 2 and (is_hot[:2] == [True, False] or is_hot == [False, False, True])
        return self.at(number).isoformat() if turns else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--key", required=True)
    parser.add_argument("--batteries", type=int, nargs="+", required=True, help="their ids")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=10.0)
    wanted = parser.parse_args()
    script = Script(datetime.now().astimezone() - timedelta(days=1))
    headers = {"Authorization": f"Api-Key {wanted.key}"}
    load = Load(wanted.port, headers, wanted.batteries, script, PATH, clients=wanted.clients, seconds=wanted.seconds)
    sent = load_send(load)
    middle = statistics.median(sent.latencies) if sent.latencies else 0.0
    sys.stdout.write(
        f"{len(sent.latencies):,} acknowledged, {sent.rate:,.0f}/s, p50 {middle * 1e3:.1f} ms, "
        f"p99 {sent.quantile(0.99) * 1e3:.1f} ms, answers {dict(sent.answers)} {sent.said}\n"
    )
    return 0 if sent.latencies and not sent.said else 1


if __name__ == "__main__":
    sys.exit(main())

"""The short form of `make soak`."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Timer

from tests.support.batteries import client_of
from tests.support.load import Load, beside
from tests.support.message_load import PATH, Messages
from tests.support.servers import serving
from tests.support.soak import JSON, WAYS, Plan, soak


def test_a_server_that_is_killed_under_load_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Readings, alerts and their transitions are what the readings mean, and the counters of the last one balance."""
    outcome = soak(tmp_path / "home", Plan(kills=2, seconds=3, batteries=32, clients=32))
    assert outcome.wrong == [], outcome.table()
    assert outcome.cleared > 0, outcome.table()  # there was time for something to happen


def test_a_server_that_is_killed_under_messages_loses_and_doubles_none(tmp_path: Path) -> None:
    """One by one and in arrays; what is sent again is known as such."""
    with serving(tmp_path / "home") as server, beside() as send:
        start = (datetime.now(UTC) - timedelta(hours=30)).replace(microsecond=0, tzinfo=None)
        scripts = [
            (Messages(start), list(range(64))),
            (Messages(start, per=50, first_identnr=20_000_000), list(range(6))),
        ]
        taken: list[Counter[int]] = [Counter(), Counter()]
        unsure = 0
        for kill in (*WAYS.values(), None):
            for place, (script, things) in enumerate(scripts):
                headers = {"Authorization": f"Api-Key {server.key}"}
                load = Load(server.port, headers, things, script, PATH, 32, 1.5, first=dict(taken[place]))
                ending = Timer(1.0, kill, [server]) if kill and place else None
                if ending:
                    ending.start()
                sent = send(load)
                assert sent.said == ""
                taken[place].update(sent.acknowledged)
                unsure += len(sent.unsure) * max(1, script.per)
            if ending:
                ending.join()
                server.wait()
                server.start()
        acknowledged = sum(taken[0].values()) + 50 * sum(taken[1].values())
        with client_of(server) as client:
            for (script, things), counts in zip(scripts, taken, strict=True):
                for thing in things:
                    bodies = [script.body(thing, number) for number in range(counts[thing])]
                    for content in bodies if script.per else [b"[%b]" % b",".join(bodies)] * bool(bodies):
                        said = client.post(PATH, content=content, headers=JSON).json()
                        assert said["duplicate"] == (script.per or len(bodies)), (thing, said)
        assert server.stop() == 0
        rows, distinct = stored(server.home)
    assert rows == distinct, "nothing is there twice"
    assert acknowledged > 0
    assert acknowledged <= rows <= acknowledged + unsure


def stored(home: Path) -> tuple[int, int]:
    """How many messages readers see, and how many different ones. In a process of its own: it has an engine."""
    program = (
        "import sys, chdb; "
        "print(chdb.connect(sys.argv[1]).query("
        "'SELECT count(), uniqExact(asset_id, digest) FROM meter_message FINAL', 'TSV'))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program, str(home / "readings")], capture_output=True, text=True, check=True
    )
    rows, distinct = map(int, found.stdout.split())
    return rows, distinct

"""The sockets that there are: each is in the walk of `tests/views/live/test_door.py`, which asks who may open it."""

from __future__ import annotations

from tests.support.live_client import DASHBOARD, LIVE


def test_every_path_of_sockets_is_walked() -> None:
    from wattkeeper.config.asgi import live

    assert set(live.paths) == {DASHBOARD, LIVE}

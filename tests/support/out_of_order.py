"""Alerts of several transactions at once, gathered while some are not committed: `python -m tests.support.out_of_order`

Says as JSON, after each step, how many alerts have been gathered and how many gaps are watched. The database, which is
migrated, is the one that DATABASE_URL names.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from contextlib import suppress

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wattkeeper.config.settings")


class Slow(threading.Thread):
    """Posts alerts in a transaction that ends only when it is told to."""

    def __init__(self, asset: object, count: int = 1) -> None:
        super().__init__()
        self._asset, self._count = asset, count
        self._is_in, self._may_end, self._commits = threading.Event(), threading.Event(), True
        self.start()
        assert self._is_in.wait(60)

    def run(self) -> None:
        from django.db import connection, transaction

        with suppress(InterruptedError), transaction.atomic():
            for _ in range(self._count):
                post(self._asset)
            self._is_in.set()
            self._may_end.wait()
            if not self._commits:
                raise InterruptedError
        connection.close()

    def end(self, *, commits: bool) -> None:
        self._commits = commits
        self._may_end.set()
        self.join()


def post(asset: object) -> None:
    from wattkeeper.base.catalog.alerting import AlertType, Level
    from wattkeeper.flow.alerts.actions import alert_post

    alert_post(asset, alert_type=AlertType.FAULT, level=Level.ERROR, message="out of order", by="user:1")


def main() -> None:
    from tests.support.alerts import battery
    from tests.support.notify import channel_make, route_make
    from wattkeeper.base.accounts.models import Tenant
    from wattkeeper.flow.notify.gather import transitions_gather
    from wattkeeper.flow.notify.models import GatherMark, NewsItem

    tenant = Tenant.objects.create(slug="north", name="North")
    asset = battery(tenant)
    route_make(channel_make(tenant))
    transitions_gather()
    steps: dict[str, tuple[int, int]] = {}

    def look(step: str) -> None:
        transitions_gather()
        steps[step] = (NewsItem.objects.count(), len(GatherMark.objects.get().missing))

    slow, doomed, long = Slow(asset, 3), Slow(asset, 2), Slow(asset)
    look("nothing is committed")
    post(asset)
    look("only the last is committed")
    slow.end(commits=True)
    look("the first has come too")
    doomed.end(commits=False)
    look("the second will never come")
    post(asset)
    look("others are told meanwhile")
    long.end(commits=True)
    look("all are there")
    look("nothing is told twice")
    post(asset)
    look("nothing is watched any more")
    json.dump(steps, sys.stdout)


if __name__ == "__main__":
    django.setup()
    main()

"""Deliveries: whoever takes a notification, whatever answers, it arrives or says why not."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.flow.notify.conftest import Present
from tests.support.alerts import battery, opened, posted
from tests.support.endpoints import Endpoint, Reply
from tests.support.notify import NOON, SECRET, channel_make, route_make, states, work
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.core import clock
from wattkeeper.flow.alerts.actions import alert_resolve
from wattkeeper.flow.alerts.models import Alert
from wattkeeper.flow.notify.channels.declared import Attempt, Outcome
from wattkeeper.flow.notify.channels.registry import channel_types
from wattkeeper.flow.notify.deliver import (
    BACKOFF,
    LEASE,
    MOST_OF_TENANT,
    claims_take,
    leases_renew,
    notification_send,
)
from wattkeeper.flow.notify.gather import transitions_gather
from wattkeeper.flow.notify.models import Delivery, Notification, NotifyChannel
from wattkeeper.flow.rules.spec import RuleSpec

pytestmark = pytest.mark.usefixtures("begun")

BROKEN, BUSY = Reply(500), Reply(429, headers={"Retry-After": "600"})


@pytest.fixture
def open_alert(channel: NotifyChannel, rule: RuleSpec, asset: Asset) -> Callable[..., Alert]:
    """A critical alert that the channel tells."""

    def make(**values: Any) -> Alert:
        route_make(channel, **values)
        return opened(rule, asset, now=clock.now())

    return make


def told(notification: Notification | None = None) -> list[tuple[str, int | None]]:
    found = Delivery.objects.filter(**({"notification": notification} if notification else {}))
    return list(found.order_by("pk").values_list("outcome", "status"))


def asked_test(channel: NotifyChannel) -> Notification:
    """As somebody who asks for a test message makes it."""
    return Notification.objects.create(
        tenant=channel.tenant, channel=channel, is_test=True, due_at=clock.now(), requested_by="user:1"
    )


class TestAttempts:
    def test_each_is_noted(self, open_alert: Any) -> None:
        open_alert()
        assert work() == ["sent"]
        delivery = Delivery.objects.get()
        assert (delivery.outcome, delivery.status, delivery.detail) == ("delivered", 200, "HTTP 200")
        sent = Notification.objects.get()
        assert sent.title == "CRITICAL: Over temperature of BAT-1"
        assert (sent.attempts, sent.finished_at, sent.claimed_until) == (1, clock.now(), None)
        assert list(sent.items.values_list("told_as", flat=True)) == ["opened"]

    def test_what_fails_for_now_is_tried_again_later_and_later(
        self, open_alert: Any, endpoint: Endpoint, present: Present
    ) -> None:
        open_alert(repeat_minutes=0)
        endpoint.replies = [BROKEN]
        for number, pause in enumerate(BACKOFF, start=1):
            assert work() == ["waiting"]
            assert len(endpoint.asked) == number
            present.move(seconds=pause.total_seconds() - 1)
            work()
            assert len(endpoint.asked) == number
            present.move(seconds=1)
        assert work() == ["failed"]
        assert told() == [("later", 500)] * 8
        assert Notification.objects.get().why == "HTTP 500"
        present.move(days=1)
        work()
        assert len(endpoint.asked) == 8

    def test_it_is_the_same_event_each_time(self, open_alert: Any, endpoint: Endpoint, present: Present) -> None:
        open_alert()
        endpoint.replies = [BROKEN, Reply()]
        work()
        present.move(seconds=30)
        assert work() == ["sent"]
        assert len({asked.headers["x-wattkeeper-event"] for asked in endpoint.asked}) == 1
        assert told() == [("later", 500), ("delivered", 200)]

    def test_what_is_refused_has_failed_at_once(self, open_alert: Any, endpoint: Endpoint) -> None:
        open_alert()
        endpoint.replies = [Reply(404)]
        assert work() == ["failed"]
        assert Notification.objects.get().why.startswith("HTTP 404: there is nothing at this address.")

    def test_what_has_failed_is_told_again_when_it_is_time_to_repeat(
        self, open_alert: Any, endpoint: Endpoint, present: Present
    ) -> None:
        open_alert()
        endpoint.replies = [Reply(404), Reply()]
        work()
        present.move(hours=1)
        assert work() == ["failed", "sent"]

    def test_who_asks_to_be_left_alone_is(
        self, open_alert: Any, channel: NotifyChannel, endpoint: Endpoint, present: Present
    ) -> None:
        open_alert()
        endpoint.replies = [BUSY, Reply()]
        assert work() == ["waiting"]
        test = asked_test(channel)
        present.move(seconds=599)
        work()
        assert len(endpoint.asked) == 1
        present.move(seconds=1)
        assert work() == ["sent", "sent"]
        assert told(test) == [("delivered", 200)]

    def test_nobody_is_left_alone_for_ever(self, open_alert: Any, endpoint: Endpoint, present: Present) -> None:
        open_alert()
        endpoint.replies = [Reply(503, headers={"Retry-After": "9" * 30}), Reply()]
        work()
        present.move(hours=1)
        assert work() == ["sent"]

    def test_what_it_says_is_what_is_true_when_it_is_sent(
        self, open_alert: Any, endpoint: Endpoint, present: Present
    ) -> None:
        alert = open_alert(group_seconds=0)
        posted(alert.asset)
        endpoint.replies = [BROKEN, Reply()]
        assert work() == ["waiting"]
        alert_resolve(alert, by="user:1", why="fixed")
        present.move(seconds=30)
        assert work() == ["sent"]
        assert [[one["level"] for one in asked.json["news"]] for asked in endpoint.asked] == [
            ["CRITICAL", "WARNING"],
            ["WARNING"],
        ]

    def test_a_channel_that_breaks_is_noted_and_tried_again(
        self, open_alert: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        open_alert()
        webhook = channel_types()["webhook"]

        def broken(settings: Any, message: Any) -> Attempt:
            raise ValueError(f"unexpected {settings['secret']}")

        types = {"webhook": replace(webhook, send=broken)}
        monkeypatch.setattr("wattkeeper.flow.notify.deliver.channel_types", lambda: types)
        assert work() == ["waiting"]
        assert Delivery.objects.get().detail == "The channel failed: ValueError"
        assert SECRET not in caplog.text

    def test_what_the_other_side_says_is_kept_without_secrets(
        self, open_alert: Any, channel: NotifyChannel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        open_alert()
        NotifyChannel.objects.update(
            settings={"url": "https://h.example/services/abcdefghijkl?key=123456789012", "secret": SECRET}
        )
        webhook = channel_types()["webhook"]
        said = f"no /services/abcdefghijkl, key=123456789012, nor abcdefghijkl {SECRET}"
        answer = Attempt(outcome=Outcome.REFUSED, detail=said)
        types = {"webhook": replace(webhook, send=lambda *_: answer)}
        monkeypatch.setattr("wattkeeper.flow.notify.deliver.channel_types", lambda: types)
        work()
        kept = Delivery.objects.get().detail + Notification.objects.get().why
        assert not [secret for secret in ("abcdefghijkl", "123456789012", SECRET) if secret in kept]

    def test_nothing_secret_is_logged(
        self, open_alert: Any, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
    ) -> None:
        endpoint.replies = [BROKEN]
        with caplog.at_level(logging.INFO):
            NotifyChannel.objects.update(settings={"url": f"{endpoint.url}/in-the-path", "secret": SECRET})
            open_alert()
            work()
        assert endpoint.asked
        assert SECRET not in caplog.text
        assert "in-the-path" not in caplog.text

    def test_a_type_that_is_gone_is_named(self, open_alert: Any) -> None:
        open_alert()
        NotifyChannel.objects.update(type="pigeon")
        assert work() == ["failed"]
        assert "pigeon" in Notification.objects.get().why


class TestClaims:
    def test_of_two_workers_one_has_it(self, open_alert: Any) -> None:
        open_alert()
        transitions_gather()
        assert [len(claims_take({}, most=5)) for _ in range(2)] == [1, 0]

    def test_through_one_channel_one_at_a_time_is_sent(self, channel: NotifyChannel, endpoint: Endpoint) -> None:
        tests = [asked_test(channel) for _ in range(3)]
        (first,) = claims_take({}, most=5)
        assert claims_take({}, most=5) == []
        notification_send(first)
        (second,) = claims_take({}, most=5)
        assert [first.notification_id, second.notification_id] == [tests[0].pk, tests[1].pk]

    def test_for_a_channel_that_is_busy_nothing_is_taken(self, channel: NotifyChannel, tenant: Tenant) -> None:
        asked_test(channel)
        other = asked_test(channel_make(tenant, name="Other"))
        (claim,) = claims_take({channel.pk: tenant.pk}, most=5)
        assert claim.notification_id == other.pk

    def test_one_tenants_channels_leave_room_for_the_others(self, tenant: Tenant, other_tenant: Tenant) -> None:
        for number in range(2 * MOST_OF_TENANT):
            asked_test(channel_make(tenant, name=f"Hook {number}"))
        asked_test(channel_make(other_tenant))
        claims = claims_take({}, most=100)
        assert [claim.tenant_id for claim in claims] == [tenant.pk] * MOST_OF_TENANT + [other_tenant.pk]
        busy = {claim.channel_id: claim.tenant_id for claim in claims}
        assert claims_take(busy, most=100) == []

    def test_what_a_worker_that_died_had_is_sent_by_the_next(
        self, open_alert: Any, endpoint: Endpoint, present: Present
    ) -> None:
        open_alert()
        transitions_gather()
        (dead,) = claims_take({}, most=5)
        assert work() == ["sending"]
        present.move(seconds=LEASE.total_seconds())
        assert work() == ["sent"]
        notification_send(dead)  # it was only slow, and has not begun
        assert states() == ["sent"]
        assert Notification.objects.get().attempts == 2
        assert len(endpoint.asked) == 1
        assert told() == [("later", None), ("delivered", 200)]

    def test_who_is_still_at_work_keeps_it(self, open_alert: Any, present: Present) -> None:
        open_alert()
        transitions_gather()
        (slow,) = claims_take({}, most=5)
        for _ in range(5):
            present.move(seconds=LEASE.total_seconds() - 1)
            leases_renew([slow])
        assert claims_take({}, most=5) == []
        notification_send(slow)
        assert states() == ["sent"]

    def test_what_this_process_is_sending_is_only_renewed_late(
        self, open_alert: Any, channel: NotifyChannel, tenant: Tenant, present: Present
    ) -> None:
        open_alert()
        transitions_gather()
        (slow,) = claims_take({}, most=5)
        present.move(seconds=LEASE.total_seconds())
        assert claims_take({channel.pk: tenant.pk}, most=5) == []
        leases_renew([slow])
        notification_send(slow)
        assert (states(), told()) == (["sent"], [("delivered", 200)])

    def test_what_is_sent_after_the_lease_is_over_is_not_renewed(self, open_alert: Any, present: Present) -> None:
        open_alert()
        transitions_gather()
        (slow,) = claims_take({}, most=5)
        present.move(seconds=LEASE.total_seconds())
        (next_one,) = claims_take({}, most=5)
        leases_renew([slow])
        assert Notification.objects.get().claimed_until == clock.now() + LEASE
        notification_send(next_one)
        assert states() == ["sent"]


class TestWhatIsGone:
    @pytest.mark.parametrize(
        ("which", "values"),
        [
            ("channel", {"enabled": False}),
            ("channel", {"removed_at": NOON}),
            ("route", {"enabled": False}),
            ("route", {"removed_at": NOON}),
        ],
        ids=str,
    )
    def test_what_waits_for_it_is_dropped(
        self, which: str, values: Any, channel: NotifyChannel, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route = route_make(channel)
        posted(asset)
        work()
        gone = channel if which == "channel" else route
        type(gone).objects.filter(pk=gone.pk).update(**values)
        present.move(minutes=1)
        assert work() == ["dropped"]
        assert not endpoint.asked
        assert which in Notification.objects.get().why


class TestTests:
    def test_it_is_sent_and_says_that_it_is_one(self, channel: NotifyChannel, endpoint: Endpoint) -> None:
        asked_test(channel)
        assert work() == ["sent"]
        (asked,) = endpoint.asked
        assert (asked.json["test"], asked.json["news"]) == (True, [])
        assert asked.json["title"].startswith("Test")

    def test_a_channel_that_is_off_can_be_tested(self, channel: NotifyChannel) -> None:
        NotifyChannel.objects.update(enabled=False)
        asked_test(channel)
        assert work() == ["sent"]

    @pytest.mark.parametrize("reply", [BROKEN, BUSY, Reply(404)], ids=["500", "429", "404"])
    def test_it_is_tried_once_and_says_how_it_went(
        self, reply: Reply, channel: NotifyChannel, endpoint: Endpoint
    ) -> None:
        endpoint.replies = [reply]
        asked_test(channel)
        assert work() == ["failed"]
        assert Notification.objects.get().why.startswith(f"HTTP {reply.status}")


def test_news_of_several_tenants_never_meet(
    tenant: Tenant, other_tenant: Tenant, endpoint: Endpoint, asset: Asset, present: Present
) -> None:
    with Endpoint() as elsewhere:
        route_make(channel_make(tenant, endpoint.url))
        route_make(channel_make(other_tenant, elsewhere.url))
        posted(asset)
        posted(battery(other_tenant, "THEIRS"))
        work()
        present.move(seconds=30)
        work()
        for one, key, name in ((endpoint, "BAT-1", "North"), (elsewhere, "THEIRS", "South")):
            (asked,) = one.asked
            assert asked.json["tenant"] == name
            assert [news["asset_key"] for news in asked.json["news"]] == [key]

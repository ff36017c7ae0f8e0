"""What somebody has, or may have, is not said in other words under the same name, nor forgotten when it is over."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from email import message_from_bytes
from email.policy import default as policy
from typing import Any

import pytest

from tests.flow.notify.conftest import Present, goes_by
from tests.support.alerts import battery, opened, posted
from tests.support.endpoints import Endpoint, MailBox, Reply, mail_server
from tests.support.notify import channel_make, heard, route_make, states, work
from tests.support.servers import free_port
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog.alerting import Level
from wattkeeper.base.core import clock
from wattkeeper.flow.alerts.actions import alert_acknowledge, alert_resolve
from wattkeeper.flow.alerts.models import Alert
from wattkeeper.flow.notify.actions import channel_change, route_change
from wattkeeper.flow.notify.channels.declared import Attempt, Message, Outcome
from wattkeeper.flow.notify.channels.outside import Smtp, connect, outside
from wattkeeper.flow.notify.channels.registry import channel_types
from wattkeeper.flow.notify.channels.webhook import body_of
from wattkeeper.flow.notify.deliver import BACKOFF, LEASE, claims_take, notification_send
from wattkeeper.flow.notify.gather import transitions_gather
from wattkeeper.flow.notify.models import Delivery, NewsItem, Notification, NotifyChannel, Route
from wattkeeper.flow.notify.route_fields import fields_of
from wattkeeper.flow.rules.spec import RuleSpec

pytestmark = pytest.mark.usefixtures("begun")

ALICE, GREY = "alice@w.example", "grey@w.example"
CUT, GOOD = Reply(cuts=True), Reply()

Send = Callable[[Any, Message], Attempt]


class Killed(BaseException):
    """The server is killed here."""


@pytest.fixture
def box() -> Iterator[MailBox]:
    """Mail for two; the mail server does not take it for one of them yet."""
    box = MailBox({GREY: "451 Try again in a while"})
    with mail_server(box) as port:
        connect(replace(outside(), smtp=Smtp(host="127.0.0.1", port=port)))
        yield box


@pytest.fixture
def mail(tenant: Tenant, box: MailBox) -> NotifyChannel:
    return channel_make(tenant, type="email", settings={"recipients": [ALICE, GREY]})


def letters(box: MailBox, who: str) -> list[str]:
    """What stands above the mails that somebody has got."""
    return [_letter(one.content)["Subject"] for one in box.letters if who in one.rcpt_tos]


def _letter(content: Any) -> Any:
    return message_from_bytes(content, policy=policy)


def events(endpoint: Endpoint) -> list[str]:
    return [asked.headers["x-wattkeeper-event"] for asked in endpoint.asked]


def sends(monkeypatch: pytest.MonkeyPatch, send: Send) -> None:
    """Webhooks are sent so."""
    types = {"webhook": replace(channel_types()["webhook"], send=send)}
    monkeypatch.setattr("wattkeeper.flow.notify.deliver.channel_types", lambda: types)


NEW, OVER = "CRITICAL: Over temperature of BAT-1", "Resolved: Over temperature of BAT-1"


class TestSeveralRecipients:
    def test_one_that_is_not_reached_at_once_silences_none(
        self, mail: NotifyChannel, box: MailBox, rule: RuleSpec, asset: Asset, present: Present
    ) -> None:
        route_make(mail)
        alert = opened(rule, asset, now=clock.now())
        goes_by(present, seconds=14)
        alert_resolve(alert, by="user:1")
        box.refused.clear()
        goes_by(present, seconds=60)
        assert letters(box, ALICE) == letters(box, GREY) == [NEW, OVER]
        assert states() == ["sent", "sent"]
        first, second, over = (_letter(one.content) for one in box.letters)
        assert (first["Message-ID"], first.as_string()) == (second["Message-ID"], second.as_string())
        assert over["Message-ID"] != first["Message-ID"]

    def test_one_that_is_never_reached_neither(
        self, mail: NotifyChannel, box: MailBox, rule: RuleSpec, asset: Asset, present: Present
    ) -> None:
        route_make(mail, repeat_minutes=0)
        alert = opened(rule, asset, now=clock.now())
        for pause in BACKOFF:
            work()
            present.move(seconds=pause.total_seconds())
        assert work() == ["failed"]
        alert_resolve(alert, by="user:1")
        goes_by(present, seconds=60)
        assert letters(box, ALICE) == [NEW, OVER]

    def test_it_is_repeated_by_when_the_first_heard_of_it(
        self, mail: NotifyChannel, box: MailBox, rule: RuleSpec, asset: Asset, present: Present
    ) -> None:
        route_make(mail, repeat_minutes=60)
        opened(rule, asset, now=clock.now())
        goes_by(present, minutes=59)
        assert letters(box, ALICE) == [NEW]
        goes_by(present, minutes=2)
        assert letters(box, ALICE) == [NEW, f"{NEW} is still open"]
        goes_by(present, minutes=59)
        assert len(letters(box, ALICE)) == 2

    def test_who_changes_the_pause_moves_that_too(
        self, mail: NotifyChannel, box: MailBox, rule: RuleSpec, asset: Asset, present: Present
    ) -> None:
        route = route_make(mail, repeat_minutes=60)
        opened(rule, asset, now=clock.now())
        goes_by(present, seconds=60)
        route_change(route, fields=replace(fields_of(route), repeat_minutes=10), actor="test")
        goes_by(present, minutes=10)
        assert letters(box, ALICE) == [NEW, f"{NEW} is still open"]

    def test_nobody_hears_that_it_is_open_after_hearing_that_it_is_over(
        self, mail: NotifyChannel, box: MailBox, rule: RuleSpec, asset: Asset, present: Present
    ) -> None:
        route_make(mail)
        alert = opened(rule, asset, now=clock.now())
        goes_by(present, seconds=40)
        alert_resolve(alert, by="user:1")
        goes_by(present, seconds=40)
        assert letters(box, ALICE) == [NEW, OVER]
        box.refused.clear()
        goes_by(present, seconds=600)
        assert letters(box, GREY) == [OVER]
        assert states() == ["dropped", "sent"]
        assert "has told since that something of it is over" in Notification.objects.order_by("pk")[0].why

    @pytest.mark.parametrize("pause", [0, 60])
    def test_what_is_left_of_it_is_told_anew(
        self, pause: int, mail: NotifyChannel, box: MailBox, rule: RuleSpec, tenant: Tenant, present: Present
    ) -> None:
        route_make(mail, repeat_minutes=pause)
        over, _ = (opened(rule, battery(tenant, key), now=clock.now()) for key in ("A", "B"))
        goes_by(present, seconds=40)
        alert_resolve(over, by="user:1")
        goes_by(present, seconds=40)
        box.refused.clear()
        goes_by(present, seconds=300)
        # Who had it already is told twice, under another event.
        left, ended = "CRITICAL: Over temperature of B", "Resolved: Over temperature of A"
        assert letters(box, ALICE) == ["2 CRITICAL new", ended, left]
        assert sorted(letters(box, GREY)) == [left, ended]

    def test_an_end_that_it_told_is_told_again_too(
        self, mail: NotifyChannel, box: MailBox, rule: RuleSpec, tenant: Tenant, present: Present
    ) -> None:
        route_make(mail)
        refused = box.refused.copy()
        box.refused.clear()
        first = opened(rule, battery(tenant, "A"), now=clock.now())
        goes_by(present, minutes=1)
        box.refused.update(refused)
        alert_resolve(first, by="user:1")
        work()
        second = opened(rule, battery(tenant, "B"), now=clock.now())
        goes_by(present, seconds=40)
        alert_resolve(second, by="user:1")
        goes_by(present, seconds=40)
        assert letters(box, ALICE)[1:] == ["1 CRITICAL new; 1 resolved", "Resolved: Over temperature of B"]
        box.refused.clear()
        goes_by(present, minutes=5)
        over = {f"Resolved: Over temperature of {key}" for key in ("A", "B")}
        assert set(letters(box, GREY)[1:]) == over

    def test_who_is_not_told_of_ends_is_not_told_late_of_what_is_over(
        self, mail: NotifyChannel, box: MailBox, rule: RuleSpec, asset: Asset, present: Present
    ) -> None:
        route_make(mail, tells_cleared=False)
        alert = opened(rule, asset, now=clock.now())
        goes_by(present, seconds=40)
        alert_resolve(alert, by="user:1")
        box.refused.clear()
        goes_by(present, seconds=600)
        assert (letters(box, ALICE), letters(box, GREY), states()) == ([NEW], [], ["dropped"])


class TestWithoutAnAnswer:
    """The request was read; nobody knows what became of it."""

    def test_the_next_attempt_says_the_same_and_another_message_what_has_changed(
        self, channel: NotifyChannel, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel)
        endpoint.replies = [CUT, GOOD]
        alert = opened(rule, asset, now=clock.now())
        goes_by(present, seconds=14)
        alert_resolve(alert, by="user:1")
        Asset.objects.update(name="Renamed")
        goes_by(present, seconds=60)
        assert heard(endpoint) == [["opened"], ["opened"], ["resolved"]]
        assert endpoint.asked[0].body == endpoint.asked[1].body
        first, again, over = events(endpoint)
        assert (first == again, first == over) == (True, False)

    def test_that_it_is_over_is_told_although_no_attempt_was_answered(
        self, channel: NotifyChannel, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel, repeat_minutes=0)
        endpoint.replies = [CUT] * (len(BACKOFF) + 1) + [GOOD]
        alert = opened(rule, asset, now=clock.now())
        for pause in BACKOFF:
            work()
            present.move(seconds=pause.total_seconds())
        assert work() == ["failed"]
        alert_resolve(alert, by="user:1")
        goes_by(present, seconds=60)
        assert heard(endpoint)[-2:] == [["opened"], ["resolved"]]

    def test_it_stays_so_when_a_later_attempt_is_refused(
        self, channel: NotifyChannel, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel)
        endpoint.replies = [CUT, Reply(500), GOOD]
        alert = opened(rule, asset, now=clock.now())
        goes_by(present, seconds=40)
        alert_acknowledge(alert, by="user:1")
        goes_by(present, seconds=90)
        assert len({asked.body for asked in endpoint.asked}) == 1
        assert len(endpoint.asked) == 3

    @pytest.mark.parametrize("pause", [0, 60])
    def test_what_is_given_up_is_told_anew_when_its_channel_is_on_again(
        self, pause: int, channel: NotifyChannel, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel, repeat_minutes=pause)
        endpoint.replies = [CUT, CUT, GOOD]
        alert = opened(rule, asset, now=clock.now())
        work()
        for enabled in (False, True, False, True):
            channel.refresh_from_db()
            channel_change(channel, enabled=enabled, actor="test")
            work()
        goes_by(present, seconds=120)
        assert heard(endpoint) == [["opened"]] * 3
        assert len(set(events(endpoint))) == 3
        alert_resolve(alert, by="user:1")
        goes_by(present, seconds=60)
        assert heard(endpoint)[3:] == [["resolved"]]

    def test_of_what_is_given_up_the_end_is_told_all_the_same(
        self, channel: NotifyChannel, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel)
        endpoint.replies = [CUT, GOOD]
        alert = opened(rule, asset, now=clock.now())
        work()
        for enabled in (False, True):
            channel.refresh_from_db()
            channel_change(channel, enabled=enabled, actor="test")
        alert_resolve(alert, by="user:1")
        goes_by(present, seconds=60)
        assert heard(endpoint) == [["opened"], ["resolved"]]

    def test_it_is_kept_only_while_it_may_be_needed(
        self, channel: NotifyChannel, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel)
        endpoint.replies = [CUT, GOOD]
        opened(rule, asset, now=clock.now())
        work()
        assert Notification.objects.get().kept["title"] == NEW
        goes_by(present, seconds=30)
        assert Notification.objects.get().kept is None


class TestWhatIsRefused:
    """Nobody has it: it is as if it had not been tried."""

    @pytest.fixture(params=[429, 500, 503, 0], ids=lambda status: str(status or "nobody listens"))
    def refusing(self, request: pytest.FixtureRequest, channel: NotifyChannel, endpoint: Endpoint) -> NotifyChannel:
        """It refuses the first attempt."""
        endpoint.replies = [Reply(request.param), GOOD] if request.param else [GOOD]
        if not request.param:
            settings = {**channel.settings, "url": f"http://127.0.0.1:{free_port()}"}
            NotifyChannel.objects.update(settings=settings)
        return channel

    @pytest.fixture
    def tried(self, refusing: NotifyChannel, rule: RuleSpec, asset: Asset, endpoint: Endpoint) -> Alert:
        """An alert that was to be told; from now on the channel works."""
        route_make(refusing)
        alert = opened(rule, asset, now=clock.now())
        assert work() == ["waiting"]
        NotifyChannel.objects.update(settings={**refusing.settings, "url": endpoint.url})
        endpoint.asked.clear()
        endpoint.replies = [GOOD]
        return alert

    def test_who_has_not_heard_of_it_does_not_hear_of_its_end(
        self, tried: Alert, endpoint: Endpoint, present: Present
    ) -> None:
        alert_resolve(tried, by="user:1")
        goes_by(present, seconds=120)
        assert (states(), endpoint.asked) == (["dropped"], [])

    def test_nor_does_it_where_somebody_has_it(self, tried: Alert, endpoint: Endpoint, present: Present) -> None:
        alert_acknowledge(tried, by="user:1")
        goes_by(present, seconds=120)
        assert (states(), endpoint.asked) == (["dropped"], [])

    def test_the_next_attempt_says_what_is_true_then(
        self, tried: Alert, rule: RuleSpec, endpoint: Endpoint, present: Present
    ) -> None:
        Alert.objects.update(level=Level.WARNING)
        goes_by(present, seconds=30)
        assert [one["level"] for one in endpoint.asked[0].json["news"]] == ["WARNING"]


class TestACrash:
    @pytest.fixture
    def dies(self, monkeypatch: pytest.MonkeyPatch) -> Send:
        """The server is killed when the other side has the message, the first time."""
        send, killed = channel_types()["webhook"].send, list[bool]()

        def sending(settings: Any, message: Message) -> Attempt:
            attempt = send(settings, message)
            if not killed:
                killed.append(True)
                raise Killed
            return attempt

        sends(monkeypatch, sending)
        return sending

    def test_the_next_says_the_same_and_another_message_what_has_changed(
        self, dies: Send, channel: NotifyChannel, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel)
        alert = opened(rule, asset, now=clock.now())
        with pytest.raises(Killed):
            work()
        alert_resolve(alert, by="user:1")
        goes_by(present, seconds=LEASE.total_seconds())
        goes_by(present, seconds=30)
        assert heard(endpoint) == [["opened"], ["opened"], ["resolved"]]
        assert endpoint.asked[0].body == endpoint.asked[1].body
        assert events(endpoint)[2] != events(endpoint)[1] == events(endpoint)[0]

    def test_its_attempt_stands_in_the_log(
        self, dies: Send, channel: NotifyChannel, rule: RuleSpec, asset: Asset, present: Present
    ) -> None:
        route_make(channel)
        opened(rule, asset, now=clock.now())
        with pytest.raises(Killed):
            work()
        present.move(seconds=LEASE.total_seconds())
        assert work() == ["sent"]
        assert list(Delivery.objects.values_list("outcome", "detail")) == [
            ("later", "Whoever was sending it was not heard of any more; it may have arrived."),
            ("delivered", "HTTP 200"),
        ]
        assert Notification.objects.get().attempts == 2

    def test_it_is_repeated_by_when_it_may_have_been_heard(
        self, dies: Send, channel: NotifyChannel, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel)
        opened(rule, asset, now=clock.now())
        with pytest.raises(Killed):
            work()
        present.move(minutes=5)
        work()
        present.move(minutes=55)
        work()
        assert heard(endpoint) == [["opened"], ["opened"], ["repeated"]]

    def test_what_was_not_begun_has_not_arrived(
        self, channel: NotifyChannel, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel)
        alert = opened(rule, asset, now=clock.now())
        transitions_gather()
        assert len(claims_take({}, most=5)) == 1
        alert_resolve(alert, by="user:1")
        goes_by(present, seconds=LEASE.total_seconds())
        goes_by(present, seconds=60)
        assert set(states()) == {"dropped"}
        assert not endpoint.asked
        assert Delivery.objects.get().detail == "Whoever was to send it was not heard of any more before it was sent."

    def test_nor_has_what_was_refused_before(
        self, channel: NotifyChannel, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel)
        endpoint.replies = [Reply(500)]
        opened(rule, asset, now=clock.now())
        work()
        present.move(seconds=30)
        assert len(claims_take({}, most=5)) == 1
        present.move(seconds=LEASE.total_seconds())
        claims_take({}, most=5)
        assert Delivery.objects.order_by("-pk")[0].detail.endswith("before it was sent.")
        assert not NewsItem.objects.exclude(told_as="").exists()


class TestWhoHasLostIt:
    def test_sends_nothing_that_it_has_not_begun(
        self, channel: NotifyChannel, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel)
        opened(rule, asset, now=clock.now())
        transitions_gather()
        (slow,) = claims_take({}, most=5)
        present.move(seconds=LEASE.total_seconds())
        (quick,) = claims_take({}, most=5)
        notification_send(slow)
        assert not endpoint.asked
        notification_send(quick)
        assert (states(), len(endpoint.asked)) == (["sent"], 1)

    def test_drops_nothing_either(
        self, channel: NotifyChannel, rule: RuleSpec, asset: Asset, endpoint: Endpoint, present: Present
    ) -> None:
        route_make(channel)
        opened(rule, asset, now=clock.now())
        transitions_gather()
        (slow,) = claims_take({}, most=5)
        present.move(seconds=LEASE.total_seconds())
        claims_take({}, most=5)
        Route.objects.update(enabled=False)
        before = _all_of_it()
        notification_send(slow)
        assert _all_of_it() == before

    @pytest.mark.parametrize("status", [200, 404, 500])
    def test_changes_nothing_of_what_the_next_has_noted(
        self,
        status: int,
        channel: NotifyChannel,
        rule: RuleSpec,
        asset: Asset,
        endpoint: Endpoint,
        present: Present,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        send, noted = channel_types()["webhook"].send, list[Any]()

        def is_slow(settings: Any, message: Message) -> Attempt:
            attempt = send(settings, message)
            if len(endpoint.asked) == 1:
                present.move(seconds=LEASE.total_seconds())
                work()  # of another server, which takes it over
                noted.append(_all_of_it())
            present.move(minutes=1)
            return attempt

        sends(monkeypatch, is_slow)
        endpoint.replies = [Reply(status), GOOD]
        route_make(channel)
        opened(rule, asset, now=clock.now())
        work()
        assert (states(), len(endpoint.asked)) == (["sent"], 2)
        assert [_all_of_it()] == noted
        # What it did stands in the log all the same.
        assert list(Delivery.objects.values_list("status", flat=True)) == [None, 200, status]


def _all_of_it() -> tuple[Any, Any]:
    return list(Notification.objects.values()), list(NewsItem.objects.values())


class TestWhateverHappens:
    """A day on which much fails: each of those who take every event once knows in the end what is true."""

    @pytest.fixture(params=range(6))
    def chance(self, request: pytest.FixtureRequest) -> random.Random:
        return random.Random(request.param)

    def test_who_takes_each_event_once_knows_what_is_true(
        self, chance: random.Random, channel: NotifyChannel, tenant: Tenant, present: Present, monkeypatch: Any
    ) -> None:
        world = World(chance)
        sends(monkeypatch, world.send)
        for _ in range(chance.randint(1, 2)):
            route_make(channel, group_seconds=chance.choice([0, 30]), repeat_minutes=chance.choice([0, 60]))
        things = [battery(tenant, f"B-{number}") for number in range(4)]
        for _ in range(40):
            now = chance.random()
            if now < 0.2:
                posted(chance.choice(things), level=chance.choice([Level.WARNING, Level.CRITICAL]))
            elif now < 0.4 and (open_ones := list(Alert.objects.filter(resolved_at=None).order_by("pk"))):
                alert_resolve(chance.choice(open_ones), by="user:1")
            world.work()
            present.move(seconds=chance.choice([5, 20, 60, 300]))
        world.is_good = True
        goes_by(present, minutes=150)
        world.is_true()


class World:
    """People and programs at the other side of a channel, and what happens on the way to them.

    `keen` takes what it has read although it could not answer, `unlucky` was about to when it was cut off; to
    `somebody` each attempt arrives by chance, and says so.
    """

    def __init__(self, chance: random.Random) -> None:
        self.is_good = False
        self._chance = chance
        self._tried: Counter[Any] = Counter()
        self._texts: dict[Any, set[bytes]] = defaultdict(set)
        self._taken: dict[str, dict[Any, Message]] = {"keen": {}, "unlucky": {}, "somebody": {}}

    def work(self) -> None:
        with suppress(Killed):
            work()

    def send(self, _: Any, message: Message) -> Attempt:
        self._tried[message.event_id] += 1
        is_good = self.is_good or self._tried[message.event_id] > len(BACKOFF)
        fate = "good" if is_good else self._chance.choice(["good", "cut", "killed", "refused", "one of them"])
        if fate == "refused":
            return Attempt(outcome=Outcome.LATER, detail="HTTP 503", status=503)
        self._texts[message.event_id].add(body_of(message))
        who = {
            "good": ["keen", "unlucky", "somebody"],
            "one of them": ["somebody"],
        }.get(fate, ["keen"])
        for one in who:
            if one not in message.reached:
                self._taken[one].setdefault(message.event_id, message)
        if fate == "killed":
            raise Killed
        if fate == "good":
            return Attempt(outcome=Outcome.DELIVERED, detail="HTTP 200", reached=tuple(who))
        reached = tuple(who) if fate == "one of them" else ()
        return Attempt(outcome=Outcome.LATER, detail="No answer", reached=reached, may_have_arrived=fate == "cut")

    def is_true(self) -> None:
        """Each event has one text; who has heard of an alert knows whether it is open."""
        assert all(len(texts) == 1 for texts in self._texts.values())
        truth = {alert.pk: not alert.is_resolved for alert in Alert.objects.all()}
        assert "failed" not in states()
        for who, taken in self._taken.items():
            known: dict[int, bool] = {}
            for message in taken.values():
                for one in message.news:
                    known[one.alert_id] = one.what not in ("cleared", "resolved")
            assert known == {pk: truth[pk] for pk in known}, who
            assert {pk for pk, is_open in truth.items() if is_open} <= set(known), who

"""The pages of notifications: channels, routes and what was sent, for managers, and channels to change for admins."""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Any

import pytest
from django.test import Client

from tests.people import Person
from tests.support.alerts import battery, posted
from tests.support.channels import HOOK, SECRET, TOKEN, hook, mail, message_make, route_make
from tests.views.dashboard.test_pages import EVIL, browser
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.core import clock
from wattkeeper.flow.notify import actions
from wattkeeper.flow.notify.channels.declared import Outcome
from wattkeeper.flow.notify.channels.registry import channel_types
from wattkeeper.flow.notify.models import Notification, NotificationState, NotifyChannel, Route
from wattkeeper.views.dashboard.pages.notifications import ROUTES_SHOWN
from wattkeeper.views.dashboard.route_words import sentence_of

PAGE = "/notifications/"
CHANNELS, ROUTES, LOG = f"{PAGE}channels/", f"{PAGE}routes/", f"{PAGE}messages/"
NEW_MAIL, NEW_ROUTE = f"{CHANNELS}new/?type=email", f"{ROUTES}new/"
PART = {"HX-Request": "true"}
S = NotificationState
ROUTE = {
    "least_level": "WARNING",
    "kind": "",
    "site": "",
    "tells_cleared": "on",
    "group_seconds": "30",
    "repeat_minutes": "60",
    "quiet_level": "CRITICAL",
}


def text_of(answer: Any) -> str:
    """As a person reads it."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


class TestWords:
    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            (
                {"kind": "battery", "site": "Hall 2", "quiet_from": time(22), "quiet_until": time(6)},
                "WARNING and above, of batteries at Hall 2 → Night shift, together within 30 s, again every 60 min "
                "until acknowledged, quiet 22:00-06:00 except CRITICAL",
            ),
            (
                {"least_level": "CRITICAL", "group_seconds": 0, "repeat_minutes": 0, "tells_cleared": False},
                "CRITICAL alone, of everything → Night shift, at once, once, not when it is over",
            ),
            (
                {"repeat_minutes": 240, "quiet_from": time(0), "quiet_until": time(6, 30), "quiet_level": "ERROR"},
                "WARNING and above, of everything → Night shift, together within 30 s, again every 4 h until "
                "acknowledged, quiet 00:00-06:30 except ERROR and above",
            ),
        ],
    )
    def test_a_route_is_read_aloud(self, tenant: Tenant, fields: dict[str, Any], words: str) -> None:
        battery(tenant, site="Hall 2")
        said = sentence_of(route_make(mail(tenant), **fields))
        assert said.replace("\N{EN DASH}", "-") == words


class TestWho:
    @pytest.mark.parametrize("role", ["viewer", "operator"])
    def test_who_may_not_change_them_sees_nothing_of_them(self, make_person: Any, tenant: Tenant, role: str) -> None:
        channel, client = mail(tenant), browser(make_person(role))
        route, message = route_make(channel), message_make(channel)
        there = [PAGE, LOG, NEW_MAIL, NEW_ROUTE, f"{LOG}{message.pk}/"]
        there += [f"{CHANNELS}{channel.pk}/{step}" for step in ("", "switch/", "test/", "remove/")]
        there += [f"{ROUTES}{route.pk}/{step}" for step in ("", "switch/", "remove/")]
        for path in there:
            assert client.get(path).status_code == 403, path
            assert client.post(path, {"enabled": "off"}).status_code in (403, 405), path
        assert "Notifications" not in text_of(client.get("/"))

    def test_strangers_find_nothing(self, stranger: Person, owner: Person) -> None:
        mail(owner.tenant, "Night shift of others")
        for path in (PAGE, LOG):
            assert "Night shift of others" not in text_of(browser(stranger).get(path))

    @pytest.mark.parametrize("role", ["manager", "admin"])
    def test_who_may_finds_them_in_the_bar(self, make_person: Any, role: str) -> None:
        assert f'href="{PAGE}"' in browser(make_person(role)).get("/").content.decode()

    def test_a_manager_looks_at_channels_and_is_told_whom_to_ask(self, make_person: Any, tenant: Tenant) -> None:
        make_person("admin", name="anna")
        client = browser(make_person("manager"))
        page = text_of(client.get(PAGE))
        assert "For one ask anna." in page
        assert "new/?type=" not in client.get(PAGE).content.decode()
        channel = hook(tenant)
        page = text_of(client.get(PAGE))
        assert "to change them ask anna" in page and "Send a test" in page
        assert "Switch" not in page and "Add a channel" not in page
        page = text_of(client.get(f"{CHANNELS}{channel.pk}/"))
        assert "What it knows To have it changed ask anna URL It is set Secret It is set" in page
        assert "Send a test" in page
        for absent in ("Save", "Switch", "Remove", TOKEN, SECRET):
            assert absent not in page

    def test_a_manager_is_shown_what_is_not_secret(self, make_person: Any, tenant: Tenant) -> None:
        channel = mail(tenant)
        actions.channel_change(channel, settings={"recipients": ["a@example.org", "b@example.org"]}, actor="test")
        page = text_of(browser(make_person("manager")).get(f"{CHANNELS}{channel.pk}/"))
        assert "Recipients a@example.org b@example.org" in page

    def test_a_manager_changes_no_channel_and_tests_it(self, make_person: Any, tenant: Tenant) -> None:
        channel, client = mail(tenant), browser(make_person("manager"))
        address = f"{CHANNELS}{channel.pk}/"
        assert client.get(NEW_MAIL).status_code == 403
        for path in (NEW_MAIL, address, f"{address}switch/", f"{address}remove/"):
            said = {"name": "Mine", "settings.recipients": "me@example.org", "enabled": "off"}
            assert client.post(path, said).status_code == 403, path
        kept = NotifyChannel.objects.get()
        assert (kept.name, kept.settings, kept.enabled, kept.removed_at) == (
            channel.name,
            channel.settings,
            True,
            None,
        )
        assert client.post(f"{address}test/").status_code == 302
        assert Notification.objects.get().is_test

    def test_a_manager_changes_routes(self, make_person: Any, tenant: Tenant) -> None:
        channel, client = mail(tenant), browser(make_person("manager"))
        assert client.post(NEW_ROUTE, {**ROUTE, "channel_id": str(channel.pk)}).status_code == 302
        route = Route.objects.get()
        assert 'id="switch-route-' in client.get(PAGE).content.decode()
        client.post(f"{ROUTES}{route.pk}/switch/", {"enabled": "off"})
        route.refresh_from_db()
        assert not route.enabled

    def test_who_stands_above_tenants_says_for_whom(
        self, superuser: Person, owner: Person, other_tenant: Tenant
    ) -> None:
        mail(owner.tenant)
        client = browser(superuser)
        page = text_of(client.get(PAGE))
        assert "Night shift North" in page and "Add a channel" not in page
        assert client.get(NEW_MAIL).status_code == 400
        client.post(f"{NEW_MAIL}&tenant=south", {"name": "Shift", "settings.recipients": "a@example.org"})
        assert NotifyChannel.objects.get(name="Shift").tenant == other_tenant


class TestList:
    def test_empty_places_say_what_belongs_there(self, owner: Person) -> None:
        client = browser(owner)
        page = text_of(client.get(PAGE))
        assert "Nobody can be reached yet" in page and "Nobody is told of anything" in page
        for kind in channel_types().values():
            assert kind.label in page
        assert "Nothing was sent yet" in text_of(client.get(LOG))
        mail(owner.tenant)
        assert f'href="{NEW_ROUTE}"' in client.get(PAGE).content.decode()

    def test_it_says_of_each_channel_where_it_leads_and_how_it_does(self, owner: Person) -> None:
        works, fails = mail(owner.tenant, "Works"), hook(owner.tenant, "Fails")
        mail(owner.tenant, "Off", enabled=False), mail(owner.tenant, "New")
        message_make(works, S.SENT, (Outcome.DELIVERED, "250 Ok"))
        message_make(fails, S.FAILED, (Outcome.REFUSED, "404 Not Found"), at=clock.now() - timedelta(hours=3))
        page = text_of(browser(owner).get(PAGE))
        assert "Works Email · shift@example.org Works Last delivered" in page
        assert "Fails Webhook · https://192.0.43.8/... Failing Nothing arrives, since 3 h ago : 404 Not Found" in page
        assert "New Email · shift@example.org Not tried lately" in page
        assert "Off Email · shift@example.org Off Nobody is told through it" in page

    def test_it_says_where_nobody_is_told(self, owner: Person) -> None:
        channel, client = mail(owner.tenant, enabled=False), browser(owner)
        route_make(channel)
        page = text_of(client.get(PAGE))
        assert "Nobody is told of anything: no route that is on leads to a channel that is on." in page
        assert "Its channel is off" in page
        client.post(f"{CHANNELS}{channel.pk}/switch/", {"enabled": "on"})
        assert "Nobody is told of anything" not in text_of(client.get(PAGE))

    def test_no_secret_is_on_any_page(self, owner: Person, superuser: Person) -> None:
        channel, client = hook(owner.tenant), browser(owner)
        wrong = {"name": "", "settings.url": HOOK["url"], "settings.secret": SECRET}
        told = [
            client.get(PAGE),
            client.get(f"{CHANNELS}{channel.pk}/"),
            client.post(f"{CHANNELS}{channel.pk}/", wrong),
            client.post(f"{CHANNELS}new/?type=webhook", wrong),
            *(
                one.session.get(f"/admin/notify/notifychannel/{path}")
                for one in (owner, superuser)
                for path in ("", f"{channel.pk}/change/", f"{channel.pk}/history/")
            ),
            owner.session.get("/admin/accounts/auditentry/"),
        ]
        for page in told:
            assert page.status_code in (200, 422)
            assert TOKEN not in page.content.decode() and SECRET not in page.content.decode()

    def test_what_people_write_is_no_markup(self, owner: Person) -> None:
        channel = mail(owner.tenant, EVIL)
        route_make(channel, name=EVIL)
        message_make(channel, S.FAILED, (Outcome.REFUSED, EVIL), title=EVIL, why=EVIL)
        for path in (PAGE, LOG, f"{CHANNELS}{channel.pk}/"):
            assert EVIL not in browser(owner).get(path).content.decode()

    def test_a_channel_of_a_type_that_is_gone_says_so(self, owner: Person) -> None:
        channel, client = mail(owner.tenant), browser(owner)
        NotifyChannel.objects.update(type="pigeon")
        assert "Cannot work" in text_of(client.get(PAGE))
        client.post(f"{CHANNELS}{channel.pk}/", {"name": "Birds"})
        assert NotifyChannel.objects.get().name == "Birds"


class TestChannel:
    @pytest.mark.parametrize("kind", channel_types().values(), ids=lambda kind: kind.name)
    def test_the_form_has_what_its_type_asks_for(self, owner: Person, kind: Any) -> None:
        page = browser(owner).get(f"{CHANNELS}new/?type={kind.name}").content.decode()
        for field in kind.fields:
            assert f'name="settings.{field.name}"' in page and field.label in page

    def test_one_is_added_changed_switched_and_removed(self, owner: Person) -> None:
        client = browser(owner)
        form = {"name": "Night shift", "settings.recipients": "a@example.org\r\n\r\nb@example.org"}
        answer = client.post(NEW_MAIL, form)
        channel = NotifyChannel.objects.get()
        address = f"{CHANNELS}{channel.pk}/"
        assert answer["Location"] == address
        assert channel.settings == {"recipients": ["a@example.org", "b@example.org"]}
        assert client.post(address, {**form, "name": "Day shift"})["Location"] == address
        line = client.post(f"{address}switch/", {"enabled": "off"}, headers=PART)
        assert line.content.decode().lstrip().startswith(f'<li id="channel-{channel.pk}"')
        assert 'id="routes"' in line.content.decode() and "Switch on" in text_of(line)
        channel.refresh_from_db()
        assert (channel.name, channel.enabled) == ("Day shift", False)
        assert client.post(f"{address}switch/", {"enabled": "perhaps"}).status_code == 400
        assert client.post(f"{address}remove/")["Location"] == PAGE
        assert client.get(address).status_code == 404

    def test_a_secret_that_is_left_empty_stays(self, owner: Person) -> None:
        channel, client = hook(owner.tenant), browser(owner)
        address = f"{CHANNELS}{channel.pk}/"
        assert "It is set; leave this empty to keep it." in text_of(client.get(address))
        client.post(address, {"name": "Tickets", "settings.url": "", "settings.secret": "another-secret-for-it"})
        channel.refresh_from_db()
        assert channel.settings == {**HOOK, "secret": "another-secret-for-it"}

    @pytest.mark.parametrize(
        ("form", "told"),
        [
            ({"name": ""}, "This field is required."),
            ({"settings.recipients": ""}, "This field is required."),
            ({"settings.recipients": "nobody"}, "no mail address"),
            ({"settings.recipients": "a\0b"}, "Null characters are not allowed."),
            ({"name": "Taken"}, "There is a channel of that name already."),
        ],
    )
    def test_what_is_wrong_is_said_beside_its_field(self, owner: Person, form: dict[str, str], told: str) -> None:
        mail(owner.tenant, "Taken")
        answer = browser(owner).post(NEW_MAIL, {"name": "Shift", "settings.recipients": "a@example.org", **form})
        assert answer.status_code == 422
        assert told in text_of(answer)
        assert NotifyChannel.objects.count() == 1

    @pytest.mark.parametrize(
        ("kind", "form", "wrong"),
        [
            ("webhook", {"name": "", "settings.url": "ftp://x", "settings.secret": "short"}, 3),
            ("webhook", {"name": "Taken", "settings.url": "", "settings.secret": "short"}, 3),
            ("email", {"name": "", "settings.recipients": "nobody"}, 2),
            (
                "sms",
                {
                    "name": "",
                    "settings.service": "twilio",
                    "settings.account": "nobody",
                    "settings.token": "",
                    "settings.sender": "+15005550006",
                    "settings.numbers": "12",
                },
                4,
            ),
        ],
    )
    def test_all_that_is_wrong_is_said_at_once(self, owner: Person, kind: str, form: Any, wrong: int) -> None:
        mail(owner.tenant, "Taken")
        answer = browser(owner).post(f"{CHANNELS}new/?type={kind}", form)
        assert answer.status_code == 422
        assert answer.content.decode().count('<p class="problem"') == wrong

    def test_of_one_that_is_there_too_and_its_secrets_stay(self, owner: Person) -> None:
        channel, client = hook(owner.tenant), browser(owner)
        mail(owner.tenant, "Taken")
        answer = client.post(
            f"{CHANNELS}{channel.pk}/", {"name": "Taken", "settings.url": "ftp://x", "settings.secret": ""}
        )
        said = text_of(answer)
        assert "There is a channel of that name already." in said and "Give a URL that begins with" in said
        assert "It is set; leave this empty to keep it." in said
        channel.refresh_from_db()
        assert channel.settings == HOOK

    def test_a_browser_keeps_a_secret_that_nothing_is_wrong_with(self, owner: Person) -> None:
        form = {"name": "", "settings.url": HOOK["url"], "settings.secret": "short"}
        page = browser(owner).post(f"{CHANNELS}new/?type=webhook", form, headers=PART).content.decode()
        inputs = {name: tag for tag, name in re.findall(r'(<input [^>]*name="settings\.(\w+)"[^>]*>)', page)}
        assert "hx-preserve" in inputs["url"] and "hx-preserve" not in inputs["secret"]

    def test_a_script_is_told_where_to_go_when_it_is_saved(self, owner: Person) -> None:
        form = {"name": "Shift", "settings.recipients": "a@example.org"}
        answer = browser(owner).post(NEW_MAIL, form, headers=PART)
        assert answer["HX-Redirect"] == f"{CHANNELS}{NotifyChannel.objects.get().pk}/"

    def test_one_too_many_is_said_in_the_form(self, owner: Person, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(actions, "CHANNELS_MOST", 1)
        mail(owner.tenant)
        answer = browser(owner).post(NEW_MAIL, {"name": "Shift", "settings.recipients": "a@example.org"})
        assert answer.status_code == 422
        assert "There are 1 channels already; remove one first." in text_of(answer)

    def test_a_type_that_is_none_is_refused(self, owner: Person) -> None:
        assert browser(owner).get(f"{CHANNELS}new/?type=pigeon").status_code == 400


class TestTest:
    @pytest.fixture
    def client(self, owner: Person) -> Client:
        return browser(owner)

    @pytest.fixture
    def channel(self, owner: Person) -> NotifyChannel:
        assert owner.tenant is not None
        return mail(owner.tenant)

    def test_the_answer_asks_for_itself_anew_until_something_is_known(
        self, client: Client, channel: NotifyChannel
    ) -> None:
        answer = client.post(f"{CHANNELS}{channel.pk}/test/", headers=PART)
        test = Notification.objects.get()
        address = f"{LOG}{test.pk}/"
        for page in (answer, client.get(address, headers=PART)):
            assert "On its way" in text_of(page)
            assert f'hx-get="{address}" hx-trigger="load delay:1s"' in page.content.decode()
        Notification.objects.update(state=S.SENT, finished_at=clock.now())
        test.deliveries.create(outcome=Outcome.DELIVERED, detail="250 2.0.0 Ok")
        answer = client.get(address, headers=PART)
        assert "Delivered 250 2.0.0 Ok" in text_of(answer)
        assert "hx-get" not in answer.content.decode()
        assert f'id="state-{channel.pk}" hx-swap-oob="true"' in answer.content.decode()

    def test_one_that_fails_says_why(self, client: Client, channel: NotifyChannel) -> None:
        tried = (Outcome.REFUSED, "550 No such user.")
        message = message_make(channel, S.FAILED, tried, is_test=True, why="550 No such user.")
        assert "Failed 550 No such user" in text_of(client.get(f"{LOG}{message.pk}/", headers=PART))

    def test_one_that_waits_for_long_is_asked_after_seldom_and_then_no_more(
        self, client: Client, channel: NotifyChannel
    ) -> None:
        message = message_make(channel, S.WAITING, (Outcome.LATER, "No answer"), is_test=True)
        for age, asks in ((60, "load delay:5s"), (3600, "")):
            Notification.objects.update(created_at=clock.now() - timedelta(seconds=age))
            page = client.get(f"{LOG}{message.pk}/", headers=PART)
            assert "No answer; it is tried again at" in text_of(page)
            assert asks in page.content.decode() and ("hx-get" in page.content.decode()) == bool(asks)

    def test_another_at_once_is_not_sent(self, client: Client, channel: NotifyChannel) -> None:
        address = f"{CHANNELS}{channel.pk}/test/"
        client.post(address, headers=PART)
        assert "Not sent A test is on its way" in text_of(client.post(address, headers=PART))
        assert client.post(address).status_code == 409
        assert Notification.objects.count() == 1

    def test_without_scripts_it_stands_in_the_channels_page(self, client: Client, channel: NotifyChannel) -> None:
        answer = client.post(f"{CHANNELS}{channel.pk}/test/")
        assert answer["Location"] == f"{CHANNELS}{channel.pk}/"
        assert "A test Waiting" in text_of(client.get(answer["Location"]))
        message = Notification.objects.get()
        assert client.get(f"{LOG}{message.pk}/")["Location"] == f"{LOG}?channel={channel.pk}"


class TestRoute:
    def test_one_is_added_changed_switched_and_removed(self, owner: Person) -> None:
        assert owner.tenant is not None
        battery(owner.tenant, site="Hall 2")
        channel, client = mail(owner.tenant), browser(owner)
        quiet = {"quiet_from": "22:00", "quiet_until": "06:00"}
        form = {**ROUTE, **quiet, "channel_id": str(channel.pk), "kind": "battery", "site": "Hall 2"}
        assert client.post(NEW_ROUTE, form)["Location"] == PAGE
        route = Route.objects.get()
        assert (route.channel, route.site, route.quiet_from, route.enabled) == (channel, "Hall 2", time(22), True)
        address = f"{ROUTES}{route.pk}/"
        page = client.get(address).content.decode()
        assert 'value="22:00"' in page and "Times of UTC" in page
        client.post(address, {**form, "repeat_minutes": "0", "tells_cleared": ""})
        part = client.post(f"{address}switch/", {"enabled": "off"}, headers=PART)
        assert 'id="routes"' in part.content.decode()
        route.refresh_from_db()
        assert (route.repeat_minutes, route.tells_cleared, route.enabled) == (0, False, False)
        client.post(f"{address}remove/")
        assert client.get(address).status_code == 404

    @pytest.mark.parametrize(
        ("form", "told"),
        [
            ({"channel_id": "999999"}, "not one of the available choices"),
            ({"channel_id": "x"}, "not one of the available choices"),
            ({"site": "Nowhere"}, "not one of the available choices"),
            ({"least_level": "BAD"}, "not one of the available choices"),
            ({"group_seconds": "-1"}, "greater than or equal to 0"),
            ({"repeat_minutes": "1e9"}, "Enter a whole number."),
            ({"quiet_from": "late"}, "Enter a valid time."),
            ({"quiet_from": "22:00"}, "Quiet hours have a beginning and an end."),
        ],
    )
    def test_what_is_wrong_is_said_beside_its_field(self, owner: Person, form: dict[str, str], told: str) -> None:
        channel = mail(owner.tenant)
        answer = browser(owner).post(NEW_ROUTE, {**ROUTE, "channel_id": str(channel.pk), **form})
        assert answer.status_code == 422
        assert told in text_of(answer)
        assert not Route.objects.exists()

    @pytest.fixture
    def many(self, owner: Person) -> NotifyChannel:
        """A page of routes that are on, but for the last, and three more."""
        assert owner.tenant is not None
        channel = mail(owner.tenant)
        for number in range(ROUTES_SHOWN + 3):
            route_make(channel, name=f"Route {number:02}", enabled=number < ROUTES_SHOWN)
        return channel

    @pytest.mark.parametrize("path", ["", "channels/{}/"])
    def test_many_have_pages(self, path: str, owner: Person, many: NotifyChannel) -> None:
        client, address = browser(owner), PAGE + path.format(many.pk)
        routes = list(Route.objects.order_by("pk").values_list("pk", flat=True))

        def shown(page: Any) -> list[int]:
            return [int(pk) for pk in re.findall(rf'href="{ROUTES}(\d+)/[^"]*"><strong>', page.content.decode())]

        first, second = client.get(address), client.get(address, {"page": "2"})
        assert (shown(first), shown(second)) == (routes[:ROUTES_SHOWN], routes[ROUTES_SHOWN:])
        assert (
            f"1\N{EN DASH}25 of {len(routes)} routes" in text_of(first) and 'href="?page=2"' in first.content.decode()
        )
        assert shown(client.get(address, {"page": "99"})) == shown(second)

    def test_who_switches_one_stays_on_their_page(self, owner: Person, many: NotifyChannel) -> None:
        client, route = browser(owner), Route.objects.order_by("pk").last()
        assert route is not None
        page = client.get(PAGE, {"page": "2"})
        assert "Nobody is told of anything" not in text_of(page)  # those that are on are on the other page
        address = f"{ROUTES}{route.pk}/switch/?page=2"
        assert f'hx-post="{address}"' in page.content.decode()
        part = client.post(address, {"enabled": "on"}, headers=PART)
        assert "Switch off" in text_of(part) and 'href="?page=1"' in part.content.decode()
        line = client.post(f"{CHANNELS}{many.pk}/switch/?page=2", {"enabled": "off"}, headers=PART)
        assert "Route 27" in text_of(line) and "Route 00" not in text_of(line)

    def test_without_a_channel_there_is_nowhere_to_lead_to(self, owner: Person) -> None:
        assert browser(owner).get(NEW_ROUTE)["Location"] == PAGE

    def test_it_begins_with_the_channel_that_one_comes_from(self, owner: Person) -> None:
        mail(owner.tenant, "A")
        second = mail(owner.tenant, "B")
        page = browser(owner).get(NEW_ROUTE, {"channel": second.pk}).content.decode()
        assert f'<option value="{second.pk}" selected>' in page


class TestLog:
    def test_each_message_says_what_became_of_every_attempt(self, owner: Person) -> None:
        channel = mail(owner.tenant)
        tried = ((Outcome.LATER, "451 Greylisted"), (Outcome.DELIVERED, "250 Ok"))
        message_make(channel, S.SENT, *tried, title="CRITICAL: Over temperature of BAT-1")
        page = text_of(browser(owner).get(LOG))
        assert re.search(r"BAT-1 Delivered .* Not now: 451 Greylisted 12 ms .* Delivered: 250 Ok 12 ms", page)

    def test_it_is_filtered_by_channel_state_and_alert(self, owner: Person) -> None:
        assert owner.tenant is not None
        first, second, client = mail(owner.tenant, "First"), mail(owner.tenant, "Second"), browser(owner)
        alert, route = posted(battery(owner.tenant)), route_make(first)
        message_make(first, S.SENT, title="Told", route=route, alerts=[alert])
        message_make(second, S.DROPPED, title="Not told", why="Its route was removed.")

        def titles(**query: Any) -> list[str]:
            return re.findall(r'class="wrap">([^<]+?) ?<', client.get(LOG, query).content.decode())

        assert titles() == ["Not told", "Told"]
        assert titles(channel=first.pk) == titles(alert=alert.pk) == titles(state="sent") == ["Told"]
        assert titles(alert=alert.pk, state="failed") == []
        assert "Nobody has been told of this alert" in text_of(client.get(LOG, {"alert": alert.pk + 1}))
        for query in ({"state": "lost"}, {"channel": "x"}, {"alert": "-1"}, {"alert": "9" * 30}):
            assert client.get(LOG, query).status_code == 400

    def test_a_longer_log_costs_no_more_questions(self, owner: Person, django_assert_max_num_queries: Any) -> None:
        channel, client = mail(owner.tenant), browser(owner)
        for _ in range(20):
            message_make(channel, S.SENT, (Outcome.DELIVERED, "250 Ok"), requested_by="user:1", is_test=True)
        client.get(LOG)
        with django_assert_max_num_queries(14):
            client.get(LOG)

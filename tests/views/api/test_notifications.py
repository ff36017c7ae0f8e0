"""Channels, routes and messages over the API: for managers, channels to change for admins, and never with a secret."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.people import DOORS, Person
from tests.support.alerts import battery, posted
from tests.support.channels import HOOK, MAIL, SECRET, TOKEN, hook, mail, message_make, route_make
from wattkeeper.base.accounts.matrix import Scope
from wattkeeper.base.core import clock
from wattkeeper.flow.notify.channels.declared import Outcome
from wattkeeper.flow.notify.channels.registry import channel_types
from wattkeeper.flow.notify.models import Notification, NotificationState, NotifyChannel, Route

BASE = "/api/notifications/"
CHANNELS, ROUTES, MESSAGES = f"{BASE}channels/", f"{BASE}routes/", f"{BASE}messages/"
NEW = {"name": "Night shift", "type": "email", "settings": MAIL}
IS_SET = {"is_set": True}


def one(person: Person, path: str, **query: Any) -> Any:
    answer = person.jwt.get(path, query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def names(person: Person, path: str, **query: Any) -> list[str]:
    return [row["name"] for row in one(person, path, **query)["results"]]


class TestWho:
    @pytest.fixture
    def addresses(self, owner: Person) -> list[tuple[str, str]]:
        """Every method of every address, of things that are there."""
        assert owner.tenant is not None
        channel = mail(owner.tenant)
        route, message = route_make(channel), message_make(channel)
        return [
            ("get", f"{BASE}channel-types/"),
            *((method, CHANNELS) for method in ("get", "post")),
            *((method, f"{CHANNELS}{channel.pk}/") for method in ("get", "put", "patch", "delete")),
            ("post", f"{CHANNELS}{channel.pk}/test/"),
            *((method, ROUTES) for method in ("get", "post")),
            *((method, f"{ROUTES}{route.pk}/") for method in ("get", "put", "patch", "delete")),
            ("get", MESSAGES),
            ("get", f"{MESSAGES}{message.pk}/"),
        ]

    @pytest.mark.parametrize("role", ["viewer", "operator"])
    def test_who_may_not_change_them_may_not_even_read_them(
        self, make_person: Any, addresses: list[tuple[str, str]], role: str
    ) -> None:
        person = make_person(role)
        for method, address in addresses:
            assert getattr(person.jwt, method)(address).status_code == 403, (method, address)

    @pytest.mark.parametrize("scope", [Scope.READ, Scope.INGEST])
    def test_nor_may_a_key_of_another_scope(
        self, owner: Person, addresses: list[tuple[str, str]], scope: Scope
    ) -> None:
        key = owner.key(scope)
        for method, address in addresses:
            assert getattr(key, method)(address).status_code == 403, (method, address)

    def test_to_strangers_they_are_not_there(self, stranger: Person, addresses: list[tuple[str, str]]) -> None:
        for method, address in addresses:
            if address.count("/") > CHANNELS.count("/"):
                assert getattr(stranger.jwt, method)(address).status_code == 404, (method, address)
        for path in (CHANNELS, ROUTES, MESSAGES):
            assert one(stranger, path)["count"] == 0
        assert NotifyChannel.objects.get().removed_at is None

    @pytest.mark.parametrize("door", DOORS)
    def test_an_admin_adds_a_channel_by_every_door(self, owner: Person, door: str) -> None:
        client = owner.by(door)
        made = client.post(CHANNELS, NEW, format="json")
        assert made.status_code == 201, made.content
        assert client.get(CHANNELS).json()["count"] == 1

    def test_a_manager_reads_and_tests_channels_and_changes_none(self, owner: Person, make_person: Any) -> None:
        channel, manager = mail(owner.tenant), make_person("manager")
        address = f"{CHANNELS}{channel.pk}/"
        assert names(manager, CHANNELS) == [one(manager, address)["name"]]
        assert manager.jwt.post(f"{address}test/").status_code == 202
        changes: list[tuple[str, str, Any]] = [
            ("post", CHANNELS, NEW),
            ("put", address, {"name": "Mine"}),
            ("patch", address, {"enabled": False}),
            ("patch", address, {"settings": {"recipients": ["me@example.org"]}}),
            ("delete", address, None),
        ]
        for method, path, body in changes:
            assert getattr(manager.jwt, method)(path, body, format="json").status_code == 403, (method, path)
        before = channel.updated_at
        channel.refresh_from_db()
        assert (channel.updated_at, channel.removed_at) == (before, None)
        assert NotifyChannel.objects.count() == 1

    def test_a_manager_says_who_is_told_of_what(self, owner: Person, make_person: Any) -> None:
        channel, manager = mail(owner.tenant), make_person("manager")
        made = manager.jwt.post(ROUTES, {"channel": channel.pk}, format="json")
        assert made.status_code == 201, made.content
        address = f"{ROUTES}{made.json()['id']}/"
        assert manager.jwt.patch(address, {"enabled": False}, format="json").status_code == 200
        assert manager.jwt.delete(address).status_code == 204

    def test_who_stands_above_tenants_says_for_whom(self, superuser: Person, owner: Person, stranger: Person) -> None:
        mail(owner.tenant, "North's"), mail(stranger.tenant, "South's")
        assert names(superuser, CHANNELS) == ["North's", "South's"]
        assert names(superuser, CHANNELS, tenant="south") == ["South's"]
        assert superuser.jwt.post(CHANNELS, NEW, format="json").status_code == 400
        answer = superuser.jwt.post(f"{CHANNELS}?tenant=south", NEW, format="json")
        assert NotifyChannel.objects.get(pk=answer.json()["id"]).tenant == stranger.tenant


class TestChannels:
    def test_the_types_say_what_has_to_be_known(self, owner: Person) -> None:
        types = {kind["name"]: kind for kind in one(owner, f"{BASE}channel-types/")["types"]}
        assert list(types) == list(channel_types())
        (recipients,) = types["email"]["fields"]
        assert (recipients["name"], recipients["is_list"], recipients["is_secret"]) == ("recipients", True, False)
        assert [field["name"] for field in types["webhook"]["fields"] if field["is_secret"]] == ["url", "secret"]

    def test_one_is_added_read_changed_and_removed(self, owner: Person) -> None:
        made = owner.jwt.post(CHANNELS, NEW, format="json").json()
        assert (made["name"], made["type"], made["settings"], made["enabled"]) == ("Night shift", "email", MAIL, True)
        assert (made["whereto"], made["failing_since"], made["failure"]) == ("shift@example.org", None, "")
        address = f"{CHANNELS}{made['id']}/"
        assert one(owner, address) == made
        settings = {"recipients": ["day@example.org"]}
        changed = owner.jwt.patch(address, {"settings": settings, "enabled": False}, format="json").json()
        assert (changed["settings"], changed["enabled"], changed["name"]) == (settings, False, "Night shift")
        again = owner.jwt.put(address, changed, format="json")
        assert again.status_code == 200 and again.json() == changed
        assert owner.jwt.delete(address).status_code == 204
        assert owner.jwt.get(address).status_code == 404

    def test_a_secret_is_told_to_nobody_and_stays_when_what_was_told_is_sent_back(self, owner: Person) -> None:
        answer = owner.jwt.post(CHANNELS, {"name": "Tickets", "type": "webhook", "settings": HOOK}, format="json")
        made, address = answer.json(), f"{CHANNELS}{answer.json()['id']}/"
        assert made["settings"] == {"url": IS_SET, "secret": IS_SET}
        told = [answer, owner.jwt.get(address), owner.jwt.get(CHANNELS), owner.jwt.put(address, made, format="json")]
        told.append(owner.jwt.post(f"{address}test/"))
        for each in told:
            assert each.status_code < 300
            assert TOKEN not in each.content.decode() and SECRET not in each.content.decode()
        assert NotifyChannel.objects.get().settings == HOOK

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            ({**NEW, "type": "pigeon"}, ["type"]),
            ({**NEW, "name": ""}, ["name"]),
            ({**NEW, "name": 7}, ["name"]),
            ({**NEW, "name": "\u3164"}, ["name"]),  # shows nothing
            ({**NEW, "name": "Night\nshift"}, ["name"]),
            ({**NEW, "name": "\u202eNight shift"}, ["name"]),
            ({**NEW, "colour": "red"}, ["colour"]),
            ({**NEW, "enabled": "perhaps"}, ["enabled"]),
            ({**NEW, "settings": []}, ["settings"]),
            ({**NEW, "settings": {"recipients": ["nobody"]}}, ["settings"]),
            ({**NEW, "settings": {"recipients": [{"a": [1]}]}}, ["settings"]),
            ({"name": "x"}, ["type"]),
        ],
    )
    def test_what_is_wrong_is_said_by_field(self, owner: Person, body: dict[str, Any], told: list[str]) -> None:
        answer = owner.jwt.post(CHANNELS, body, format="json")
        assert (answer.status_code, list(answer.json())) == (400, told)

    def test_what_is_wrong_with_settings_stands_below_their_names(self, owner: Person) -> None:
        body = {"name": "Tickets", "type": "webhook", "settings": {"url": "gopher://x", "secret": "short"}}
        told = owner.jwt.post(CHANNELS, body, format="json").json()["settings"]
        assert sorted(told) == ["secret", "url"]
        body["settings"] = {**HOOK, "colour": "red"}
        assert list(owner.jwt.post(CHANNELS, body, format="json").json()["settings"]) == ["colour"]

    @pytest.mark.parametrize("name", ["", "half a \ud800", "x" * 1_000, "settings", "__all__"])
    def test_a_setting_with_a_strange_name_is_only_unknown(self, owner: Person, name: str) -> None:
        body = json.dumps({**NEW, "settings": {**MAIL, name: "x"}})
        answer = owner.jwt.post(CHANNELS, body, content_type="application/json")
        assert answer.status_code == 400
        assert list(answer.json()["settings"].values()) == [["There is no such setting."]]

    def test_a_form_cannot_say_what_stands_within_settings(self, owner: Person) -> None:
        assert owner.jwt.post(CHANNELS, {"name": "x", "type": "email"}, format="multipart").status_code == 415

    def test_a_channel_stays_of_its_type(self, owner: Person) -> None:
        address = f"{CHANNELS}{mail(owner.tenant).pk}/"
        answer = owner.jwt.patch(address, {"type": "webhook"}, format="json")
        assert (answer.status_code, list(answer.json())) == (400, ["type"])

    def test_the_list_says_how_each_does_and_is_filtered(self, owner: Person) -> None:
        channel = mail(owner.tenant, "Failing", enabled=True)
        mail(owner.tenant, "Off", enabled=False), hook(owner.tenant, "Hook")
        message_make(channel, NotificationState.FAILED, (Outcome.REFUSED, "550 No such user"))
        failing, *_ = one(owner, CHANNELS)["results"]
        assert failing["failure"] == "550 No such user" and failing["failing_since"] is not None
        assert names(owner, CHANNELS, enabled="false") == ["Off"]
        assert names(owner, CHANNELS, type="webhook") == ["Hook"]
        assert names(owner, CHANNELS, page_size=1, page=2) == ["Hook"]
        assert owner.jwt.get(CHANNELS, {"type": "pigeon"}).status_code == 400

    def test_a_test_is_a_message_to_be_followed(self, owner: Person) -> None:
        address = f"{CHANNELS}{mail(owner.tenant).pk}/test/"
        answer = owner.jwt.post(address)
        assert answer.status_code == 202
        message = answer.json()
        assert (message["is_test"], message["state"], message["attempts"]) == (True, "waiting", [])
        assert message["requested_by"] == "owner"
        assert one(owner, f"{MESSAGES}{message['id']}/") == message
        assert owner.jwt.post(address).status_code == 409
        assert Notification.objects.count() == 1


class TestRoutes:
    @pytest.mark.parametrize("wall", ["22:00:30", "22:00:00.5", "22:00+02:00", "22:00:00Z"])
    def test_quiet_hours_are_whole_minutes_of_the_tenants_clock(self, wall: str, owner: Person) -> None:
        body = {"channel": mail(owner.tenant).pk, "quiet_from": wall, "quiet_until": "06:00"}
        answer = owner.jwt.post(ROUTES, body, format="json")
        assert answer.status_code == 400
        assert "quiet_from" in str(answer.json())

    def test_one_is_added_read_changed_and_removed(self, owner: Person) -> None:
        battery(owner.tenant, site="Hall 2")
        channel = mail(owner.tenant)
        body = {
            "channel": channel.pk,
            "kind": "battery",
            "site": "Hall 2",
            "quiet_from": "22:00",
            "quiet_until": "06:00",
        }
        made = owner.jwt.post(ROUTES, body, format="json").json()
        assert (made["channel"], made["site"], made["quiet_from"], made["time_zone"]) == (
            channel.pk,
            "Hall 2",
            "22:00:00",
            "UTC",
        )
        assert (made["least_level"], made["group_seconds"], made["repeat_minutes"]) == ("WARNING", 30, 60)
        address = f"{ROUTES}{made['id']}/"
        assert one(owner, address) == made
        quiet = {"quiet_from": None, "quiet_until": None}
        changed = owner.jwt.patch(address, {"least_level": "ERROR", **quiet}, format="json").json()
        assert (changed["least_level"], changed["quiet_from"], changed["site"]) == ("ERROR", None, "Hall 2")
        assert owner.jwt.put(address, changed, format="json").json() == changed
        assert owner.jwt.delete(address).status_code == 204
        assert owner.jwt.get(address).status_code == 404

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            ({"channel": 10**9}, ["channel"]),
            ({"channel": "mine"}, ["channel"]),
            ({"kind": "boat"}, ["kind"]),
            ({"site": "Nowhere"}, ["site"]),
            ({"least_level": "BAD"}, ["least_level"]),
            ({"group_seconds": -1}, ["group_seconds"]),
            ({"repeat_minutes": 10**9}, ["repeat_minutes"]),
            ({"quiet_from": "25:00"}, ["quiet_from"]),
            ({"quiet_from": "22:00"}, ["quiet_until"]),
            ({"colour": "red"}, ["colour"]),
            ({"site": "a\0"}, ["site"]),
            ({"name": "soft\u00adhyphen"}, ["name"]),
        ],
    )
    def test_what_is_wrong_is_said_by_field(self, owner: Person, body: dict[str, Any], told: list[str]) -> None:
        answer = owner.jwt.post(ROUTES, {"channel": mail(owner.tenant).pk, **body}, format="json")
        assert (answer.status_code, list(answer.json())) == (400, told)

    def test_it_leads_to_no_channel_of_others(self, owner: Person, stranger: Person) -> None:
        theirs = mail(stranger.tenant)
        assert owner.jwt.post(ROUTES, {"channel": theirs.pk}, format="json").status_code == 400
        route = route_make(mail(owner.tenant))
        assert owner.jwt.patch(f"{ROUTES}{route.pk}/", {"channel": theirs.pk}, format="json").status_code == 400
        assert not Route.objects.filter(channel=theirs).exists()

    def test_the_list_is_filtered(self, owner: Person) -> None:
        first, second = mail(owner.tenant, "A"), mail(owner.tenant, "B")
        route_make(first, name="one"), route_make(second, name="two", enabled=False)
        assert names(owner, ROUTES) == ["one", "two"]
        assert names(owner, ROUTES, channel=second.pk) == ["two"]
        assert names(owner, ROUTES, enabled="true") == ["one"]
        assert owner.jwt.get(ROUTES, {"channel": "x"}).status_code == 400

    def test_the_list_has_pages(self, owner: Person) -> None:
        assert owner.tenant is not None
        channel = mail(owner.tenant)
        made = [route_make(channel, name=f"Route {number:02}").name for number in range(45)]
        assert one(owner, ROUTES)["count"] == 45
        pages = [names(owner, ROUTES, page=number) for number in (1, 2, 3)]
        assert pages == [made[:20], made[20:40], made[40:]]
        assert names(owner, ROUTES, page=2, page_size=30) == made[30:]
        assert owner.jwt.get(ROUTES, {"page": 4}).status_code == 404


class TestLists:
    @pytest.mark.parametrize("path", [CHANNELS, ROUTES, MESSAGES])
    @pytest.mark.parametrize("ordering", ["zz", "-", "-zz", "settings", "pk", "name,type"])
    def test_an_unknown_ordering_is_named(self, owner: Person, path: str, ordering: str) -> None:
        answer = owner.jwt.get(path, {"ordering": ordering})
        assert (answer.status_code, list(answer.json())) == (400, ["ordering"])
        assert repr(ordering) in answer.json()["ordering"][0]

    def test_channels_are_ordered_and_searched(self, owner: Person) -> None:
        mail(owner.tenant, "B mail"), hook(owner.tenant, "C hook"), mail(owner.tenant, "A mail", enabled=False)
        for query, expected in [
            ({}, "ABC"),
            ({"ordering": "-name"}, "CBA"),
            ({"ordering": "created_at"}, "BCA"),
            ({"ordering": "-updated_at"}, "ACB"),
            ({"ordering": "type"}, "BAC"),
            ({"ordering": "enabled"}, "ABC"),
            ({"search": "MAIL"}, "AB"),
            ({"search": "mail", "ordering": "-name", "enabled": "true"}, "B"),
            ({"search": "webhook"}, "C"),
            ({"search": "nothing like it"}, ""),
        ]:
            assert "".join(name[0] for name in names(owner, CHANNELS, **query)) == expected, query

    def test_routes_are_ordered_and_searched(self, owner: Person) -> None:
        battery(owner.tenant, site="Hall 2")
        first, second = mail(owner.tenant, "A mail"), mail(owner.tenant, "B mail")
        route_make(second, name="x", kind="vehicle")
        route_make(first, name="z", site="Hall 2")
        route_make(first, name="y", enabled=False)
        for query, expected in [
            ({}, "zyx"),
            ({"ordering": "-channel_name"}, "xyz"),
            ({"ordering": "name"}, "xyz"),
            ({"ordering": "-created_at"}, "yzx"),
            ({"ordering": "site"}, "xyz"),
            ({"search": "hall"}, "z"),
            ({"search": "VEHICLE"}, "x"),
            ({"search": "a mail", "ordering": "name"}, "yz"),
            ({"search": "y"}, "y"),
        ]:
            assert "".join(names(owner, ROUTES, **query)) == expected, query

    def test_messages_are_ordered_and_searched(self, owner: Person) -> None:
        first, second, now = mail(owner.tenant, "A mail"), mail(owner.tenant, "B mail"), clock.now()
        low = message_make(second, NotificationState.SENT, title="Low charge", at=now, finished_at=now)
        hot = message_make(first, NotificationState.WAITING, title="Too hot", at=now + timedelta(seconds=1))
        gone = message_make(
            first,
            NotificationState.DROPPED,
            title="Fault",
            why="Its route was removed.",
            at=now + timedelta(seconds=2),
            finished_at=now + timedelta(seconds=3),
        )
        for query, expected in [
            ({}, [gone, hot, low]),
            ({"ordering": "created_at"}, [low, hot, gone]),
            ({"ordering": "due_at"}, [low, hot, gone]),
            ({"ordering": "finished_at"}, [low, gone, hot]),
            ({"ordering": "-finished_at"}, [gone, low, hot]),
            ({"ordering": "state"}, [gone, low, hot]),
            ({"ordering": "channel_name"}, [hot, gone, low]),
            ({"ordering": "title"}, [gone, low, hot]),
            ({"search": "CHARGE"}, [low]),
            ({"search": "a mail"}, [gone, hot]),
            ({"search": "route was removed"}, [gone]),
            ({"search": "a", "state": "sent", "ordering": "title"}, [low]),
        ]:
            found = [row["id"] for row in one(owner, MESSAGES, **query)["results"]]
            assert found == [message.pk for message in expected], query


class TestMessages:
    def test_each_says_what_became_of_every_attempt(self, owner: Person) -> None:
        channel = mail(owner.tenant)
        alert, route = posted(battery(owner.tenant)), route_make(channel)
        tried = ((Outcome.LATER, "451 Greylisted"), (Outcome.DELIVERED, "250 Ok"))
        made = message_make(channel, NotificationState.SENT, *tried, route=route, alerts=[alert], title="Low charge")
        (row,) = one(owner, MESSAGES)["results"]
        assert (row["state"], row["title"], row["channel_name"], row["route"]) == (
            "sent",
            "Low charge",
            "Night shift",
            route.pk,
        )
        assert [(each["outcome"], each["detail"]) for each in row["attempts"]] == [
            ("later", "451 Greylisted"),
            ("delivered", "250 Ok"),
        ]
        assert row["alert_count"] == 1
        assert one(owner, f"{MESSAGES}{made.pk}/") == {**row, "alerts": [alert.pk]}

    def test_the_list_is_filtered(self, owner: Person) -> None:
        first, second = mail(owner.tenant, "A"), mail(owner.tenant, "B")
        alert, route = posted(battery(owner.tenant)), route_make(first)
        told = message_make(first, NotificationState.SENT, route=route, alerts=[alert])
        dropped = message_make(second, NotificationState.DROPPED, at=clock.now(), why="Its route was removed.")

        def ids(**query: Any) -> list[int]:
            return [row["id"] for row in one(owner, MESSAGES, **query)["results"]]

        assert ids() == [dropped.pk, told.pk]
        assert ids(channel=first.pk) == ids(alert=alert.pk) == ids(state="sent") == [told.pk]
        assert ids(alert=alert.pk + 1) == []
        for query in ({"state": "lost"}, {"alert": "x"}, {"channel": "0"}, {"page": "0"}):
            assert owner.jwt.get(MESSAGES, query).status_code == 400

    def test_a_longer_list_costs_no_more_questions(self, owner: Person, django_assert_num_queries: Any) -> None:
        channel, client = mail(owner.tenant), owner.jwt
        for _ in range(2):
            message_make(channel, NotificationState.SENT, (Outcome.DELIVERED, "250"), requested_by="user:1")
        client.get(MESSAGES)
        with django_assert_num_queries(6) as few:
            client.get(MESSAGES)
        for _ in range(5):
            message_make(channel, NotificationState.SENT, (Outcome.DELIVERED, "250"), requested_by="user:2")
        with django_assert_num_queries(len(few)):
            client.get(MESSAGES)

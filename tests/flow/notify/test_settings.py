"""What people set of notifications: channels whose secrets nobody reads again, routes, and tests."""

from __future__ import annotations

import json
from datetime import time, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from tests.support.alerts import battery, posted
from tests.support.channels import HOOK, MAIL, SECRET, TOKEN, hook, mail, message_make, route_make
from wattkeeper.base.accounts.models import AuditEntry, Tenant
from wattkeeper.base.core import clock
from wattkeeper.base.core.errors import ConflictError
from wattkeeper.flow.notify import actions
from wattkeeper.flow.notify.actions import (
    channel_add,
    channel_change,
    channel_enable,
    channel_remove,
    channel_test,
    route_add,
    route_change,
    route_remove,
)
from wattkeeper.flow.notify.channel_settings import settings_shown, type_of
from wattkeeper.flow.notify.channels.declared import Outcome
from wattkeeper.flow.notify.models import Notification, NotificationState, NotifyChannel, Route
from wattkeeper.flow.notify.queries import (
    ChannelHealth,
    channel_by_id,
    channels_of,
    healths_of,
    notifications_of,
    route_by_id,
    routes_of,
    whereto_of,
)
from wattkeeper.flow.notify.route_fields import RouteFields, fields_of

S = NotificationState
UNSENT = (S.GATHERING, S.WAITING)


def wrong_with(error: pytest.ExceptionInfo[ValidationError]) -> list[str]:
    return sorted(error.value.message_dict)


def audited(action: str) -> AuditEntry:
    return AuditEntry.objects.get(action=action)


class TestChannel:
    def test_it_is_kept_as_its_type_keeps_it(self, tenant: Tenant) -> None:
        settings = {"recipients": [" shift@example.org ", "", "shift@example.org"]}
        made = channel_add(tenant=tenant, type="email", name=" Night shift ", settings=settings, actor="user:1")
        kept = NotifyChannel.objects.get(pk=made.pk)
        assert (kept.name, kept.type, kept.settings, kept.enabled) == ("Night shift", "email", MAIL, True)
        entry = audited("channel_add")
        assert (entry.actor, entry.target, entry.tenant) == ("user:1", f"channel:{made.pk} Night shift", tenant)

    @pytest.mark.parametrize(
        ("values", "fields"),
        [
            ({"type": "pigeon"}, ["type"]),
            ({"name": "  "}, ["name"]),
            ({"name": "x" * 101}, ["name"]),
            ({"name": "a\0b"}, ["name"]),
            ({"settings": {}}, ["settings.recipients"]),
            ({"settings": {"recipients": ["nobody"]}}, ["settings.recipients"]),
            ({"settings": {"recipients": [1]}}, ["settings.recipients"]),
            ({"settings": {"recipients": {"a": "b"}}}, ["settings.recipients"]),
            ({"settings": {**MAIL, "colour": "red"}}, ["settings.colour"]),
            ({"settings": {}, "name": ""}, ["name", "settings.recipients"]),
        ],
    )
    def test_what_is_wrong_is_said_by_field(self, tenant: Tenant, values: dict[str, Any], fields: list[str]) -> None:
        given = {"type": "email", "name": "Shift", "settings": MAIL, **values}
        with pytest.raises(ValidationError) as error:
            channel_add(tenant=tenant, actor="test", **given)
        assert wrong_with(error) == fields
        assert not NotifyChannel.objects.exists()

    def test_a_name_is_given_once_until_its_channel_is_removed(self, tenant: Tenant, other_tenant: Tenant) -> None:
        first = mail(tenant)
        mail(other_tenant)
        with pytest.raises(ValidationError) as error:
            mail(tenant)
        assert wrong_with(error) == ["name"]
        channel_remove(first, actor="test")
        mail(tenant)

    def test_a_tenant_has_only_so_many(self, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(actions, "CHANNELS_MOST", 1)
        gone = mail(tenant)
        channel_remove(gone, actor="test")
        mail(tenant)
        with pytest.raises(ConflictError):
            hook(tenant)

    def test_a_secret_that_is_not_sent_stays(self, tenant: Tenant) -> None:
        channel = hook(tenant)
        channel_change(channel, name="Other tickets", settings={}, actor="test")
        shown = settings_shown(type_of("webhook"), channel.settings)
        channel_change(channel, settings=shown, actor="test")
        kept = NotifyChannel.objects.get(pk=channel.pk)
        assert (kept.name, kept.settings) == ("Other tickets", HOOK)
        channel_change(channel, settings={"secret": "another-secret-for-it"}, actor="test")
        kept.refresh_from_db()
        assert kept.settings == {**HOOK, "secret": "another-secret-for-it"}
        with pytest.raises(ValidationError) as error:
            channel_change(channel, settings={"secret": None}, actor="test")
        assert wrong_with(error) == ["settings.secret"]

    def test_no_secret_is_in_the_audit_trail(self, tenant: Tenant) -> None:
        channel = hook(tenant)
        channel_change(channel, settings={"secret": "another-secret-for-it"}, actor="test")
        channel_remove(channel, actor="test")
        trail = json.dumps(list(AuditEntry.objects.values_list("target", "detail")))
        assert TOKEN not in trail and SECRET not in trail and "another-secret" not in trail
        assert audited("channel_add").detail["settings"] == {"url": {"is_set": True}, "secret": {"is_set": True}}
        assert audited("channel_change").detail == {"settings": {"secret": ["a secret", "a secret"]}}

    def test_what_does_not_change_is_not_audited(self, tenant: Tenant) -> None:
        channel = mail(tenant)
        channel_change(channel, name="Night shift", settings=MAIL, enabled=True, actor="test")
        assert not AuditEntry.objects.filter(action="channel_change").exists()

    def test_of_two_who_change_it_at_once_the_second_hears_so(self, tenant: Tenant) -> None:
        mine = mail(tenant)
        theirs = NotifyChannel.objects.get(pk=mine.pk)
        channel_change(mine, name="Day shift", actor="test")
        with pytest.raises(ConflictError):
            channel_change(theirs, name="Late shift", actor="test")
        channel_remove(mine, actor="test")
        with pytest.raises(ConflictError):
            channel_remove(theirs, actor="test")
        assert NotifyChannel.objects.get().name == "Day shift"

    @pytest.mark.parametrize("state", UNSENT)
    def test_what_waits_is_dropped_with_a_channel_that_is_switched_off(self, tenant: Tenant, state: S) -> None:
        channel, other = mail(tenant), mail(tenant, "Others")
        mine, theirs = message_make(channel, state), message_make(other, state)
        sent, on_its_way = message_make(channel, S.SENT), message_make(channel, S.SENDING)
        channel_enable(channel, enabled=False, actor="test")
        for message, expected in ((mine, S.DROPPED), (theirs, state), (sent, S.SENT), (on_its_way, S.SENDING)):
            message.refresh_from_db()
            assert message.state == expected
        assert mine.why == "Its channel was switched off." and mine.finished_at is not None

    def test_it_goes_with_its_routes_its_secrets_and_what_waits(self, tenant: Tenant) -> None:
        channel, other = hook(tenant), mail(tenant)
        route, stays = route_make(channel), route_make(other)
        waiting = message_make(channel, S.GATHERING, route=route)
        channel_remove(channel, actor="user:1")
        kept = NotifyChannel.objects.get(pk=channel.pk)
        assert kept.removed_at is not None and kept.settings == {} and whereto_of(kept) == ""
        waiting.refresh_from_db()
        assert (waiting.state, waiting.why) == (S.DROPPED, "Its channel was removed.")
        assert list(routes_of(tenant.pk)) == [stays] and list(channels_of(tenant.pk)) == [other]
        assert channel_by_id(channel.pk, tenant_id=tenant.pk) is None
        assert audited("channel_remove").detail == {"routes": [str(route)]}

    def test_a_channel_of_a_type_that_is_gone_is_renamed_and_removed(self, tenant: Tenant) -> None:
        channel = mail(tenant)
        NotifyChannel.objects.filter(pk=channel.pk).update(type="pigeon")
        channel.refresh_from_db()
        channel_change(channel, name="Birds", actor="test")
        assert whereto_of(channel) == ""
        with pytest.raises(ConflictError):
            channel_change(channel, settings={}, actor="test")
        channel_remove(channel, actor="test")


class TestTest:
    def test_it_is_a_message_like_any_other(self, tenant: Tenant) -> None:
        channel = mail(tenant, enabled=False)
        message = channel_test(channel, by="user:7")
        kept = Notification.objects.get(pk=message.pk)
        assert (kept.is_test, kept.state, kept.requested_by, kept.route) == (True, S.WAITING, "user:7", None)
        assert kept.due_at <= clock.now() and kept.tenant == tenant
        assert audited("channel_test").detail == {"message": kept.pk}

    def test_another_waits_for_the_first(self, tenant: Tenant) -> None:
        channel, other = mail(tenant), mail(tenant, "Others")
        first = channel_test(channel, by="test")
        channel_test(other, by="test")
        with pytest.raises(ConflictError):
            channel_test(channel, by="test")
        earlier = clock.now() - actions.TEST_EVERY
        Notification.objects.filter(pk=first.pk).update(created_at=earlier)
        with pytest.raises(ConflictError):  # it is still on its way
            channel_test(channel, by="test")
        Notification.objects.filter(pk=first.pk).update(state=S.FAILED)
        channel_test(channel, by="test")

    def test_one_that_came_back_at_once_is_not_sent_again_at_once(self, tenant: Tenant) -> None:
        channel = mail(tenant)
        first = channel_test(channel, by="test")
        Notification.objects.filter(pk=first.pk).update(state=S.SENT)
        with pytest.raises(ConflictError):
            channel_test(channel, by="test")

    def test_a_channel_that_is_removed_is_not_tested(self, tenant: Tenant) -> None:
        channel = mail(tenant)
        channel_remove(channel, actor="test")
        with pytest.raises(ConflictError):
            channel_test(channel, by="test")


class TestRoute:
    def test_it_is_added_changed_and_removed(self, tenant: Tenant) -> None:
        battery(tenant, site="Hall 2")
        channel, other = mail(tenant), mail(tenant, "Others")
        quiet = {"quiet_from": time(22), "quiet_until": time(6)}
        route = route_make(channel, kind="battery", site=" Hall 2 ", **quiet)
        assert (route.site, route.quiet_from) == ("Hall 2", time(22))
        changed = RouteFields(channel_id=other.pk, least_level="CRITICAL", repeat_minutes=0, enabled=False)
        route_change(route, fields=changed, actor="user:1")
        kept = Route.objects.get(pk=route.pk)
        assert fields_of(kept) == changed
        detail = audited("route_change").detail
        assert detail["quiet_from"] == ["22:00:00", None] and detail["channel_id"] == [channel.pk, other.pk]
        route_remove(route, actor="user:1")
        assert route_by_id(route.pk, tenant_id=tenant.pk) is None
        with pytest.raises(ConflictError):
            route_remove(kept, actor="user:2")
        with pytest.raises(ConflictError):
            route_change(kept, fields=RouteFields(channel_id=channel.pk), actor="user:2")

    @pytest.mark.parametrize(
        ("values", "fields"),
        [
            ({"channel_id": 10**9}, ["channel_id"]),
            ({"kind": "boat"}, ["kind"]),
            ({"site": "Hall 3"}, ["site"]),
            ({"site": "a\0"}, ["site"]),
            ({"name": "x" * 101}, ["name"]),
            ({"least_level": "warning"}, ["least_level"]),
            ({"quiet_level": ""}, ["quiet_level"]),
            ({"group_seconds": -1}, ["group_seconds"]),
            ({"group_seconds": 3_601}, ["group_seconds"]),
            ({"repeat_minutes": 10**6}, ["repeat_minutes"]),
            ({"quiet_from": time(22)}, ["quiet_until"]),
            ({"quiet_until": time(6)}, ["quiet_from"]),
            ({"quiet_from": time(6), "quiet_until": time(6)}, ["quiet_until"]),
        ],
    )
    def test_what_is_wrong_is_said_by_field(self, tenant: Tenant, values: dict[str, Any], fields: list[str]) -> None:
        with pytest.raises(ValidationError) as error:
            route_add(tenant=tenant, fields=RouteFields(**{"channel_id": mail(tenant).pk, **values}), actor="test")
        assert wrong_with(error) == fields

    def test_it_leads_to_no_channel_of_others(self, tenant: Tenant, other_tenant: Tenant) -> None:
        theirs = mail(other_tenant)
        with pytest.raises(ValidationError) as error:
            route_add(tenant=tenant, fields=RouteFields(channel_id=theirs.pk), actor="test")
        assert wrong_with(error) == ["channel_id"]

    def test_a_site_that_is_gone_stays_in_its_route(self, tenant: Tenant) -> None:
        asset = battery(tenant, site="Hall 2")
        route = route_make(mail(tenant), site="Hall 2")
        type(asset).objects.filter(pk=asset.pk).update(site="Hall 3")
        fields = RouteFields(channel_id=route.channel_id, site="Hall 2", group_seconds=5)
        route_change(route, fields=fields, actor="test")
        assert Route.objects.get(pk=route.pk).group_seconds == 5

    def test_a_tenant_has_only_so_many(self, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(actions, "ROUTES_MOST", 1)
        channel = mail(tenant)
        route_make(channel)
        with pytest.raises(ConflictError):
            route_make(channel)

    @pytest.mark.parametrize("how", ["off", "elsewhere", "removed"])
    def test_what_waits_is_dropped_with_it(self, tenant: Tenant, how: str) -> None:
        channel = mail(tenant)
        route, other = route_make(channel), mail(tenant, "Others")
        mine, of_another = message_make(channel, S.GATHERING, route=route), message_make(channel, S.GATHERING)
        if how == "off":
            route_change(route, fields=RouteFields(channel_id=channel.pk, enabled=False), actor="test")
        elif how == "elsewhere":
            route_change(route, fields=RouteFields(channel_id=other.pk), actor="test")
        else:
            route_remove(route, actor="test")
        mine.refresh_from_db(), of_another.refresh_from_db()
        assert (mine.state, of_another.state) == (S.DROPPED, S.GATHERING)

    def test_of_two_who_change_the_same_at_once_the_second_hears_so(self, tenant: Tenant) -> None:
        mine = route_make(mail(tenant))
        theirs = Route.objects.get(pk=mine.pk)
        route_change(mine, fields=RouteFields(channel_id=mine.channel_id, group_seconds=1), actor="test")
        with pytest.raises(ConflictError):
            route_change(theirs, fields=RouteFields(channel_id=mine.channel_id, group_seconds=2), actor="test")


class TestHowItDoes:
    def test_a_channel_works_or_fails_since_the_first_attempt_that_did_not_arrive(self, tenant: Tenant) -> None:
        works, fails, never, mends = (mail(tenant, name) for name in ("works", "fails", "never", "mends"))
        at = clock.now() - timedelta(hours=2)
        down, up = (Outcome.LATER, "503 Service Unavailable"), (Outcome.DELIVERED, "250 Ok")
        message_make(works, S.SENT, up, at=at)
        message_make(fails, S.SENT, up, at=at - timedelta(hours=1))
        message_make(fails, S.FAILED, down, (Outcome.REFUSED, "404 Not Found"), at=at)
        message_make(mends, S.SENT, down, down, up, at=at)
        found = healths_of([works.pk, fails.pk, never.pk, mends.pk])
        second = timedelta(seconds=1)
        assert found[works.pk] == ChannelHealth(at)
        assert found[fails.pk] == ChannelHealth(at - timedelta(hours=1), at, at + second, "404 Not Found")
        assert found[never.pk] == ChannelHealth()
        assert found[mends.pk] == ChannelHealth(at + 2 * second)

    def test_one_that_never_delivered_fails_since_its_first_attempt(self, tenant: Tenant) -> None:
        channel, at = mail(tenant), clock.now() - timedelta(hours=2)
        message_make(channel, S.WAITING, (Outcome.LATER, "No answer"), (Outcome.LATER, "Still none"), at=at)
        health = healths_of([channel.pk])[channel.pk]
        assert (health.delivered_at, health.failing_since, health.failure) == (None, at, "Still none")

    def test_what_was_long_ago_says_nothing_of_today(self, tenant: Tenant) -> None:
        channel = mail(tenant)
        message_make(channel, S.FAILED, (Outcome.REFUSED, "404"), at=clock.now() - timedelta(days=40))
        assert healths_of([channel.pk])[channel.pk] == ChannelHealth()

    def test_however_many_they_are_it_is_asked_three_times(
        self, tenant: Tenant, django_assert_max_num_queries: Any
    ) -> None:
        channels = [mail(tenant, f"Shift {number}").pk for number in range(5)]
        with django_assert_max_num_queries(3):
            healths_of(channels)


class TestLog:
    def test_it_is_filtered_newest_first(self, tenant: Tenant, other_tenant: Tenant) -> None:
        channel, other = mail(tenant), mail(tenant, "Others")
        alert, another = posted(battery(tenant)), posted(battery(tenant, "BAT-2"))
        route, at = route_make(channel), clock.now()
        first = message_make(channel, S.SENT, at=at - timedelta(hours=1), route=route, alerts=[alert, another])
        second = message_make(channel, S.FAILED, at=at, route=route, alerts=[alert])
        third = message_make(other, S.SENT, at=at - timedelta(hours=2))
        message_make(mail(other_tenant))
        assert list(notifications_of(tenant.pk)) == [second, first, third]
        assert list(notifications_of(tenant.pk, channel_id=other.pk)) == [third]
        assert list(notifications_of(tenant.pk, state=S.FAILED)) == [second]
        assert list(notifications_of(tenant.pk, alert_id=alert.pk)) == [second, first]
        assert list(notifications_of(tenant.pk, alert_id=another.pk, state=S.SENT)) == [first]
        assert notifications_of(None).count() == 4


@pytest.mark.parametrize("name", ["Night\nshift", "Night\tshift", "Night\u2028shift"])
def test_a_name_is_one_line(name: str, tenant: Tenant) -> None:
    with pytest.raises(ValidationError) as of_channel:
        mail(tenant, name)
    with pytest.raises(ValidationError) as of_route:
        route_make(mail(tenant), name=name)
    assert [list(one.value.message_dict) for one in (of_channel, of_route)] == [["name"], ["name"]]

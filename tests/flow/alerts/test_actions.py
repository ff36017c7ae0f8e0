"""What people do to alerts, and what they hear of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from tests.people import Person
from tests.support.alerts import apply, battery, breach, clear, opened, posted, rule_make, told
from wattkeeper.base.accounts.append_only import AppendOnlyError
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog.alerting import AlertType, Level
from wattkeeper.base.core import clock
from wattkeeper.base.core.errors import ConflictError
from wattkeeper.flow.alerts import actions
from wattkeeper.flow.alerts.actions import LONGEST_SHELF, Acknowledged
from wattkeeper.flow.alerts.models import Alert, Transition
from wattkeeper.flow.rules.spec import RuleSpec

ANNA, BEN = "user:1", "user:2"


@pytest.fixture
def alert(asset: Asset) -> Alert:
    return posted(asset)


def soon(hours: float = 1) -> Any:
    return clock.now() + timedelta(hours=hours)


ONCE: dict[str, Callable[[Alert, str], Transition | None]] = {
    "acknowledged": lambda alert, by: actions.alert_acknowledge(alert, by=by),
    "resolved": lambda alert, by: actions.alert_resolve(alert, by=by),
    "hidden": lambda alert, by: actions.alert_hide(alert, by=by),
}


@pytest.mark.parametrize("kind", ONCE)
def test_what_is_done_already_changes_nothing_and_is_not_noted(kind: str, alert: Alert) -> None:
    again = Alert.objects.get(pk=alert.pk)  # in somebody else's hands, as it was before
    first = ONCE[kind](alert, ANNA)
    assert first is not None
    assert (first.kind, first.by) == (kind, ANNA)
    assert ONCE[kind](again, BEN) is None
    assert told(alert).count(kind) == 1
    assert (again.acknowledged_by, again.resolved_by) == (alert.acknowledged_by, alert.resolved_by), "as it is now"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["acknowledged", "resolved"])
def test_of_two_who_do_the_same_at_once_one_does_it(kind: str, alert: Alert) -> None:
    together = threading.Barrier(2)
    heard: list[Transition | None] = []

    def act(by: str) -> None:
        try:
            mine = Alert.objects.get(pk=alert.pk)
            together.wait()
            heard.append(ONCE[kind](mine, by))
            assert getattr(mine, f"{kind}_at") is not None
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=(by,)) for by in (ANNA, BEN)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one is None for one in heard) == [False, True]
    assert told(alert) == ["opened", kind]


def test_nothing_is_done_to_what_is_hidden(alert: Alert) -> None:
    actions.alert_hide(alert, by=ANNA)
    assert actions.alert_acknowledge(alert, by=ANNA) is None
    assert told(alert) == ["opened", "resolved", "hidden"]


class TestPosting:
    def test_it_is_opened_by_who_posts_it(self, alert: Alert, asset: Asset) -> None:
        assert (alert.asset_id, alert.tenant_id, alert.kind, alert.rule_id) == (
            asset.pk,
            asset.tenant_id,
            "battery",
            None,
        )
        transition = Transition.objects.get(alert=alert)
        assert (transition.kind, transition.by, transition.why) == ("opened", ANNA, "Battery charge is low")
        assert alert.created_at == alert.opened_at == transition.at

    def test_an_asset_may_have_several_open_ones(self, asset: Asset) -> None:
        posted(asset)
        posted(asset)
        assert Alert.objects.count() == 2

    @pytest.mark.parametrize(("field", "value"), [("message", " "), ("message", "x" * 2001)])
    def test_what_is_wrong_is_named(self, field: str, value: Any, asset: Asset) -> None:
        with pytest.raises(ValidationError) as caught:
            posted(asset, **{field: value})
        assert set(caught.value.message_dict) == {field}


class TestChanging:
    def test_what_is_changed_is_noted_with_what_it_was(self, alert: Alert) -> None:
        transition = actions.alert_change(alert, by=ANNA, message="It is empty", level=Level.ERROR)
        assert transition is not None
        assert transition.detail == {"message": ["Battery charge is low", "It is empty"], "level": ["WARNING", "ERROR"]}

    def test_the_same_again_is_no_change(self, alert: Alert) -> None:
        assert actions.alert_change(alert, by=ANNA, message=alert.message, alert_type=AlertType.LOW_CHARGE) is None

    def test_what_a_rule_says_is_not_changed(self, rule: RuleSpec, asset: Asset) -> None:
        by_rule = opened(rule, asset)
        with pytest.raises(ValidationError) as caught:
            actions.alert_change(by_rule, by=ANNA, message="x", level=Level.CRITICAL)
        assert set(caught.value.message_dict) == {"message"}, "the level is what it was"


class TestAssigning:
    def test_it_goes_to_a_person_of_the_tenant_and_back(self, alert: Alert, owner: Person) -> None:
        given = actions.alert_assign(alert, user=owner.user, by=ANNA)
        assert given is not None
        assert given.detail == {"from": None, "to": owner.user.pk, "name": "owner"}
        assert actions.alert_assign(alert, user=owner.user, by=BEN) is None
        taken = actions.alert_assign(alert, user=None, by=BEN)
        assert taken is not None
        assert taken.detail == {"from": owner.user.pk, "to": None, "name": None}
        assert actions.alert_assign(alert, user=None, by=BEN) is None

    def test_nobody_else_can_have_it(
        self, alert: Alert, owner: Person, colleague: Person, stranger: Person, superuser: Person
    ) -> None:
        owner.user.is_active = False
        for person in (owner, stranger, superuser):
            with pytest.raises(ValidationError, match="no such person"):
                actions.alert_assign(alert, user=person.user, by=ANNA)
        with pytest.raises(ValidationError, match="colleague is a viewer, and may not take care of alerts"):
            actions.alert_assign(alert, user=colleague.user, by=ANNA)
        assert told(alert) == ["opened"]


class TestShelving:
    def test_it_has_a_reason_and_an_end_of_at_most_eight_hours(self, alert: Alert) -> None:
        for wrong, field in (
            ({"reason": " ", "until": soon()}, "reason"),
            ({"reason": "x" * 501, "until": soon()}, "reason"),
            ({"reason": "we know", "until": soon(-0.001)}, "until"),
            ({"reason": "we know", "until": soon(8.001)}, "until"),
        ):
            with pytest.raises(ValidationError) as caught:
                actions.alert_shelve(alert, by=ANNA, **wrong)
            assert set(caught.value.message_dict) == {field}
        transition = actions.alert_shelve(alert, reason="we know", until=soon(8), by=ANNA)
        assert transition is not None
        assert (transition.why, alert.shelve_reason, alert.shelved_by) == ("we know", "we know", ANNA)
        assert timedelta(hours=8) == LONGEST_SHELF

    def test_another_end_is_another_shelf_the_same_is_not(self, alert: Alert) -> None:
        until = soon()
        assert actions.alert_shelve(alert, reason="we know", until=until, by=ANNA)
        assert actions.alert_shelve(alert, reason="we know", until=until, by=BEN) is None
        assert actions.alert_shelve(alert, reason="we know", until=until + timedelta(hours=1), by=BEN)
        assert told(alert) == ["opened", "shelved", "shelved"]

    def test_what_is_over_cannot_be_shelved(self, alert: Alert) -> None:
        actions.alert_resolve(alert, by=ANNA)
        with pytest.raises(ConflictError):
            actions.alert_shelve(alert, reason="we know", until=soon(), by=ANNA)

    def test_what_is_not_shelved_cannot_be_taken_from_a_shelf(self, alert: Alert) -> None:
        assert actions.alert_unshelve(alert, by=ANNA) is None
        assert told(alert) == ["opened"]


class TestSeveralAtOnce:
    def test_each_is_acknowledged_once(self, asset: Asset, other_tenant: Tenant) -> None:
        first, second, done, hidden = (posted(asset) for _ in range(4))
        strange = posted(battery(other_tenant))
        actions.alert_acknowledge(done, by=BEN)
        actions.alert_hide(hidden, by=BEN)
        asked = [first.pk, second.pk, done.pk, hidden.pk, strange.pk, 10**9]
        heard = actions.alerts_acknowledge(asked, tenant_id=asset.tenant_id, by=ANNA)
        assert heard == Acknowledged(
            acknowledged=[first.pk, second.pk], already=[done.pk], unknown=sorted([hidden.pk, strange.pk, 10**9])
        )
        assert told(first) == told(second) == ["opened", "acknowledged"]
        assert told(strange) == ["opened"]


class TestComments:
    def test_they_are_kept_with_who_said_them(self, alert: Alert) -> None:
        actions.alert_comment(alert, " Someone is on the way. ", by=ANNA)
        last = Transition.objects.latest("pk")
        assert (last.kind, last.by, last.why) == ("commented", ANNA, "Someone is on the way.")

    @pytest.mark.parametrize("text", ["", " ", "x" * 2001])
    def test_an_empty_one_and_a_book_are_none(self, text: str, alert: Alert) -> None:
        with pytest.raises(ValidationError) as caught:
            actions.alert_comment(alert, text, by=ANNA)
        assert set(caught.value.message_dict) == {"text"}


def test_what_has_happened_is_only_added_to(alert: Alert) -> None:
    transition = Transition.objects.get(alert=alert)
    for change in (transition.save, transition.delete, Transition.objects.all().delete):
        with pytest.raises(AppendOnlyError):
            change()
    with pytest.raises(AppendOnlyError):
        Transition.objects.update(by="user:9")


def test_a_hidden_alert_of_a_rule_opens_again_after_it_has_been_clear(tenant: Tenant, asset: Asset) -> None:
    rule = rule_make(tenant)
    actions.alert_hide(opened(rule, asset), by=ANNA)
    assert apply(breach(rule, asset, 1)) == []
    apply(clear(rule, asset, 2))
    assert [one.kind for one in apply(breach(rule, asset, 3))] == ["opened"]

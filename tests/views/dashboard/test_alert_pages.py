"""The pages on which people see alerts and take care of them."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.people import Person, person_make
from tests.support.alerts import apply, battery, breach, clear, opened, posted, rule_make, told
from tests.support.fleets import vehicle
from tests.support.vehicles import body_of
from wattkeeper.base.accounts.matrix import Role
from wattkeeper.base.accounts.models import Tenant, User
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog.alerting import Level
from wattkeeper.base.core import clock
from wattkeeper.flow.alerts import actions
from wattkeeper.flow.alerts.models import Alert
from wattkeeper.flow.rules.spec import RuleSpec
from wattkeeper.views.dashboard.pages.alert_rows import PEOPLE_SHOWN

pytestmark = pytest.mark.usefixtures("embedded_store")


@pytest.fixture
def operator(tenant: Tenant) -> Person:
    return person_make("operator", tenant=tenant, name="olga")


@pytest.fixture
def manager(tenant: Tenant) -> Person:
    return person_make("manager", tenant=tenant, name="mia")


@pytest.fixture
def asset(tenant: Tenant) -> Asset:
    return battery(tenant)


@pytest.fixture
def rule(tenant: Tenant) -> RuleSpec:
    return rule_make(tenant, on=300, deadband=2.0)


def text(person: Person, address: str = "/alerts/") -> str:
    answer = person.session.get(address)
    assert answer.status_code == 200, address
    return str(answer.content.decode())


def shown(person: Person, query: str = "") -> list[int]:
    """The alerts that the page lists, in its order."""
    return [int(pk) for pk in re.findall(r'data-alert="(\d+)"', text(person, f"/alerts/{query}"))]


def row(page: str, alert: Alert) -> str:
    """The words of an alert's row."""
    (found,) = re.findall(rf'<li class="alert[^>]* id="alert-{alert.pk}".*?</li>', page, re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


def people(page: str) -> list[str]:
    """To whom alerts are offered."""
    return re.findall(r'<button name="assign"[^>]*><svg.*?</svg>([^<]+)</button>', page)


def act(person: Person, *alerts: Alert | int, query: str = "", **said: Any) -> tuple[str, str, str]:
    """What a form says that htmx sends: the sentence, its level, and the list."""
    ids = [one.pk if isinstance(one, Alert) else one for one in alerts]
    answer = person.session.post(
        f"/alerts/act/{query}", {"ids": ids, **said}, format="multipart", headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200, answer.content
    toast = json.loads(answer["HX-Trigger"])["toast"]
    return toast["text"], toast["level"], answer.content.decode()


class TestARow:
    def test_it_says_what_since_when_why_and_that_nobody_has_it(
        self, operator: Person, rule: RuleSpec, asset: Asset
    ) -> None:
        apply(breach(rule, asset, 0))
        apply(breach(rule, asset, 300, value=63.5))
        alert = Alert.objects.get()
        apply(breach(rule, asset, 360, value=65.0))
        page = text(operator)
        said = row(page, alert)
        for part in (
            "Critical",
            "BAT-1",
            alert.message,
            "Now 65 °C",
            "clears below 48 °C",
        ):
            assert part in said
        seen = said.partition("Critical")[2]  # what comes before is the tick's name
        assert seen.count("50 °C") == 1  # in the message: each fact once
        assert seen.count("5 min") == 1
        assert f'datetime="{alert.opened_at.isoformat()}" title="2026-05-01 12:05:00"' in page
        assert f'href="/batteries/{asset.pk}/"' in page

    def test_a_posted_one_says_who_posted_it(self, operator: Person, asset: Asset) -> None:
        alert = posted(asset, by=f"user:{operator.user.pk}")
        assert "Posted by olga" in row(text(operator), alert)

    def test_it_says_who_has_it_and_until_when_it_is_shelved(self, operator: Person, asset: Asset) -> None:
        alert, by = posted(asset), f"user:{operator.user.pk}"
        actions.alert_acknowledge(alert, by=by)
        actions.alert_assign(alert, user=operator.user, by=by)
        until = clock.now() + timedelta(hours=1)
        actions.alert_shelve(alert, reason="The depot repairs it", until=until, by=by)
        said = row(text(operator), alert)
        assert "olga olga, " in said
        assert f"Shelved until {until:%H:%M} by olga: The depot repairs it" in said

    def test_one_that_has_cleared_stays_until_it_is_acknowledged(
        self, operator: Person, rule: RuleSpec, asset: Asset
    ) -> None:
        apply(breach(rule, asset, 0))
        apply(breach(rule, asset, 300))
        apply(clear(rule, asset, 400))
        alert = Alert.objects.get()
        assert re.search(r"Over \d+ d ago", row(text(operator), alert))
        told_of, _, page = act(operator, alert, acknowledge="1")
        assert told_of == "1 acknowledged."
        assert "All quiet" in page

    def test_what_people_wrote_is_text(self, operator: Person, asset: Asset) -> None:
        posted(asset, message="<script>alert(1)</script>")
        assert "<script>alert" not in text(operator)

    def test_a_rule_that_is_removed_still_says_why(self, operator: Person, tenant: Tenant, asset: Asset) -> None:
        alert = opened(rule_make(tenant), asset)
        assert alert.rule is not None
        alert.rule.removed_at = clock.now()
        alert.rule.save()
        assert "Too hot" in row(text(operator), alert)
        assert "removed since" in text(operator, f"/alerts/{alert.pk}/")


class TestTheList:
    def test_it_has_what_asks_for_somebody_the_most_urgent_first(self, operator: Person, asset: Asset) -> None:
        known, info, critical = posted(asset), posted(asset, level=Level.INFO), posted(asset, level=Level.CRITICAL)
        over = posted(asset)
        actions.alert_resolve(over, by="user:1")
        actions.alert_acknowledge(known, by="user:1")
        assert shown(operator) == [critical.pk, info.pk, known.pk]
        assert shown(operator, "?state=over") == [over.pk]
        assert shown(operator, "?state=all") == [over.pk, critical.pk, info.pk, known.pk]

    def test_each_filter_narrows_it(self, operator: Person, tenant: Tenant, asset: Asset) -> None:
        hall = battery(tenant, "BAT-2", site="Hall 2")
        first, second = posted(asset, level=Level.ERROR), posted(hall, message="Smoke over cell 3")
        third, made = posted(vehicle(tenant, "V1")), opened(rule_make(tenant), asset)
        actions.alert_acknowledge(first, by="user:1")
        actions.alert_assign(first, user=operator.user, by="user:1")
        actions.alert_shelve(second, reason="x", until=clock.now() + timedelta(hours=1), by="user:1")
        for query, expected in {
            "?level=ERROR": [first],
            "?kind=vehicle": [third],
            "?type=OVER_TEMPERATURE": [made],
            "?acknowledged=yes": [first],
            "?acknowledged=no": [made, third, second],
            "?shelved=yes": [second],
            "?assigned=me": [first],
            "?assigned=nobody": [made, third, second],
            f"?assigned={operator.user.pk}": [first],
            "?site=Hall+2": [second],
            f"?asset={hall.pk}": [second],
            f"?rule={made.rule_id}": [made],
            "?search=SMOKE": [second],
            "?search=v1": [third],
            "?sort=opened_at": [made, first, second, third],
            "?sort=-alert_level": [made, first, third, second],
        }.items():
            assert shown(operator, query) == [one.pk for one in expected], query

    @pytest.mark.parametrize(
        "query",
        [
            "?level=BAD",
            "?state=x",
            "?type=x",
            "?kind=x",
            "?acknowledged=1",
            "?assigned=all",
            "?asset=-1",
            "?rule=9999999999999",
            "?sort=message",
            "?tenant=south",
            "?search=%00",
        ],
    )
    def test_what_cannot_be_understood_is_said_so(self, query: str, operator: Person, other_tenant: Tenant) -> None:
        for address in ("/alerts/", "/alerts/list/", "/alerts/export/"):
            assert operator.session.get(address + query).status_code == 400

    def test_counts_by_level_are_filters(self, operator: Person, asset: Asset) -> None:
        posted(asset, level=Level.ERROR)
        actions.alert_acknowledge(posted(asset, level=Level.ERROR), by="user:1")
        page = text(operator, "/alerts/?search=x")
        tiles = re.findall(r'<a class="level[^"]*" href="([^"]+)"><strong>(\d+)</strong>', page)
        assert ("?search=x&amp;level=ERROR", "2") in tiles
        assert ("?search=x&amp;acknowledged=no", "1") in tiles
        page = text(operator, "/alerts/?level=ERROR")
        assert 'href="?" aria-current="true"' in page

    def test_it_comes_alone_for_a_page_that_is_there(self, operator: Person, asset: Asset) -> None:
        alerts = [posted(asset) for _ in range(3)]
        part = text(operator, "/alerts/list/?limit=2")
        assert "<html" not in part
        assert 'data-address="/alerts/list/?limit=2"' in part
        assert part.count("<li ") == 2
        assert 'href="/alerts/?">All 3 alerts' in part
        assert f'id="alert-{alerts[0].pk}"' not in part

    def test_many_are_in_pages(self, operator: Person, asset: Asset) -> None:
        alerts = [posted(asset).pk for _ in range(53)]
        assert shown(operator) == alerts[:2:-1]
        assert shown(operator, "?page=2") == alerts[2::-1]

    def test_nothing_is_cached(self, operator: Person) -> None:
        assert "no-store" in operator.session.get("/alerts/list/")["Cache-Control"]

    def test_a_page_of_fifty_costs_no_more_questions_than_one_of_two(self, operator: Person, tenant: Tenant) -> None:
        def cost() -> int:
            session = operator.session
            with CaptureQueriesContext(connection) as asked:
                assert session.get("/alerts/").status_code == 200
            return len(asked)

        def make(number: int) -> None:
            person = person_make("operator", tenant=tenant)
            asset = battery(tenant, f"BAT-{number}")
            for alert in (posted(asset), opened(rule_make(tenant, name=f"Rule {number}"), asset)):
                actions.alert_acknowledge(alert, by=f"user:{person.user.pk}")
                actions.alert_assign(alert, user=person.user, by="user:1")

        make(0)
        few = cost()
        for number in range(1, 25):
            make(number)
        assert len(shown(operator)) == 50
        assert cost() == few <= 25


class TestWhatIsTicked:
    def test_stays_in_the_list_wherever_its_place_would_be(self, operator: Person, asset: Asset) -> None:
        ticked, *others = [posted(asset, level=level) for level in (Level.INFO, Level.ERROR, Level.CRITICAL)]
        page = text(operator, f"/alerts/list/?limit=2&keep={ticked.pk},no,{10**11}")
        assert [int(pk) for pk in re.findall(r'data-alert="(\d+)"', page)] == [others[1].pk, others[0].pk, ticked.pk]

    def test_is_nobody_elses_and_nothing_that_is_over(self, operator: Person, stranger: Person, asset: Asset) -> None:
        ticked = posted(asset)
        assert "data-alert=" not in text(stranger, f"/alerts/list/?limit=2&keep={ticked.pk}")
        actions.alert_resolve(ticked, by="user:1")
        assert "data-alert=" not in text(operator, f"/alerts/list/?limit=2&keep={ticked.pk}")


class TestTakingCare:
    def test_several_are_acknowledged_and_what_was_already_is_said(self, operator: Person, asset: Asset) -> None:
        first, second = posted(asset), posted(asset)
        actions.alert_acknowledge(second, by="user:1")
        said, level, page = act(operator, first, second, 10**9, acknowledge="1")
        assert (said, level) == ("1 acknowledged, 1 was already, 1 was there no more.", "success")
        assert "olga, " in row(page, first)

    def test_the_answer_is_the_list_that_the_page_shows(self, operator: Person, asset: Asset) -> None:
        error, other = posted(asset, level=Level.ERROR), posted(asset)
        *_, page = act(operator, error, query="?level=ERROR", acknowledge="1")
        assert f'id="alert-{error.pk}"' in page
        assert f'id="alert-{other.pk}"' not in page

    def test_they_are_given_to_somebody_and_to_nobody(self, operator: Person, asset: Asset) -> None:
        first, second = posted(asset), posted(asset)
        said, *_ = act(operator, first, second, assign=operator.user.pk)
        assert said == "2 assigned to olga."
        said, *_ = act(operator, first, assign="")
        assert said == "1 assigned to nobody."
        assert told(first) == ["opened", "assigned", "assigned"]

    def test_they_are_not_given_to_a_stranger(self, operator: Person, stranger: Person, asset: Asset) -> None:
        for user in (stranger.user.pk, "x", 10**9):
            said, level, _ = act(operator, posted(asset), assign=user)
            assert (said, level) == ("There is no such person in this tenant.", "warning")

    def test_they_are_offered_to_who_may_take_care_of_them(
        self, operator: Person, owner: Person, colleague: Person, stranger: Person, asset: Asset
    ) -> None:
        alert = posted(asset)
        for page in (text(operator), text(operator, f"/alerts/{alert.pk}/")):
            assert people(page) == ["To me", "owner", "Nobody"]
        assert act(operator, alert, assign=colleague.user.pk)[1] == "warning"

    def test_of_many_people_anyone_is_found(self, operator: Person, tenant: Tenant, asset: Asset) -> None:
        alert = posted(asset)
        made = (User(username=f"p{number:03}", tenant=tenant, role=Role.OPERATOR) for number in range(PEOPLE_SHOWN))
        User.objects.bulk_create(made)
        for page in (text(operator), text(operator, f"/alerts/{alert.pk}/")):
            assert people(page)[0] == "To me"
            assert "p000" in people(page)
            assert 'hx-get="/alerts/people/"' in page
        last = f"p{PEOPLE_SHOWN - 1:03}"
        assert people(text(operator, f"/alerts/people/?search={last}")) == [last]
        assert "Nobody who may take care" in text(operator, "/alerts/people/?search=zzz")

    def test_a_search_for_people_finds_no_viewer_and_no_stranger(
        self, operator: Person, colleague: Person, stranger: Person, superuser: Person
    ) -> None:
        assert people(text(operator, "/alerts/people/?search=")) == ["To me"]
        assert colleague.session.get("/alerts/people/").status_code == 403
        for name in (colleague, stranger):
            assert people(text(operator, f"/alerts/people/?search={name.user.get_username()}")) == []
        assert operator.session.get("/alerts/people/?tenant=south").status_code == 400
        assert people(text(superuser, "/alerts/people/?tenant=north")) == ["olga"]

    def test_they_are_shelved_with_a_reason(self, operator: Person, asset: Asset) -> None:
        alert, over = posted(asset), posted(asset)
        actions.alert_resolve(over, by="user:1")
        said, *_ = act(operator, alert, over, shelve=60, reason="repair")
        assert said == "1 shelved for 1 h, 1 was over."
        said, level, _ = act(operator, alert, shelve=15, reason=" ")
        assert (said, level) == ("Say why it is shelved: who looks next needs to know.", "warning")
        said, *_ = act(operator, alert, unshelve="1")
        assert said == "Off the shelf: it is told of again."

    def test_one_is_resolved_and_commented_on(self, manager: Person, asset: Asset) -> None:
        alert = posted(asset)
        assert act(manager, alert, comment="1", text="Called the depot")[0] == "Your comment is noted."
        assert act(manager, alert, comment="1", text=" ")[1] == "warning"
        assert act(manager, alert, resolve="1", why="New cells")[0] == "Resolved."
        assert act(manager, alert, resolve="1")[0] == "It was over already."
        history = text(manager, f"/alerts/{alert.pk}/")
        for words in ("Posted by", "mia said", "Called the depot", "Resolved by mia", "New cells"):
            assert words in history

    @pytest.mark.parametrize(
        ("doing", "field"), [({"comment": "1"}, "text"), ({"shelve": 15}, "reason"), ({"resolve": "1"}, "why")]
    )
    def test_words_with_a_null_character_are_refused_as_the_api_does(
        self, doing: dict[str, Any], field: str, manager: Person, asset: Asset
    ) -> None:
        alert = posted(asset)
        said = act(manager, alert, **doing, **{field: "half\0way"})
        assert said[:2] == ("Null characters are not allowed.", "warning")
        assert told(alert) == ["opened"]

    @pytest.mark.parametrize(
        ("doing", "field"), [({"comment": "1"}, "text"), ({"shelve": 15}, "reason"), ({"resolve": "1"}, "why")]
    )
    def test_words_that_nobody_can_see_are_refused(
        self, doing: dict[str, Any], field: str, manager: Person, asset: Asset
    ) -> None:
        alert = posted(asset)
        for hidden in ("\u200b", "\u202ex"):
            said, level, _ = act(manager, alert, **doing, **{field: hidden})
            assert (said, level) == (
                f"There is something in it that nobody can see: U+{ord(hidden[0]):04X}.",
                "warning",
            )
        assert told(alert) == ["opened"]

    def test_where_nothing_was_done_that_is_no_success(self, manager: Person, asset: Asset) -> None:
        alert = posted(asset)
        actions.alert_acknowledge(alert, by="user:1")
        assert act(manager, 10**9, acknowledge="1")[:2] == ("1 was there no more.", "warning")
        assert act(manager, alert, acknowledge="1")[:2] == ("1 was already.", "warning")
        assert act(manager, alert, assign="")[1] == "warning"
        assert act(manager, alert, unshelve="1")[:2] == ("It was on no shelf any more.", "warning")
        actions.alert_resolve(alert, by="user:1")
        assert act(manager, alert, shelve=15, reason="x")[:2] == ("1 was over.", "warning")
        assert act(manager, alert, resolve="1")[:2] == ("It was over already.", "warning")

    def test_who_stands_above_tenants_is_told_whose_alerts_are_not_for_that_person(
        self, superuser: Person, operator: Person, asset: Asset, other_tenant: Tenant
    ) -> None:
        alerts = [posted(asset), posted(battery(other_tenant))]
        said, level, _ = act(superuser, *alerts, assign=operator.user.pk)
        assert asset.tenant.name in said
        assert f"alerts of {other_tenant.name}" in said
        assert level == "warning"
        assert [told(alert) for alert in alerts] == [["opened"]] * 2

    def test_nothing_ticked_is_said(self, operator: Person, asset: Asset) -> None:
        assert act(operator, acknowledge="1")[:2] == ("Nothing is ticked: tick alerts first.", "warning")

    @pytest.mark.parametrize(
        "said",
        [
            {"ids": [1]},
            {"ids": ["x"], "acknowledge": 1},
            {"ids": [1], "shelve": 7, "reason": "x"},
            {"ids": [1, 2], "resolve": 1},
            {"ids": list(range(1, 1002)), "acknowledge": 1},
            {"ids": ["9" * 40], "acknowledge": 1},
        ],
    )
    def test_what_no_form_of_the_page_says_is_refused(self, said: dict[str, Any], manager: Person) -> None:
        assert manager.session.post("/alerts/act/", said, format="multipart").status_code == 400

    def test_without_scripts_one_comes_back_to_where_one_was(self, operator: Person, asset: Asset) -> None:
        alert = posted(asset)
        said = {"ids": [alert.pk], "acknowledge": "1"}
        answer = operator.session.post("/alerts/act/", {**said, "next": f"/alerts/{alert.pk}/"}, format="multipart")
        assert (answer.status_code, answer["Location"]) == (302, f"/alerts/{alert.pk}/")
        answer = operator.session.post("/alerts/act/", {**said, "next": "https://evil.test/"}, format="multipart")
        assert (answer.status_code, answer["Location"]) == (302, "/alerts/")


class TestWhoMay:
    def test_a_viewer_looks_and_has_no_buttons(self, colleague: Person, asset: Asset) -> None:
        alert = posted(asset)
        for address in ("/alerts/", f"/alerts/{alert.pk}/", "/"):
            assert "/alerts/act/" not in text(colleague, address)
        answer = colleague.session.post("/alerts/act/", {"ids": [alert.pk], "acknowledge": "1"}, format="multipart")
        assert answer.status_code == 403
        assert told(alert) == ["opened"]

    def test_an_operator_resolves_none_and_is_told_whom_to_ask(
        self, operator: Person, manager: Person, asset: Asset
    ) -> None:
        alert, by_rule = posted(asset), opened(rule_make(asset.tenant), asset)
        resolving = 'name="resolve"'
        for address in ("/alerts/", f"/alerts/{alert.pk}/"):
            assert resolving in text(manager, address)
            assert resolving not in text(operator, address)
            assert 'name="comment"' in text(operator, address)
        asked = "when somebody resolves it: ask mia"
        assert asked in text(operator, f"/alerts/{alert.pk}/")
        assert asked not in text(manager, f"/alerts/{alert.pk}/")
        assert asked not in text(operator, f"/alerts/{by_rule.pk}/"), "that ends by itself"
        answer = operator.session.post("/alerts/act/", {"ids": [alert.pk], "resolve": "1"}, format="multipart")
        assert answer.status_code == 403
        assert told(alert) == ["opened"]

    def test_another_tenants_alerts_are_not_there(self, stranger: Person, asset: Asset) -> None:
        alert = posted(asset)
        assert shown(stranger) == shown(stranger, f"?asset={asset.pk}") == []
        assert stranger.session.get(f"/alerts/{alert.pk}/").status_code == 404
        for said in ("acknowledge", "assign"):
            assert act(stranger, alert, **{said: ""})[0] == "1 was there no more."
        answer = stranger.session.post("/alerts/act/", {"ids": [alert.pk], "resolve": "1"}, format="multipart")
        assert answer.status_code == 404
        assert told(alert) == ["opened"]


class TestOnePage:
    def test_it_leads_to_its_thing_at_that_time_and_to_its_rule(self, operator: Person, asset: Asset) -> None:
        rule = rule_make(asset.tenant, text="Stop charging")
        alert = opened(rule, asset)
        page = text(operator, f"/alerts/{alert.pk}/")
        assert f"/batteries/{asset.pk}/?since=2026-05-01T11%3A00%3A00%2B00%3A00&amp;until=" in page
        assert f'href="/rules/{rule.id}/"' in page
        assert "Stop charging" in page
        assert "Opened by its rule" in page
        assert operator.session.get(re.findall(r'href="(/batteries/\d+/\?since[^"]+)"', page)[0]).status_code == 200

    def test_its_history_is_in_words(self, operator: Person, asset: Asset) -> None:
        alert, by = posted(asset), f"user:{operator.user.pk}"
        actions.alert_assign(alert, user=operator.user, by=by)
        actions.alert_assign(alert, user=None, by="user:0")
        actions.alert_change(alert, level=Level.ERROR, message="Worse", by=by)
        actions.alert_shelve(alert, reason="repair", until=clock.now() + timedelta(hours=1), by=by)
        actions.alert_unshelve(alert, by=by)
        page = text(operator, f"/alerts/{alert.pk}/")
        for words in (
            "Taken by olga",
            "Assigned to nobody by user:0",
            "olga changed the message, level from WARNING to ERROR",
            "Shelved by olga until",
            "Taken off the shelf by olga",
            "Announced anew: it is still open",
        ):
            assert words in page, words


class TestElsewhere:
    def test_the_overview_has_the_most_urgent(self, operator: Person, asset: Asset) -> None:
        for _ in range(10):
            posted(asset)
        page = text(operator, "/")
        assert page.count("data-alert=") == 8
        assert "All 10 alerts" in page

    def test_a_rule_leads_to_its_open_alerts(self, operator: Person, asset: Asset) -> None:
        alert = opened(rule_make(asset.tenant), asset)
        for address in ("/rules/", f"/rules/{alert.rule_id}/"):
            assert f'href="/alerts/?rule={alert.rule_id}"' in text(operator, address)


class TestTheCountInTheBar:
    def test_it_is_of_what_is_open_in_ones_own_tenant(
        self, operator: Person, colleague: Person, stranger: Person, asset: Asset
    ) -> None:
        gone = posted(asset)
        posted(asset)
        actions.alert_resolve(gone, by="user:1")
        for person in (operator, colleague):
            assert re.search(r'id="bar-count"[^>]*>1<', text(person, "/alerts/count/"))
        assert re.search(r'id="bar-count"[^>]* hidden>0<', text(stranger, "/alerts/count/"))

    def test_every_page_has_it_and_asks_for_it_anew_when_alerts_move(self, operator: Person, asset: Asset) -> None:
        posted(asset)
        assert re.search(r'id="bar-count" data-follows="5" hx-get="/alerts/count/"[^>]*>1<', text(operator, "/rules/"))


class TestTheFile:
    def test_it_has_what_is_filtered_all_of_it(self, operator: Person, asset: Asset) -> None:
        alert, _ = posted(asset, level=Level.ERROR, message="=Smoke"), posted(asset)
        actions.alert_acknowledge(alert, by=f"user:{operator.user.pk}")
        answer = operator.session.get("/alerts/export/?level=ERROR&export=json")
        assert answer["Content-Disposition"] == 'attachment; filename="alerts.json"'
        (found,) = json.loads(body_of(answer))
        assert (found["id"], found["asset_key"], found["acknowledged_by"]) == (alert.pk, "BAT-1", "olga")
        lines = body_of(operator.session.get("/alerts/export/?level=ERROR")).decode().splitlines()
        assert lines[0].startswith("Id,Thing,Name,Site,Kind,Level")
        assert "'=Smoke" in lines[1]
        assert len(lines) == 2

    def test_nobody_gets_another_tenants(self, stranger: Person, asset: Asset) -> None:
        posted(asset)
        answer = stranger.session.get("/alerts/export/?export=json&state=all")
        assert json.loads(body_of(answer)) == []

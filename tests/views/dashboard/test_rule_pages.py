"""The rules' pages: read by all, changed and tried by those who may."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.people import Person
from tests.support.battery_history import START, battery_make, history_load
from tests.views.dashboard.test_pages import EVIL, browser
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.catalog import registry
from wattkeeper.base.core.clock import now
from wattkeeper.flow.alerts.models import Alert
from wattkeeper.flow.rules.actions import rule_add
from wattkeeper.flow.rules.fields import RuleFields, fields_of_default, spec_of
from wattkeeper.flow.rules.models import Rule
from wattkeeper.flow.store.store import Store
from wattkeeper.views.dashboard.rule_words import MINUS, TIMES, rest_of, sentence_of

RULES = "/rules/"
NEW = f"{RULES}new/?kind=battery"
TRY = f"{RULES}try/?kind=battery"
FORM = {
    "name": "Hot",
    "channel": "current_temperature",
    "condition": "above",
    "limit": "45",
    "deadband": "2",
    "on_delay_seconds": "0",
    "off_delay_seconds": "60",
    "level": "WARNING",
    "alert_type": "OVER_TEMPERATURE",
}
PART = {"HX-Request": "true"}


def make(tenant: Tenant, **fields: Any) -> Rule:
    said = {"kind": "battery", **FORM, "deadband": 2.0, "on_delay_seconds": 0, "off_delay_seconds": 60, **fields}
    return rule_add(tenant=tenant, fields=RuleFields(**said), actor="test")


def text_of(answer: Any) -> str:
    """As a person reads it."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def names_of(client: Client, **query: str) -> list[str]:
    page = client.get(RULES, query).content.decode()
    return re.findall(r'<th scope="row" class="wrap"><a href="/rules/\d+/[^"]*">([^<]+)</a>', page)


class TestWords:
    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            (
                {"limit": "50", "deadband": 3.0, "on_delay_seconds": 300},
                "Temperature above 50 °C, for 5 min; clears below 47 °C, for 1 min",
            ),
            (
                {"condition": "below", "limit": "-5", "off_delay_seconds": 0},
                "Temperature below -5 °C; clears above -3 °C",
            ),
            (
                {"channel": "current_voltage", "limit": "1.15 * voltage_nominal", "deadband": 0.0},
                "Voltage above 1.15 x nominal voltage; clears after 1 min",
            ),
            (
                {"channel": "current_voltage", "limit": "voltage_nominal", "deadband": 0.5, "off_delay_seconds": 0},
                "Voltage above nominal voltage; clears below nominal voltage - 0.5 V",
            ),
            (
                {"condition": "outside", "limit": "", "low": "0", "high": "45", "off_delay_seconds": 0},
                "Temperature outside 0 °C to 45 °C; clears 2 °C inside",
            ),
            (
                {
                    "channel": "current_status",
                    "condition": "equals",
                    "limit": "FAULT",
                    "deadband": 0.0,
                    "off_delay_seconds": 0,
                    "while_channel": "current_charge",
                    "while_condition": "below",
                    "while_limit": "20",
                },
                "Status is FAULT, while charge is below 20 %",
            ),
            (
                {"condition": "equals", "limit": "100", "off_delay_seconds": 0},
                "Temperature is 100 °C; clears more than 2 °C away",
            ),
            (
                {"condition": "changes", "limit": "5", "off_delay_seconds": 0},
                "Temperature changing by more than 5 °C a minute; clears below 3 °C a minute",
            ),
            (
                {"condition": "silent", "channel": "", "limit": "600", "deadband": 0.0, "off_delay_seconds": 0},
                "Silent for longer than 10 min",
            ),
            (
                {"condition": "silent", "channel": "", "limit": "3 * usual_interval", "deadband": 0.0},
                "Silent for longer than 3 x its usual interval; clears after 1 min",
            ),
        ],
    )
    def test_a_rule_is_read_aloud(self, fields: dict[str, Any], words: str) -> None:
        kind = registry.kind("battery")
        said = {**FORM, "deadband": 2.0, "on_delay_seconds": 0, "off_delay_seconds": 60, **fields}
        said_aloud = sentence_of(spec_of(RuleFields(kind="battery", **said), kind=kind, tenant_id=1), kind)
        assert said_aloud.replace(MINUS, "-").replace(TIMES, "x") == words

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"limit": "50"}, "clears below 48 °C, for 1 min"),
            ({"limit": "50", "deadband": 0.0, "off_delay_seconds": 0}, ""),
            (
                {"channel": "current_voltage", "limit": "1.15 * voltage_nominal"},
                "1.15 x nominal voltage; clears 2 V below that, for 1 min",
            ),
            (
                {"channel": "current", "condition": "outside", "limit": "", "low": "-1 * max_discharge_current",
                 "high": "1 * max_charge_current", "off_delay_seconds": 0},
                "-most discharge current to most charge current; clears 2 A inside",
            ),
        ],
    )  # fmt: skip
    def test_beside_a_message_with_its_limit_a_rule_says_the_rest(self, fields: dict[str, Any], words: str) -> None:
        kind = registry.kind("battery")
        said = {**FORM, "deadband": 2.0, "on_delay_seconds": 0, "off_delay_seconds": 60, **fields}
        rest = rest_of(spec_of(RuleFields(kind="battery", **said), kind=kind, tenant_id=1), kind)
        assert rest.replace(MINUS, "-").replace(TIMES, "x") == words

    @pytest.mark.parametrize("kind", registry.kinds(), ids=lambda kind: kind.name)
    def test_every_default_rule_has_its_words(self, kind: Any) -> None:
        for default in kind.default_rules:
            words = sentence_of(spec_of(fields_of_default(default, kind), kind=kind, tenant_id=1), kind)
            assert "None" not in words and "_" not in words


class TestList:
    def test_it_says_in_words_what_each_rule_asks(self, colleague: Person) -> None:
        page = text_of(browser(colleague).get(RULES))
        assert "Temperature is too high Temperature above 50 °C; clears below 47 °C, for 1 min" in page
        assert "All batteries" in page and "Critical" in page
        assert "Switch off" not in page

    def test_it_is_filtered_and_searched(self, owner: Person) -> None:
        make(owner.tenant, name="Own", enabled=False, text="Fetch the blue fan")
        client = browser(owner)
        assert names_of(client, kind="vehicle") == ["Charge is low"]
        assert names_of(client, state="off") == ["Own"]
        assert "Own" not in names_of(client, state="on")
        assert names_of(client, search="BLUE fan") == ["Own"]
        assert names_of(client, search="nothing like it") == []
        assert "No rule is like that" in client.get(RULES, {"search": "nothing like it"}).content.decode()

    @pytest.mark.parametrize("query", [{"kind": "boat"}, {"state": "perhaps"}, {"tenant": "no-such"}])
    def test_what_the_address_cannot_mean_is_said(self, owner: Person, query: dict[str, str]) -> None:
        assert browser(owner).get(RULES, query).status_code == 400

    def test_open_alerts_are_counted(self, owner: Person) -> None:
        rule, asset = make(owner.tenant), battery_make("BAT-1", tenant=owner.tenant)
        common = {"tenant": owner.tenant, "asset": asset, "rule": rule, "kind": "battery", "level": "WARNING"}
        times = {"created_at": now(), "updated_at": now(), "opened_at": now()}
        Alert.objects.create(**common, **times, alert_type="OVER_TEMPERATURE", message="Hot")
        Alert.objects.create(**common, **times, alert_type="OVER_TEMPERATURE", message="Was hot", resolved_at=now())
        assert "1 open alert" in text_of(browser(owner).get(f"{RULES}{rule.pk}/"))

    def test_another_tenants_rules_are_not_there(self, stranger: Person, owner: Person) -> None:
        rule = make(owner.tenant, name="Secret rule")
        assert "Secret rule" not in names_of(browser(stranger))
        for step in ("", "try/"):
            assert browser(stranger).get(f"{RULES}{rule.pk}/{step}").status_code == 404

    def test_what_people_write_is_no_markup(self, owner: Person) -> None:
        rule = make(owner.tenant, name=EVIL, text=EVIL)
        for path in (RULES, f"{RULES}{rule.pk}/"):
            assert EVIL not in browser(owner).get(path).content.decode()

    def test_a_rule_that_means_nothing_any_more_says_so(self, owner: Person) -> None:
        rule = make(owner.tenant)
        Rule.objects.filter(pk=rule.pk).update(channel="gone")
        for path in (RULES, f"{RULES}{rule.pk}/"):
            assert "Judges nothing" in text_of(browser(owner).get(path))
        assert "gone" in text_of(browser(owner).get(f"{RULES}{rule.pk}/try/", headers=PART))


class TestSwitch:
    def test_a_rule_is_switched_in_its_row(self, owner: Person) -> None:
        rule, client = make(owner.tenant), browser(owner)
        row = client.post(f"{RULES}{rule.pk}/switch/", {"enabled": "off"}, headers=PART)
        assert row.content.decode().lstrip().startswith(f'<tr id="rule-{rule.pk}">')
        assert "Off" in text_of(row) and "Switch on" in text_of(row)
        rule.refresh_from_db()
        assert not rule.enabled
        assert client.post(f"{RULES}{rule.pk}/switch/", {"enabled": "on"})["Location"] == f"{RULES}{rule.pk}/"
        rule.refresh_from_db()
        assert rule.enabled

    @pytest.mark.parametrize("role", ["viewer", "operator"])
    def test_who_may_not_change_rules_switches_none(self, make_person: Any, tenant: Tenant, role: str) -> None:
        rule, client = make(tenant), browser(make_person(role))
        for step, form in (("switch/", {"enabled": "off"}), ("remove/", {}), ("", FORM), ("try/", FORM)):
            assert client.post(f"{RULES}{rule.pk}/{step}", form).status_code == 403
        assert client.get(NEW).status_code == client.post(NEW, FORM).status_code == 403
        rule.refresh_from_db()
        assert rule.enabled and rule.removed_at is None

    def test_neither_on_nor_off_is_refused(self, owner: Person) -> None:
        assert browser(owner).post(f"{RULES}{make(owner.tenant).pk}/switch/", {"enabled": "maybe"}).status_code == 400


class TestForm:
    @pytest.mark.parametrize(("button", "enabled"), [({"switch_on": "1"}, True), ({}, False)])
    def test_a_rule_is_added_on_or_off(self, owner: Person, button: dict[str, str], enabled: bool) -> None:
        asset = battery_make("BAT-1", tenant=owner.tenant)
        answer = browser(owner).post(NEW, {**FORM, **button, "asset": "BAT-1", "text": "Cool it"})
        rule = Rule.objects.get(name="Hot")
        assert answer["Location"] == f"{RULES}{rule.pk}/"
        assert (rule.tenant, rule.kind, rule.asset, rule.enabled) == (owner.tenant, "battery", asset, enabled)
        assert (rule.limit, rule.deadband, rule.off_delay_seconds, rule.text) == ("45", 2.0, 60, "Cool it")

    def test_a_rule_is_changed(self, owner: Person) -> None:
        rule = make(owner.tenant, enabled=False)
        browser(owner).post(f"{RULES}{rule.pk}/", {**FORM, "limit": "48", "makes_work": "on"})
        rule.refresh_from_db()
        assert (rule.limit, rule.makes_work, rule.enabled) == ("48", True, False)

    def test_what_belongs_to_another_condition_is_not_saved(self, owner: Person) -> None:
        form = {**FORM, "condition": "outside", "low": "0", "high": "40", "while_limit": "7"}
        browser(owner).post(NEW, form)
        rule = Rule.objects.get(name="Hot")
        assert (rule.condition, rule.limit, rule.low, rule.high, rule.while_limit) == ("outside", "", "0", "40", "")
        browser(owner).post(f"{RULES}{rule.pk}/", {**form, "condition": "silent", "limit": "600"})
        rule.refresh_from_db()
        assert (rule.condition, rule.channel, rule.limit, rule.low, rule.deadband) == ("silent", "", "600", "", 0.0)

    @pytest.mark.parametrize(
        ("form", "told"),
        [
            ({"name": ""}, "This field is required."),
            ({"limit": ""}, "This field is required."),
            ({"limit": "hot"}, "not known here"),
            ({"limit": "1e400"}, "too large"),
            ({"deadband": "-1"}, "greater than or equal to 0"),
            ({"deadband": "nan"}, "Enter a number."),
            ({"on_delay_seconds": "1e9"}, "Enter a whole number."),
            ({"on_delay_seconds": "999999999"}, "less than or equal to"),
            ({"asset": "BAT-9"}, "There is no such battery."),
            ({"asset": "a\0b"}, "Null characters are not allowed."),
            ({"level": "warning"}, "not one of the available choices"),
            ({"alert_type": "HOT"}, "not one of the available choices"),
            ({"condition": "ABOVE"}, "not one of the available choices"),
            ({"channel": "no_such"}, "not one of the available choices"),
            ({"channel": "current_status", "condition": "above"}, "not one of the available choices"),
            ({"name": "x" * 500}, "at most 200 characters"),
        ],
    )
    def test_what_is_wrong_is_said_beside_its_field(self, owner: Person, form: dict[str, str], told: str) -> None:
        answer = browser(owner).post(NEW, {**FORM, **form})
        assert answer.status_code == 422
        assert told in text_of(answer)
        assert not Rule.objects.filter(default_name="").exists()

    def test_a_choice_brings_the_fields_that_belong_to_it(self, owner: Person) -> None:
        client = browser(owner)

        def fields(**said: str) -> str:
            return client.get(NEW, {"kind": "battery", "shape": "1", **FORM, **said}).content.decode()

        assert 'type="hidden" name="low"' in fields()
        outside = fields(condition="outside")
        assert 'type="text" name="low"' in outside and 'type="hidden" name="limit"' in outside
        assert '<option value="FAULT">' in fields(channel="current_status", condition="equals")
        assert "voltage_nominal" in fields(channel="current_voltage")
        assert "voltage_nominal" not in fields()
        assert 'type="hidden" name="channel"' in fields(condition="silent")
        assert "Limit (°C a minute)" in fields(condition="changes")
        assert 'name="while_limit" maxlength="200" required' in fields(while_channel="current")

    def test_a_limit_of_another_channel_is_not_kept(self, owner: Person) -> None:
        said = {"kind": "battery", "shape": "1", **FORM, "limit": "FAULT", "name": "Kept"}
        page = browser(owner).get(NEW, said).content.decode()
        assert 'name="limit" value=' not in page and 'name="name" value="Kept"' in page

    @pytest.mark.parametrize("kind", ["boat", "a\0"])
    def test_a_kind_that_is_none_is_refused(self, owner: Person, kind: str) -> None:
        assert browser(owner).get(f"{RULES}new/", {"kind": kind}).status_code == 400

    def test_an_own_rule_is_removed_and_a_default_one_is_not(self, owner: Person) -> None:
        rule, client = make(owner.tenant), browser(owner)
        assert client.post(f"{RULES}{rule.pk}/remove/")["Location"] == RULES
        assert client.get(f"{RULES}{rule.pk}/").status_code == 404
        default = Rule.objects.filter(tenant=owner.tenant).exclude(default_name="").first()
        if default is None:
            client.get(RULES)
            default = Rule.objects.filter(tenant=owner.tenant).exclude(default_name="").first()
        assert default is not None
        assert client.post(f"{RULES}{default.pk}/remove/").status_code == 409
        assert 'data-opens="end"' not in client.get(f"{RULES}{default.pk}/").content.decode()

    def test_who_stands_above_tenants_says_for_whom(
        self, superuser: Person, owner: Person, other_tenant: Tenant
    ) -> None:
        client = browser(superuser)
        assert client.get(NEW).status_code == 400
        assert "Add a rule" not in text_of(client.get(RULES))
        client.post(f"{NEW}&tenant=south", FORM)
        assert Rule.objects.get(name="Hot").tenant == other_tenant


class TestTry:
    @pytest.fixture
    def hot(self, vehicle_store: Store, tenant: Tenant, tmp_path: Path) -> int:
        """A battery that was too hot yesterday, for an hour; its id."""
        asset = battery_make("BAT-1", tenant=tenant)
        yesterday = (now() - timedelta(hours=26) - START).total_seconds()
        course = {yesterday: 20.0, yesterday + 600: 55.25, yesterday + 4200: 40.0, yesterday + 5000: 40.0}
        rows = [("BAT-1", at, degrees, 10.0, "IDLE") for at, degrees in course.items()]
        history_load(vehicle_store, tmp_path, rows, assets=[asset])
        return asset.pk

    def test_a_form_is_tried_before_it_is_saved(self, owner: Person, hot: int) -> None:
        answer = browser(owner).post(TRY, {**FORM, "name": "", "days": "7"}, headers=PART)
        page = answer.content.decode()
        assert "<html" not in page
        assert "Temperature above 45 °C; clears below 43 °C, for 1 min" in text_of(answer)
        assert "1 alert in the last 7 days, from 1 of 1 battery." in text_of(answer)
        assert "4 readings looked at." in text_of(answer)
        assert "55.25 °C" in text_of(answer)
        assert page.count("<rect") == 8
        assert re.search(rf'href="/batteries/{hot}/\?since=[^"]+Z&amp;until=[^"]+Z">BAT-1</a>', page)
        assert not Rule.objects.filter(default_name="").exists()

    def test_the_link_leads_to_the_alert(self, owner: Person, hot: int) -> None:
        page = browser(owner).post(TRY, FORM, headers=PART).content.decode()
        address = re.search(r'href="(/batteries/[^"]+)"', page)
        assert address
        assert "55.25" in browser(owner).get(address[1].replace("&amp;", "&")).content.decode()

    def test_whoever_reads_tries_a_rule_that_is_there(self, owner: Person, colleague: Person, hot: int) -> None:
        rule, client = make(owner.tenant, enabled=False), browser(colleague)
        page = client.get(f"{RULES}{rule.pk}/")
        assert "Try it" in text_of(page) and "Save" not in text_of(page)
        part = client.get(f"{RULES}{rule.pk}/try/", {"days": "30"}, headers=PART)
        assert "1 alert in the last 30 days" in text_of(part)
        whole = client.get(f"{RULES}{rule.pk}/try/", {"days": "30"})
        assert "<html" in whole.content.decode() and "1 alert in the last 30 days" in text_of(whole)

    def test_a_change_is_tried_before_it_is_saved(self, owner: Person, hot: int) -> None:
        rule = make(owner.tenant)
        answer = browser(owner).post(f"{RULES}{rule.pk}/try/", {**FORM, "limit": "60"}, headers=PART)
        assert "0 alerts" in text_of(answer)
        rule.refresh_from_db()
        assert rule.limit == "45"

    def test_without_scripts_the_whole_page_comes_with_it(self, owner: Person, hot: int) -> None:
        answer = browser(owner).post(TRY, {**FORM, "days": "7"})
        assert "1 alert in the last 7 days" in text_of(answer)
        assert 'name="limit" value="45"' in answer.content.decode()

    def test_what_is_wrong_with_the_form_is_said_there(self, owner: Person, embedded_store: Store) -> None:
        answer = browser(owner).post(TRY, {**FORM, "limit": "hot", "asset": "BAT-9"}, headers=PART)
        assert answer.status_code == 200
        assert "There is no such battery." in text_of(answer)
        answer = browser(owner).post(TRY, {**FORM, "limit": "hot"}, headers=PART)
        assert "Limit (°C): &#x27;hot&#x27; is not known here" in text_of(answer)

    def test_what_is_written_has_no_history(self, owner: Person, embedded_store: Store) -> None:
        form = {**FORM, "channel": "health_percentage", "condition": "below", "limit": "80"}
        assert "no history" in text_of(browser(owner).post(TRY, form, headers=PART))

    @pytest.mark.parametrize("days", ["0", "91", "x", "9" * 500])
    def test_the_days_are_a_whole_number_to_ninety(self, owner: Person, days: str) -> None:
        assert browser(owner).post(TRY, {**FORM, "days": days}, headers=PART).status_code == 400

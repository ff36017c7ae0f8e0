"""The month's file: its formats, what may be asked of it, and who may have it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.people import Person, client_with, key_make
from tests.support import exports
from tests.support.meters import message, messages_store, records
from tests.support.reports import CSV, HEADER, fetched, lines, local, newest
from wattkeeper.base.accounts.matrix import Scope
from wattkeeper.base.accounts.models import Tenant

pytestmark = pytest.mark.usefixtures("meter_store")

RECEIVED = local("2021-09-07T10:30:00")


class TestTheOtherFormats:
    def test_json_is_an_array_of_objects_by_column(self, owner: Person, tenant: Tenant) -> None:
        messages_store(tenant, [(message(at=RECEIVED), RECEIVED)])
        (row,) = json.loads(fetched(owner.jwt, month="2021-09", format="json"))
        assert list(row) == HEADER.split(",")
        assert row["Newest Value"] == "29690"
        assert row["Device Version"] == 0

    def test_a_workbook_has_numbers_where_it_can_hold_them(self, owner: Person, tenant: Tenant) -> None:
        for identnr, value in ((1, 29690), (2, 2**63 + 1), (3, None)):
            data = records(at=None, value=value, due=0.5)
            messages_store(tenant, [(message(data, who={"identnr": identnr}), RECEIVED)])
        found = exports.raw("xlsx", fetched(owner.jwt, month="2021-09", format="xlsx"))
        assert [row["Newest Value"] for row in found] == [29690, "9223372036854775809", None]
        assert found[0]["Due Date Value"] == 0.5

    @pytest.mark.parametrize("format_", ["csv", "json", "xlsx"])
    def test_each_is_there_of_nothing(self, format_: str, owner: Person) -> None:
        content = fetched(owner.jwt, month="2021-09", format=format_)
        assert all(set(row.values()) == {None} for row in exports.raw(format_, content))
        if format_ != "json":
            assert exports.columns(format_, content) == HEADER.split(",")


class TestWhatCannotBeUnderstood:
    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"month": "0000-01"}, "month"),
            ({"month": "2026-13"}, "month"),
            ({"month": "2026-1"}, "month"),
            ({"month": "²021-09"}, "month"),
            ({"month": "2100-12"}, "month"),
            ({"month": "9999-12"}, "month"),
            ({"raw": "yes"}, "raw"),
            ({"all": "2"}, "all"),
            ({"format": "pdf"}, "format"),
            ({"site": "nowhere"}, "site"),
            ({"site": "a\0b"}, "site"),
            ({"type": "lava"}, "type"),
            ({"type": "256"}, "type"),
            ({"type": "water (4)"}, "type"),
            ({"only": "some"}, "only"),
            ({"tenant": "south"}, "tenant"),
            ({"mnth": "2021-09"}, "mnth"),
            ({"export": "xlsx"}, "export"),
            ({"month": ["2021-09", "2021-10"]}, "month"),
        ],
    )
    def test_is_named(self, query: dict[str, Any], field: str, owner: Person, other_tenant: Tenant) -> None:
        response = owner.jwt.get(CSV, query)
        assert response.status_code == 400, response.content
        assert list(response.json()) == [field]


class TestWhoMayHaveIt:
    def test_all_of_a_tenant_and_its_reading_keys(self, owner: Person, colleague: Person, tenant: Tenant) -> None:
        messages_store(tenant, [(message(at=None), RECEIVED)])
        reader = client_with(f"Api-Key {key_make(tenant, Scope.READ)}")
        clients = (owner.jwt, colleague.session, colleague.jwt, reader)
        assert len({tuple(lines(client, month="2021-09")) for client in clients}) == 1
        sender = client_with(f"Api-Key {key_make(tenant, Scope.INGEST)}")
        assert sender.get(CSV).status_code == 403

    def test_another_tenant_has_its_own(self, stranger: Person, tenant: Tenant, other_tenant: Tenant) -> None:
        messages_store(tenant, [(message(at=None, value=1), RECEIVED)])
        assert lines(stranger.jwt, month="2021-09") == []
        messages_store(other_tenant, [(message(at=None, value=2), RECEIVED)])
        assert newest(stranger.jwt, "2021-09") == ["2"]
        assert stranger.jwt.get(CSV, {"tenant": tenant.slug}).status_code == 400

    def test_above_tenants_it_is_said_whose(self, superuser: Person, tenant: Tenant, other_tenant: Tenant) -> None:
        messages_store(tenant, [(message(at=None, value=1), RECEIVED)])
        assert newest(superuser.jwt, "2021-09", tenant=tenant.slug) == ["1"]
        assert list(superuser.jwt.get(CSV).json()) == ["tenant"]

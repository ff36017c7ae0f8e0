"""The list of vehicles as a file, read back."""

from __future__ import annotations

import csv
import gc
import io
import json
from typing import Any

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from tests.people import DOORS, Person, client_with, key_make
from tests.support import exports
from tests.support.fleets import asked, in_tenant, vehicle
from tests.support.vehicles import ask, body_of
from wattkeeper.base.accounts.matrix import Scope
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.kinds.vehicle.models import VehicleState
from wattkeeper.views.exports import lists, tables
from wattkeeper.views.exports.assets import assets_table

EXPORT = "/vehicles/export/"
CHANNELS = ["Speed (km/h)", "Odometer (km)", "State of charge (%)", "Elevation (m)", "Gear"]
in_each_format = pytest.mark.parametrize("format_", ["csv", "json", "xlsx"])


def exported(client: APIClient, format_: str = "csv", **query: Any) -> bytes:
    response = ask(client, EXPORT, export=format_, **query)
    assert response.status_code == 200, response.content
    return body_of(response)


def keys_in(client: APIClient, format_: str = "csv", **query: Any) -> list[Any]:
    return [next(iter(row.values())) for row in exports.raw(format_, exported(client, format_, **query))]


def test_each_kind_has_its_address() -> None:
    assert reverse("assets-export-vehicle") == EXPORT


def test_a_table_has_a_column_for_each_channel_with_its_unit(owner: Person, tenant: Tenant) -> None:
    vehicle(tenant, "v-1", name="Büs, 7", site="Nord", minutes_ago=0.5, speed=0.0, odometer=12.5, soc=81)
    vehicle(tenant, "v-2")
    header, *rows = csv.reader(io.StringIO(exported(owner.jwt).decode(), newline=""))
    assert header == ["Vehicle", "Name", "Site", "Last reading", *CHANNELS]
    assert rows == [
        ["v-1", "Büs, 7", "Nord", "2024-05-01T11:59:30Z", "0.0", "12.5", "81", "0.0", "P"],
        ["v-2", *[""] * 8],
    ]


def test_json_has_the_apis_names(owner: Person, tenant: Tenant) -> None:
    vehicle(tenant, "v-1", minutes_ago=0, speed=None, shift_state=None)
    assert json.loads(exported(owner.jwt, "json")) == [
        {"key": "v-1", "name": "", "site": "", "at": "2024-05-01T12:00:00Z", "speed": None, "odometer": 1.0,
         "soc": 50, "elevation": 0.0, "shift_state": None}
    ]  # fmt: skip


def test_a_workbook_has_numbers_as_numbers(owner: Person, tenant: Tenant) -> None:
    vehicle(tenant, "v-0")
    vehicle(tenant, "v-1", minutes_ago=0, soc=7)
    (sheet,) = exports.sheets(exported(owner.jwt, "xlsx"))
    assert sheet.title == "Vehicles"
    nothing, row = exports.sheet_rows(sheet)
    assert (nothing["Vehicle"], nothing["State of charge (%)"]) == ("v-0", None)
    assert (row["Last reading"], row["State of charge (%)"], row["Gear"]) == ("2024-05-01T12:00:00Z", 7, "P")


@in_each_format
def test_a_file_holds_what_the_list_shows_in_its_order(format_: str, owner: Person, tenant: Tenant) -> None:
    for number, soc in enumerate([30, 10, None, 20, 90]):
        vehicle(tenant, f"v-{number}", minutes_ago=1, soc=soc, site="Nord" if number else "")
    Asset.objects.filter(pk=vehicle(tenant, "old").pk).update(archived_at="2024-01-01T00:00Z")
    assert keys_in(owner.jwt, format_, sort="-soc", page=2) == ["v-4", "v-0", "v-3", "v-1", "v-2"]
    assert keys_in(owner.jwt, format_, sort="soc", max_soc=40, site="Nord") == ["v-1", "v-3"]
    assert keys_in(owner.jwt, format_, search="V-3", fresh="stale", shift_state="P") == ["v-3"]


@in_each_format
def test_a_file_of_nothing_has_its_header(format_: str, owner: Person) -> None:
    content = exported(owner.jwt, format_, search="nothing")
    if format_ == "json":
        assert json.loads(content) == []
    else:
        assert exports.columns(format_, content) == ["Vehicle", "Name", "Site", "Last reading", *CHANNELS]


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_a_formula_is_a_text(text: str, format_: str, owner: Person, tenant: Tenant) -> None:
    vehicle(tenant, text, name=text, site=text)
    (row,) = exports.raw(format_, exported(owner.jwt, format_))
    assert [row["Vehicle"], row["Name"], row["Site"]] == [f"'{text}"] * 3


@in_each_format
def test_a_large_fleet_is_asked_for_and_sent_in_parts(
    format_: str, owner: Person, tenant: Tenant, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "ROWS_A_QUESTION", 3)
    monkeypatch.setattr(tables, "PIECE_CHARACTERS", 50)
    keys = [f"v-{number:02}" for number in range(20)]
    for key in keys:
        vehicle(tenant, key, minutes_ago=1)
    assert keys_in(owner.jwt, format_, sort="-key") == keys[::-1]


def test_a_file_that_nobody_reads_disturbs_nobody(owner: Person, tenant: Tenant) -> None:
    vehicle(tenant, "v-1")
    assert ask(owner.jwt, EXPORT).status_code == 200  # forgotten at once, before it began
    gc.collect()
    assert keys_in(owner.jwt) == ["v-1"]


@pytest.mark.parametrize(
    ("format_", "content_type"),
    [
        ("csv", "text/csv; charset=utf-8"),
        ("json", "application/json"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)
def test_a_file_has_a_name_and_a_type(format_: str, content_type: str, owner: Person) -> None:
    response = ask(owner.jwt, EXPORT, export=format_)
    assert response["Content-Type"] == content_type
    assert response["Content-Disposition"] == f'attachment; filename="vehicles.{format_}"'
    body_of(response)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("export", "parquet"), ("export", "x" * 99), ("min_soc", "x"), ("sort", "x"), ("min_x", "1")],
)
def test_what_cannot_be_understood_is_named(parameter: str, value: str, owner: Person) -> None:
    response = ask(owner.jwt, EXPORT, **{parameter: value})
    assert (response.status_code, list(response.json())) == (400, [parameter])


class TestWhose:
    @pytest.mark.parametrize("door", DOORS)
    def test_everyone_has_their_own_tenants(
        self, door: str, owner: Person, colleague: Person, stranger: Person, tenant: Tenant, other_tenant: Tenant
    ) -> None:
        vehicle(tenant, "ours")
        vehicle(other_tenant, "theirs")
        assert keys_in(owner.by(door)) == ["ours"]
        assert keys_in(colleague.by(door), tenant="north") == ["ours"]
        assert keys_in(stranger.by(door)) == ["theirs"]
        response = ask(stranger.by(door), EXPORT, tenant="north")
        assert (response.status_code, response.json()) == (400, {"tenant": ["There is no such tenant."]})

    def test_a_key_to_send_with_reads_nothing(self, owner: Person) -> None:
        assert ask(owner.key(Scope.READ), EXPORT).status_code == 200
        assert ask(owner.key(Scope.INGEST), EXPORT).status_code == 403

    def test_nobody_has_nothing(self, db: None) -> None:
        assert ask(APIClient(), EXPORT).status_code == 401

    @pytest.mark.parametrize("door", DOORS)
    def test_above_tenants_it_says_whose_each_is(
        self, door: str, superuser: Person, tenant: Tenant, other_tenant: Tenant
    ) -> None:
        for whose in (tenant, other_tenant):
            vehicle(whose, "same")
        rows = exports.raw("csv", exported(superuser.by(door)))
        assert [(row["Vehicle"], row["Tenant"]) for row in rows] == [("same", "north"), ("same", "south")]
        (row,) = exports.raw("csv", exported(client_with(f"Api-Key {key_make(None)}"), tenant="south"))
        assert row["Tenant"] == "south"


def test_what_moves_out_of_the_filter_while_it_is_written_is_left_out(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "ROWS_A_QUESTION", 1)
    made = {key: vehicle(tenant, key, minutes_ago=1, soc=10) for key in ("a", "b", "c")}
    table = assets_table(asked(in_tenant(tenant), max_soc="19"), with_tenant=False)
    first = next(table.rows)
    VehicleState.objects.filter(asset=made["b"]).update(soc=80)
    assert [first[0], *(row[0] for row in table.rows)] == ["a", "c"]

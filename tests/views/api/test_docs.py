"""The API's documentation: served by us alone, so that it works where there is no internet."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from django.contrib.staticfiles import finders
from django.test import Client

DOCS, SCHEMA = "/api/docs/", "/api/schema/"


@pytest.fixture
def schema() -> dict[str, Any]:
    answer = Client().get(SCHEMA)
    assert answer.status_code == 200
    read: dict[str, Any] = yaml.safe_load(answer.content)
    return read


@pytest.fixture
def page() -> str:
    answer = Client().get(DOCS)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/html")
    return answer.content.decode()


def test_the_page_loads_nothing_from_another_host(page: str) -> None:
    addresses = re.findall(r"""(?:src|href)\s*=\s*["']([^"']+)["']""", page)
    assert len(addresses) >= 4
    assert not [address for address in addresses if urlsplit(address).netloc]


def test_all_that_the_page_loads_is_there(page: str) -> None:
    ours = re.findall(r"""["']/static/([^"']+\.(?:css|js|png))["']""", page)
    assert "wattkeeper/api_docs.css" in ours
    assert {name.rpartition(".")[2] for name in ours} == {"css", "js", "png"}
    assert any("swagger-ui-bundle" in name for name in ours)
    assert [name for name in ours if not finders.find(name)] == []


def test_no_script_and_no_style_stands_in_the_page(page: str) -> None:
    assert not re.findall(r"<style|style=|\son\w+=", page)
    assert [text.strip() for text in re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL)] == ["", "", ""]


def test_the_page_shows_our_schema(page: str) -> None:
    script = re.findall(rf"""["']({DOCS}\?[^"']+)["']""", page)
    answer = Client().get(script[0])
    assert answer["Content-Type"].startswith("application/javascript")
    assert re.search(rf"""url: ["']{SCHEMA}["']""", answer.content.decode())


def test_the_schema_is_openapi_3_1(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1.")
    assert schema["info"]["title"] == "Wattkeeper"


def test_a_program_may_have_the_schema_as_json() -> None:
    answer = Client().get(SCHEMA, headers={"Accept": "application/vnd.oai.openapi+json"})
    assert answer.json()["openapi"].startswith("3.1.")


def test_the_schema_names_no_other_host(schema: dict[str, Any]) -> None:
    assert not re.findall(r"https?://[^\s\"']+", yaml.safe_dump(schema))


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("", {"get", "post"}),
        ("{reading_id}/", {"get"}),
        ("series/", {"get"}),
        ("upload_chunk/", {"post"}),
        ("finalize_upload/", {"post"}),
        ("export/", {"get"}),
    ],
)
@pytest.mark.parametrize("mount", ["/api/v1/vehicle_data/", "/vehicle_data/"])
def test_what_a_vehicle_can_be_asked_is_described(
    mount: str, path: str, methods: set[str], schema: dict[str, Any]
) -> None:
    assert schema["paths"][f"{mount}{path}"].keys() & {"get", "post", "put", "patch", "delete"} == methods


def test_the_parameters_of_a_list_are_described(schema: dict[str, Any]) -> None:
    listed = {parameter["name"] for parameter in schema["paths"]["/api/v1/vehicle_data/"]["get"]["parameters"]}
    times = {"initial_timestamp", "final_timestamp", "timezone"}
    assert listed >= {"vehicle_id", "ordering", "page", "page_size", *times}


def test_a_series_is_described(schema: dict[str, Any]) -> None:
    described = schema["paths"]["/api/v1/vehicle_data/series/"]["get"]
    required = {parameter["name"]: parameter.get("required", False) for parameter in described["parameters"]}
    assert required == {
        **{"vehicle_id": True, "channels": False, "points": False, "tenant": False},
        **{"initial_timestamp": False, "final_timestamp": False, "timezone": False},
    }
    components = schema["components"]["schemas"]
    name = described["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert components[name]["properties"].keys() >= {"vehicle_id", "rows", "thinned", "gap_seconds", "channels"}
    lines = components["VehicleTelemetrySeriesChannels"]["properties"]
    assert set(lines) == {"speed", "odometer", "soc", "elevation", "shift_state"}
    assert components["TextLine"]["properties"].keys() >= {"times", "values", "several"}


def test_no_two_operations_have_one_name(schema: dict[str, Any]) -> None:
    operations = [operation for methods in schema["paths"].values() for operation in methods.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)

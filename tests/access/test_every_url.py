"""Closed by default: whatever is in the URL map is asked, so a new endpoint needs no new test."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.access import objects, url_map
from tests.access.url_map import Endpoint
from tests.people import Person
from wattkeeper.base.accounts.models import Tenant

# Route as in the URL map -> why it needs no credentials. The contract names them all.
OPEN: Mapping[str, str] = {
    "user/login/": "credentials are got here",
    "user/token/refresh/": "credentials are got here",
    "admin/login/": "credentials are got here",
    "admin/logout/": "sends whoever is not signed in to the login",
    "login/": "credentials are got here",
    "logout/": "sends whoever is not signed in to the login",
    "hello": "says hello",
    "hello/": "says hello",
    "healthz": "ok or not",
    "healthz/": "ok or not",
    "readyz": "ok or not",
    "readyz/": "ok or not",
    "api/schema/": "the API's documentation",
    "api/docs/": "the API's documentation",
}

# Route -> makes an object of the tenant given and returns the path's parameters for it. Fixtures are had by
# `request.getfixturevalue`. Every route with a parameter, outside Django admin, needs its line.
OBJECTS: Mapping[str, Callable[[Tenant, pytest.FixtureRequest], Mapping[str, str]]] = {
    **{
        f"{mount}{route}": make
        for mount in ("api/v1/vehicle_data/", "vehicle_data/")
        for route, make in {
            "<str:reading_id>/": objects.reading_id,
            "uploads/<uuid:upload_id>/": objects.upload_id,
            "uploads/<uuid:upload_id>/refused/": objects.upload_id,
        }.items()
    },
    "api/v1/battery_status/<str:reading_id>/": objects.battery_reading_id,
    "api/v1/battery_status/uploads/<uuid:upload_id>/": objects.battery_upload_id,
    "api/v1/battery_status/uploads/<uuid:upload_id>/refused/": objects.battery_upload_id,
    **{
        f"api/batteries/<int:battery_id>/{step}": objects.battery_id
        for step in ("", "update_status/", "health_report/")
    },
    "api/logs/<str:log_id>/": objects.log_id,
    **{f"api/devices/<int:device_id>/{step}": objects.device_id for step in ("", "battery_status/")},
    "people/<int:user_id>/": objects.user_id,
    "people/<int:user_id>/password/": objects.user_id,
    "keys/<int:key_id>/revoke/": objects.key_id,
    "alerts/<int:alert_id>/": objects.alert_id,
    **{f"rules/<int:rule_id>/{step}": objects.rule_id for step in ("", "try/", "switch/", "remove/")},
    "vehicles/<int:asset_id>/": objects.asset_id,
    "vehicles/<int:asset_id>/edit/": objects.asset_id,
    **{f"batteries/<int:asset_id>/{step}": objects.battery_page_id for step in ("", "edit/")},
    **{
        f"meters/<int:asset_id>/{step}": objects.meter_page_id
        for step in ("", "edit/", "consumption/", "messages/", "replaces/")
    },
    **{f"api/meters/<int:meter_id>/{step}": objects.meter_id for step in ("", "messages/", "consumption/")},
    "meters/settings/zones/<int:zone_id>/remove/": objects.site_zone_id,
    "meters/settings/storages/<int:storage_id>/remove/": objects.due_storage_id,
    **{
        f"api/alerts/<int:alert_id>/{step}": objects.alert_id
        for step in (
            "",
            "history/",
            "resolve/",
            "acknowledge/",
            "assign/",
            "comment/",
            "shelve/",
            "unshelve/",
        )
    },
    **{f"api/rules/<int:rule_id>/{step}": objects.rule_id for step in ("", "enable/", "disable/", "try/")},
    **{
        f"{mount}notifications/{route}": make
        for mount, route, make in (
            ("api/", "channels/<int:channel_id>/", objects.channel_id),
            ("api/", "channels/<int:channel_id>/test/", objects.channel_id),
            ("api/", "routes/<int:route_id>/", objects.route_id),
            ("api/", "messages/<int:message_id>/", objects.message_id),
            *(("", f"channels/<int:channel_id>/{step}", objects.channel_id) for step in ("", "switch/", "test/")),
            ("", "channels/<int:channel_id>/remove/", objects.channel_id),
            *(("", f"routes/<int:route_id>/{step}", objects.route_id) for step in ("", "switch/", "remove/")),
            ("", "messages/<int:message_id>/", objects.message_id),
        )
    },
    "api/meters/months/<str:month>/freeze/": objects.meter_month,
    **{f"imports/<uuid:upload_id>/{step}": objects.upload_id for step in ("", "retry/", "discard/")},
}

ALL = url_map.endpoints()
CLOSED = [one for one in ALL if one.route not in OPEN]
WITH_ID = [one for one in CLOSED if one.samples and not one.route.startswith("admin/")]


def by_route(endpoints: list[Endpoint]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("endpoint", endpoints, ids=lambda one: one.route)


@by_route(CLOSED)
def test_nothing_answers_without_credentials(endpoint: Endpoint, db: None) -> None:
    assert url_map.resolves_to_itself(endpoint), f"give {endpoint.route} a sample that reaches it"
    assert url_map.faults_without_credentials(endpoint) == []


@by_route([one for one in CLOSED if not one.route.startswith("admin/")])
def test_every_method_says_its_action(endpoint: Endpoint) -> None:
    assert url_map.faults_of_declaration(endpoint) == []


def test_every_route_with_an_id_has_a_line_in_the_table_of_objects() -> None:
    assert {one.route for one in WITH_ID} == set(OBJECTS)


@by_route([one for one in WITH_ID if one.route in OBJECTS])
def test_another_tenants_object_is_not_found(
    endpoint: Endpoint, owner: Person, stranger: Person, request: pytest.FixtureRequest
) -> None:
    path = endpoint.path(**OBJECTS[endpoint.route](owner.tenant, request))
    if "GET" in endpoint.methods:
        mine = owner.session if endpoint.is_page else owner.jwt
        assert mine.get(path).status_code not in {401, 403, 404, 405}, "the table's object is not there"
    for client in (stranger.session,) if endpoint.is_page else (stranger.jwt, stranger.session, stranger.key()):
        assert url_map.faults_for_stranger(endpoint, path, client) == []

"""The pages' paths."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import URLPattern, path

from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.views.dashboard.pages.account import own_password, profile, tenant_settings
from wattkeeper.views.dashboard.pages.alert import alert
from wattkeeper.views.dashboard.pages.alert_actions import alerts_act
from wattkeeper.views.dashboard.pages.alert_rows import alerts_counted, alerts_listed, alerts_people
from wattkeeper.views.dashboard.pages.alerts import alerts
from wattkeeper.views.dashboard.pages.asset import asset, asset_edit
from wattkeeper.views.dashboard.pages.assets import assets
from wattkeeper.views.dashboard.pages.components import components
from wattkeeper.views.dashboard.pages.home import home, search
from wattkeeper.views.dashboard.pages.imported import import_discard, import_retry, imported
from wattkeeper.views.dashboard.pages.imports import imports
from wattkeeper.views.dashboard.pages.keys import key_end, keys
from wattkeeper.views.dashboard.pages.messages import message, messages
from wattkeeper.views.dashboard.pages.notifications import notifications
from wattkeeper.views.dashboard.pages.notify_channel import (
    notify_channel,
    notify_channel_end,
    notify_channel_new,
    notify_channel_switch,
    notify_channel_test,
)
from wattkeeper.views.dashboard.pages.notify_route import route, route_end, route_new, route_switch
from wattkeeper.views.dashboard.pages.people import people, person, person_password
from wattkeeper.views.dashboard.pages.rule import rule, rule_end, rule_new, rule_try, rule_try_new
from wattkeeper.views.dashboard.pages.rules import rule_switch, rules


def _kind_urls(kind: Kind) -> Iterator[URLPattern]:
    section, bound = kind.label_plural.lower(), {"kind": kind}
    yield path(f"{section}/", assets, bound, name=f"assets-{kind.name}")
    yield path(f"{section}/<int:asset_id>/", asset, bound, name=f"asset-{kind.name}")
    yield path(f"{section}/<int:asset_id>/edit/", asset_edit, bound, name=f"asset-edit-{kind.name}")


urlpatterns = [
    path("", home, name="home"),
    path("search/", search, name="search"),
    path("login/", LoginView.as_view(template_name="wattkeeper/login.html"), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("profile/", profile, name="profile"),
    path("profile/password/", own_password, name="own-password"),
    path("people/", people, name="people"),
    path("people/<int:user_id>/", person, name="person"),
    path("people/<int:user_id>/password/", person_password, name="person-password"),
    path("keys/", keys, name="keys"),
    path("keys/<int:key_id>/revoke/", key_end, name="key-end"),
    path("settings/", tenant_settings, name="tenant-settings"),
    path("imports/", imports, name="imports"),
    path("imports/<uuid:upload_id>/", imported, name="import"),
    path("imports/<uuid:upload_id>/retry/", import_retry, name="import-retry"),
    path("imports/<uuid:upload_id>/discard/", import_discard, name="import-discard"),
    path("alerts/", alerts, name="alerts"),
    path("alerts/list/", alerts_listed, name="alerts-list"),
    path("alerts/count/", alerts_counted, name="alerts-count"),
    path("alerts/people/", alerts_people, name="alerts-people"),
    path("alerts/act/", alerts_act, name="alerts-act"),
    path("alerts/<int:alert_id>/", alert, name="alert"),
    path("rules/", rules, name="rules"),
    path("rules/new/", rule_new, name="rule-new"),
    path("rules/try/", rule_try_new, name="rule-try-new"),
    path("rules/<int:rule_id>/", rule, name="rule"),
    path("rules/<int:rule_id>/try/", rule_try, name="rule-try"),
    path("rules/<int:rule_id>/switch/", rule_switch, name="rule-switch"),
    path("rules/<int:rule_id>/remove/", rule_end, name="rule-end"),
    path("notifications/", notifications, name="notifications"),
    path("notifications/channels/new/", notify_channel_new, name="notify-channel-new"),
    path("notifications/channels/<int:channel_id>/", notify_channel, name="notify-channel"),
    path("notifications/channels/<int:channel_id>/switch/", notify_channel_switch, name="notify-channel-switch"),
    path("notifications/channels/<int:channel_id>/test/", notify_channel_test, name="notify-channel-test"),
    path("notifications/channels/<int:channel_id>/remove/", notify_channel_end, name="notify-channel-end"),
    path("notifications/routes/new/", route_new, name="route-new"),
    path("notifications/routes/<int:route_id>/", route, name="route"),
    path("notifications/routes/<int:route_id>/switch/", route_switch, name="route-switch"),
    path("notifications/routes/<int:route_id>/remove/", route_end, name="route-end"),
    path("notifications/messages/", messages, name="notification-messages"),
    path("notifications/messages/<int:message_id>/", message, name="notification-message"),
    path("components/", components, name="components"),
    *(pattern for kind in registry.kinds() for pattern in _kind_urls(kind)),
]

"""Rules, what they judge, and the alerts that come of it, made without readings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.alerting import AlertType, Condition, Level
from wattkeeper.flow.alerts.actions import alert_post, verdicts_apply
from wattkeeper.flow.alerts.models import Alert, Transition
from wattkeeper.flow.alerts.queries import watched_of
from wattkeeper.flow.rules.fields import fields_of, spec_of
from wattkeeper.flow.rules.models import Rule
from wattkeeper.flow.rules.spec import RuleSpec
from wattkeeper.flow.rules.verdicts import Judged, Verdict

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)  # of the readings
LATER = NOON + timedelta(days=1)  # of the clock


def at(second: float) -> datetime:
    return NOON + timedelta(seconds=second)


def battery(tenant: Tenant, key: str = "BAT-1", **values: Any) -> Asset:
    """A battery without a nameplate or a state: alerts ask for neither."""
    return Asset.objects.create(tenant=tenant, kind="battery", key=key, registered_by="test", **values)


def rule_make(tenant: Tenant, **values: Any) -> RuleSpec:
    """A rule for batteries, by default that none is hotter than 50 °C, as it judges. `on`, `off`: its delays."""
    given = {
        "kind": "battery",
        "name": "Too hot",
        "channel": "current_temperature",
        "condition": Condition.ABOVE.value,
        "limit": "50",
        "level": Level.CRITICAL.value,
        "alert_type": AlertType.OVER_TEMPERATURE.value,
        "on_delay_seconds": values.pop("on", 0),
        "off_delay_seconds": values.pop("off", 0),
        **values,
    }
    rule = Rule.objects.create(tenant=tenant, created_at=NOON, changed_at=NOON, **given)
    return spec_of(fields_of(rule), kind=registry.kind(rule.kind), tenant_id=tenant.pk, rule_id=rule.pk)


def judged(rule: RuleSpec, asset: Asset, second: float, verdict: Verdict, value: Any = None) -> Judged:
    if value is None:
        value = {Verdict.BREACH: 61.2, Verdict.CLEAR: 25.0}.get(verdict)
    return Judged(rule, asset.pk, at(second), verdict, value, "above 50")


def breach(rule: RuleSpec, asset: Asset, second: float, value: Any = None) -> Judged:
    return judged(rule, asset, second, Verdict.BREACH, value)


def clear(rule: RuleSpec, asset: Asset, second: float, value: Any = None) -> Judged:
    return judged(rule, asset, second, Verdict.CLEAR, value)


def unsure(rule: RuleSpec, asset: Asset, second: float) -> Judged:
    return judged(rule, asset, second, Verdict.UNSURE)


def apply(*given: Judged, now: datetime = LATER) -> list[Transition]:
    """The verdicts in one call, as the pipeline makes it."""
    return verdicts_apply(given, watched=watched_of({one.asset_id for one in given}), now=now)


def opened(rule: RuleSpec, asset: Asset, second: float = 0, **options: Any) -> Alert:
    """The alert that a breach opens."""
    (first, *_) = apply(breach(rule, asset, second), **options)
    return Alert.objects.get(pk=first.alert_id)


def posted(asset: Asset, **values: Any) -> Alert:
    """An alert that a person posts."""
    given: Mapping[str, Any] = {
        "alert_type": AlertType.LOW_CHARGE,
        "level": Level.WARNING,
        "message": "Battery charge is low",
        "by": "user:1",
        **values,
    }
    return alert_post(asset, **given)


def told(alert: Alert) -> list[str]:
    """What has happened to the alert, the oldest first."""
    return list(Transition.objects.filter(alert=alert).order_by("pk").values_list("kind", flat=True))


def open_alerts() -> Sequence[Alert]:
    return list(Alert.objects.filter(resolved_at=None).order_by("pk"))

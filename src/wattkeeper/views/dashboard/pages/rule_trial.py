"""What a rule would have raised, as a panel shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse

from wattkeeper.base.catalog.alerting import Condition
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.base.core.clock import now
from wattkeeper.base.core.errors import BadRequestError, WattkeeperError
from wattkeeper.flow.alerts.replay import Episode
from wattkeeper.flow.alerts.trial import DAYS, DAYS_MOST, Trial, rule_tried
from wattkeeper.flow.alerts.wording import duration_text
from wattkeeper.flow.readings.reading import Value
from wattkeeper.flow.rules.fields import RuleFields, spec_of
from wattkeeper.flow.rules.spec import RuleSpec
from wattkeeper.flow.rules.vocabulary import channels_of
from wattkeeper.views.dashboard.rule_words import sentence_of
from wattkeeper.views.dashboard.templatetags.components import value as value_text

DAYS_OFFERED = (1, 7, 30, 90)
MOST_ALERTED = 10
_AROUND = timedelta(minutes=30)  # of the time before and after an alert, at least


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert that would have been. `address` is that of its thing, at the time of the alert."""

    key: str
    address: str
    opened_at: datetime
    cleared_at: datetime | None
    lasted: str
    worst: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialShown:
    """`trouble`: why there is nothing to show, for people to do something about; `untestable`: they cannot."""

    days: int
    words: str = ""
    trouble: str = ""
    untestable: str = ""
    trial: Trial | None = None
    kind: Kind | None = None
    by_day: Sequence[tuple[date, int]] = ()
    most_alerted: Sequence[tuple[str, str, int]] = ()  # key, address, how many alerts
    alerts: Sequence[AlertRow] = ()


def days_of(request: HttpRequest) -> int:
    """On how many days the rule is to be tried, as the form or the address says."""
    text = request.POST.get("days") or request.GET.get("days") or str(DAYS)
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= DAYS_MOST):
        raise BadRequestError(f"{text[:40]!r} is not a number of days from 1 to {DAYS_MOST}.", field="days")
    return int(text)


def tried(fields: RuleFields, *, kind: Kind, tenant_id: int, days: int, zone: tzinfo) -> TrialShown:
    """The rule on the readings of the last days."""
    present = now()
    try:
        rule = spec_of(fields, kind=kind, tenant_id=tenant_id)
        trial = rule_tried(rule, since=present - timedelta(days=days), until=present, now=present, zone=zone)
    except ValidationError as error:
        return TrialShown(days=days, trouble=" ".join(error.messages))
    except WattkeeperError as error:
        return TrialShown(days=days, trouble=str(error))
    return TrialShown(
        days=days,
        words=sentence_of(rule, kind),
        untestable=trial.untestable,
        trial=trial,
        kind=kind,
        by_day=list(trial.by_day.items()),
        most_alerted=[
            (trial.keys[asset_id], reverse(f"asset-{kind.name}", args=[asset_id]) + f"?window={days}d", count)
            for asset_id, count in list(trial.by_asset.items())[:MOST_ALERTED]
        ],
        alerts=[_row(episode, rule, kind, trial.keys) for episode in trial.episodes],
    )


def _row(episode: Episode, rule: RuleSpec, kind: Kind, keys: Mapping[int, str]) -> AlertRow:
    return AlertRow(
        keys[episode.asset_id],
        _address(episode, kind),
        episode.opened_at,
        episode.cleared_at,
        duration_text(episode.seconds),
        _value(episode.worst, rule, kind),
    )


def _address(episode: Episode, kind: Kind) -> str:
    """The thing's page, with the alert in the middle of its window."""
    length = timedelta(seconds=episode.seconds)
    around = max(length / 4, _AROUND)
    window = {"since": episode.opened_at - around, "until": episode.opened_at + length + around}
    query = urlencode(
        {name: moment.isoformat(timespec="seconds").replace("+00:00", "Z") for name, moment in window.items()}
    )
    return f"{reverse(f'asset-{kind.name}', args=[episode.asset_id])}?{query}"


def _value(value: Value, rule: RuleSpec, kind: Kind) -> str:
    if rule.condition is Condition.SILENT and isinstance(value, int | float):
        return duration_text(value)
    channel = channels_of(kind).get(rule.channel)
    text, unit = value_text(value), channel.unit.value if channel else ""
    per = " a minute" if rule.condition is Condition.CHANGES else ""
    return f"{text} {unit}".rstrip() + per

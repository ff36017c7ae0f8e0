"""What a rule would have raised: asked of one that is there, or of one that somebody thinks of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wattkeeper.base.accounts.callers import caller_of, tenant_for_write
from wattkeeper.base.accounts.permissions import Action
from wattkeeper.base.catalog import registry
from wattkeeper.base.core import clock
from wattkeeper.base.core.errors import ConflictError
from wattkeeper.flow.alerts.replay import Episode
from wattkeeper.flow.alerts.trial import DAYS, DAYS_MOST, Trial, rule_tried
from wattkeeper.flow.rules.actions import rule_check
from wattkeeper.flow.rules.fields import RuleFields, fields_changed, fields_of, spec_of
from wattkeeper.views.api.errors import outside_names
from wattkeeper.views.api.parameters import whole
from wattkeeper.views.api.rule_serializers import OUTSIDE
from wattkeeper.views.api.rule_trial_serializers import TriedRuleSerializer
from wattkeeper.views.api.rules import NOTHING, rule_of


class RuleTry(APIView):
    """GET what a rule would have raised in the last days."""

    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ}

    def get(self, request: Request, rule_id: int) -> Response:
        rule = rule_of(request, rule_id)
        days = whole(request, "days", default=DAYS, least=1, most=DAYS_MOST)
        try:
            return _tried(fields_of(rule), tenant_id=rule.tenant_id, days=days)
        except ValidationError as error:  # a channel of an earlier release, for example
            raise ConflictError(f"The rule cannot be understood any more: {' '.join(error.messages)}") from None


class RuleTryNew(APIView):
    """POST a rule that is kept nowhere, to hear what it would have raised in the last days."""

    actions: ClassVar[Mapping[str, Action]] = {"POST": Action.RULE_EDIT}

    def post(self, request: Request) -> Response:
        tenant = tenant_for_write(caller_of(request), request.query_params.get("tenant"))
        serializer = TriedRuleSerializer(data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        given = dict(serializer.validated_data)
        days = given.pop("days", DAYS)
        fields = fields_changed(NOTHING, given)
        with outside_names(OUTSIDE):
            rule_check(fields, tenant_id=tenant.pk)
        return _tried(fields, tenant_id=tenant.pk, days=days)


def _tried(fields: RuleFields, *, tenant_id: int, days: int) -> Response:
    now = clock.now()
    rule = spec_of(fields, kind=registry.kind(fields.kind), tenant_id=tenant_id)
    return Response(_told(rule_tried(rule, since=now - timedelta(days=days), until=now, now=now), days=days))


def _told(trial: Trial, *, days: int) -> dict[str, Any]:
    return {
        "days": days,
        "since": trial.since,
        "until": trial.until,
        "untestable": trial.untestable or None,
        "assets": trial.assets,
        "assets_unsure": trial.assets_unsure,
        "assets_alerted": trial.assets_alerted,
        "readings": trial.readings,
        "total": trial.total,
        "still_open": trial.still_open,
        "by_day": [{"day": day, "count": count} for day, count in trial.by_day.items()],
        "by_asset": [
            {"asset": asset_id, "key": trial.keys[asset_id], "count": count}
            for asset_id, count in trial.by_asset.items()
        ],
        "alerts": [_alert(episode, trial.keys) for episode in trial.episodes],
    }


def _alert(episode: Episode, keys: Mapping[int, str]) -> dict[str, Any]:
    return {
        "asset": episode.asset_id,
        "key": keys[episode.asset_id],
        "opened_at": episode.opened_at,
        "cleared_at": episode.cleared_at,
        "worst": episode.worst,
        "seconds": episode.seconds,
    }

"""Mounted at `/api/rules/`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema_view
from rest_framework.views import APIView

from wattkeeper.base.catalog import registry
from wattkeeper.flow.alerts.trial import DAYS, DAYS_MOST
from wattkeeper.flow.rules.queries import ORDERINGS
from wattkeeper.views.api.parameters import PAGE_MAX, PAGE_SIZE_MAX, TEXT_MAX
from wattkeeper.views.api.rule_serializers import RulePageSerializer, RuleSerializer, VocabularySerializer
from wattkeeper.views.api.rule_trial_serializers import TrialSerializer, TriedRuleSerializer
from wattkeeper.views.api.rule_trials import RuleTry, RuleTryNew
from wattkeeper.views.api.rules import RULES_A_PAGE, RuleDetail, RuleDisable, RuleEnable, RuleList, RuleVocabulary
from wattkeeper.views.api.stream_urls import TENANT_MEANT, TENANT_OF_NEW, operation, whole_number

_text = {"type": "string", "maxLength": TEXT_MAX, "pattern": r"^[^\u0000]*$"}
_kinds = [kind.name for kind in registry.kinds()]
_operation = partial(operation, tags=["Rules"])
_orderings = [sign + name for name in ORDERINGS for sign in ("", "-")]

_listed = _operation(
    "The rules, the kinds' default ones among them, filtered, ordered and in pages.",
    {200: RulePageSerializer},
    fails=[400, 404, 503],
    parameters=[
        OpenApiParameter("kind", str, enum=_kinds, description="Of things of this kind."),
        OpenApiParameter("channel", _text, description="That ask of this channel."),
        OpenApiParameter("enabled", bool),
        OpenApiParameter("search", _text, description="Stands in the name, channel, alert type or text."),
        OpenApiParameter("ordering", str, enum=_orderings, description="`kind` where it is missing."),
        OpenApiParameter("page", whole_number(1, PAGE_MAX, default=1)),
        OpenApiParameter("page_size", whole_number(1, PAGE_SIZE_MAX, default=RULES_A_PAGE)),
        TENANT_MEANT,
    ],
)
_add = _operation(
    "Add a rule. It judges from the next reading on.",
    {201: RuleSerializer},
    fails=[400, 503, 507],
    request=RuleSerializer,
    parameters=[TENANT_OF_NEW],
)
_change = _operation(
    "Change what is sent of a rule; it holds from the next reading on. Where the rule asks something else afterwards, "
    "or of other things, its open alerts are closed.",
    {200: RuleSerializer},
    fails=[400, 404, 409, 503, 507],
    request=RuleSerializer(partial=True),
)
_remove = _operation(
    "Take a rule away and close its open alerts. One that every tenant has can only be disabled: 409.",
    {204: None},
    fails=[404, 409, 503, 507],
)
_switch_fails = [404, 409, 503, 507]


def _view(view: type[APIView], **methods: Callable[[Any], Any]) -> Callable[..., Any]:
    """The view, with the documentation of its methods."""
    documented: type[APIView] = extend_schema_view(**methods)(view)
    return documented.as_view()


urlpatterns = [
    path("", _view(RuleList, get=_listed, post=_add), name="api-rules"),
    path(
        "vocabulary/",
        _view(RuleVocabulary, get=_operation("What rules may be made of, by kind.", {200: VocabularySerializer})),
        name="api-rule-vocabulary",
    ),
    path(
        "try/",
        _view(
            RuleTryNew,
            post=operation(
                "Hear what a rule would have raised in the last days, before there is one. Nothing is kept.",
                {200: TrialSerializer},
                fails=[400, 503],
                request=TriedRuleSerializer,
                parameters=[TENANT_OF_NEW],
            ),
        ),
        name="api-rule-try-new",
    ),
    path(
        "<int:rule_id>/",
        _view(
            RuleDetail,
            get=_operation("One rule.", {200: RuleSerializer}, fails=[404]),
            put=_change,
            patch=_change,
            delete=_remove,
        ),
        name="api-rule",
    ),
    path(
        "<int:rule_id>/enable/",
        _view(
            RuleEnable,
            post=_operation("Switch a rule on.", {200: RuleSerializer}, fails=_switch_fails, request=None),
        ),
        name="api-rule-enable",
    ),
    path(
        "<int:rule_id>/disable/",
        _view(
            RuleDisable,
            post=_operation(
                "Switch a rule off, and close its open alerts.",
                {200: RuleSerializer},
                fails=_switch_fails,
                request=None,
            ),
        ),
        name="api-rule-disable",
    ),
    path(
        "<int:rule_id>/try/",
        _view(
            RuleTry,
            get=operation(
                "What a rule, switched on or off, would have raised in the last days.",
                {200: TrialSerializer},
                fails=[400, 404, 409, 503],
                parameters=[OpenApiParameter("days", whole_number(1, DAYS_MOST, default=DAYS))],
            ),
        ),
        name="api-rule-try",
    ),
]

"""The rules by which readings are judged: read by all, changed by those who may."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wattkeeper.base.accounts.callers import caller_of, tenant_for_write
from wattkeeper.base.accounts.permissions import Action
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.alerting import Condition, Level
from wattkeeper.base.catalog.channels import Channel
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.base.core.errors import NotFoundError
from wattkeeper.flow.rules import queries
from wattkeeper.flow.rules.actions import rule_add, rule_change, rule_enable, rule_remove
from wattkeeper.flow.rules.fields import RuleFields, fields_changed, fields_of
from wattkeeper.flow.rules.models import Rule
from wattkeeper.flow.rules.vocabulary import channels_of, conditions_of, relative_to
from wattkeeper.views.api.errors import outside_names
from wattkeeper.views.api.parameters import (
    one_of,
    page_answer,
    page_of,
    require_page,
    sort_of,
    tenant_filter,
    text,
    truth,
)
from wattkeeper.views.api.rule_serializers import OUTSIDE, RuleSerializer

RULES_A_PAGE = 20
NOTHING = RuleFields(kind="", name="", condition="", level="", alert_type="")


class RuleList(APIView):
    """GET a page of rules; POST one."""

    is_list = True
    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ, "POST": Action.RULE_EDIT}

    def get(self, request: Request) -> Response:
        page = page_of(request, size=RULES_A_PAGE)
        rules = queries.rules_of(
            tenant_filter(request, caller_of(request)),
            kind=one_of(text(request, "kind"), [kind.name for kind in registry.kinds()], "kind"),
            channel=text(request, "channel"),
            enabled=truth(text(request, "enabled"), "enabled"),
            search=text(request, "search"),
            ordering=sort_of(request, queries.ORDERINGS, default="kind"),
        )
        count = rules.count()
        require_page(page, count)
        found = rules[page.offset : page.offset + page.size]
        return Response(page_answer(request, page, count, RuleSerializer(found, many=True).data))

    def post(self, request: Request) -> Response:
        caller, given = caller_of(request), given_of(request)
        tenant = tenant_for_write(caller, request.query_params.get("tenant"))
        with outside_names(OUTSIDE):
            rule = rule_add(tenant=tenant, fields=fields_changed(NOTHING, given), actor=caller.identity)
        return Response(RuleSerializer(rule).data, status=status.HTTP_201_CREATED)


class RuleDetail(APIView):
    """One rule. PUT and PATCH change what is sent, DELETE takes away what people have added."""

    actions: ClassVar[Mapping[str, Action]] = {
        "GET": Action.READ,
        "PUT": Action.RULE_EDIT,
        "PATCH": Action.RULE_EDIT,
        "DELETE": Action.RULE_EDIT,
    }

    def get(self, request: Request, rule_id: int) -> Response:
        return Response(RuleSerializer(rule_of(request, rule_id)).data)

    def put(self, request: Request, rule_id: int) -> Response:
        return self.patch(request, rule_id)

    def patch(self, request: Request, rule_id: int) -> Response:
        rule = rule_of(request, rule_id)
        wanted = fields_changed(fields_of(rule), given_of(request))
        with outside_names(OUTSIDE):
            rule_change(rule, fields=wanted, actor=caller_of(request).identity)
        return Response(RuleSerializer(rule).data)

    def delete(self, request: Request, rule_id: int) -> Response:
        rule_remove(rule_of(request, rule_id), actor=caller_of(request).identity)
        return Response(status=status.HTTP_204_NO_CONTENT)


class RuleSwitch(APIView):
    """POST to switch a rule on or off; the answer is the rule. `enables` says which of the two."""

    enables: ClassVar[bool]
    actions: ClassVar[Mapping[str, Action]] = {"POST": Action.RULE_EDIT}

    def post(self, request: Request, rule_id: int) -> Response:
        rule = rule_of(request, rule_id)
        rule_enable(rule, enabled=self.enables, actor=caller_of(request).identity)
        return Response(RuleSerializer(rule).data)


class RuleEnable(RuleSwitch):
    enables = True


class RuleDisable(RuleSwitch):
    enables = False


class RuleVocabulary(APIView):
    """GET what a rule may be made of."""

    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ}

    def get(self, request: Request) -> Response:
        return Response({"kinds": [_words(kind) for kind in registry.kinds()]})


def rule_of(request: Request, rule_id: int) -> Rule:
    """The rule, if the caller may know of it."""
    caller = caller_of(request)
    rule = queries.rule_by_id(rule_id, tenant_id=None if caller.above_tenants else caller.tenant_id)
    if rule is None:
        raise NotFoundError("There is no such rule.")
    return rule


def given_of(request: Request) -> dict[str, Any]:
    """What the body says, by our own names. What it leaves out of a new rule, the rules' own checks find."""
    serializer = RuleSerializer(data=request.data, partial=True)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _words(kind: Kind) -> dict[str, Any]:
    channels = channels_of(kind).values()
    return {
        "name": kind.name,
        "label": kind.label,
        "channels": [
            {
                **_named(channel),
                "type": channel.type.value,
                "choices": list(channel.choices),
                "conditions": [condition.value for condition in conditions_of(channel)],
            }
            for channel in channels
        ],
        "nameplate": [_named(field) for field in kind.nameplate],
        "conditions": [condition.value for condition in Condition],
        "alert_types": [alert_type.value for alert_type in kind.alert_types],
        "levels": [level.value for level in Level],
        "silence_relative_to": list(relative_to(kind, Condition.SILENT)),
    }


def _named(channel: Channel) -> dict[str, str]:
    return {"name": channel.name, "label": channel.label, "unit": channel.unit.value}

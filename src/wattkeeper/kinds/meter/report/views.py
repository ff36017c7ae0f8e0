"""The month's file, and which months are closed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.http import StreamingHttpResponse
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wattkeeper.base.accounts.callers import caller_of, tenant_for_write
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.accounts.queries import names_of
from wattkeeper.base.assets.zones import site_zones
from wattkeeper.base.core import clock
from wattkeeper.kinds.meter.report.actions import month_freeze, month_unfreeze
from wattkeeper.kinds.meter.report.asked import asked_of
from wattkeeper.kinds.meter.report.months import Month, month_said
from wattkeeper.kinds.meter.report.queries import check_site, months_of, report_of
from wattkeeper.kinds.meter.report.serializers import FrozenSerializer, MonthSerializer
from wattkeeper.kinds.meter.report.table import report_table
from wattkeeper.views.api.lists import SIZE
from wattkeeper.views.api.parameters import page_answer, page_of, require_page
from wattkeeper.views.exports.lists import TABLE_FORMATS
from wattkeeper.views.exports.response import export_response


class MonthReport(APIView):
    """GET the report of a month as a file."""

    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ}

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        # REST framework's renderers know nothing of files; failures are JSON, whatever is accepted.
        return super().perform_content_negotiation(request, force=True)

    def get(self, request: Request) -> StreamingHttpResponse:
        tenant, moment = _tenant(request), clock.now()
        zones = site_zones(tenant.pk)
        asked = asked_of(dict(request.query_params.lists()), zones=zones, formats=tuple(TABLE_FORMATS), now=moment)
        check_site(tenant.pk, asked)
        table = report_table(report_of(tenant.pk, asked, now=moment), raw=asked.raw, all_pairs=asked.all_pairs)
        format_ = TABLE_FORMATS[asked.format]
        assert format_.table_pieces is not None
        return export_response(
            format_.table_pieces(table), format_, stem=f"{moment.astimezone(zones.default):%Y-%m-%d}_report"
        )


class MonthList(APIView):
    """GET the months that have messages or are frozen, the newest first."""

    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ}

    def get(self, request: Request) -> Response:
        page, states = page_of(request, size=SIZE), months_of(_tenant(request).pk)
        require_page(page, len(states))
        shown = states[page.offset : page.offset + page.size]
        names = names_of(state.frozen_by for state in shown if state.frozen_by)
        return Response(
            page_answer(request, page, len(states), MonthSerializer(shown, many=True, context={"names": names}).data)
        )


class MonthFreeze(APIView):
    """POST freezes a month, DELETE lets its report follow the messages again."""

    actions: ClassVar[Mapping[str, Action]] = {"POST": Action.ASSET_EDIT, "DELETE": Action.ACCOUNT_MANAGE}

    def post(self, request: Request, month: str) -> Response:
        tenant = _tenant(request)
        frozen = month_freeze(tenant=tenant, month=_month(tenant, month), by=caller_of(request).identity)
        names = names_of([frozen.frozen_by])
        return Response(FrozenSerializer(frozen, context={"names": names}).data, status=201)

    def delete(self, request: Request, month: str) -> Response:
        tenant = _tenant(request)
        month_unfreeze(tenant=tenant, month=_month(tenant, month), by=caller_of(request).identity)
        return Response(status=204)


def _tenant(request: Request) -> Tenant:
    """A report is one tenant's: who stands above tenants names it, unless there is only one."""
    return tenant_for_write(caller_of(request), request.query_params.get("tenant"))


def _month(tenant: Tenant, said: str) -> Month:
    return month_said(said, zones=site_zones(tenant.pk).all, now=clock.now())

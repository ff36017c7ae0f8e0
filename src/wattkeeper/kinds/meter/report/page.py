"""A month's report on screen: its lines with what is wrong with them, its files, and its closing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from wattkeeper.base.accounts.callers import Caller, tenant_for_write
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.accounts.queries import names_of
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.zones import SiteZones, site_zones
from wattkeeper.base.core import clock
from wattkeeper.base.core.errors import ConflictError, NotFoundError
from wattkeeper.kinds.meter.badges import STATUS_BADGES
from wattkeeper.kinds.meter.codes import media
from wattkeeper.kinds.meter.models import FrozenMonth, Meter
from wattkeeper.kinds.meter.report.actions import month_freeze, month_unfreeze
from wattkeeper.kinds.meter.report.asked import Asked, Only, type_said
from wattkeeper.kinds.meter.report.lines import NO_VALUE, MeterLine, words_of_flag
from wattkeeper.kinds.meter.report.messages import month_lines
from wattkeeper.kinds.meter.report.months import Month, current_month, month_said
from wattkeeper.kinds.meter.report.queries import frozen_month, late_count, missing_of, only_of, report_of
from wattkeeper.kinds.meter.report.table import dimension_words, missing_table, pairs_shown
from wattkeeper.kinds.meter.streams import UNKNOWN
from wattkeeper.kinds.meter.wording import status_words
from wattkeeper.views.api.parameters import one_of
from wattkeeper.views.dashboard.guard import page, told
from wattkeeper.views.dashboard.scope import Scope, scope_of
from wattkeeper.views.dashboard.templatetags.components import Level, StateBadge
from wattkeeper.views.dashboard.whom import whom_to_ask
from wattkeeper.views.exports.lists import TABLE_FORMATS
from wattkeeper.views.exports.response import export_response

ROWS = 50  # meters
MISSING = "missing"
_FLAG_ICONS = {UNKNOWN: "question-mark-circle", NO_VALUE: "exclamation-triangle"}
_MIDNIGHT = " 00:00:00"  # of a date alone
_SHOWN: Sequence[tuple[str, StateBadge]] = (
    ("", StateBadge("In the report", Level.QUIET, "document-text")),
    (Only.ERROR, StateBadge("With an error", Level.ERROR, "exclamation-circle")),
    (Only.FLAGGED, StateBadge("Flagged", Level.WARNING, "exclamation-triangle")),
    (MISSING, StateBadge("Without a message", Level.WARNING, "signal-slash")),
)


@dataclass(frozen=True, slots=True)
class _Looked:
    """What the address asks for. `show`: a choice of `_SHOWN`."""

    tenant: Tenant
    zones: SiteZones
    month: Month
    site: str
    device_type: int | None
    show: str
    all_pairs: bool
    moment: datetime
    frozen: FrozenMonth | None

    @property
    def asked(self) -> Asked:
        return Asked(month=self.month, site=self.site, device_type=self.device_type)

    def parameters(self, scope: Scope, **others: str) -> Mapping[str, str]:
        """The address that shows the same, or its file."""
        said = {
            **scope.parameters,
            "month": str(self.month),
            "type": "" if self.device_type is None else str(self.device_type),
            "all": "true" if self.all_pairs else "",
            **others,
        }
        return {name: text for name, text in said.items() if text}


@page()
def report(request: HttpRequest, caller: Caller) -> HttpResponse:
    """A month's report, the meters of a page at a time."""
    scope = scope_of(request, caller)
    if scope.tenant_id is None and len(scope.tenants) != 1:
        return render(request, "meter/report/no_tenant.html")
    looked = _looked(request, caller, scope)
    lines = report_of(looked.tenant.pk, looked.asked, now=looked.moment)
    missing = _missing(looked, lines)
    counts = {"": len(lines), MISSING: len(missing)} | {one.value: len(only_of(lines, one)) for one in Only}
    shown: Sequence[Asset | MeterLine] = (
        missing if looked.show == MISSING else only_of(lines, Only(looked.show) if looked.show else None)
    )
    turned = Paginator(shown, ROWS).get_page(request.GET.get("page"))
    context = {
        "month": looked.month,
        "previous": _address(looked.parameters(scope, month=str(looked.month.moved(-1)), show=looked.show)),
        "next": _next(looked, scope),
        "newest": max(current_month(zone, now=looked.moment) for zone in looked.zones.all),
        "types": _types(looked),
        "device_type": looked.device_type,
        "show": looked.show,
        "all_pairs": looked.all_pairs,
        "tiles": [
            (_address(looked.parameters(scope, show=show)), show, counts[show], badge)
            for show, badge in _SHOWN
            if show != MISSING or looked.frozen is None
        ],
        "page": turned,
        "rows": _rows(looked, [one for one in turned.object_list if isinstance(one, MeterLine)]),
        "status_badges": STATUS_BADGES,
        "zone": looked.zones.default,
        "has_zones": len(looked.zones.all) > 1,
        "is_empty": not lines and not missing and not looked.frozen,
        "files": _files(looked, scope) if shown else [],
        **_closing(looked, caller, lines, missing),
        **_first_message(request, caller, looked),
    }
    return render(request, "meter/report/report.html", context)


@page()
def missing(request: HttpRequest, caller: Caller) -> StreamingHttpResponse:
    """The meters without a message, as a file."""
    looked = _looked(request, caller, scope_of(request, caller))
    if looked.frozen:
        raise NotFoundError(f"{looked.month.words} is frozen: which meters said nothing then is not kept.")
    table = missing_table(_missing(looked, report_of(looked.tenant.pk, looked.asked, now=looked.moment)), looked.zones)
    format_ = TABLE_FORMATS["csv"]
    assert format_.table_pieces is not None
    return export_response(format_.table_pieces(table), format_, stem=f"{looked.month}_without_a_message")


@page(write=Action.ASSET_EDIT)
def freeze(request: HttpRequest, caller: Caller) -> HttpResponse:
    """POST closes the month that the form names."""
    tenant, month = _posted(request, caller)
    if request.method == "POST" and month:
        try:
            month_freeze(tenant=tenant, month=month, by=caller.identity)
        except ConflictError as refused:
            is_over = month.is_over(site_zones(tenant.pk).all, now=clock.now())
            return told(request, str(refused), error=refused, title="" if is_over else "The month is not over yet")
        messages.success(request, f"{month.words} is frozen: what comes later does not change its report.")
    return redirect(_back(request, month))


@page(write=Action.ACCOUNT_MANAGE)
def unfreeze(request: HttpRequest, caller: Caller) -> HttpResponse:
    """POST opens the month that the form names again."""
    tenant, month = _posted(request, caller)
    if request.method == "POST" and month:
        month_unfreeze(tenant=tenant, month=month, by=caller.identity)
        messages.success(request, f"{month.words} is not frozen any more: its report follows its messages.")
    return redirect(_back(request, month))


def _looked(request: HttpRequest, caller: Caller, scope: Scope) -> _Looked:
    tenant, moment = tenant_for_write(caller, scope.tenant_slug), clock.now()
    zones, said = site_zones(tenant.pk), request.GET.get("month", "").strip()
    month = month_said(said, zones=zones.all, now=moment) if said else current_month(zones.default, now=moment)
    frozen = frozen_month(tenant.pk, month)
    show = one_of(request.GET.get("show", ""), [show for show, _ in _SHOWN if show], "show")
    return _Looked(
        tenant=tenant,
        zones=zones,
        month=month,
        site=scope.site,
        device_type=type_said(request.GET.get("type", "").strip()),
        show="" if frozen and show == MISSING else show,
        all_pairs=one_of(request.GET.get("all", ""), ["true"], "all") == "true",
        moment=moment,
        frozen=frozen,
    )


def _missing(looked: _Looked, lines: Sequence[MeterLine]) -> list[Asset]:
    """None of a frozen month: who hung where at its end is not known any more."""
    if looked.frozen:
        return []
    return missing_of(looked.tenant.pk, looked.month, lines, site=looked.site, device_type=looked.device_type)


def _posted(request: HttpRequest, caller: Caller) -> tuple[Tenant, Month | None]:
    tenant = tenant_for_write(caller, request.GET.get("tenant"))
    if request.method != "POST":
        return tenant, None
    return tenant, month_said(request.POST.get("month", ""), zones=site_zones(tenant.pk).all, now=clock.now())


def _back(request: HttpRequest, month: Month | None) -> str:
    said = {"tenant": request.GET.get("tenant", ""), "site": request.GET.get("site", ""), "month": str(month or "")}
    return _address({name: text for name, text in said.items() if text})


def _rows(looked: _Looked, lines: list[MeterLine]) -> list[dict[str, Any]]:
    if (
        looked.all_pairs and looked.frozen is None
    ):  # only of those that are shown; else a month's messages would be read
        ids = [line.asset_id for line in lines]
        lines = month_lines(looked.tenant.pk, month=looked.month, now=looked.moment, asset_ids=ids, all_pairs=True)
    names = dict(Asset.objects.filter(pk__in=[line.asset_id for line in lines]).values_list("pk", "name"))
    return [
        {
            "line": line,
            "name": names.get(line.asset_id, ""),
            "zone": looked.zones.of(line.site),
            "due_date": line.due_date.removesuffix(_MIDNIGHT),
            "pairs": [
                (
                    dimension_words(pair, all_pairs=looked.all_pairs),
                    _grouped(pair.newest_scaled),
                    _grouped(pair.due_scaled),
                )
                for pair in pairs_shown(line, all_pairs=looked.all_pairs)
            ],
            "status": status_words(line.status),
            "flags": [_flag_badge(flag) for flag in line.flags],
        }
        for line in lines
    ]


def _grouped(number: str) -> str:
    """Every digit of it, thousands apart; nothing of nothing."""
    return f"{Decimal(number):,f}" if number else ""


def _flag_badge(flag: str) -> StateBadge:
    return StateBadge(words_of_flag(flag), Level.WARNING, _FLAG_ICONS.get(flag, "clock"))


def _types(looked: _Looked) -> list[tuple[int, str]]:
    """The media that the tenant's meters measure."""
    found = Meter.objects.filter(asset__tenant=looked.tenant).values_list("device_type", flat=True)
    codes = set(found.distinct().order_by()) | ({looked.device_type} if looked.device_type is not None else set())
    return [(code, media.words_of(code)) for code in sorted(codes)]


def _files(looked: _Looked, scope: Scope) -> list[tuple[str, str]]:
    """The files of what is chosen: what they are called, and their addresses."""
    if looked.show == MISSING:
        address = reverse("meter-report-missing")
        return [("CSV", f"{address}?{urlencode(looked.parameters(scope, site=looked.site, all=''))}")]
    same = {"site": looked.site, "only": looked.show}
    variants: Sequence[tuple[str, Mapping[str, str]]] = (
        ("CSV", {}),
        ("Excel", {"format": "xlsx"}),
        ("JSON", {"format": "json"}),
        ("CSV of codes, as sent", {"raw": "true"}),
    )
    address = reverse("meter-report-file")
    return [(name, f"{address}?{urlencode(looked.parameters(scope, **same, **said))}") for name, said in variants]


def _closing(looked: _Looked, caller: Caller, lines: list[MeterLine], missing: Sequence[Asset]) -> dict[str, Any]:
    """What stands there of a month's being closed, and who may close or open it."""
    frozen, is_over = looked.frozen, looked.month.is_over(looked.zones.all, now=looked.moment)
    may_freeze = frozen is None and is_over and bool(lines) and caller.may(Action.ASSET_EDIT)
    may_unfreeze = frozen is not None and caller.may(Action.ACCOUNT_MANAGE)
    if may_freeze and looked.asked != (all_of_it := Asked(month=looked.month)):
        lines = report_of(looked.tenant.pk, all_of_it, now=looked.moment)
        missing = missing_of(looked.tenant.pk, looked.month, lines)
    return {
        "frozen": frozen,
        "frozen_by": names_of([frozen.frozen_by])[frozen.frozen_by] if frozen else "",
        "late": late_count(looked.tenant.pk, frozen) if frozen else 0,
        "may_freeze": may_freeze,
        "may_unfreeze": may_unfreeze,
        "flagged_in_all": len(only_of(lines, Only.FLAGGED)),
        "missing_in_all": len(missing),
        "who_unfreezes": ""
        if may_unfreeze or not (frozen or may_freeze) or caller.may(Action.ACCOUNT_MANAGE)
        else whom_to_ask(caller, Action.ACCOUNT_MANAGE, tenant_id=looked.tenant.pk),
    }


def _first_message(request: HttpRequest, caller: Caller, looked: _Looked) -> dict[str, Any]:
    may_send = caller.may(Action.INGEST)
    return {
        "base_url": request.build_absolute_uri("/").rstrip("/"),
        "may_send": may_send,
        "who_sends": "" if may_send else whom_to_ask(caller, Action.INGEST, tenant_id=looked.tenant.pk),
    }


def _next(looked: _Looked, scope: Scope) -> str:
    """The address of the next month; empty where that has begun nowhere."""
    month = looked.month.moved(1)
    if all(month.since(zone) > looked.moment for zone in looked.zones.all):
        return ""
    return _address(looked.parameters(scope, month=str(month), show=looked.show))


def _address(parameters: Mapping[str, str]) -> str:
    return f"{reverse('meter-report')}?{urlencode(parameters)}"

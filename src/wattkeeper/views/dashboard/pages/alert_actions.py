"""What people do to alerts from a page: to one, or to several that are ticked. The answer is the list as it is then."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from wattkeeper.base.accounts.callers import Caller
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.accounts.queries import user_by_id
from wattkeeper.base.core import clock
from wattkeeper.base.core.errors import BadRequestError, ConflictError, NotFoundError
from wattkeeper.base.core.ids import is_whole
from wattkeeper.flow.alerts import actions
from wattkeeper.flow.alerts.models import Alert
from wattkeeper.flow.alerts.queries import alert_by_id
from wattkeeper.views.dashboard.guard import page
from wattkeeper.views.dashboard.pages.alert_rows import SHELF_MINUTES, list_asked

IDS_MOST = 1_000


@page(read=Action.ALERT_ACT, write=Action.ALERT_ACT)
def alerts_act(request: HttpRequest, caller: Caller) -> HttpResponse:
    """POST `ids` and what is to be done to them: `acknowledge`, `assign` (a person's id, or empty: nobody),
    `shelve` (minutes) with `reason`; to one alone `unshelve`, `resolve` with `why`, `comment` with `text`."""
    if request.method != "POST":
        return redirect("alerts")
    ids = _ids(request.POST)
    name = next((name for name in _ACTS if name in request.POST), None)
    if name is None:
        raise BadRequestError(f"Say what is to be done: {', '.join(_ACTS)}.")
    caller.require(_RIGHTS.get(name, Action.ALERT_ACT))
    told, level = _done(_ACTS[name], ids, request.POST, caller)
    if "HX-Request" in request.headers:
        response = render(request, "wattkeeper/alerts/body.html", {"alerts": list_asked(request, caller)})
        response["HX-Trigger"] = json.dumps({"toast": {"text": told, "level": level}})
        return response
    messages.add_message(request, messages.SUCCESS if level == "success" else messages.WARNING, told)
    return redirect(_back(request))


Act = Callable[[Sequence[int], QueryDict, Caller], tuple[str, bool]]  # what happened, and whether anything has changed


def _done(act: Act, ids: Sequence[int], said: QueryDict, caller: Caller) -> tuple[str, str]:
    """What happened, in a sentence, and how well that is."""
    if not ids:
        return "Nothing is ticked: tick alerts first.", "warning"
    try:
        told, is_done = act(ids, said, caller)
        return told, "success" if is_done else "warning"
    except ValidationError as error:
        return " ".join(error.messages), "warning"
    except ConflictError as error:
        return str(error), "warning"


def _acknowledge(ids: Sequence[int], said: QueryDict, caller: Caller) -> tuple[str, bool]:
    done = actions.alerts_acknowledge(ids, tenant_id=caller.tenant_id, by=caller.identity)
    return _told("acknowledged", done.acknowledged, {"already": done.already, "gone": done.unknown})


def _assign(ids: Sequence[int], said: QueryDict, caller: Caller) -> tuple[str, bool]:
    wanted = said.get("assign", "")
    user = user_by_id(int(wanted), caller=caller) if is_whole(wanted) else None
    if wanted and user is None:
        raise ValidationError("There is no such person in this tenant.")
    done = actions.alerts_assign(ids, user=user, tenant_id=caller.tenant_id, by=caller.identity)
    whom = f"assigned to {user.get_username()}" if user else "assigned to nobody"
    return _told(whom, done.assigned, {"already": done.already, "gone": done.unknown})


def _shelve(ids: Sequence[int], said: QueryDict, caller: Caller) -> tuple[str, bool]:
    wanted = said.get("shelve", "")
    minutes = int(wanted) if is_whole(wanted) else 0
    if minutes not in SHELF_MINUTES:
        raise BadRequestError(f"An alert is shelved for {', '.join(SHELF_MINUTES.values())}.", field="shelve")
    reason = said.get("reason", "").strip()
    if not reason:
        raise ValidationError("Say why it is shelved: who looks next needs to know.")
    done = actions.alerts_shelve(
        ids,
        reason=reason,
        until=clock.now() + timedelta(minutes=minutes),
        tenant_id=caller.tenant_id,
        by=caller.identity,
    )
    others = {"already": done.already, "over": done.over, "gone": done.unknown}
    return _told(f"shelved for {SHELF_MINUTES[minutes]}", done.shelved, others)


def _unshelve(ids: Sequence[int], said: QueryDict, caller: Caller) -> tuple[str, bool]:
    moved = actions.alert_unshelve(_one(ids, caller), by=caller.identity)
    return ("Off the shelf: it is told of again.", True) if moved else ("It was on no shelf any more.", False)


def _resolve(ids: Sequence[int], said: QueryDict, caller: Caller) -> tuple[str, bool]:
    moved = actions.alert_resolve(_one(ids, caller), by=caller.identity, why=said.get("why", ""))
    return ("Resolved.", True) if moved else ("It was over already.", False)


def _comment(ids: Sequence[int], said: QueryDict, caller: Caller) -> tuple[str, bool]:
    text = said.get("text", "").strip()
    if not text:
        raise ValidationError("There is nothing in the comment.")
    actions.alert_comment(_one(ids, caller), text, by=caller.identity)
    return "Your comment is noted.", True


_ACTS: Mapping[str, Act] = {
    "acknowledge": _acknowledge,
    "assign": _assign,
    "shelve": _shelve,
    "unshelve": _unshelve,
    "resolve": _resolve,
    "comment": _comment,
}
_RIGHTS: Mapping[str, Action] = {"resolve": Action.ALERT_RESOLVE}  # for what not everybody may who takes care of alerts


def _told(what: str, done: Sequence[int], others: Mapping[str, Sequence[int]]) -> tuple[str, bool]:
    """`3 acknowledged, 1 was already.`, and whether there is one that was not."""
    parts = [f"{len(done):,} {what}"] if done else []
    for why, ids in others.items():
        if ids:
            was = "was" if len(ids) == 1 else "were"
            parts.append(f"{len(ids):,} {was} {'there no more' if why == 'gone' else why}")
    return f"{', '.join(parts)}.", bool(done)


def _one(ids: Sequence[int], caller: Caller) -> Alert:
    if len(ids) != 1:
        raise BadRequestError("This is done to one alert at a time.", field="ids")
    alert = alert_by_id(ids[0], tenant_id=caller.tenant_id)
    if alert is None:
        raise NotFoundError("There is no such alert, or it is not yours.")
    return alert


def _ids(said: QueryDict) -> list[int]:
    texts = said.getlist("ids")
    if len(texts) > IDS_MOST or not all(map(is_whole, texts)):
        raise BadRequestError(f"At most {IDS_MOST:,} alerts at once, each by its id.", field="ids")
    return sorted({int(text) for text in texts})


def _back(request: HttpRequest) -> str:
    """Where a form without scripts came from."""
    for place in (request.POST.get("next", ""), request.headers.get("Referer", "")):
        if place and url_has_allowed_host_and_scheme(place, {request.get_host()}, require_https=request.is_secure()):
            return place
    return reverse("alerts")

"""Who may open a live socket, and what they ask for: the house's own doors, and the Origin where a cookie speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.db import close_old_connections
from django.http import HttpRequest
from django.utils.http import is_same_domain

from wattkeeper.base.accounts.callers import NOBODY, Caller, caller_of, tenant_for_read
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.catalog import registry
from wattkeeper.base.core.errors import BadRequestError, WattkeeperError

WATCHED_MOST = 2_000
ID_MOST = 2**63 - 1

_Session = import_module(settings.SESSION_ENGINE).SessionStore


class RefusedError(WattkeeperError):
    """This socket is not opened, for this reason."""

    status = 403


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose things (None: of all tenants), of which kind (empty: all), which of them (None: all), from where on."""

    caller: Caller
    tenant_id: int | None
    kind: str
    watched: frozenset[int] | None
    after: str


def asked(scope: Mapping[str, Any], *, kind: str) -> Asked:
    """What a handshake asks for; `kind`: what its path shows, empty where `?kind=` may say so.

    RefusedError with 403 where the caller may not, 400 where it cannot be understood. Asks the database.
    """
    close_old_connections()
    try:
        request = _request_of(scope)
        caller = _admitted(request)
        query = request.GET
        try:
            tenant_id = tenant_for_read(caller, query.get("tenant", "").strip() or None)
        except BadRequestError as error:
            raise _misunderstood(str(error)) from None
        kind = kind or _kind_named(query.get("kind", "").strip())
        watched = _watched_in(query["assets"]) if "assets" in query else None
        return Asked(caller, tenant_id, kind, watched, query.get("after", "").strip())
    finally:
        close_old_connections()


def still_admitted(scope: Mapping[str, Any], asked: Asked) -> bool:
    """Whether the same credentials would still open it. Asks the database."""
    close_old_connections()
    try:
        caller = _admitted(_request_of(scope))
        return (caller.identity, caller.tenant_id) == (asked.caller.identity, asked.caller.tenant_id)
    except WattkeeperError:
        return False
    finally:
        close_old_connections()


def assets_named(ids: Any) -> frozenset[int]:
    """The ids in a client's message. ValueError where they are none, or too many."""
    if not isinstance(ids, list) or len(ids) > WATCHED_MOST:
        raise ValueError(f"assets is a list of at most {WATCHED_MOST} ids, or null")
    if not all(type(pk) is int and 0 < pk <= ID_MOST for pk in ids):
        raise ValueError("assets has whole numbers from 1 on")
    return frozenset(ids)


def _request_of(scope: Mapping[str, Any]) -> HttpRequest:
    """The handshake as a GET that Django understands, with whoever has the session that its cookie names."""
    scheme = "https" if scope.get("scheme") == "wss" else "http"
    request = ASGIRequest({**scope, "type": "http", "method": "GET", "scheme": scheme}, BytesIO())
    try:
        request.get_host()
    except DisallowedHost:
        raise RefusedError("This is not a host of ours.") from None
    session = _Session(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    request.session = session
    request.user = get_user(request)
    return request


def _admitted(request: HttpRequest) -> Caller:
    caller = caller_of(request)
    if caller == NOBODY or not caller.may(Action.READ):
        raise RefusedError("Log in, or send a key that may read.")
    if not _is_origin_ours(request) and _is_by_session(request, caller):
        raise RefusedError("This page is not one of ours: a cookie is no credential for it.")
    return caller


def _is_by_session(request: HttpRequest, caller: Caller) -> bool:
    """Whether the request is nobody's, or another's, without its session: a header alone does not make it one's own."""
    if not request.user.is_authenticated:
        return False
    person, request.user = request.user, AnonymousUser()
    try:
        return caller_of(request) != caller
    finally:
        request.user = person


def _is_origin_ours(request: HttpRequest) -> bool:
    """As Django asks it of forms. Browsers say of every socket where it comes from; whoever does not is none."""
    origin = request.META.get("HTTP_ORIGIN", "")
    if origin == f"{request.scheme}://{request.get_host()}" or origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    try:
        said = urlsplit(origin)
    except ValueError:
        return False
    patterns = (urlsplit(trusted) for trusted in settings.CSRF_TRUSTED_ORIGINS if "*" in trusted)
    return any(
        said.scheme == one.scheme and is_same_domain(said.netloc, one.netloc.removeprefix("*")) for one in patterns
    )


def _kind_named(name: str) -> str:
    if name and name not in {kind.name for kind in registry.kinds()}:
        raise _misunderstood("There is no such kind.")
    return name


def _watched_in(text: str) -> frozenset[int]:
    parts = [part for part in text.split(",") if part.strip()]
    try:
        if not all(part.strip().isascii() and part.strip().isdecimal() for part in parts):
            raise ValueError
        return assets_named([int(part) for part in parts])
    except ValueError:
        raise _misunderstood(f"assets are at most {WATCHED_MOST} ids, with commas between them.") from None


def _misunderstood(sentence: str) -> RefusedError:
    error = RefusedError(sentence)
    error.status = 400
    return error

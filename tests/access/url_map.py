"""The URL map as a list of endpoints that can be asked, and what is wrong with their answers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse
from django.utils.regex_helper import normalize
from rest_framework.views import APIView

from wattkeeper.base.accounts.permissions import MayAct

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
SAMPLES = {"int": "1", "uuid": str(uuid.UUID(int=1))}  # by the converter
SAMPLES_BY_NAME = {"app_label": "auth"}  # for an expression that takes only some values


@dataclass(frozen=True)
class Endpoint:
    """`route` is as it stands in urls.py, with `<id>` in it; `samples` are values for its parameters."""

    route: str
    template: str
    callback: Callable[..., Any] = field(repr=False)
    samples: Mapping[str, str]

    def path(self, **values: str) -> str:
        return "/" + self.template % {**self.samples, **values}

    @property
    def view(self) -> type[APIView] | None:
        """The class, where it is REST framework's."""
        cls = getattr(self.callback, "cls", None)
        return cls if isinstance(cls, type) and issubclass(cls, APIView) else None

    @property
    def is_page(self) -> bool:
        """Whether people open it, with a session, and no program does."""
        return self.view is None

    @property
    def methods(self) -> set[str]:
        """What the view has code for (of REST framework's views, and of the pages that `page()` guards)."""
        routed = getattr(self.callback, "actions", None)
        names = routed or [name for name in self.view.http_method_names if hasattr(self.view, name)]
        return {name.upper() for name in names} - {"HEAD", "OPTIONS"}


def endpoints() -> list[Endpoint]:
    """Every endpoint of ROOT_URLCONF."""
    return list(_walk(get_resolver().url_patterns, "", "", {}))


def _walk(patterns: list[Any], route: str, template: str, samples: dict[str, str]) -> Iterator[Endpoint]:
    for entry in patterns:
        pattern = entry.pattern
        here = route + str(pattern).removeprefix("^")
        part, names = normalize(pattern.regex.pattern.removeprefix("^"))[0]
        converters = pattern.converters
        mine = {name: SAMPLES_BY_NAME.get(name) or _sample(converters.get(name)) for name in names}
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, here, template + part, samples | mine)
        elif isinstance(entry, URLPattern):
            yield Endpoint(here, template + part, entry.callback, samples | mine)


def _sample(converter: object) -> str:
    name = type(converter).__name__.removesuffix("Converter").lower()
    return SAMPLES.get(name, "x")


def faults_without_credentials(endpoint: Endpoint) -> list[str]:
    """One sentence for each method that does anything for someone whom nobody knows."""
    faults = []
    for authorization in (None, "Api-Key wk_" + "x" * 43, "Bearer a.b.c"):
        headers = {"Authorization": authorization} if authorization else {}
        for method in METHODS:
            response = Client(headers=headers).generic(method, endpoint.path(), "{}", "application/json")
            if not _is_closed(response, endpoint):
                faults.append(f"{method} {endpoint.route} with {authorization}: {response.status_code}")
    return faults


def _is_closed(response: Any, endpoint: Endpoint) -> bool:
    if endpoint.view:
        return response.status_code == 401
    if response.status_code == 405:
        return True
    doors = {reverse("admin:login"), *_login_page()}
    return response.status_code == 302 and response["Location"].split("?")[0] in doors


def _login_page() -> list[str]:
    from django.urls import NoReverseMatch

    try:
        return [reverse("login")]
    except NoReverseMatch:
        return []


def faults_of_declaration(endpoint: Endpoint) -> list[str]:
    """One sentence for each method of a closed API view for which it says no action."""
    if endpoint.is_page:
        return [] if hasattr(endpoint.callback, "actions") else [f"{endpoint.route}: no page() guards it"]
    if MayAct not in endpoint.view.permission_classes:
        return [f"{endpoint.route}: {endpoint.view.__name__} does not ask MayAct"]
    missing = endpoint.methods - set(getattr(endpoint.view, "actions", {}))
    return [f"{endpoint.route}: no action for {method}" for method in sorted(missing)]


def faults_for_stranger(endpoint: Endpoint, path: str, stranger: Client) -> list[str]:
    """One sentence for each method that is not 404 to another tenant's admin (405 where nobody has it)."""
    faults = []
    for method in METHODS:
        if method == "OPTIONS":  # says what the view can do, nothing of the object
            continue
        response = stranger.generic(method, path, "{}", "application/json")
        lacks = method not in endpoint.methods
        if method == "HEAD":  # of a program's door it is there where GET is
            lacks = not endpoint.is_page and "GET" not in endpoint.methods
        if response.status_code != (405 if lacks else 404):
            faults.append(f"{method} {path}: {response.status_code}")
    return faults


def resolves_to_itself(endpoint: Endpoint) -> bool:
    """Whether the sample path reaches this endpoint; another may take it first."""
    return resolve(endpoint.path()).func is endpoint.callback

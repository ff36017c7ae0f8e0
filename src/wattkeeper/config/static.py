"""Static files, served before Django hears of the request."""

from __future__ import annotations

from typing import Any
from wsgiref.headers import Headers

from django.conf import settings
from django.contrib.staticfiles import finders
from servestatic import ServeStaticASGI
from servestatic.storage import CompressedManifestStaticFilesStorage


class ManifestStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Names with digests, also where one JavaScript module imports another."""

    support_js_module_import_aggregation = True


DIGEST = r"^.+\.[0-9a-f]{12}\..+$"  # in the name of what was gathered: such a file never changes


def static_files(application: Any) -> Any:
    """`application` behind the static files.

    On a laptop they come from where they lie; in production from what `serve` gathers at its start.
    """
    served = ServeStaticASGI(
        application, immutable_file_test=DIGEST, add_headers_function=_add_headers, allow_all_origins=False
    )
    for folder in [settings.STATIC_ROOT] if settings.PRODUCTION else _folders():
        served.add_files(folder, prefix=settings.STATIC_URL)
    return served


def _folders() -> set[str]:
    return {storage.location for finder in finders.get_finders() for _, storage in finder.list(None)}


def _add_headers(headers: Headers, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"

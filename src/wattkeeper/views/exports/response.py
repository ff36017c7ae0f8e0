"""An export as a download."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from django.http import StreamingHttpResponse

from wattkeeper.base.core.download import Download
from wattkeeper.views.exports.formats import ExportFormat

LONGEST_NAME = 100

_NOT_IN_A_NAME = frozenset('/\\:*?"<>|%')


def export_response(pieces: Iterator[bytes], format_: ExportFormat, *, stem: str) -> StreamingHttpResponse:
    """The file that `pieces` make, which are of `format_`.

    `stem` names it, without what a header or a file system would read another way.
    """
    response = StreamingHttpResponse(Download(pieces), content_type=format_.content_type)
    response["Content-Disposition"] = _attachment(stem, format_.extension)
    response["X-Accel-Buffering"] = "no"
    return response


def _attachment(stem: str, extension: str) -> str:
    """The name in ASCII for every client, and as it is written (RFC 6266) where ASCII cannot say it."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", stem)[:LONGEST_NAME].strip(".") or "export"
    said = f'attachment; filename="{plain}.{extension}"'
    # What is not printable could hide the name's end or turn it round.
    letters = (letter if letter.isprintable() and letter not in _NOT_IN_A_NAME else "_" for letter in stem)
    written = "".join(letters)[:LONGEST_NAME].strip(". ")
    return said if written.isascii() else f"{said}; filename*=UTF-8''{quote(written, safe='')}.{extension}"

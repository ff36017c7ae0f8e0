"""An export as a download."""

from __future__ import annotations

import re

from django.http import StreamingHttpResponse

from wattkeeper.base.core.download import Download
from wattkeeper.views.exports.formats import ExportFormat, Question


def export_response(question: Question, format_: ExportFormat, *, stem: str) -> StreamingHttpResponse:
    """`stem` names the file; whatever in it is no letter, digit, dot or dash becomes an underscore."""
    response = StreamingHttpResponse(Download(format_.pieces(question)), content_type=format_.content_type)
    name = re.sub(r"[^A-Za-z0-9._-]", "_", stem)[:100].strip(".") or "export"
    response["Content-Disposition"] = f'attachment; filename="{name}.{format_.extension}"'
    response["X-Accel-Buffering"] = "no"
    return response

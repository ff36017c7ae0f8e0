"""The rows of a stream as a download."""

from __future__ import annotations

from django.http import StreamingHttpResponse

from wattkeeper.base.catalog.streams import Stream
from wattkeeper.flow.store.queries import Ordering, Selection
from wattkeeper.flow.store.store import store
from wattkeeper.views.exports.formats import FORMATS, Question
from wattkeeper.views.exports.response import export_response


def readings_response(
    stream: Stream, selection: Selection, *, ordering: Ordering, format_name: str, stem: str
) -> StreamingHttpResponse:
    """All rows meant, in order, as a file of one of FORMATS; `stem` names it."""
    format_ = FORMATS[format_name]
    question = Question(store().engine, stream, selection, ordering)
    return export_response(format_.pieces(question), format_, stem=stem)

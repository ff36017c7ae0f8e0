"""The paths of a stream, relative to where its kind mounts them."""

from __future__ import annotations

from django.urls import URLPattern, path

from wattkeeper.base.catalog.streams import Stream
from wattkeeper.views.api.readings import ReadingDetail, ReadingList
from wattkeeper.views.api.uploads import UploadChunk, UploadFinalize, UploadRefused, UploadStatus


def stream_urls(stream: Stream) -> list[URLPattern]:
    """List, one by its id, and the four steps of an upload."""
    return [
        path("", ReadingList.as_view(stream=stream)),
        path("upload_chunk/", UploadChunk.as_view(stream=stream)),
        path("finalize_upload/", UploadFinalize.as_view(stream=stream)),
        path("uploads/<uuid:upload_id>/", UploadStatus.as_view(stream=stream)),
        path("uploads/<uuid:upload_id>/refused/", UploadRefused.as_view(stream=stream)),
        path("<str:reading_id>/", ReadingDetail.as_view(stream=stream)),
    ]

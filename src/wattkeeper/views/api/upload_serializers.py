"""What the steps of an upload take and give, for the API's documentation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from rest_framework import serializers

from wattkeeper.base.catalog.streams import Stream
from wattkeeper.flow.sources.csv_upload.actions import MAX_CHUNKS
from wattkeeper.flow.sources.csv_upload.preview import COLUMNS_SHOWN, PREVIEW_BYTES, PREVIEW_ROWS
from wattkeeper.flow.sources.csv_upload.queries import UploadStatus
from wattkeeper.views.api.serializers import PageSerializer

AnySerializer = type[serializers.Serializer[Any]]


@dataclass(frozen=True, slots=True)
class UploadSerializers:
    """Those in which a stream's own name for its assets stands."""

    preview: AnySerializer
    chunk: AnySerializer
    finalize: AnySerializer
    status: AnySerializer
    page: AnySerializer


@cache
def upload_serializers_of(stream: Stream) -> UploadSerializers:
    """What the steps of an upload to this stream take and give."""
    sent = serializers.CharField(
        max_length=stream.asset_key_max_length,
        required=False,
        allow_blank=True,
        allow_null=True,
        help_text="Whose rows these are; without it the file has a column that says so.",
    )
    told = serializers.CharField(help_text="As it was sent; empty where the file says whose rows these are.")

    def made(base: AnySerializer, field: serializers.CharField) -> AnySerializer:
        name = "".join(part.title() for part in stream.name.split(".")) + base.__name__.lstrip("_")
        return type(name, (base,), {stream.asset_field: field})

    listed = made(_ListedSerializer, told)
    return UploadSerializers(
        preview=made(_PreviewRequestSerializer, sent),
        chunk=made(_ChunkSerializer, sent),
        finalize=made(_FinalizeSerializer, sent),
        status=made(_StatusSerializer, told),
        page=type(f"{listed.__name__}Page", (PageSerializer,), {"results": listed(many=True)}),
    )


class _FileSerializer(serializers.Serializer[Any]):
    file_name = serializers.CharField(max_length=255, help_text="Any name; it is never used as a path.")


class _PreviewRequestSerializer(_FileSerializer):
    head = serializers.FileField(help_text=f"The file's first bytes, at most {PREVIEW_BYTES >> 10} KiB.")
    complete = serializers.BooleanField(
        required=False,
        help_text="Whether `head` is all of the file. Of a longer one the last line is not looked at. Where this is "
        f"missing, less than {PREVIEW_BYTES >> 10} KiB are all of the file.",
    )


class _SentSerializer(_FileSerializer):
    total_chunks = serializers.IntegerField(min_value=1, max_value=MAX_CHUNKS)
    fingerprint = serializers.CharField(
        max_length=100,
        required=False,
        allow_blank=True,
        allow_null=True,
        help_text="What tells this file from another of its name, such as its size and time. "
        "A chunk with another fingerprint than those before it begins the upload anew.",
    )


class _ChunkSerializer(_SentSerializer):
    chunk = serializers.FileField()
    chunk_index = serializers.IntegerField(
        min_value=0, max_value=MAX_CHUNKS - 1, help_text="From 0; in any order, sent again freely."
    )


class _FinalizeSerializer(_SentSerializer):
    pass


class ChunkReceivedSerializer(serializers.Serializer[Any]):
    status = serializers.CharField()
    id = serializers.UUIDField(help_text="The upload's.")
    chunk_index = serializers.IntegerField()
    total_chunks = serializers.IntegerField()


class PreviewColumnSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="As it stands in the file.")
    channel = serializers.CharField(allow_null=True, help_text="As what it is read; null where it is ignored.")
    label = serializers.CharField()  # type: ignore[assignment]  # a field here, an attribute of the base there
    unit = serializers.CharField()
    type = serializers.ChoiceField(choices=["float", "integer", "text", "timestamp"], allow_null=True)
    required = serializers.BooleanField()  # type: ignore[assignment]


class PreviewRefusalSerializer(serializers.Serializer[Any]):
    column = serializers.CharField(help_text="Empty where the line as a whole cannot be read.")
    value = serializers.CharField()
    reason = serializers.CharField()


class PreviewRowSerializer(serializers.Serializer[Any]):
    row = serializers.IntegerField(help_text="As a spreadsheet shows it: the first row of data is 2.")
    cells = serializers.ListField(child=serializers.CharField(), help_text="As they came.")
    values = serializers.DictField(
        child=serializers.JSONField(), help_text="As they are understood, by channel; empty where the row is refused."
    )
    flags = serializers.ListField(
        child=serializers.CharField(), help_text="A load also compares the row with its neighbours."
    )
    refused = PreviewRefusalSerializer(allow_null=True)


class PreviewSerializer(serializers.Serializer[Any]):
    delimiter = serializers.CharField()
    header_line = serializers.IntegerField()
    columns = PreviewColumnSerializer(many=True, help_text=f"The first {COLUMNS_SHOWN:,}.")
    missing_columns = serializers.ListField(child=serializers.CharField())
    ignored_columns = serializers.ListField(child=serializers.CharField())
    loadable = serializers.BooleanField()
    problem = serializers.CharField(
        allow_null=True, help_text="Why the file as a whole could not be loaded; its rows are then not judged."
    )
    rows = PreviewRowSerializer(many=True, help_text=f"The first {PREVIEW_ROWS}.")


class RefusedRowSerializer(serializers.Serializer[Any]):
    row = serializers.IntegerField(help_text="As a spreadsheet shows it: the first row of data is 2.")
    column = serializers.CharField()
    value = serializers.CharField()
    reason = serializers.CharField()


class ReportCountsSerializer(serializers.Serializer[Any]):
    """rows_read = inserted + duplicates + refused."""

    status = serializers.CharField()
    id = serializers.UUIDField()
    file_name = serializers.CharField()
    rows_read = serializers.IntegerField()
    inserted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    flagged = serializers.IntegerField()
    flags = serializers.DictField(child=serializers.IntegerField())
    refused = serializers.IntegerField()
    refused_csv = serializers.CharField(help_text="Where all refused rows are.")
    ignored_columns = serializers.ListField(child=serializers.CharField())
    seconds = serializers.FloatField()


class ReportSerializer(ReportCountsSerializer):
    """rows_read = inserted + duplicates + refused."""

    refused_rows = RefusedRowSerializer(many=True, help_text="The first 100.")


class ProgressSerializer(serializers.Serializer[Any]):
    done = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True)
    text = serializers.CharField()


class _FollowedSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    file_name = serializers.CharField()
    status = serializers.ChoiceField(choices=[one.value for one in UploadStatus])
    by = serializers.CharField(help_text="Who sends it: a person's or a key's name.")
    created_at = serializers.DateTimeField()
    total_chunks = serializers.IntegerField()
    fingerprint = serializers.CharField(help_text="As it was sent; empty where none was.")
    received = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField(), min_length=2, max_length=2),
        required=False,
        help_text="Receiving or failed: the chunks that are here, as ranges with both ends: [[0, 33], [35, 40]].",
    )
    bytes_received = serializers.IntegerField(required=False, help_text="Receiving or failed.")
    progress = ProgressSerializer(required=False)
    detail = serializers.CharField(required=False, help_text="Why it failed.")


class _StatusSerializer(_FollowedSerializer):
    report = ReportSerializer(required=False)


class _ListedSerializer(_FollowedSerializer):
    report = ReportCountsSerializer(required=False)

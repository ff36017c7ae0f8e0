"""What the steps of an upload take and give, for the API's documentation."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class _Named(serializers.Serializer[Any]):
    file_name = serializers.CharField(max_length=255, help_text="Any name; it is never used as a path.")
    total_chunks = serializers.IntegerField(min_value=1)
    vehicle_id = serializers.CharField(
        max_length=100, required=False, help_text="Whose rows these are; without it the file has a column that says so."
    )


class ChunkSerializer(_Named):
    chunk = serializers.FileField()
    chunk_index = serializers.IntegerField(min_value=0, help_text="From 0; in any order, sent again freely.")


class ChunkReceivedSerializer(serializers.Serializer[Any]):
    status = serializers.CharField()
    chunk_index = serializers.IntegerField()
    total_chunks = serializers.IntegerField()


class FinalizeSerializer(_Named):
    pass


class RefusedRowSerializer(serializers.Serializer[Any]):
    row = serializers.IntegerField(help_text="As a spreadsheet shows it: the first row of data is 2.")
    column = serializers.CharField()
    value = serializers.CharField()
    reason = serializers.CharField()


class ReportSerializer(serializers.Serializer[Any]):
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
    refused_rows = RefusedRowSerializer(many=True, help_text="The first 100.")
    refused_csv = serializers.CharField(help_text="Where all of them are.")
    ignored_columns = serializers.ListField(child=serializers.CharField())
    seconds = serializers.FloatField()


class ProgressSerializer(serializers.Serializer[Any]):
    done = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True)
    text = serializers.CharField()


class StatusSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    file_name = serializers.CharField()
    status = serializers.ChoiceField(choices=["receiving", "running", "done", "failed"])
    progress = ProgressSerializer(required=False)
    report = ReportSerializer(required=False)
    detail = serializers.CharField(required=False, help_text="Why it failed.")

from __future__ import annotations

from django.apps import AppConfig


class CsvUploadConfig(AppConfig):
    name = "wattkeeper.flow.sources.csv_upload"
    label = "csv_upload"

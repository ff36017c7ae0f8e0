"""The place that knows all of the house, and joins its parts."""

from __future__ import annotations

from datetime import timedelta

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "wattkeeper.config"
    label = "config"

    def ready(self) -> None:
        from wattkeeper.base.jobs import queue
        from wattkeeper.config import jobs
        from wattkeeper.config.env import load
        from wattkeeper.flow.alerts.endings import rule_ended
        from wattkeeper.flow.ingest import ingest_file
        from wattkeeper.flow.rules import actions as rules
        from wattkeeper.flow.sources.csv_upload import actions as csv_upload
        from wattkeeper.flow.store import parts  # noqa: F401  (registers its periodic function)

        env = load()
        queue.connect(jobs.enqueue)
        rules.connect(lambda rule_id, why, by: rule_ended([rule_id], why=why, by=by))
        csv_upload.connect(
            ingest_file,
            csv_upload.UploadLimits(
                folder=env.wattkeeper_home / "uploads",
                max_bytes=env.upload_max_mb << 20,
                inline_bytes=env.upload_inline_mb << 20,
                reserve_bytes=env.disk_reserve_mb << 20,
                expire_after=timedelta(hours=env.upload_expire_hours),
            ),
        )

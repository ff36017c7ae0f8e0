"""The place that knows all of the house, and joins its parts."""

from __future__ import annotations

from datetime import timedelta

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "wattkeeper.config"
    label = "config"

    def ready(self) -> None:
        from django.core.checks import register

        from wattkeeper.base.jobs import queue
        from wattkeeper.config import jobs
        from wattkeeper.config.checks import settings_check
        from wattkeeper.config.env import load
        from wattkeeper.config.outside import outside_of
        from wattkeeper.flow.alerts.endings import rule_ended
        from wattkeeper.flow.ingest import ingest_file
        from wattkeeper.flow.notify.channels.outside import connect as notify_connect
        from wattkeeper.flow.rules import actions as rules
        from wattkeeper.flow.sources.csv_upload import actions as csv_upload
        from wattkeeper.flow.store import parts  # noqa: F401  (registers its periodic function)
        from wattkeeper.views.api.alert_serializers import alerts_shown
        from wattkeeper.views.live import shown

        env = load()
        register(settings_check)
        queue.connect(jobs.enqueue)
        rules.connect(lambda rule_id, why, by: rule_ended([rule_id], why=why, by=by))
        notify_connect(outside_of(env))
        shown.connect(alerts_shown=alerts_shown)
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

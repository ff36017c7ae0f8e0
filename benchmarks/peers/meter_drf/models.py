from __future__ import annotations

from django.db import models


class ApiKey(models.Model):
    digest = models.CharField(max_length=64, unique=True)
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.digest


class Message(models.Model):
    received_at = models.DateTimeField(auto_now_add=True)
    manufacturer = models.IntegerField()
    identnr = models.BigIntegerField(db_index=True)
    version = models.IntegerField()
    type = models.IntegerField()
    status = models.IntegerField()
    accessnr = models.IntegerField()
    data = models.JSONField()

    def __str__(self) -> str:
        return f"{self.identnr} {self.received_at}"

from __future__ import annotations

from django.db import models


class Battery(models.Model):
    serial_number = models.CharField(max_length=100, unique=True)
    battery_type = models.CharField(max_length=50)
    capacity = models.FloatField()
    voltage_nominal = models.FloatField()
    current_charge = models.FloatField()
    current_voltage = models.FloatField()
    current_temperature = models.FloatField()
    current_status = models.CharField(max_length=20, default="IDLE")
    health_percentage = models.FloatField(default=100)
    cycle_count = models.IntegerField(default=0)
    max_discharge_current = models.FloatField()
    max_charge_current = models.FloatField()
    last_updated = models.DateTimeField(auto_now=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.serial_number


class BatteryLog(models.Model):
    battery = models.ForeignKey(Battery, on_delete=models.CASCADE, related_name="logs")
    charge_percentage = models.FloatField()
    voltage = models.FloatField()
    temperature = models.FloatField()
    current = models.FloatField()
    status = models.CharField(max_length=20)
    logged_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.battery_id} {self.logged_at}"


class BatteryAlert(models.Model):
    battery = models.ForeignKey(Battery, on_delete=models.CASCADE, related_name="alerts")
    alert_type = models.CharField(max_length=30)
    alert_level = models.CharField(max_length=20)
    message = models.TextField()
    is_resolved = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.message

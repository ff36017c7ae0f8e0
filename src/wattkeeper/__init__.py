"""Wattkeeper: telemetry of batteries, vehicles, meters and machines, from reading to work."""

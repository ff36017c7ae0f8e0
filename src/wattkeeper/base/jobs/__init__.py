"""Runs of background work: progress, heartbeat, outcome. See README.md."""

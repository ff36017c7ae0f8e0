"""A seeded simulator of vehicle telemetry: samples without end, or a CSV file of any length.

The same seed and vehicle id give the same rows, whatever else is in the fleet. Clean rows are never refused or flagged;
`Disorder` adds what real feeds add, and the `Manifest` says exactly how much of it there is.
"""

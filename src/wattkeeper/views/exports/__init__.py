"""Rows as files: CSV, JSON, Excel workbooks, Parquet."""

"""Warehouse: raw, staging and marts in DuckDB."""

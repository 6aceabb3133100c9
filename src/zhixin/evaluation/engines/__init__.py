"""What evaluates a plan: Polars by default, DuckDB, PySpark; and the check that its integers fit."""

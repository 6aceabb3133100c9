"""The enterprise's own door ``/my/``: its grade and why, its records, what it applies for, who was shown its data."""

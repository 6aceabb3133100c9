"""``/c/``: pages of staff."""

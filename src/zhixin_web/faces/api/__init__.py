"""``/api/v1``: deliveries pushed by member systems."""

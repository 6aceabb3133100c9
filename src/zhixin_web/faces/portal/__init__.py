"""``/``: pages of the public; they read through ``published`` alone."""

"""Error reports of the public; case work will live here."""

"""Deliveries: from the bytes of a file to checked rows. The one pipeline of the site and of ``zhixin accept``."""

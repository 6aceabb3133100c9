"""The command line ``zhixin``."""

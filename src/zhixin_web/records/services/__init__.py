"""Writes of subjects and records."""

"""Writes of the audit layer."""

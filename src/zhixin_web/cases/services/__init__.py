"""Writes of case work."""

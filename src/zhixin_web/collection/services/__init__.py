"""Writes of collection."""

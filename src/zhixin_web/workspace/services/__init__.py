"""Writes of the workspace."""

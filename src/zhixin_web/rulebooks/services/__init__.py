"""Writes of rulebook releases."""

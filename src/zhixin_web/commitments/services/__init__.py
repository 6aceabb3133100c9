"""Writes of commitments."""

"""Writes of plans, progress, reports, minutes and escalations."""

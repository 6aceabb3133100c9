"""Runs, grades, orders, sealed segments and results."""

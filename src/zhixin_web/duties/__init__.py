"""Duties of the units under the work plan: who proved what by when, what is overdue, reports, minutes, acceptance."""

"""A rulebook on one day as Ibis expressions over whole tables."""

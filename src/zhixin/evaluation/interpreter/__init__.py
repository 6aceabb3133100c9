"""The meaning of a rulebook in plain Python, one subject at a time: the oracle of the plan."""

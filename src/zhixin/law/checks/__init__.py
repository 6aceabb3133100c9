"""Static checks of a rulebook: everything that can be known to be wrong before a record is read."""

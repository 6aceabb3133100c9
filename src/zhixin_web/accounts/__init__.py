"""People, units, mandates and roles, and the one table action → role → scope."""

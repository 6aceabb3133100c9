"""The officer's own desk: tasks, notes, tags, saved views."""

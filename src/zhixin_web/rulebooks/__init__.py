"""Released rulebooks: what is in force on a day and what it says."""

"""Double-random inspection by grade: item list, inspectors, plans, draws as public acts, tasks and results."""

"""Why a subject has its grade and what lies ahead of it; rules in words and as articles."""

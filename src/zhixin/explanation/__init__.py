"""Why a subject has its grade, and its outlook; rules in words and as articles."""

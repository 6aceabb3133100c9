"""Subjects and credit records: versions never overwritten, search, masking, publicity."""

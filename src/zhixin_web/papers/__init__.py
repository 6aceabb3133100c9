"""Papers that are issued: layouts, numbers, verification codes, kept files."""

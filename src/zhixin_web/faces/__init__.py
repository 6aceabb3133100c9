"""The faces of the site: each owns pages, none owns data."""

"""Input: who a record is about, cells, files, row checks, the tables of a run and the sealed snapshot."""

"""The clerk's desk: collection, ledger, evaluation runs and their pages, on Django."""

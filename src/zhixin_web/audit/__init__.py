"""What happened: events, the ledger, checkpoints, fail points."""

"""What runs without a person: the tick, the sweeps, the invariants. Above all domain apps."""

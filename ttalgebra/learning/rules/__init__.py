"""How parameters move: optimizers, what wraps them, and rates over time."""

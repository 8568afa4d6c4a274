"""Our own times from commit to commit: ``asv run`` in ``benchmarks/history``."""

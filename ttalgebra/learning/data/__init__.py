"""Samples: handwritten digits, files of them, and the order in which batches come."""

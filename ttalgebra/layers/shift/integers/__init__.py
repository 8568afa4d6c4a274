"""Inference with integers: `codes` as bytes, `sums` of shifts, and the `layer`."""

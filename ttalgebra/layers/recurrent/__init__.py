"""Layers of sequences ``(n, steps, features)``: one cell, unrolled over the steps."""

"""Sums of Tucker terms: blocks, orders of contraction, products, gradients."""

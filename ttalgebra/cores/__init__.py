"""The mathematics: pure functions on chains, that is, on tuples of cores.

A core has shape ``(r, *modes, s)``: left rank, modes, right rank. Read in the order
chain, arithmetic, products, gradients, orthogonalize, truncation, rounding, this room
is a course on tensor trains. Nothing here mutates what it is given.
"""

"""TT-matrices where inputs are no vectors: indices to look up, images to slide over."""

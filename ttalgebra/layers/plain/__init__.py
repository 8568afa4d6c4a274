"""The layers every network has: dense, activations, dropout, batch normalisation."""

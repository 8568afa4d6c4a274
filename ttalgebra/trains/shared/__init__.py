"""What tensors and matrices share: immutable cores, exact algebra, approximation."""

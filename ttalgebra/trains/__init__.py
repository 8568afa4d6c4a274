"""The two values, TTTensor and TTMatrix: thin immutable shells above chains."""

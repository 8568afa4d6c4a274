"""How a TT-matrix meets a dense batch: the plan, its operands, the sweep itself."""

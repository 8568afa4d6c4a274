"""Ranks and the manifold of fixed ranks: steps that stay on it, and ways off it.

`tangent` is the geometry of one train, `riemannian` the optimizer that uses it, `adapt`
the callback that changes ranks between epochs.
"""

from ttalgebra.learning.manifold.adapt import AdaptRanks
from ttalgebra.learning.manifold.riemannian import RiemannianSGD

__all__ = ["AdaptRanks", "RiemannianSGD"]

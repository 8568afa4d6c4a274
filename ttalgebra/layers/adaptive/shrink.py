"""Smaller ranks: each train of a model rounded by itself."""

from ttalgebra.arrays.checks import as_max_rank, as_tol
from ttalgebra.arrays.typing import Cores, Ranks
from ttalgebra.cores.rounding import by_svd
from ttalgebra.layers.adaptive.found import Model, mapped


def rounded(
    model: Model, *, tol: float | None = None, max_rank: Ranks | None = None
) -> Model:
    """``model`` with the ranks of every `TTLinear` and `TTEmbedding` cut by TT-SVD.

    ``norm(W - rounded) <= tol * norm(W)`` for each weight, unless ``max_rank`` cuts
    deeper; with neither only what roundoff made is cut. Biases stay, and everything
    that has no ranks. Nothing is said where ``tol`` is not met: while training, ranks
    are a choice. Source: Oseledets (2011), Algorithm 2.

    >>> from ttalgebra.layers import TTLinear
    >>> from ttalgebra.layers.adaptive import rounded
    >>> layer = TTLinear.random((4, 4, 4), (4, 4, 4), ranks=6, rng=0)
    >>> rounded(layer, max_rank=2).weight.ranks, layer.weight.ranks
    ((1, 2, 2, 1), (1, 6, 6, 1))
    """
    tol = as_tol(tol, "rounded")

    def cut(cores: Cores) -> Cores:
        bounds = as_max_rank(max_rank, len(cores), "rounded")
        return by_svd(cores, tol=tol, max_rank=bounds)[0]

    return mapped(cut, model)

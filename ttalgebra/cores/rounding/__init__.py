"""Approximation of chains by chains of smaller ranks, each with the error it makes.

`svd` is the reference; the other routes verify what they did and fall back to it.
`sites` and `networks` are chains that are never formed, `certify` verifies,
`unformed` rounds sums and products, `spectra` chooses ranks. Only `svd` is imported
before it is asked for.
"""

import importlib
from typing import Any

from ttalgebra.cores.rounding.svd import by_svd

ROUTES = ("svd", "gram", "random")  # the methods of rounding, of sums, of products
SUMS = ("random", "svd")
PRODUCTS = ("exact", "zipup", "random", "fit")

_ELSEWHERE = {
    "by_gram": "gram",
    "by_parameters": "spectra",
    "by_sketch": "sketch",
    "canonical": "spectra",
    "effective_rank": "spectra",
    "product_rounded": "unformed",
    "singular_values": "spectra",
    "sum_rounded": "unformed",
}
__all__ = ["PRODUCTS", "ROUTES", "SUMS", "by_svd", *_ELSEWHERE]


def __getattr__(name: str) -> Any:
    if name in _ELSEWHERE:
        module = importlib.import_module(f"{__name__}.{_ELSEWHERE[name]}")
        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Needs PyTorch (pip install 'ttalgebra[torch]'): a batch through all the cores.

The batch goes last, as in `cores.products`, so no state is transposed between cores.
"""

from collections.abc import Sequence
from math import prod

from torch.nn import functional

from ttalgebra.arrays.typing import Array
from ttalgebra.interop.torch.step import step


def applied(cores: Sequence[Array], x: Array, groups: Sequence[int], M: int) -> Array:
    """``x W^T``, ``(..., N) -> (..., M)``, with cores merged as ``groups`` say.

    ``x`` is padded with zeros where ``W`` has more than ``N`` columns; of its rows the
    first ``M`` are kept. Cost ``2 n sum_k p |G_k| t`` flops for ``n`` samples and as
    much for each cotangent; the states that cores meet are kept for backward.
    """
    lead, columns = x.shape[:-1], prod([core.shape[2] for core in cores])
    if columns > x.shape[-1]:
        x = functional.pad(x, (0, columns - x.shape[-1]))
    state, rest = x.reshape(-1, columns).T, list(cores)
    done, to_come = 1, columns
    for size in groups:
        core, rest = merged(rest[:size]), rest[size:]
        a, i, j, b = core.shape
        to_come //= j
        C = core.permute(1, 3, 0, 2).reshape(i * b, a * j)
        state = step(C, state.reshape(done, a * j, -1), to_come)
        done *= i
    return state.reshape(done, -1)[:M].T.reshape(*lead, M).contiguous()


def merged(cores: Sequence[Array]) -> Array:
    """Neighbouring cores as one: ``(a, i_1 i_2 ..., j_1 j_2 ..., b)``."""
    product = cores[0]
    for core in cores[1:]:
        a, p, q, k = product.shape
        _, i, j, b = core.shape
        pair = product.reshape(a * p * q, k) @ core.reshape(k, i * j * b)
        pair = pair.reshape(a, p, q, i, j, b).movedim(2, 3)
        product = pair.reshape(a, p * i, q * j, b)
    return product

"""Source localisation: to tell from a diffused signal where it started."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ttalgebra.arrays.checks import as_modes, as_positive, as_sites
from ttalgebra.arrays.random import generator
from ttalgebra.arrays.typing import RNG

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class Sources(NamedTuple):
    """Signals ``(n, N)`` and the index of their source, in three independent sets."""

    x: np.ndarray
    labels: np.ndarray
    x_validation: np.ndarray
    labels_validation: np.ndarray
    x_test: np.ndarray
    labels_test: np.ndarray


def source_localisation(
    S: "csr_array",
    sources: Sequence[int],
    *,
    steps: int,
    samples: Sequence[int] = (10_000, 2_400, 200),
    rng: RNG = None,
    dtype: Any = np.float32,
) -> Sources:
    """``x = S^t delta_c``, ``t`` uniform on ``0 .. steps - 1``, ``c`` on ``sources``.

    There is no noise, so only ``steps`` times as many signals as sources exist, and
    the three sets repeat them. After many steps all are multiples of one eigenvector.
    Source: the recipe of the authors' code of Isufi, Gama & Ribeiro (2019).

    Parameters
    ----------
    S
        The shift, normalised; a SciPy sparse array.
    sources
        Different nodes; the label of a signal is the place of its node among them.
    samples
        How many signals are drawn to fit, to validate and to test.

    Examples
    --------
    >>> from ttalgebra.learning import graphs
    >>> A, communities = graphs.stochastic_block([10] * 5, 0.8, 0.2, rng=0)
    >>> S, hubs = graphs.spectral(A), graphs.hubs(A, communities)
    >>> data = graphs.source_localisation(S, hubs, steps=50, rng=0)
    >>> data.x.shape, data.labels.shape, data.x_test.shape
    ((10000, 50), (10000,), (200, 50))
    """
    steps = as_positive(steps, "source_localisation: steps")
    counts = as_modes(samples, "source_localisation: samples")
    as_sites(sources, S.shape[0], "source_localisation: sources")
    signals, draw = (
        _diffused(S, np.asarray(sources), steps).astype(dtype),
        generator(rng),
    )
    sets: list[np.ndarray] = []
    for n in counts:
        t, label = draw.integers(steps, size=n), draw.integers(len(sources), size=n)
        sets += [signals[t, :, label], label]
    return Sources(*sets)


def _diffused(S: "csr_array", sources: np.ndarray, steps: int) -> np.ndarray:
    """``S^t delta_c`` for all ``t`` and ``c``, ``(steps, N, sources)``."""
    z = np.zeros((S.shape[0], sources.size))
    z[sources, np.arange(sources.size)] = 1
    found = [z]
    for _ in range(steps - 1):
        found.append(S @ found[-1])
    return np.stack(found)

"""Independent truths: contraction, norms, gradients that the library never sees.

Integers are contracted as Python ints (object arrays), floats in long double. Nothing
here imports ttalgebra.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from tests.backends import dtype_of, host

LIMIT = 30  # LAPACK's threshold: a law holds when error / unit stays below it


def wide(x):
    """``x`` in long double, or as it is where it holds Python objects."""
    x = np.asarray(host(x))
    if x.dtype == object:
        return x
    return x.astype(np.clongdouble if x.dtype.kind == "c" else np.longdouble)


def exact(x):
    """Integer-valued ``x`` as an object array of Python ints (or Gaussian complex)."""
    x = np.asarray(host(x))
    convert = complex if x.dtype.kind == "c" else lambda value: int(value)
    flat = np.empty(x.size, dtype=object)
    flat[:] = [convert(value) for value in x.ravel().tolist()]
    return flat.reshape(x.shape)


def dense(cores, to=wide):
    """The dense array of a chain: modes of a tensor, ``(M, N)`` of a matrix."""
    state = to(cores[0])[0]
    for core in cores[1:]:
        state = np.tensordot(state, to(core), axes=1)
    state = state[..., 0]
    if np.ndim(host(cores[0])) == 3:
        return state
    d = len(cores)
    rows = math.prod(np.shape(host(core))[1] for core in cores)
    return state.transpose(*range(0, 2 * d, 2), *range(1, 2 * d, 2)).reshape(rows, -1)


def norm(x):
    """The Frobenius norm in long double, whose range no test leaves."""
    x = wide(x)
    return np.sqrt(np.sum(x.real**2) + np.sum(x.imag**2))


def growth(cores):
    """``Gamma``: the norm of the product of the entrywise absolute values."""
    return norm(dense([abs(wide(core)) for core in cores]))


def width(cores):
    """``W``: the sum over the cores of the longer side of what is factorised."""
    return sum(max(math.prod(core.shape[:-1]), core.shape[-1]) for core in cores)


def eps(dtype):
    return float(np.finfo(dtype).eps)


def unit(cores):
    """``u = eps W Gamma`` of a chain, in the eps of its dtype."""
    return eps(dtype_of(cores[0])) * width(cores) * growth(cores)


def dense_unit(array, order):
    """``u_A = eps d max(shape) norm``, the unit of a dense input."""
    longest = max(array.shape, default=1)
    return eps(dtype_of(array)) * order * longest * norm(array)


def matvec_unit(cores, x):
    """Per entry ``eps sum(n_k r_k) (|A| |x|)_i``, for ``x`` of shape ``(N, n)``."""
    terms = sum(core.shape[2] * core.shape[-1] for core in cores)
    magnitude = dense([abs(wide(core)) for core in cores]) @ abs(wide(x))
    return eps(np.result_type(dtype_of(cores[0]), dtype_of(x))) * terms * magnitude


def core_gradients(cores, X, dy, to=exact):
    """The product rule, core by core: ``dL = Re sum(conj(g) dG)``, ``L = <dy, A X>``.

    The formula of Novikov et al. (2015): left interface, sample, cotangent, right
    interface, each formed whole. ``X (n, N)``, ``dy (n, M)``.
    """
    conjugate = [np.conjugate(to(core)) for core in cores]
    X, dy = np.conjugate(to(X)), to(dy)
    return tuple(_one_gradient(conjugate, k, X, dy) for k in range(len(cores)))


def _one_gradient(cores, k, X, dy):
    _, i, j, _ = cores[k].shape
    left, right = _interface(cores[:k]), _interface(cores[k + 1 :])
    left = left.reshape(left.shape[1:])  # (u, v, a)
    right = right.reshape(right.shape[:-1])  # (b, x, y)
    u, v, _ = left.shape
    _, x, y = right.shape
    dy, X = dy.reshape(-1, u, i, x), X.reshape(-1, v, j, y)
    met = np.tensordot(left, dy, axes=(0, 1))  # (v, a, s, i, x)
    met = np.tensordot(met, X, axes=((0, 2), (1, 0)))  # (a, i, x, j, y)
    return np.tensordot(met, right, axes=((2, 4), (1, 2)))  # (a, i, j, b)


def _interface(cores):
    """``(r, *modes merged, s)`` of a part of a chain; the empty part is one."""
    if not cores:
        return np.ones((1, 1, 1, 1), dtype=object)
    state = cores[0]
    for core in cores[1:]:
        state = np.tensordot(state, core, axes=1)  # (r, i, j, m, n, s)
        r, i, j, m, n, s = state.shape
        state = state.transpose(0, 1, 3, 2, 4, 5).reshape(r, i * m, j * n, s)
    return state


def unfolding_tails(tensor, rank, bond):
    """The tail beyond ``rank`` of the singular values of one unfolding."""
    rows = math.prod(tensor.shape[:bond])
    values = np.linalg.svd(np.reshape(tensor, (rows, -1)), compute_uv=False)
    return math.hypot(*values[rank:])


@dataclass
class Ratios:
    """The largest ratio error / unit seen of each law, and how often it was asked."""

    largest: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def check(self, law, error, unit):
        """Demand ``error < 30 unit`` entrywise, equality where the unit is zero."""
        error, unit = np.broadcast_arrays(wide(error), wide(unit))
        assert error.size, f"{law}: nothing to compare"
        assert np.all(np.isfinite(error)), f"{law}: the error is not finite"
        zero = unit == 0
        assert np.all(error[zero] == 0), f"{law}: {error[zero].max()} where 0 is exact"
        ratio = float(np.max(error[~zero] / unit[~zero], initial=0))
        self.counts[law] = self.counts.get(law, 0) + 1
        self.largest[law] = max(self.largest.get(law, 0.0), ratio)
        assert ratio < LIMIT, f"{law}: error is {ratio:.3g} units"

    def join(self, largest, counts):
        """Take in what another process saw."""
        for law, ratio in largest.items():
            self.largest[law] = max(self.largest.get(law, 0.0), ratio)
            self.counts[law] = self.counts.get(law, 0) + counts[law]

    def lines(self):
        """One line for each law, the worst first."""
        order = sorted(self.largest, key=self.largest.get, reverse=True)
        return [
            f"{law:<34} {self.largest[law]:>9.3g} {self.counts[law]:>7}"
            for law in order
        ]

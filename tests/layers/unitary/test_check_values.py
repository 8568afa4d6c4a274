"""The numbers that notes on the paper give, computed once by another program."""

import numpy as np
import pytest

from tests.backends import here, host
from ttalgebra.layers import Dense, Sequential, Stepwise
from ttalgebra.layers.unitary import UnitaryMatrix, UnitaryRNN
from ttalgebra.layers.unitary.modrelu import bias_gradient, modrelu, pulled, slope

K = np.arange(8)
PHASES = np.stack([0.3 + 0.5 * K, -1 + 0.37 * K, 2 - 0.9 * K])
REFLECTIONS = np.stack([
    np.cos(0.7 * K) + 1j * np.sin(1.1 * K + 0.2),
    np.sin(0.5 * K + 1) + 1j * np.cos(0.3 * K),
])  # fmt: skip
ORDER = [3, 0, 7, 1, 6, 2, 5, 4]
Z = np.cos(K) + 1j * np.sin(2 * K + 1)
BIAS = -0.3 + 0.1 * K
C1, C2 = np.cos(0.2 * K + 0.5), -np.sin(0.9 * K)


def small():
    return UnitaryMatrix(here(PHASES), here(REFLECTIONS), ORDER)


def test_entries_and_trace():
    dense = host(small().to_dense())
    found = [dense[0, 0], dense[2, 5], np.trace(dense)]
    wanted = [
        -0.1707145754710582 + 0.09761006027887334j,
        -0.158317324848847 - 0.4701045764847788j,
        -0.16329356860933783 + 0.16088550273714106j,
    ]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-15)
    assert abs(dense.conj().T @ dense - np.eye(8)).max() < 1e-15


def test_product_and_modrelu():
    z = small().matvec(here(Z))
    h = host(modrelu(z, here(BIAS)))
    z = host(z)
    first = [-0.802678484343 - 1.342015767454j, 0.397884171069 - 0.009966447163j]
    np.testing.assert_allclose(z[:2], first, rtol=0, atol=1e-12)
    lengths = [np.sqrt((abs(v) ** 2).sum()) for v in (Z, z, h)]
    wanted = [2.879512428345691, 2.879512428345691, 3.083476223018024]
    np.testing.assert_allclose(lengths, wanted, rtol=1e-15)
    first = [-0.648686936118 - 1.084553919649j, 0.197946884867 - 0.004958295184j]
    np.testing.assert_allclose(h[:2], first, rtol=0, atol=1e-12)


def test_cost_and_its_gradients():
    """``C = sum Re h c1 + Im h c2``; a global phase is in each ``D`` alike."""
    z, pullback = small().vjp(here(Z))
    bias = here(BIAS)
    h = host(modrelu(z, bias))
    cost = (h.real * C1 + h.imag * C2).sum()
    assert abs(cost - 0.7540267840605983) < 2e-15
    at = slope(z, bias)
    dz = pulled(at.straight, at.turned, here(C1 + 1j * C2))
    gradients, _ = pullback(dz)
    sums = host(gradients["phases"]).sum(axis=1)
    np.testing.assert_allclose(sums, [2.090398183753233] * 3, rtol=1e-14)
    db = host(bias_gradient(at.direction[None, :], dz[None, :]))
    assert abs(db.sum() - 0.643427483174533) < 2e-15


@pytest.mark.host("counts numbers")
@pytest.mark.parametrize(
    ("n", "n_in", "n_out", "count"),
    [(128, 10, 9, 6153), (512, 2, 1, 8193), (512, 1, 10, 16394)],
)
def test_parameters(n, n_in, n_out, count):
    """``10 n + 2 n n_in + 2 n n_out + n_out`` real numbers, of four bytes each."""
    rnn = UnitaryRNN.random(n_in, n, sequences=True, rng=0)
    model = Sequential([rnn, Stepwise(Dense.random(2 * n, n_out, rng=0))])
    assert model.nbytes == 4 * count
    assert count == 10 * n + 2 * n * n_in + 2 * n * n_out + n_out

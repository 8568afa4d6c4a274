"""Block-term layers: the check values of papers/02, the published sizes, the door."""

from math import prod

import numpy as np
import pytest

import ttalgebra as tt
from tests.backends import here, host
from tests.blocks import arrays, dense, gradients, integer_blocks, integers
from tests.reference import exact
from ttalgebra.arrays.errors import NonFiniteError, ShapeError, TooLargeError
from ttalgebra.layers import BTLinear, TTLinear, bt_lstm, he, tt_lstm
from ttalgebra.layers.recurrent.compressed import fused
from ttalgebra.testing import check_pullback, linear

INPUTS, OUTPUTS, RANKS = (2, 3, 4), (3, 2, 2), (2, 3, 2)


def cosines(shape, start):
    return np.cos(0.7 * np.arange(prod(shape)) + start).reshape(shape)


def noted():
    """The blocks of the notes, whose factors are ``(I_k, J_k, R_k)``: inputs first."""
    shapes = list(zip(INPUTS, OUTPUTS, RANKS, strict=True))
    blocks = []
    for n in range(2):
        factors = [cosines(s, 10 * n + k + 1) for k, s in enumerate(shapes)]
        turned = [np.ascontiguousarray(A.transpose(1, 0, 2)) for A in factors]
        blocks.append((here(cosines(RANKS, 10 * n)), here(turned)))
    return BTLinear(blocks)


X = np.sin(np.arange(24) + 1.0)[None, :]


def test_weight_of_the_notes():
    layer = noted()
    assert layer.n_parameters == layer.weight.n_parameters == 116
    W = host(layer.weight.to_dense()).T
    assert W.shape == (24, 12)
    assert np.sqrt((W**2).sum()) == pytest.approx(28.173902717274952, rel=1e-14)
    expected = [-1.96603436036, 0.965589992427, 1.837518852421]
    assert W[0, :3] == pytest.approx(expected, abs=1e-11)


def test_forward_of_the_notes():
    y = host(noted()(here(X))[0])[0]
    expected = [2.928943711882, 0.820121884307, -0.820647689666, -0.179018532867]
    assert y[:4] == pytest.approx(expected, abs=1e-11)
    assert y.sum() == pytest.approx(0.2521183383845358, rel=1e-12)


def test_gradients_of_the_notes():
    """The loss is ``norm(y)^2 / 2``, so ``dy`` is ``y``."""
    layer = noted()
    y, backward = layer(here(X))
    dx, found = backward(y)
    dcore, dfactor = (host(found[f"blocks.0.{name}"]) for name in ("core", "factors.0"))
    assert dcore.sum() == pytest.approx(86.56383518684021, rel=1e-13)
    assert np.sqrt((dcore**2).sum()) == pytest.approx(26.095872679634546, rel=1e-13)
    assert dcore[1, 2, 1] == pytest.approx(4.736493009998, rel=1e-11)
    assert dfactor.sum() == pytest.approx(-16.133880189059127, rel=1e-13)
    assert np.sqrt((dfactor**2).sum()) == pytest.approx(20.184781421323464, rel=1e-13)
    W = host(layer.weight.to_dense())
    np.testing.assert_allclose(host(dx), host(y) @ W, rtol=1e-13, atol=1e-12)


MODES = {
    2: ((16, 16), (320, 180)),
    3: ((8, 4, 8), (36, 40, 40)),
    4: ((4, 4, 4, 4), (8, 20, 20, 18)),
    5: ((4, 2, 2, 4, 4), (8, 10, 10, 9, 8)),
}
PUBLISHED = (81693, 40069, 17388)  # ranks 1, 2, 4, cut to whole numbers
COUNTED = {2: (1262, 631, 316), 3: (18059, 9013, 4474), 5: (124435, 58514, 14985)}


@pytest.mark.host("counts of parameters")
@pytest.mark.parametrize("d", list(MODES))
def test_compressions_of_the_input_map_of_ucf11(d):
    """57,600 pixels to the four gates of 256 states: 58,982,400 weights.

    d = 4 is the published table; the others are counted in the notes, cut or rounded,
    for the modes of the authors' program.
    """
    rows, columns = MODES[d]
    found = []
    for rank in (1, 2, 4):
        lstm = bt_lstm(rows, columns, n_blocks=2, ranks=rank, rng=0)
        W = lstm.gates.weight
        assert W.shape == (4 * 256, 57600)
        assert W.row_modes == fused(rows)
        assert W.n_parameters == 2 * (
            sum(m * n * rank for m, n in zip(fused(rows), columns, strict=True))
            + rank**d
        )
        found.append(W.compression)
    if d == 4:
        assert tuple(map(int, found)) == PUBLISHED
    else:
        assert np.abs(np.subtract(found, COUNTED[d])).max() < 1


@pytest.mark.host("counts of parameters")
def test_parameters_of_the_published_table():
    rows, columns = MODES[4]
    sizes = {
        rank: bt_lstm(rows, columns, n_blocks=2, ranks=rank, rng=0).gates
        for rank in (1, 2, 4)
    }
    assert {r: L.weight.n_parameters for r, L in sizes.items()} == {
        1: 722, 2: 1472, 4: 3392,
    }  # fmt: skip
    weight = tt_lstm(rows, columns, (1, 4, 4, 4, 1), rng=0).gates.weight
    assert weight.n_parameters == 3360
    assert int(weight.compression) == 17554
    assert prod(weight.shape) == 58_982_400


@pytest.mark.host("learns nothing: a forward and a backward pass")
def test_one_step_at_the_published_size(rng):
    """What a dense map would need 236 MB for runs in place of it."""
    rows, columns = MODES[4]
    lstm = bt_lstm(rows, columns, n_blocks=2, ranks=4, rng=0)
    x = rng.standard_normal((2, 6, 57600)).astype("f4")
    y, backward = lstm(x)
    dx, found = backward(y)
    assert (y.shape, dx.shape) == ((2, 256), x.shape)
    assert found["gates.blocks.1.core"].shape == (4, 4, 4, 4)
    assert sum(a.nbytes for a in lstm.gates.weight.blocks[0].factors) < 8_000


def test_both_blocks_count_for_three_modes(rng):
    """The published program forgets all but the first for d = 3; this one does not."""
    blocks = integer_blocks(rng, ((2, 3), (1, 2), (3, 2)), (2, 2, 2), (1, 2, 2))
    x = integers(rng, (4, 12))
    y = host(BTLinear(here(blocks))(here(x))[0])
    assert np.array_equal(y, exact(x) @ dense(blocks).T)
    first = exact(x) @ dense(blocks[:1]).T
    assert not np.array_equal(y, first)


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "Gaussian"])
def test_gradients_on_integers_are_exact(complex_, rng):
    blocks = integer_blocks(
        rng, ((2, 3), (2, 1), (1, 2)), (2, 1, 2), (1, 2, 1), complex_=complex_
    )
    x, dy = (integers(rng, (3, size), complex_=complex_) for size in (6, 4))
    dx, found = BTLinear(here(blocks))(here(x))[1](here(dy))
    for gradient, wanted in zip(found.values(), gradients(blocks, x, dy), strict=True):
        assert np.array_equal(exact(host(gradient)), wanted)
    assert np.array_equal(exact(host(dx)), exact(dy) @ np.conjugate(dense(blocks)))


@pytest.mark.parametrize(
    ("columns", "rows", "ranks", "n_blocks"),
    [((4, 5), (2, 5), (6, 6), 2), ((6, 6, 6, 6), (4, 4, 4, 6), (3,) * 4, 2)],
    ids=["tednet's tests", "CIFAR-10"],
)
def test_published_shapes(columns, rows, ranks, n_blocks, rng):
    layer = BTLinear.random(
        rows, columns, n_blocks=n_blocks, ranks=ranks, rng=0, dtype="f8"
    )
    sizes = zip(columns, rows, ranks, strict=True)
    count = n_blocks * (sum(prod(size) for size in sizes) + prod(ranks))
    assert layer.weight.n_parameters == count
    x = rng.standard_normal((16, prod(columns)))

    def function(x, blocks, bias):
        y, backward = BTLinear(blocks, bias)(x)

        def pullback(dy):
            dx, found = backward(dy)
            d = len(rows)
            parts = [found[name] for name in found if name != "bias"]
            split = [parts[n * (d + 1) : (n + 1) * (d + 1)] for n in range(n_blocks)]
            return dx, [(part[0], tuple(part[1:])) for part in split], found["bias"]

        return y, pullback

    blocks = here([(core, list(factors)) for core, factors in layer.blocks])
    arguments = here(x), blocks, here(layer.bias)
    check_pullback(function, *arguments, rng=rng, difference=linear)


@pytest.mark.host("the variance of what is drawn")
@pytest.mark.parametrize("variance", [None, he], ids=["glorot", "he"])
def test_entries_of_a_random_weight_have_the_derived_variance(variance):
    chosen = {"variance": variance} if variance else {}
    wanted = 2 / 24 if variance else 2 / (12 + 24)
    squares = []
    for seed in range(400):
        layer = BTLinear.random(
            OUTPUTS, INPUTS, n_blocks=2, ranks=2, rng=seed, dtype="f8", **chosen
        )
        squares.append((layer.weight.to_dense() ** 2).mean())
        stds = wanted ** (1 / 8) * (2 * 8) ** (-1 / 8)
    spread = np.std(squares) / 20
    assert abs(np.mean(squares) - wanted) < 5 * spread
    assert spread < 0.1 * wanted
    drawn = np.concatenate([x.ravel() for x in arrays(layer.blocks)])
    assert abs(drawn.std() / stds - 1) < 0.3
    assert not layer.bias.any()


def test_from_dense_keeps_the_map(rng):
    W, b, x = (rng.standard_normal(s) for s in ((6, 20), 6, (3, 20)))
    layer = BTLinear.from_dense(here(W), here(b), (2, 3), (4, 5), n_blocks=1, ranks=8)
    y = host(layer(here(x))[0])
    np.testing.assert_allclose(y, x @ W.T + b, rtol=1e-11, atol=1e-12)
    assert layer.weight.ranks == ((8, 8),)
    assert isinstance(layer.weight, tt.BlockTerm)


def good(n_blocks=2):
    return BTLinear.random((2, 3), (4, 5), n_blocks=n_blocks, ranks=2, rng=0)


@pytest.mark.host("errors at the door")
@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: BTLinear(np.ones(3)), TypeError, "BTLinear: blocks must be a list or"),
        (lambda: BTLinear([]), ShapeError, "at least one block"),
        (
            lambda: BTLinear([(np.ones(1), [np.full((2, 2, 1), np.inf)])]),
            NonFiniteError,
            "BTLinear: block 0: factor 0: the value at index .* is inf",
        ),
        (
            lambda: BTLinear(good().blocks, np.ones(5)),
            ShapeError,
            "bias has 5 entries, the weight 6 rows",
        ),
        (lambda: good()(np.ones((2, 21))), ShapeError, r"weight expects 20 = 4 \* 5$"),
        (
            lambda: BTLinear.restored({"blocks.0.core": np.ones(1)}),
            ShapeError,
            "block 0 has 0 factors; 1 to 30 are possible",
        ),
        (
            lambda: BTLinear.restored({"blocks.0.factors.0": np.ones((1, 1, 1))}),
            ShapeError,
            "blocks.0.factors.0 make no blocks; each has a core and as many factors",
        ),
        (
            lambda: BTLinear.restored({"bias": np.ones(1)}),
            ShapeError,
            "at least one block",
        ),
        (lambda: BTLinear.restored(good().arrays, junk=1), ShapeError, "no blocks"),
        (
            lambda: BTLinear.random((9,) * 8, (9,) * 8, n_blocks=2, ranks=20),
            TooLargeError,
            "lower the ranks",
        ),
    ],
)
def test_refuses(call, error, says):
    with pytest.raises(error, match=says):
        call()


@pytest.mark.host("names of arrays")
def test_restored_from_its_arrays():
    layer = good()
    names = list(layer.arrays)
    assert names[0] == "blocks.0.core"
    assert names[-1] == "bias"
    again = BTLinear.restored(dict(reversed(layer.arrays.items())))
    assert list(again.arrays) == names
    for name, array in layer.arrays.items():
        np.testing.assert_array_equal(again.arrays[name], array)


@pytest.mark.host("two families of one protocol")
def test_rank_one_blocks_are_kronecker_products(rng):
    """All ranks 1: a block is ``g kron(A_1, A_2)``, and so is a train of ranks 1."""
    A, B = rng.standard_normal((2, 4)), rng.standard_normal((3, 5))
    block = BTLinear([(np.full((1, 1), 2.0), [A[..., None], B[..., None]])])
    train = TTLinear([2 * A[None, ..., None], B[None, ..., None]])
    x = rng.standard_normal((7, 20))
    np.testing.assert_allclose(block(x)[0], 2 * x @ np.kron(A, B).T, rtol=1e-12)
    np.testing.assert_allclose(block(x)[0], train(x)[0], rtol=1e-12)

"""``contract`` against einsum, and its plans as data: what is moved, what is not."""

import math

import numpy as np
import pytest

from tests.backends import dtype_of, here, host
from ttalgebra.arrays.contract import NARROW, contract, plan

PATTERNS = [
    "aijb,pajt->pibt",
    "pajt,pibt->aijb",
    "aijb,pibt->pajt",
    "aijb,cjd->acibd",
    "aikb,ckjd->acijbd",
    "ac,aib,cid->bd",
    "pa,aib->pib",
    "pqa,aijb->piqjb",
    "ij,jk->ik",
    "ij,jk->ki",
    "ij,kj->ik",
    "ji,jk->ik",
    "ji,kj->ki",
    "i,i->",
    "i,j->ij",
    "i,j->ji",
    "ij,ij->",
    "ij,ij->ij",
    "ij,ij->ji",
    "ij,i->j",
    "i,ij->ij",
    "bij,bjk->bik",
    "bij,bjk->ikb",
    "ijb,kjb->bik",
    "ab,bc,cd->ad",
    "ab,bc,cd->da",
    "ab,ac,ad->bcd",
    "abc,abd->cd",
    "abc,bad->cd",
    "abcd,abce->de",
    "ab,cd->abcd",
    "ab,cd->dbca",
    "ai,bi,ci->abci",
    "ij,jk,kl,lm->im",
    "ai,ib,bj,ja->",
    "ab,bca->c",
    "a,a,b->b",
]


def sizes_of(pattern, rng, choices):
    return {x: int(rng.choice(choices)) for x in sorted(set(pattern) - set(",->"))}


def operands(pattern, sizes, rng, dtype=np.float64):
    shapes = [[sizes[x] for x in part] for part in pattern.split("->")[0].split(",")]
    if np.dtype(dtype).kind == "c":
        return [
            (rng.integers(-3, 4, s) + 1j * rng.integers(-3, 4, s)).astype(dtype)
            for s in shapes
        ]
    return [rng.integers(-3, 4, s).astype(dtype) for s in shapes]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("choices", [(2, 3, 4), (1, 2, 3), (1,), (0, 1, 2), (1, 20)])
def test_equals_einsum(pattern, choices, xp, rng):
    """Exact integers, so equality; sizes 0 and 1 included."""
    for dtype in (np.float64, np.complex64):
        for _ in range(3):
            sizes = sizes_of(pattern, rng, choices)
            if math.prod(sizes.values()) > 1e5:
                continue
            arrays = operands(pattern, sizes, rng, dtype)
            found = xp.numpy(contract(pattern, *map(xp.asarray, arrays)))
            wanted = np.einsum(pattern, *arrays, optimize=True)
            assert found.shape == wanted.shape
            assert found.dtype == dtype
            assert np.array_equal(found, wanted)


def random_pattern(rng):
    """Two operands of up to five letters each; what is summed stands in both."""
    letters = list(rng.permutation(list("abcdefgh")))
    shared = letters[: rng.integers(0, 4)]
    left = letters[4 : 4 + rng.integers(0, 3)]
    right = letters[6 : 6 + rng.integers(0, 3)]
    first = "".join(rng.permutation(shared + left))
    second = "".join(rng.permutation(shared + right))
    kept = [x for x in shared if rng.random() < 0.4]
    return f"{first},{second}->" + "".join(rng.permutation(kept + left + right))


def test_random_patterns(cases, rng):
    for _ in range(cases):
        pattern = random_pattern(rng)
        sizes = sizes_of(
            pattern, rng, (1, 2, 3, 17) if rng.random() < 0.2 else (1, 2, 3)
        )
        if math.prod(sizes.values()) > 1e5:
            continue
        arrays = operands(pattern, sizes, rng)
        found = host(contract(pattern, *here(arrays)))
        assert np.array_equal(found, np.einsum(pattern, *arrays)), pattern


def test_head_and_tail_form_sums_the_batch(rng):
    """Wide tails: ``(head, left, tail) @ (head, tail, right)``, added over the head."""
    for t in (NARROW - 1, NARROW, 64):
        X, Y = rng.integers(-3, 4, (6, 2, 3, t)), rng.integers(-3, 4, (6, 4, 2, t))
        X, Y = X.astype(float), Y.astype(float)
        found = contract("pajt,pibt->aijb", here(X), here(Y))
        assert np.array_equal(host(found), np.einsum("pajt,pibt->aijb", X, Y))


def copied(step, *shapes):
    """Whether each operand, in the order given, is copied on its way into matmul."""
    found = [None, None]
    for position, how in zip(step.positions, (step.first, step.second), strict=True):
        x = np.empty(shapes[position])
        axes = range(x.ndim) if how.permutation is None else how.permutation
        found[position] = not np.shares_memory(x.transpose(*axes).reshape(how.shape), x)
    return found


def copied_out(step):
    """Whether the caller, who reshapes the result, would copy it."""
    x = np.empty(step.result.shape)
    axes = range(x.ndim) if step.result.permutation is None else step.result.permutation
    return not np.shares_memory(x.transpose(*axes).reshape(-1), x)


plans = pytest.mark.host("plans are made of shapes alone")
STATES = [(1, 1, 8, 1024), (8, 4, 8, 128), (64, 4, 8, 32), (512, 4, 8, 16)]


@plans
@pytest.mark.parametrize("state", STATES, ids=str)
def test_forward_sweep_moves_only_the_core(state):
    """The state enters as it lies and leaves as it is wanted: one broadcast matmul."""
    _, a, j, _ = state
    core = (a, 5, j, 4)
    (step,) = plan("aijb,pajt->pibt", core, state)
    assert not copied(step, core, state)[1]
    assert not copied_out(step)
    assert not step.sum_batch


@plans
@pytest.mark.parametrize("state", STATES, ids=str)
def test_core_gradient_moves_neither_state(state):
    p, _, _, t = state
    cotangent = (p, 5, 4, t)
    (step,) = plan("pajt,pibt->aijb", state, cotangent)
    assert copied(step, state, cotangent) == [False, False]
    assert step.sum_batch == (p > 1)


@plans
@pytest.mark.parametrize("state", STATES, ids=str)
def test_backward_sweep_moves_only_the_core(state):
    p, a, j, t = state
    core, cotangent = (a, 5, j, 4), (p, 5, 4, t)
    (step,) = plan("aijb,pibt->pajt", core, cotangent)
    assert not copied(step, core, cotangent)[1]
    assert not copied_out(step)


@plans
def test_dense_sweep_moves_no_state():
    (step,) = plan("pa,aib->pib", (1000, 4), (4, 8, 4))
    assert copied(step, (1000, 4), (4, 8, 4)) == [False, False]
    assert not copied_out(step)


@plans
def test_plans_are_cached_data():
    one = plan("ij,jk->ik", (2, 3), (3, 4))
    assert one is plan("ij,jk->ik", (2, 3), (3, 4))
    assert isinstance(hash(one), int)


@plans
def test_three_operands_take_the_cheap_order():
    """Left, then one chain, then the other: never the outer product of both."""
    steps = plan("ac,aib,cid->bd", (50, 50), (50, 4, 50), (50, 4, 50))
    assert len(steps) == 2
    assert 2 not in steps[0].positions or 1 not in steps[0].positions


@pytest.mark.parametrize(
    ("pattern", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (4, 5)]),
        ("ij,jk->ik", [(2, 3, 1), (3, 2)]),
        ("ij,jk->ik", [(2, 3)]),
        ("ij->j", [(2, 3), (2, 3)]),
    ],
)
def test_what_does_not_fit_raises(pattern, shapes):
    with pytest.raises((ValueError, TypeError)):
        contract(pattern, *(here(np.ones(shape)) for shape in shapes))


def test_operands_are_not_touched_nor_returned(rng):
    X, Y = here(rng.standard_normal((1, 3))), here(rng.standard_normal((1, 3)))
    for pattern in ("ij,ij->ij", "ij,kj->ik", "ij,kl->ijkl"):
        result = contract(pattern, X, Y)
        assert not np.shares_memory(host(result), host(X))
        assert not np.shares_memory(host(result), host(Y))


def test_mixed_precision_follows_the_library():
    one, other = here(np.ones((2, 3), np.float32)), here(np.ones((3, 2), complex))
    assert dtype_of(contract("ij,jk->ik", one, other)) == np.complex128


@plans
def test_head_is_not_summed_where_products_outweigh_the_operands():
    """64 x 64 results for each of many heads, from 64 x 16: one permuted GEMM wins."""
    (step,) = plan("pajt,pibt->aijb", (100, 8, 8, 16), (100, 8, 8, 16))
    assert not step.sum_batch
    (step,) = plan("pajt,pibt->aijb", (100, 2, 2, 64), (100, 2, 2, 64))
    assert step.sum_batch


def test_integers_of_13_bits_are_exact_in_single_precision(rng):
    """Their products have 24 bits: a tensor core's 10 bits of mantissa would round."""
    numbers = rng.integers(2**12, 2**13, (3, 16, 1)).astype(np.float32)
    X, Y = here(numbers[0]), here(numbers[1].T.copy())
    assert np.array_equal(host(contract("ij,jk->ik", X, Y)), numbers[0] * numbers[1].T)

"""Every plan gives the same integers, forward and backward, in blocks or at once."""

from itertools import pairwise
from math import prod

import numpy as np
import pytest

import ttalgebra as tt
from tests.backends import here, host
from tests.reference import core_gradients, dense, exact
from ttalgebra.cores import gradients, products
from ttalgebra.cores.sweep import plan as plans
from ttalgebra.cores.sweep import run, threads
from ttalgebra.cores.sweep.step import Samples, step

MODES, RANKS = ((2, 3), (3, 1), (1, 2), (2, 2)), (1, 2, 3, 2, 1)
SHAPES = tuple((r, *mn, s) for mn, (r, s) in zip(MODES, pairwise(RANKS), strict=True))
GROUPINGS = [
    (1, 1, 1, 1),
    (2, 1, 1),
    (1, 2, 1),
    (1, 1, 2),
    (2, 2),
    (3, 1),
    (1, 3),
    (4,),
]


def plan_of(groups, batch, *, from_last, rows, shapes=SHAPES, gradients=False):
    """The plan with these groups, however slow."""
    done, to_come = plans._outside(shapes, from_last)
    ends = np.cumsum((0, *groups)).tolist()
    steps = [
        step(shapes, a, b, (done[a], to_come[b]), from_last, rows)
        for a, b in pairwise(ends)
    ]
    steps = tuple(steps[::-1] if from_last else steps)
    size = prod(n[1] for n in shapes), prod(n[2] for n in shapes)
    return plans.Plan(size, Samples(batch, 8, rows, gradients), from_last, steps)


def integers(rng, shape, complex_):
    values = rng.integers(-3, 4, shape).astype(float)
    return values + 1j * rng.integers(-3, 4, shape) if complex_ else values


@pytest.mark.parametrize("cache", [2**20, 1], ids=["at once", "in blocks"])
@pytest.mark.parametrize("rows", [True, False], ids=["rows", "columns"])
@pytest.mark.parametrize("from_last", [True, False], ids=["last", "first"])
@pytest.mark.parametrize("groups", GROUPINGS, ids=str)
def test_every_plan(groups, from_last, rows, cache, rng, monkeypatch):
    monkeypatch.setattr(plans, "CACHE", cache)
    n = 11 if rows else 19
    way = plan_of(groups, n, from_last=from_last, rows=rows)
    assert (way.block < n) == (cache == 1)
    monkeypatch.setattr(run, "planned", lambda *_, **__: way)
    room = products.apply, gradients.apply
    if not rows:
        room = products.matmat, gradients.matmat
    for complex_ in (False, True):
        cores = [integers(rng, shape, complex_) for shape in SHAPES]
        W = dense(cores, exact)
        X, dY = (integers(rng, (n, side), complex_) for side in W.shape[::-1])
        turned = (lambda x: x) if rows else np.transpose
        A, given, dgiven = here((tuple(cores), turned(X), turned(dY)))
        y = host(room[0](A, given))
        assert np.array_equal(turned(y), exact(X) @ W.T)
        y, pullback = room[1](A, given)
        assert np.array_equal(turned(host(y)), exact(X) @ W.T)
        dcores, dX = host(pullback(dgiven))
        assert np.array_equal(turned(dX), exact(dY) @ np.conjugate(W))
        for found, wanted in zip(dcores, core_gradients(cores, X, dY), strict=True):
            assert found.shape == wanted.shape
            assert np.array_equal(found, wanted)


numbers_only = pytest.mark.host("plans are made of shapes, before any array")


@numbers_only
@pytest.mark.parametrize("rows", [True, False], ids=["rows", "columns"])
@pytest.mark.parametrize("batch", [1, 7, 1000])
@pytest.mark.parametrize("gradients", [False, True])
def test_no_grouping_is_predicted_to_be_cheaper(batch, rows, gradients):
    chosen = plans.plan(SHAPES, Samples(batch, 8, rows, gradients))
    times = {
        (groups, from_last): plan_of(
            groups, batch, from_last=from_last, rows=rows, gradients=gradients
        ).seconds
        for groups in GROUPINGS
        for from_last in (True, False)
    }
    assert chosen.seconds == min(times.values())
    assert len(set(times.values())) > 10


@pytest.mark.host("other libraries take a batch whole")
def test_a_complex_cotangent_of_a_real_train_in_blocks(rng, monkeypatch):
    monkeypatch.setattr(plans, "CACHE", 1)
    plans.plan.cache_clear()
    cores = [integers(rng, shape, complex_=False) for shape in SHAPES]
    W = dense(cores, exact)
    X, dY = (
        rng.integers(-3, 4, (5, W.shape[1])).astype(float),
        integers(rng, (5, 12), True),
    )
    _, pullback = gradients.apply(tuple(cores), X)
    dcores, dX = pullback(dY)
    assert np.array_equal(dX, exact(dY) @ W)
    for found, wanted in zip(dcores, core_gradients(cores, X, dY), strict=True):
        assert np.array_equal(found, wanted)
    plans.plan.cache_clear()


@numbers_only
def test_the_direction_of_the_paper_s_layer():
    """25088 -> 4096 at rank 4: 7.3 MFlop from the last core, 14 from the first."""
    rows, cols = (4,) * 6, (2, 7, 8, 8, 7, 4)
    A = tt.random_matrix(rows, cols, 4, rng=0, dtype="f4")
    shapes, single = tuple(G.shape for G in A.cores), (1,) * 6
    flops = [
        plan_of(single, 1, from_last=way, rows=True, shapes=shapes).flops
        for way in (True, False)
    ]
    assert flops == [7_290_880, 13_778_944]
    way = A.plan(100)
    assert way.from_last
    assert way.flops < 100 * flops[0]
    assert way.seconds < way.dense_seconds / 10


@pytest.mark.host("tracemalloc sees what NumPy allocates, nobody else")
@pytest.mark.parametrize("count", [1, 2])
def test_memory_is_input_output_and_a_block(count, rng, monkeypatch):
    """A block for each thread."""
    import tracemalloc

    monkeypatch.setattr(threads, "threads", lambda: count)
    monkeypatch.setattr(threads._Single, "allowed", lambda self: count)
    A = tt.random_matrix((8,) * 3, (8,) * 3, 32, rng=rng)
    X, dy = (rng.standard_normal((256, 512)) for _ in range(2))
    states = (
        256 * 8 * sum(step.numbers[0] for step in A.plan(256, gradients=True).steps)
    )
    _, pullback = A.vjp(X)
    pullback(dy)
    tracemalloc.start()
    try:
        _, pullback = A.vjp(X)
        pullback(dy)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= A.cost("vjp", 256).peak_bytes + 2**16
    assert peak < states / 2 or count > 1


@numbers_only
@pytest.mark.parametrize("bad", [0, -1, 2.5, "3", None, float("nan")], ids=str)
def test_bad_batches_are_refused(bad):
    A = tt.identity((2, 3))
    with pytest.raises((TypeError, tt.errors.ShapeError), match="plan: batch"):
        A.plan(bad)


@numbers_only
def test_a_plan_prints_itself_whatever_the_size():
    assert "6 -> 6, batch 5 in blocks of 5" in repr(tt.identity((2, 3)).plan(5))
    shapes = tuple((1, 2, 2, 1) for _ in range(2000))
    text = repr(plans.plan(shapes, Samples(1, 8, True, False)))
    assert "about 10^602 -> about 10^602" in text
    assert "inf flops" in text

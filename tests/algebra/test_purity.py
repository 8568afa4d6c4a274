"""Every operation leaves its operands as they were, and its result to its caller."""

import numpy as np
import pytest

import ttalgebra as tt
from tests.algebra.operations import OPERATIONS, operands, parts
from tests.backends import here, host

every = pytest.mark.parametrize("name", OPERATIONS)
pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(params=["f4", "f8", "c8", "c16"])
def trains(request, rng, xp):
    return here(operands(rng, request.param))


def bits(arrays):
    """The bytes of arrays; numbers as they are."""
    return [x.tobytes() if hasattr(x, "tobytes") else x for x in host(arrays)]


@every
def test_operands_are_untouched(name, trains):
    cores = [core for train in trains for core in train.cores]
    before = bits(cores)
    OPERATIONS[name](*trains)
    assert bits(cores) == before


@pytest.mark.host("of NumPy's memory")
@every
def test_results_share_no_writable_memory(name, trains):
    cores = [core for train in trains for core in train.cores]
    for array in parts(OPERATIONS[name](*trains)):
        if isinstance(array, np.ndarray) and array.flags.writeable:
            assert not any(np.shares_memory(array, core) for core in cores)


@every
def test_same_bits_each_time(name, trains):
    first, second = (parts(OPERATIONS[name](*trains)) for _ in range(2))
    assert first
    assert bits(first) == bits(second)


@every
def test_cores_of_results_are_read_only_and_keep_their_dtype(name, trains, xp):
    result = OPERATIONS[name](*trains)
    if isinstance(result, (tt.TTTensor, tt.TTMatrix)):
        assert type(result.cores) is tuple
        assert {core.dtype for core in result.cores} == {trains[0].dtype}
        assert here(result).ranks == result.ranks
        if xp.is_numpy:
            every_core = (*result.cores, *trains[0].cores, *trains[2].cores)
            assert not any(core.flags.writeable for core in every_core)


@pytest.mark.host("of NumPy's memory")
@every
def test_memory_layout_changes_no_value(name, rng):
    trains = operands(rng)
    turned = []
    for train in trains:
        cores = [np.asfortranarray(core)[::1] for core in train.cores]
        turned.append(type(train)(cores, copy=False))
    found = parts(OPERATIONS[name](*trains))
    other = parts(OPERATIONS[name](*turned))
    for one, two in zip(found, other, strict=True):
        if one is not None and not isinstance(one, (bool, tt.TTMatrix)):
            close = name.startswith(("same", "cost")) or np.allclose(
                one, two, atol=1e-12
            )
            assert close


@pytest.mark.parametrize("order", [1, 2])
def test_short_trains(order, rng):
    """One core is a chain too."""
    x, y, A, _ = here(operands(rng, order=order))
    place, a, b = (1,) * order, host(x.to_dense()), host(y.to_dense())
    assert x.sum() == pytest.approx(a.sum())
    assert A.trace() == pytest.approx(host(A.to_dense()).trace())
    assert x[place] == pytest.approx(a[place])
    assert A.partial_trace(order - 1 or None).__class__ in (tt.TTMatrix, float)
    assert np.allclose(host((x * y).to_dense()), a * b)
    assert x.permute_modes(tuple(range(order))[::-1]).order == order
    assert x.to_qtt().modes == (2,) * (2 * order - 1)
    assert x.merge_modes(0, -1).order == 1
    assert tt.same(x, x)


@every
def test_an_interruption_leaves_the_operands_whole(name, rng, monkeypatch, xp):
    """Every matrix product may be the last."""
    trains, matmul = here(operands(rng)), xp.namespace.matmul
    cores = [core for train in trains for core in train.cores]
    before = bits(cores)
    for n in range(1, 40):
        count = 0

        def interrupted(*arguments, _last=n, **options):
            nonlocal count
            count += 1
            if count == _last:
                raise KeyboardInterrupt
            return matmul(*arguments, **options)

        with monkeypatch.context() as patch:
            patch.setattr(xp.namespace, "matmul", interrupted)
            try:
                OPERATIONS[name](*trains)
            except KeyboardInterrupt:
                pass
            else:
                break
        assert bits(cores) == before

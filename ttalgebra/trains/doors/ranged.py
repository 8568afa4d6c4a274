"""Results that one dtype may not hold: scaled on the way, refused at the end.

Most cores are calm, and nothing is done for them. Others are brought near one, and
the power of two that was taken out is shared by the cores of the result.
"""

from collections.abc import Callable

from ttalgebra.arrays.checks import require_finite
from ttalgebra.arrays.scaling import largest, require_in_range, unit_scaled
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores.chain import is_calm, spread


def shared(cores: Cores, exponent: Array, verb: str) -> Cores:
    """``2**exponent`` times the chain; NonFiniteError where no cores can hold it."""
    result = _spread(cores, exponent)
    for core, unit in zip(result, cores, strict=True):
        require_in_range(core, unit, f"{verb}: a core of the result")
    return result


def _spread(cores: Cores, exponent: Array) -> Cores:
    """As `spread`, but a chain with a zero core is zero, however large the others."""
    if any(float(largest(core)) == 0 for core in cores):
        return cores
    return spread(cores, exponent)


def units(cores: Cores) -> tuple[Cores, Array]:
    """The cores with their largest entries near one, and the exponent taken out."""
    exponent, scaled = 0, []
    for core in cores:
        unit, shift = unit_scaled(core)
        scaled.append(unit)
        exponent = exponent + shift
    return tuple(scaled), exponent


def product(
    kernel: Callable[[Cores, Cores], Cores], x: Cores, y: Cores, verb: str
) -> Cores:
    """``kernel(x, y)``, whose cores are products of theirs, in range if it can be."""
    if is_calm(x) and is_calm(y):
        return kernel(x, y)
    (x, shift), (y, growth) = units(x), units(y)
    result = _spread(kernel(x, y), shift + growth)
    for core in result:  # what is too small for its dtype is 0, as everywhere
        require_finite(core, f"{verb}: the cores cannot hold the result")
    return result


def mapped(kernel: Callable[[Cores], Cores], x: Cores, verb: str) -> Cores:
    """``kernel(x)``, linear in each core of ``x``, in range if it can be."""
    if is_calm(x):
        return kernel(x)
    x, exponent = units(x)
    return shared(kernel(x), exponent, verb)

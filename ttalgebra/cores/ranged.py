"""Results that one dtype may not hold: scaled on the way, refused at the end.

Most cores are calm, and nothing is done for them. Others are brought near one, and
the power of two that was taken out is shared by the cores of the result.
"""

from collections.abc import Callable

from ttalgebra.arrays.errors import NonFiniteError
from ttalgebra.arrays.namespace import has_values, namespace_of
from ttalgebra.arrays.scaling import largest, unit_scaled
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores.chain import balanced, is_calm, spread

NEAR = {"double": 400, "single": 50}  # a power of two that takes no core out of range


def held(cores: Cores, exponent: Array, verb: str) -> Cores:
    """``2**exponent`` times a chain of cores near one; NonFiniteError if too large.

    Near the end of the range the largest entries of all cores are made alike.
    What is too small for its dtype is 0, as everywhere. A chain with a zero core is
    zero, however large the exponent.
    """
    if _is_harmless(cores, exponent):
        return spread(cores, exponent)
    if any(float(largest(core)) == 0 for core in cores):
        return cores
    result = balanced(cores, exponent)
    limit = namespace_of(*cores).finfo(cores[0].dtype).max
    if not all(float(largest(core)) <= limit for core in result):
        raise NonFiniteError(f"{verb}: the result is too large {_room(cores)}")
    return result


def shared(cores: Cores, exponent: Array, verb: str) -> Cores:
    """As `held`; NonFiniteError also where a core is too small for its dtype."""
    result = held(cores, exponent, verb)
    if _is_harmless(cores, exponent):
        return result
    for core, unit in zip(result, cores, strict=True):
        if float(largest(core)) == 0 < float(largest(unit)):
            raise NonFiniteError(f"{verb}: the result is too small {_room(cores)}")
    return result


def _is_harmless(cores: Cores, exponent: Array) -> bool:
    """Whether no core near one can leave its range, or there is nothing to look at."""
    if not all(map(has_values, cores)):
        return True
    double = namespace_of(*cores).finfo(cores[0].dtype).bits == 64
    return abs(int(exponent)) < NEAR["double" if double else "single"] * len(cores)


def _room(cores: Cores) -> str:
    count = "one core" if len(cores) == 1 else f"{len(cores)} cores"
    advice = "scale the operands by a power of two first"
    return f"for {count} of {cores[0].dtype}; {advice}"


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
    return held(kernel(x, y), shift + growth, verb)


def mapped(kernel: Callable[[Cores], Cores], x: Cores, verb: str) -> Cores:
    """``kernel(x)``, linear in each core of ``x``, in range if it can be."""
    if is_calm(x):
        return kernel(x)
    x, exponent = units(x)
    return shared(kernel(x), exponent, verb)

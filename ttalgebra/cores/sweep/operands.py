"""What samples meet: cores merged, laid out as a step wants them, and pulled back.

cores    (a, i_1, j_1, k), (k, i_2, j_2, b)
merged   (a, i_1, j_1, i_2, j_2, b)
operand  its axes in the order of the step: (made, summed) or (summed, made)
"""

from itertools import accumulate
from typing import NamedTuple

from ttalgebra.arrays.contract import matmul
from ttalgebra.arrays.namespace import adjoint, namespace_of
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores.chain import left_unfold, reshape, right_unfold
from ttalgebra.cores.sweep.step import Step


class Meeting(NamedTuple):
    """A step, its operand, and the products of its first one, two, ... cores."""

    step: Step
    operand: Array
    merged: tuple[Array, ...]


def meeting(A: Cores, step: Step) -> Meeting:
    """What the state meets in ``step``."""
    first, *others = A[step.first : step.last]
    merged = tuple(accumulate(others, _joined, initial=left_unfold(first)))
    operand = merged[-1]
    if step.axes is not None:
        operand = reshape(operand, *step.digits)
        operand = namespace_of(operand).permute_dims(operand, step.axes)
    return Meeting(step, reshape(operand, *step.operand), merged)


def pulled(A: Cores, met: Meeting, doperand: Array) -> list[Array]:
    """The gradients of the cores of a step."""
    step, found = met.step, []
    dmerged = doperand
    if step.axes is not None:
        dmerged = reshape(dmerged, *(step.digits[k] for k in step.axes))
        inverse = tuple(step.axes.index(k) for k in range(len(step.axes)))
        dmerged = namespace_of(dmerged).permute_dims(dmerged, inverse)
    first, *others = A[step.first : step.last]
    for core, before in zip(others[::-1], met.merged[-2::-1], strict=True):
        right = right_unfold(core)
        dmerged = reshape(dmerged, -1, right.shape[1])
        found.append(reshape(matmul(adjoint(before), dmerged), *core.shape))
        dmerged = matmul(dmerged, adjoint(right))
    found.append(reshape(dmerged, *first.shape))
    return found[::-1]


def _joined(merged: Array, core: Array) -> Array:
    product = matmul(merged, right_unfold(core))
    return reshape(product, -1, core.shape[-1])

"""A checkpoint of any library: its matrices become cores, one at a time in memory."""

from collections.abc import Collection
from os.path import getsize
from typing import Any

from ttalgebra.arrays.errors import FormatError, NonFiniteError, TooLargeError
from ttalgebra.cli.compress.shards import gathered
from ttalgebra.cli.compress.tensors import FLOATS, Listing, Tensor, listed, matrix_of
from ttalgebra.cli.compress.written import Written
from ttalgebra.layers.compression.aim import Aim
from ttalgebra.layers.compression.choice import Choice, Weight, choose
from ttalgebra.layers.compression.modes import alternatives, suggested
from ttalgebra.layers.compression.report import (
    CompressionReport,
    Decision,
    decided,
    left,
    reported,
)
from ttalgebra.storage.atomic import replace

OURS = "ttalgebra"  # in the metadata of files that we wrote


def open_checkpoint(path: str) -> Listing:
    """What the file, or the shards of the index, at ``path`` hold."""
    return gathered(path) if path.lower().endswith(".json") else listed(path)


def compressed(source: Listing, target: str, aim: Aim, least: int) -> CompressionReport:
    """Write ``target``, whole or not at all.

    Matrices of at least ``least`` numbers are tried. Each is read twice, for its
    spectra and for its cores. Raises FormatError, OSError, ShapeError.
    """
    if OURS in source.metadata:
        message = f"{source.files[0]}: a file of ttalgebra's own that is no model"
        raise FormatError(f"{message}; give a checkpoint, or a model that save wrote")
    parts = (tensor.name.rpartition(".cores.") for tensor in source.tensors)
    taken = {name for name, cores, _ in parts if cores}
    why = {t.name: _why_left(t, taken, least) for t in source.tensors}
    weights: dict[str, Weight] = {}
    for tensor in source.tensors:
        if not why[tensor.name]:
            try:
                weights[tensor.name] = _weight(tensor, aim)
            except NonFiniteError:
                why[tensor.name] = "its values are not all finite"
            except TooLargeError as error:
                why[tensor.name] = str(error)
    total = sum(tensor.nbytes for tensor in source.tensors)
    others = total - sum(weight.nbytes for weight in weights.values())
    chosen = choose(list(weights.values()), aim, others)
    choices = dict(zip(weights, chosen, strict=True))
    with Written(target) as new:
        decisions = [
            _done(tensor, weights[tensor.name], choices[tensor.name], new)
            if tensor.name in choices
            else _copied(tensor, why[tensor.name], new)
            for tensor in source.tensors
        ]
        replace(target, new.pieces(source.metadata))
    return reported(decisions, total, aim)


def file_bytes(source: Listing) -> int:
    """The bytes of the files that hold tensors."""
    return sum(map(getsize, source.files))


def _why_left(tensor: Tensor, taken: Collection[str], least: int) -> str:
    """Why it is not tried; empty where it is. ``taken`` are names that have cores."""
    if len(tensor.shape) != 2:
        return "not a matrix"
    if tensor.dtype not in FLOATS:
        return f"{tensor.dtype} is no dtype of numbers that is compressed"
    M, N = tensor.shape
    if least > M * N or not M * N:
        return f"fewer than {least:,} numbers"
    if tensor.name in taken:
        return "other tensors have the names of its cores"
    return ""


def _weight(tensor: Tensor, aim: Aim) -> Weight:
    M, N = tensor.shape
    alone = aim.max_rank is not None
    tried = (suggested(M, N),) if alone else alternatives(M, N)
    W = matrix_of(tensor)
    return Weight.of(W, tried, aim, tensor.nbytes, W.itemsize)


def _done(tensor: Tensor, weight: Weight, choice: Choice, new: Written) -> Decision:
    made: Any = None
    if choice.form is None:
        new.copy(tensor)
    else:
        made = choice.form.made(matrix_of(tensor))
        new.add(tensor, *made)
    M, N = tensor.shape
    return decided(tensor.name, (M, N), weight, choice, made)


def _copied(tensor: Tensor, why: str, new: Written) -> Decision:
    new.copy(tensor)
    return left(tensor.name, tensor.shape, tensor.nbytes, why)

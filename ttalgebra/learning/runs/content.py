"""A run as arrays and a header, which a file can hold, and back."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from ttalgebra.arrays.errors import FormatError, ShapeError
from ttalgebra.arrays.namespace import dtype_of, from_numpy, is_array
from ttalgebra.arrays.typing import Array
from ttalgebra.layers.protocol import Layer
from ttalgebra.learning.callbacks import Partial, Progress
from ttalgebra.learning.history import History
from ttalgebra.learning.runs.description import apart

KIND = "checkpoint"
_HISTORY = "history"
Content = tuple[dict[str, Array], dict[str, Any]]


def content_of(progress: Progress, about: Mapping[str, Any]) -> Content:
    """Arrays and header; ``about`` is what a run that goes on must agree with."""
    history = progress.history.to_json().encode()  # it outgrows what a header may hold
    arrays: dict[str, Array] = {_HISTORY: np.frombuffer(history, np.uint8)}
    arrays |= _named("model", progress.model.arrays)
    if progress.best is not None:
        arrays |= _named("best", progress.best.arrays)
    state = {name: x for name, x in progress.state.items() if is_array(x)}
    header = {
        "kind": KIND,
        "about": dict(about),
        "seed": progress.seed,
        "epoch": progress.epoch,
        "partial": asdict(progress.partial),
        "stopped": progress.stopped,
        "best": progress.best is not None,
        "state": {k: x for k, x in progress.state.items() if k not in state},
    }
    return arrays | _named("state", state), header


def progress_of(content: Content, like: Progress, about: Mapping[str, Any]) -> Progress:
    """The run that `content_of` was given, in the library and the layers of ``like``.

    Raises ShapeError where it is the run of another model, optimizer, batch size or
    number of samples, FormatError where the content is none of a run.
    """
    arrays, header = content
    if header.get("kind") != KIND:
        raise FormatError(f"it holds a {header.get('kind')!r}, not a checkpoint")
    try:
        _require_same(header["about"], about)
        best = _model("best", arrays, like.model) if header["best"] else None
        return replace(
            like,
            model=_model("model", arrays, like.model),
            best=best,
            state=_state(arrays, header["state"], like.state),
            seed=int(header["seed"]),
            epoch=int(header["epoch"]),
            partial=Partial(**header["partial"]),
            stopped=bool(header["stopped"]),
            history=History.from_json(arrays[_HISTORY].tobytes().decode()),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, ShapeError):
            raise
        raise FormatError(f"its fields are not those of a run: {error}") from error


def summary(content: Content) -> dict[str, Any]:
    """What people want to know of a run; FormatError where the content is none."""
    arrays, header = content
    try:
        records = History.from_json(arrays[_HISTORY].tobytes().decode()).records
        return {
            **header["about"],
            "epochs_done": header["epoch"],
            "batches_of_the_next": header["partial"]["batch"],
            "stopped_early": header["stopped"],
            "has_a_best_model": header["best"],
            "last_epoch": dict(records[-1]) if records else None,
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FormatError(f"its fields are not those of a run: {error}") from error


def _named(prefix: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {f"{prefix}.{name}": x for name, x in arrays.items()}


def _own(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    start = f"{prefix}."
    return {n[len(start) :]: x for n, x in arrays.items() if n.startswith(start)}


def _model(prefix: str, arrays: Mapping[str, np.ndarray], like: Layer) -> Layer:
    """The layers of ``like``, perhaps of other ranks, which `with_arrays` refuses."""
    return like._rebuilt(_moved(_own(prefix, arrays), like.arrays, "model"))


def _state(
    arrays: Mapping[str, np.ndarray], plain: Mapping[str, Any], like: Mapping[str, Any]
) -> dict[str, Any]:
    wanted = {name: x for name, x in like.items() if is_array(x)}
    moved = _moved(_own("state", arrays), wanted, "optimizer")
    _require_same_names(plain, {n for n in like if n not in wanted}, "optimizer")
    return {**plain, **moved}


def _moved(
    arrays: Mapping[str, np.ndarray], like: Mapping[str, Array], whose: str
) -> dict[str, Array]:
    """``arrays`` in the library and on the device of those that they replace."""
    _require_same_names(arrays, like, whose)
    for name, x in arrays.items():
        if _kind(x) != _kind(like[name]):
            found, wanted = (f"{dtype_of(a)} {tuple(a.shape)}" for a in (x, like[name]))
            message = f"its {whose} has {name} of {found}, this one of {wanted}"
            raise ShapeError(f"{message}; resume the run as it was begun")
    return {name: from_numpy(x, like[name]) for name, x in arrays.items()}


def _kind(x: Array) -> tuple[np.dtype, int, tuple[int, ...]]:
    """What may not change in a run: all but the first and last axis of a core."""
    shape = tuple(x.shape)
    return dtype_of(x), x.ndim, shape[1:-1] if x.ndim > 2 else shape


def _require_same_names(found: Any, wanted: Any, whose: str) -> None:
    if different := set(found) ^ set(wanted):
        names = ", ".join(sorted(map(str, different))[:4])
        message = f"it is the run of another {whose}: only one of them has {names}"
        raise ShapeError(f"{message}; resume the run as it was begun")


def _require_same(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for name, value in wanted.items():
        if found.get(name) != value:
            theirs, ours = apart(found.get(name), value)
            message = f"its {name} is {theirs}, here it is {ours}"
            raise ShapeError(f"{message}; resume the run as it was begun")

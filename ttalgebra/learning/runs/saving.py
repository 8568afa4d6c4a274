"""A run and its checkpoints: where it begins, and when it is saved or stopped."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ttalgebra.arrays.errors import ShapeError
from ttalgebra.learning.callbacks import Progress
from ttalgebra.learning.runs.checkpoint import Checkpoint
from ttalgebra.learning.runs.signals import held


def begun(
    fresh: Progress,
    checkpoint: Checkpoint | None,
    resume: bool | str,
    about: Mapping[str, Any],
    *,
    seeded: bool,
) -> Progress:
    """``fresh``, or the run to go on with; ``seeded`` where both have the same seed.

    What is missing is a first run, what is damaged is not: no run is begun anew where
    there are checkpoints.
    """
    if not isinstance(resume, (bool, str)):
        kind = type(resume).__name__
        raise TypeError(f"fit: resume must be True, False or a file's name, got {kind}")
    if checkpoint is None:
        if resume:
            raise ShapeError("fit: resume needs checkpoint=, which says from where")
        return fresh
    if not isinstance(checkpoint, Checkpoint):
        kind = type(checkpoint).__name__
        raise TypeError(f"fit: checkpoint must be a Checkpoint, got {kind}")
    files = checkpoint.files()
    if not resume and files:
        message = f"fit: {checkpoint.folder} has checkpoints up to {files[-1].name}"
        raise FileExistsError(f"{message}; pass resume=True, or another folder")
    if not files and resume in (True, False):
        return fresh
    name = resume if isinstance(resume, str) else None
    about = {**about, "seed": fresh.seed} if seeded else about
    return checkpoint.load(fresh, about, name)


@contextmanager
def saving(
    checkpoint: Checkpoint, about: Mapping[str, Any]
) -> Iterator[Callable[[Progress], bool]]:
    """Within, signals are held; what is yielded saves a run and says if it must stop.

    A run that is stopped is saved once: by the signal only where it is not due.
    """
    with held() as asked:

        def stops(progress: Progress) -> bool:
            described = {**about, "seed": progress.seed}
            if due := checkpoint.is_due(progress):
                checkpoint.save(progress, described)
            if not asked():
                return False
            if not due:
                checkpoint.save(progress, described)
            return True

        yield stops

"""A progress bar, where somebody sees it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ttalgebra.learning.callbacks import Progress


@contextmanager
def progress_bar(epochs: int) -> Iterator[Callable[[Progress], None]]:
    """A callback that shows the epochs that are done, and the last loss, on stderr.

    It shows nothing where stderr is no terminal, nor where tqdm (an extra) is missing.

    >>> from ttalgebra.layers import Dense
    >>> from ttalgebra.learning import SGD, SquaredError, fit, progress_bar
    >>> with progress_bar(epochs=3) as bar:
    ...     _ = fit(Dense([[2.0]], [0.0]), [[1.0]], [[2.0]], epochs=3, callbacks=[bar],
    ...             loss=SquaredError(), optimizer=SGD(0.1))
    """
    try:
        from tqdm import tqdm
    except ImportError:
        yield lambda _: None
        return
    with tqdm(total=epochs, unit="epoch", disable=None, file=sys.stderr) as bar:

        def show(progress: Progress) -> None:
            bar.set_postfix(loss=progress.history["loss"][-1], refresh=False)
            bar.update(progress.epoch - bar.n)

        yield show

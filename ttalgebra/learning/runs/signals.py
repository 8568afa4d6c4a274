"""SIGINT and SIGTERM, noted while a step is finished instead of cutting it in two."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(KeyboardInterrupt):
    """A run was stopped by a signal, between two steps, and saved.

    ``exit_code`` is what a process that ends so returns: 130 after SIGINT, 143 after
    SIGTERM.
    """

    def __init__(self, number: int) -> None:
        name = signal.Signals(number).name
        super().__init__(f"{name}: the step was finished and the run saved; resume it")
        self.exit_code = 128 + number


@contextmanager
def held() -> Iterator[Callable[[], bool]]:
    """Within, a signal is only noted, and what is yielded says whether one came.

    At the end the first of them raises `Interrupted`. Signals that the process
    ignores stay ignored; outside the main thread, where Python has no say in them,
    they act as ever.
    """
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        came.append(number)

    before = {number: signal.signal(number, note) for number in _heeded()}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise Interrupted(came[0])


def _heeded() -> list[signal.Signals]:
    if threading.current_thread() is not threading.main_thread():
        return []
    unheeded = (signal.SIG_IGN, None)  # None: set by other than Python
    both = (signal.SIGINT, signal.SIGTERM)
    return [number for number in both if signal.getsignal(number) not in unheeded]

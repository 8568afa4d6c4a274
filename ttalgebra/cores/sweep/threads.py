"""Independent pieces of work on the cores of the machine that BLAS leaves idle.

Small products use one core whatever BLAS has. Side by side they use all, if each call
of BLAS keeps to its own: threadpoolctl sees to that, and where it is missing pieces
run one after another. Two cores take 0.5 to 0.9 of the time that two threads of BLAS
take (float32, 25088 -> 4096 of ranks 4 and 3072 -> 262,144, with and without
gradients); without the limit they would take up to 1.5 times as long.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any, TypeVar

from ttalgebra.arrays.config import threads

Item = TypeVar("Item")
Found = TypeVar("Found")


def in_order(
    function: Callable[[Item], Found], items: Sequence[Item]
) -> Iterator[Found]:
    """What ``function`` makes of each item, in their order; a few results wait.

    The threads live as long as this iterator: starting them takes 0.1 ms.
    """
    count = side_by_side()
    pool = _pool(count) if count > 1 else None
    if pool is None:
        yield from map(function, items)
        return
    with _SINGLE.threaded(), pool:
        waiting: deque[Callable[[], Found]] = deque()
        for item in items:
            if len(waiting) == 2 * count:
                yield waiting.popleft()()
            waiting.append(_submitted(pool, function, item))
        for result in waiting:
            yield result()


def side_by_side() -> int:
    """How many items `in_order` takes at once."""
    return min(threads(), _SINGLE.allowed()) if _limiter() else 1


def _pool(count: int) -> Any:
    """Threads, or None where the interpreter is ending and has no more to give."""
    try:
        from concurrent.futures import ThreadPoolExecutor  # 3 ms
    except RuntimeError:
        return None
    return ThreadPoolExecutor(count)


def _submitted(
    pool: Any, function: Callable[[Item], Found], item: Item
) -> Callable[[], Found]:
    """What waits for the result; made at once where the interpreter is ending."""
    try:
        result: Callable[[], Found] = pool.submit(function, item).result
    except RuntimeError:
        found = function(item)
        return lambda: found
    return result


@cache
def _limiter() -> Any:
    """What sets the threads of BLAS, or None."""
    try:
        from threadpoolctl import ThreadpoolController  # 2 ms
    except ImportError:
        return None
    return ThreadpoolController().select(user_api="blas")


class _Single:
    """BLAS with one thread while anybody is inside; who leaves last restores it."""

    def __init__(self) -> None:
        self.lock, self.inside, self.given = Lock(), 0, 1
        self.limit: Any = None

    def allowed(self) -> int:
        """The threads that BLAS has where nobody is inside; others may limit it too."""
        with self.lock:
            if not self.inside:
                found = [lib.num_threads for lib in _limiter().lib_controllers]
                self.given = min(found, default=1)
            return self.given

    @contextmanager
    def threaded(self) -> Iterator[None]:
        with self.lock:
            self.inside += 1
            if self.inside == 1:
                self.limit = _limiter().limit(limits=1)
        try:
            yield
        finally:
            with self.lock:
                self.inside -= 1
                if self.inside == 0:
                    self.limit.restore_original_limits()


_SINGLE = _Single()
if hasattr(os, "register_at_fork"):  # a child has none of the threads that are inside
    os.register_at_fork(after_in_child=_SINGLE.__init__)  # type: ignore[misc]

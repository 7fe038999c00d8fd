"""Batches made ahead of the network, in the same order and with the same content."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from torch import Tensor

Batch = tuple[Tensor, Tensor]


class Batches:
    """Batch after batch, some made in advance by threads.

    Threads serve, because almost all of the work is Fourier transforms, which release Python's
    lock. A batch depends on its step alone, so nothing else does on how many threads there are.

    Args:
        make: the batch of a step.
        first: the first step.
        end: the step at which the training ends.
        pool: threads to make them, or None to make each when it is asked for.
        ahead: how many are made in advance.
    """

    def __init__(
        self,
        make: Callable[[int], Batch],
        *,
        first: int,
        end: int,
        pool: ThreadPoolExecutor | None,
        ahead: int,
    ) -> None:
        self._make = make
        self._next = first
        self._end = end
        self._pool = pool
        self._ahead = ahead
        self._waiting: deque[Future[Batch]] = deque()

    def next(self) -> Batch:
        """The next step's batch."""
        if self._pool is None:
            self._next += 1
            return self._make(self._next - 1)
        while len(self._waiting) <= self._ahead and self._next < self._end:
            self._waiting.append(self._pool.submit(self._make, self._next))
            self._next += 1
        return self._waiting.popleft().result()


@contextmanager
def batches(
    make: Callable[[int], Batch], *, first: int, end: int, threads: int
) -> Iterator[Batches]:
    """Batches from step ``first`` on, made by so many threads; 0 makes them when asked for."""
    if not threads:
        yield Batches(make, first=first, end=end, pool=None, ahead=0)
        return
    pool = ThreadPoolExecutor(threads, thread_name_prefix="batch")
    try:
        yield Batches(make, first=first, end=end, pool=pool, ahead=2 * threads)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)

"""Batches prepared in advance by threads, in the same order and with the same content."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from torch import Tensor

Batch = tuple[Tensor, Tensor]


@contextmanager
def batches(
    make: Callable[[int], Batch], *, first: int, end: int, threads: int
) -> Iterator[Iterator[Batch]]:
    """Batches of the steps from ``first`` to ``end``, prepared by ``threads`` threads.

    With 0 threads each is made on demand. Threads are enough, because most of the work is Fourier
    transforms, which release Python's lock. A batch depends on its step only, so the number of
    threads does not change it.
    """
    if not threads:
        yield map(make, range(first, end))
        return
    pool = ThreadPoolExecutor(threads, thread_name_prefix="batch")
    try:
        yield _prefetched(make, first, end, pool, ahead=2 * threads)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _prefetched(
    make: Callable[[int], Batch], first: int, end: int, pool: ThreadPoolExecutor, *, ahead: int
) -> Iterator[Batch]:
    waiting: deque[Future[Batch]] = deque()
    for step in range(first, end):
        waiting.append(pool.submit(make, step))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    for future in waiting:
        yield future.result()

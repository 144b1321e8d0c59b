"""Several workers busy at once, each watched by a thread of the parent."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_parallel(work: Callable[[T], R], items: Iterable[T], at_once: int) -> list[R]:
    """`work` of every item, in the items' order, `at_once` at a time.

    An interrupt leaves at once: threads still waiting for a worker end when that worker is killed.
    """
    pool = ThreadPoolExecutor(max(1, at_once))
    try:
        results = list(pool.map(work, items))
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
    return results

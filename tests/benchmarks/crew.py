"""Threads that live through all rounds, each with its own connection, as web workers have.

Imports nothing of the product: rivals in processes of their own use it too.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Crew(Generic[Item]):
    """A fixed number of threads among which items are shared out.

    Args:
        threads: how many.
        work: does one thread's items.
        leave: what each thread does at the end, such as closing its connections.
    """

    def __init__(
        self,
        threads: int,
        work: Callable[[Sequence[Item]], None],
        leave: Callable[[], None],
    ) -> None:
        self._threads = threads
        self._work = work
        self._leave = leave
        self._pool = ThreadPoolExecutor(threads)
        self._barrier = threading.Barrier(threads)

    def run(self, items: Sequence[Item]) -> None:
        """Work through all items and wait; the first error is raised."""
        parts = [items[part :: self._threads] for part in range(self._threads)]
        _wait([self._pool.submit(self._take, part) for part in parts])

    def end(self) -> None:
        """Let each thread leave."""
        _wait([self._pool.submit(self._go) for _ in range(self._threads)])
        self._pool.shutdown()

    def _take(self, part: Sequence[Item]) -> None:
        self._barrier.wait()  # so that no thread takes two parts
        self._work(part)

    def _go(self) -> None:
        self._barrier.wait()
        self._leave()


def _wait(futures: "list[Future[None]]") -> None:
    for future in futures:
        future.result()

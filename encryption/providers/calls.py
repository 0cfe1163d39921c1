"""How a key service beyond this process is asked (encryption.md 8).

Connect 1 s, read 2 s, two tries with a random pause between them, and one call at a time for the
same question: threads that need the same key wait for the answer of the first.
"""

import os
import random
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Final, Generic, TypeVar

from django.utils.translation import gettext_lazy as _

from encryption.providers.base import Unavailable

CONNECT_SECONDS: Final = 1.0
READ_SECONDS: Final = 2.0
TOTAL_SECONDS: Final = CONNECT_SECONDS + READ_SECONDS
TRIES: Final = 2
PAUSE_SECONDS: Final = 0.2
FLIGHT_SECONDS: Final = TRIES * 3 * TOTAL_SECONDS

Answer = TypeVar("Answer")


def with_tries(call: Callable[[], Answer]) -> Answer:
    """Ask, and once more if nobody answers.

    Raises:
        Unavailable: neither try was answered.
    """
    try:
        return call()
    except Unavailable:
        time.sleep(PAUSE_SECONDS * (0.5 + random.random()))  # noqa: S311 - jitter is no secret
        return call()


class SingleFlight:
    """Lets threads with the same question share one answer.

    Args:
        seconds: how long a thread waits for the answer of another.
    """

    def __init__(self, seconds: float = FLIGHT_SECONDS) -> None:
        self._seconds = seconds
        self._lock = Lock()
        self._flights: dict[tuple[object, ...], Future[object]] = {}

    def run(self, question: tuple[object, ...], call: Callable[[], bytes]) -> bytes:
        """Ask with tries, or wait for the thread that asks already.

        Raises:
            Unavailable: no answer, here or in the other thread.
        """
        key = (os.getpid(), *question)  # a child does not wait for a thread of its parent
        with self._lock:
            waiting = self._flights.get(key)
            flight = self._flights.setdefault(key, Future())
        if waiting is None:
            self._fly(key, flight, call)
        try:
            answer = flight.result(self._seconds)
        except FutureTimeoutError as error:
            raise Unavailable(_("the key service does not answer")) from error
        return answer if isinstance(answer, bytes) else b""

    def _fly(
        self, key: tuple[object, ...], flight: Future[object], call: Callable[[], bytes]
    ) -> None:
        try:
            flight.set_result(with_tries(call))
        except Exception as error:  # noqa: BLE001 - handed to every thread that waits
            flight.set_exception(error)
        finally:
            with self._lock:
                del self._flights[key]


@dataclass(frozen=True, slots=True)
class Asked(Generic[Answer]):
    """A question that is on its way in a thread of its own."""

    _flight: Future[Answer]
    _process: int = field(default_factory=os.getpid)
    _asked_at: float = field(default_factory=time.monotonic)

    @property
    def is_ours(self) -> bool:
        """Whether this process asked, and not so long ago that the answer may have changed.

        A thread does not live on in a child.
        """
        is_recent = time.monotonic() - self._asked_at < FLIGHT_SECONDS
        return is_recent and self._process == os.getpid()

    def has_answer(self, seconds: float) -> bool:
        """Wait for the answer, or an error in its place, for some seconds at most."""
        with suppress(FutureTimeoutError):
            self._flight.exception(seconds)
        return self._flight.done()

    def answer(self) -> Answer:
        """Return the answer, or raise the error."""
        return self._flight.result()


def in_background(call: Callable[[], Answer]) -> Asked[Answer]:
    """Make a call in a thread of its own, which does not keep the process from ending."""
    flight: Future[Answer] = Future()

    def fly() -> None:
        try:
            flight.set_result(call())
        except Exception as error:  # noqa: BLE001 - raised where the answer is taken
            flight.set_exception(error)

    Thread(target=fly, name="key service", daemon=True).start()
    return Asked(flight)


class Bounded:
    """Runs calls into a library without time limits in a thread of its own, one after the other.

    A call that hangs holds that thread and nobody else: who waits for it gives up in time, and so
    do all who come after, until the library returns. The thread is a daemon, so that a hanging
    library does not keep the process from ending.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = Lock()
        self._process = 0
        self._waiting: SimpleQueue[tuple[Future[object], Callable[[], object]]] = SimpleQueue()

    def run(self, call: Callable[[], Answer]) -> Answer:
        """Return what the call returns.

        Raises:
            Unavailable: it did not return in time.
        """
        flight: Future[Answer] = Future()

        def answer() -> None:
            try:
                outcome = call()
            except BaseException as error:  # noqa: BLE001 - raised where it is waited for
                with suppress(InvalidStateError):
                    flight.set_exception(error)
            else:
                with suppress(InvalidStateError):
                    flight.set_result(outcome)

        self._queue().put((flight, answer))  # type: ignore[arg-type]  # only its state is read there
        try:
            return flight.result(self._seconds)
        except FutureTimeoutError as error:
            flight.cancel()
            raise Unavailable(_("the key service does not answer in time")) from error

    def _queue(self) -> SimpleQueue[tuple[Future[object], Callable[[], object]]]:
        with self._lock:
            if self._process != os.getpid():  # a thread does not live on in a child
                self._process = os.getpid()
                self._waiting = SimpleQueue()
                Thread(target=_work, args=(self._waiting,), name="key service", daemon=True).start()
            return self._waiting


def _work(waiting: SimpleQueue[tuple[Future[object], Callable[[], object]]]) -> None:
    while True:
        flight, answer = waiting.get()
        if not flight.cancelled():
            answer()

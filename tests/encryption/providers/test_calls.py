"""Asking a key service: tries, one flight per question, and bounded libraries."""

import os
import threading
import time

import pytest

from encryption.providers.base import BadBlob, Refused, Unavailable
from encryption.providers.calls import (
    FLIGHT_SECONDS,
    Bounded,
    SingleFlight,
    in_background,
    with_tries,
)


class Asked:
    """Fails some times, then answers."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.times = 0

    def __call__(self) -> bytes:
        """Answer."""
        self.times += 1
        if self.failures:
            raise self.failures.pop(0)
        return b"answer"


def test_a_call_that_nobody_answers_is_tried_once_more_after_a_pause() -> None:
    asked = Asked(Unavailable("away"))
    started = time.monotonic()

    assert with_tries(asked) == b"answer"

    assert asked.times == 2
    assert 0.05 < time.monotonic() - started < 1


def test_two_failures_are_the_end() -> None:
    asked = Asked(Unavailable("away"), Unavailable("still away"))

    with pytest.raises(Unavailable, match="still"):
        with_tries(asked)

    assert asked.times == 2


@pytest.mark.parametrize("answer", [Refused("no"), BadBlob("changed")])
def test_a_no_is_not_asked_again(answer: Exception) -> None:
    asked = Asked(answer)

    with pytest.raises(type(answer)):
        SingleFlight().run(("key",), asked)

    assert asked.times == 1


def test_threads_with_the_same_question_share_one_answer() -> None:
    flights, go, answers = SingleFlight(), threading.Event(), []
    asked: list[str] = []

    def ask(question: str) -> bytes:
        asked.append(question)
        go.wait(10)
        return question.encode()

    def run(question: str) -> None:
        answers.append(flights.run((question,), lambda: ask(question)))

    threads = [threading.Thread(target=run, args=("ab"[number % 2],)) for number in range(10)]
    for thread in threads:
        thread.start()
    while len(asked) < 2:
        time.sleep(0.01)
    time.sleep(0.1)
    go.set()
    for thread in threads:
        thread.join()

    assert sorted(asked) == ["a", "b"]
    assert sorted(answers) == [b"a"] * 5 + [b"b"] * 5
    assert flights.run(("a",), lambda: b"new") == b"new"


def test_who_waits_for_another_thread_gives_up_in_time() -> None:
    flights, go, started = SingleFlight(0.1), threading.Event(), threading.Event()

    def ask() -> bytes:
        started.set()
        go.wait(10)
        return b"late"

    thread = threading.Thread(target=lambda: flights.run(("a",), ask))
    thread.start()
    started.wait(10)

    with pytest.raises(Unavailable):
        flights.run(("a",), ask)
    go.set()
    thread.join()


def test_a_hanging_library_holds_nobody_and_recovers() -> None:
    bounded, go = Bounded(0.2), threading.Event()

    with pytest.raises(Unavailable, match="in time"):
        bounded.run(lambda: go.wait(10))
    with pytest.raises(Unavailable, match="in time"):
        bounded.run(lambda: b"behind it")
    go.set()

    assert with_tries(lambda: bounded.run(lambda: b"answer")) == b"answer"
    with pytest.raises(ZeroDivisionError):
        bounded.run(lambda: 1 // 0)


def test_an_error_after_the_time_disturbs_nobody() -> None:
    bounded, go = Bounded(0.2), threading.Event()

    def fail() -> None:
        go.wait(10)
        raise ZeroDivisionError

    with pytest.raises(Unavailable):
        bounded.run(fail)
    go.set()

    assert with_tries(lambda: bounded.run(lambda: 1)) == 1


def test_a_child_has_a_thread_of_its_own() -> None:
    bounded = Bounded(5)
    assert bounded.run(lambda: 1) == 1

    child = os.fork()
    if child == 0:
        os._exit(0 if bounded.run(lambda: 2) == 2 else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_question_in_the_background_keeps_nobody_waiting() -> None:
    go = threading.Event()

    def slow() -> bytes:
        go.wait(10)
        return b"answer"

    asked = in_background(slow)
    started = time.monotonic()

    assert asked.is_ours
    assert not asked.has_answer(0.05)
    assert time.monotonic() - started < 1
    go.set()
    assert asked.has_answer(5)
    assert asked.answer() == b"answer"


def test_an_old_question_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = in_background(Asked())
    assert asked.is_ours

    later = time.monotonic() + FLIGHT_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)

    assert not asked.is_ours


def test_an_error_in_the_background_is_raised_where_the_answer_is_taken() -> None:
    asked = in_background(Asked(Refused("no")))

    assert asked.has_answer(5)
    with pytest.raises(Refused):
        asked.answer()

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread

from django.db import connection

from foundation.contracts.loops import Loop
from portal.loops import LoopRunner
from tests.servers import FreshDatabase

PATIENCE_SECONDS = 10.0


def wait_until(holds: Callable[[], bool]) -> None:
    """Fail when a condition does not come true in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def running(*runners: LoopRunner, stop: Event) -> Iterator[None]:
    """Run loops in threads of their own until the end of the block."""
    threads = [Thread(target=runner.run) for runner in runners]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def cut_all_connections(fresh: FreshDatabase) -> None:
    """Do what a restart of the database does to its clients."""
    with fresh.installation.postgres.connect() as superuser:
        superuser.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [fresh.servers.main],
        )


def test_a_loop_goes_on_after_the_database_restarted(fresh_database: FreshDatabase) -> None:
    steps: list[int] = []

    def step() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        steps.append(1)
        return False

    stop = Event()
    runner = LoopRunner(Loop("test.counting", step, interval_seconds=0.02), stop)
    with running(runner, stop=stop):
        wait_until(lambda: len(steps) > 2)
        cut_all_connections(fresh_database)
        before = len(steps)

        wait_until(lambda: len(steps) > before + 3)


def test_only_one_process_leads_a_loop_and_another_takes_over(
    fresh_database: FreshDatabase,
) -> None:
    led: list[str] = []
    first_stop, second_stop = Event(), Event()

    def leading(name: str) -> bool:
        led.append(name)
        return False

    first = LoopRunner(Loop("test.lead", partial(leading, "first"), 0.02), first_stop)
    second = LoopRunner(Loop("test.lead", partial(leading, "second"), 0.02), second_stop)

    with running(second, stop=second_stop), running(first, stop=first_stop):
        wait_until(lambda: len(led) > 5)
        assert len(set(led)) == 1
        leader = led[0]
        (first_stop if leader == "first" else second_stop).set()

        wait_until(lambda: led[-1] != leader)

    assert fresh_database.servers.main


def test_a_failing_step_is_tried_again(fresh_database: FreshDatabase) -> None:
    tries: list[int] = []

    def step() -> bool:
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError("once")
        return False

    stop = Event()
    with running(LoopRunner(Loop("test.failing", step, 0.02), stop), stop=stop):
        wait_until(lambda: len(tries) > 2)

    assert fresh_database.servers.main

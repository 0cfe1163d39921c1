"""Signals of Celery, each received by one call."""

from celery.signals import task_prerun

from portal import test_clock


@task_prerun.connect(weak=False)
def move_clock(**_kwargs: object) -> None:
    """Let a task see the clock of a test database."""
    test_clock.refresh()

"""Signals of Celery, each received by one call."""

from celery.signals import task_prerun

from encryption import services


@task_prerun.connect(weak=False)
def drop_destroyed_keys(**_kwargs: object) -> None:
    """Drop keys that were destroyed since the last task of this process."""
    services.check_revocations()

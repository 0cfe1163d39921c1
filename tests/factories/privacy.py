"""Requests, copies and erasures of tests, made by the product's own services."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from accounts.models import User
from accounts.principal import bare
from foundation import clock
from foundation.contracts.personal_data import (
    DataSubject,
    ErasureCount,
    Handlers,
    Section,
    personal_data,
)
from foundation.principals import Principal
from privacy.models import Archive, ErasurePlan, SubjectRequest
from privacy.models.subject_request import RequestState
from privacy.services import erasure, erasure_runs, exports, subject_requests

WITH_HANDLERS = tuple(source.label for source in personal_data.all() if source.handlers is not None)


class Killed(RuntimeError):
    """The worker died here."""


class Dying:
    """Handlers of a source in whose step the worker dies, after the step was done.

    Args:
        real: the handlers of the source.
    """

    def __init__(self, real: Handlers) -> None:
        self.real = real

    def export(self, subject: DataSubject) -> Iterator[Section]:
        """Export, and die."""
        yield from self.real.export(subject)
        raise Killed

    def preview(self, subject: DataSubject) -> ErasureCount:
        """Preview as ever."""
        return self.real.preview(subject)

    def erase(self, subject: DataSubject) -> ErasureCount:
        """Erase, and die before anybody hears of it."""
        self.real.erase(subject)
        raise Killed


def principal_of(user: User) -> Principal:
    """Return a person who acts for himself."""
    return bare(user)


def asked(user: User) -> SubjectRequest:
    """Return a request for a copy that no worker has seen."""
    return subject_requests.receive_access(user, principal=principal_of(user))


def ready(user: User) -> SubjectRequest:
    """Return a request whose copy can be fetched."""
    request = asked(user)
    exports.run(request.pk)
    request.refresh_from_db()
    if request.state != RequestState.READY:
        raise ValueError(f"the copy is not ready but {request.state}")
    return request


def copy_of(user: User) -> dict[str, bytes]:
    """Return the files of a person's copy."""
    return opened(exports.fetch(ready(user), principal=principal_of(user)))


def opened(content: bytes) -> dict[str, bytes]:
    """Return the files of a ZIP by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        return {name: bundle.read(name) for name in bundle.namelist()}


def planned(user: User) -> ErasurePlan:
    """Return an erasure that begins in 72 hours."""
    return erasure.schedule(user, principal=principal_of(user))


def due(user: User) -> ErasurePlan:
    """Return an erasure whose 72 hours are over."""
    plan = planned(user)
    plan.runs_at = clock.now() - timedelta(seconds=1)
    plan.save(update_fields=["runs_at"])
    return plan


def erased(user: User) -> ErasurePlan:
    """Return an erasure that was run."""
    plan = due(user)
    erasure_runs.run(plan.pk)
    plan.refresh_from_db()
    return plan


def free_lease(row: SubjectRequest | ErasurePlan) -> None:
    """Let the lease of a killed worker run out, and the last reminder be long ago."""
    long_ago = clock.real_now() - timedelta(hours=1)
    type(row).objects.filter(pk=row.pk).update(lease_until=long_ago, enqueued_at=long_ago)


def archive_of(request: SubjectRequest) -> Archive:
    """Return the archive of a request as it is stored."""
    return Archive.objects.get(request=request)


@contextmanager
def moved_clock(by: timedelta) -> Iterator[None]:
    """Let some time pass inside the block."""
    clock.set_offset(by)
    try:
        yield
    finally:
        clock.set_offset(timedelta(0))

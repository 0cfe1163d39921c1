"""Errors of privacy."""

from foundation.errors import Conflict, NotFound


class RequestNotFound(NotFound):
    """There is no such request of this person."""

    code = "privacy.request_not_found"


class ArchiveGone(NotFound):
    """The archive was fetched or has ended; its key is destroyed."""

    code = "privacy.archive_gone"


class RequestRunning(Conflict):
    """A request of this kind is already open."""

    code = "privacy.request_running"


class NotCancellable(Conflict):
    """The erasure has begun or there is none."""

    code = "privacy.not_cancellable"

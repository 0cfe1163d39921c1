"""Tasks of privacy: ids in, one service call."""

from uuid import UUID

from foundation.deferred import task
from privacy.services import erasure_runs, exports, mails


@task("privacy.run_export", purpose="Make the archive of an access request", queue="bulk")
def run_export(request_id: str) -> None:
    """Make an archive."""
    exports.run(UUID(request_id))


@task("privacy.run_erasure", purpose="Erase a person's data", queue="bulk")
def run_erasure(plan_id: str) -> None:
    """Run an erasure."""
    erasure_runs.run(UUID(plan_id))


@task("privacy.mail_ready", purpose="Tell a person that the copy is ready", queue="mail")
def mail_ready(request_id: str) -> None:
    """Send the mail."""
    mails.tell_ready(UUID(request_id))


@task("privacy.mail_erasure_scheduled", purpose="Tell a person of a planned erasure", queue="mail")
def mail_erasure_scheduled(plan_id: str) -> None:
    """Send the mail."""
    mails.tell_scheduled(UUID(plan_id))

"""Tasks of the partners: ids in, one service call."""

from uuid import UUID

from foundation.deferred import task
from integrations.partners.services import mails


@task("partners.mail_confirmation", purpose="Send a link that confirms an address", queue="mail")
def mail_confirmation(onboarding_id: str) -> None:
    """Send the mail; where the server does not take it, the sweep tries again."""
    mails.send_confirmation(UUID(onboarding_id))


@task("partners.mail_decision", purpose="Tell a partner what was decided", queue="mail")
def mail_decision(onboarding_id: str) -> None:
    """Send the mail."""
    mails.send_decision(UUID(onboarding_id))

"""Tasks of the journal."""

from uuid import UUID

from audit.alerts import delivery
from foundation.deferred import task


@task(
    delivery.TASK,
    queue="alerts",
    purpose="Send a security alert to the operator's channel or the person it is about",
)
def deliver_alert(delivery_id: str) -> None:
    """Send one delivery, if it is due."""
    delivery.deliver(UUID(delivery_id))

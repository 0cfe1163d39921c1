"""The second date of an erasure: its values are unreadable in every copy (encryption.md 10)."""

from uuid import UUID

from django.db import transaction

from audit.services import record
from encryption.services import earliest_living_epoch, present_epoch
from foundation import clock, principals
from privacy.audit_events import ERASURE_COMPLETED
from privacy.models import ErasurePlan
from privacy.models.erasure import PlanState
from privacy.services import receipts

SYSTEM = principals.system("privacy.complete_erasures")
BATCH = 50


def sweep() -> bool:
    """Complete the erasures whose key epochs are destroyed; say whether more can be done now.

    Raises:
        KeysUnavailable: the keys database or the key service is away; a later round goes on.
    """
    waiting = ErasurePlan.objects.filter(state=PlanState.ERASED_LIVE)
    # Erased before epochs were noted: the present one is the newest that can have held its keys.
    for plan_id in waiting.filter(key_epoch__isnull=True).values_list("pk", flat=True)[:BATCH]:
        ErasurePlan.objects.filter(pk=plan_id).update(key_epoch=present_epoch())
    dead = waiting.filter(key_epoch__lt=earliest_living_epoch()).order_by("erased_at")
    plans = list(dead.values_list("pk", flat=True)[:BATCH])
    for plan_id in plans:
        _complete(plan_id)
    return len(plans) == BATCH


def _complete(plan_id: UUID) -> None:
    with transaction.atomic():
        plan = ErasurePlan.objects.select_for_update().get(pk=plan_id)
        if plan.state != PlanState.ERASED_LIVE:
            return
        plan.state, plan.completed_at = PlanState.COMPLETE, clock.now()
        plan.save(update_fields=["state", "completed_at"])
        receipts.complete(plan.receipt, at=plan.completed_at)
        record(
            ERASURE_COMPLETED,
            principal=SYSTEM,
            target=plan,
            details={"key_epoch": plan.key_epoch or 0},
        )

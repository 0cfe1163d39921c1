"""Erasure as a person sees it: previewed, confirmed, cancelled within 72 hours (privacy.md 5)."""

from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import record
from foundation import clock, leases
from foundation.contracts.personal_data import ErasureCount, personal_data
from foundation.deferred import defer
from foundation.principals import Principal
from privacy import queries
from privacy.audit_events import ERASURE_CANCELLED, ERASURE_SCHEDULED
from privacy.errors import NotCancellable
from privacy.models import ErasurePlan
from privacy.models.erasure import PlanState
from privacy.models.subject_request import RequestKind, RequestState
from privacy.services import receipts
from privacy.services.subject_requests import move, receive
from privacy.services.subjects import subject_of

WAIT = timedelta(hours=72)
BATCH = 50


def preview(user: User) -> list[ErasureCount]:
    """Return per source what an erasure would delete, shred and keep, changing nothing.

    Call outside ``organisation_scope``: sources open the scope of each of the person's
    organisations.
    """
    subject = subject_of(user)
    counts = (
        source.handlers.preview(subject)
        for source in personal_data.all()
        if source.handlers is not None
    )
    return [count for count in counts if count.deleted or count.shredded or count.kept]


def schedule(user: User, *, principal: Principal) -> ErasurePlan:
    """Plan the erasure in 72 hours; until then signing in can cancel it.

    Raises:
        RequestRunning: an erasure is planned already.
    """
    with transaction.atomic():
        request = receive(user, kind=RequestKind.ERASURE, principal=principal)
        move(request, to=RequestState.OPEN)
        plan = ErasurePlan(
            request=request, runs_at=clock.now() + WAIT, enqueued_at=clock.real_now()
        )
        plan.receipt_digest = receipts.digest(receipts.token_of(plan.pk))
        plan.save()
        record(
            ERASURE_SCHEDULED,
            principal=principal,
            target=plan,
            about=user.subject_id,
            details={"led_alone": len(queries.led_alone_by(user.pk))},
        )
        defer("privacy.mail_erasure_scheduled", plan_id=plan.pk)
        return plan


def cancel(plan: ErasurePlan, *, principal: Principal) -> None:
    """Stop a planned erasure before it begins.

    Raises:
        NotCancellable: it has begun, or is over.
    """
    with transaction.atomic():
        locked = ErasurePlan.objects.select_for_update().select_related("request").get(pk=plan.pk)
        if locked.state != PlanState.SCHEDULED:
            raise NotCancellable(_("The erasure has begun and cannot be cancelled."))
        locked.state = PlanState.CANCELLED
        locked.save(update_fields=["state"])
        move(locked.request, to=RequestState.WITHDRAWN)
        record(
            ERASURE_CANCELLED,
            principal=principal,
            target=locked,
            about=locked.request.subject_id,
        )


def sweep() -> bool:
    """Tell workers of due erasures and of mails that were not sent."""
    due = ErasurePlan.objects.filter(
        leases.is_free(),
        state__in=[PlanState.SCHEDULED, PlanState.RUNNING],
        runs_at__lte=clock.now(),
    )
    _remind("privacy.run_erasure", due)
    unmailed = ErasurePlan.objects.filter(
        state=PlanState.SCHEDULED, told_at__isnull=True, runs_at__gt=clock.now()
    )
    _remind("privacy.mail_erasure_scheduled", unmailed)
    return False


def _remind(task: str, plans: QuerySet[ErasurePlan]) -> None:
    for plan_id in leases.tell(plans, limit=BATCH):
        defer(task, plan_id=plan_id)

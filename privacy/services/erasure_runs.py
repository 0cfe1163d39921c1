"""The run of an erasure, source by source, keys last; a worker killed anywhere is followed up."""

from uuid import UUID

from django.db import transaction
from django.utils import translation

from accounts.models import User
from accounts.services.sessions import end_access
from audit.services import record
from encryption.services import Owner, OwnerKind, erase, present_epoch
from foundation import clock, leases, principals
from foundation.contracts.personal_data import (
    DataSubject,
    ErasureCount,
    PersonalDataSource,
    personal_data,
)
from privacy.audit_events import ERASURE_ERASED, ERASURE_STARTED
from privacy.models import ErasureItem, ErasurePlan
from privacy.models.erasure import PlanState
from privacy.services import receipts
from privacy.services.subject_requests import close
from privacy.services.subjects import subject_of

SYSTEM = principals.system("privacy.run_erasure")


def run(plan_id: UUID) -> None:
    """Erase a person; does nothing where another worker holds or did it.

    May be called again after a crash at any line. The keys go last: until then each handler can
    still find what it erases. The account is registered first and erased last.
    """
    plan = _claim(plan_id)
    if plan is None:
        return
    subject = subject_of(User.objects.get(pk=plan.request.user_id))
    with translation.override(plan.request.language):
        for source in reversed(personal_data.all()):
            _erase_source(plan, source, subject)
    erase(Owner(kind=OwnerKind.SUBJECT, id=subject.subject_id))
    _finish(plan)


def _claim(plan_id: UUID) -> ErasurePlan | None:
    with transaction.atomic():
        plan = (
            ErasurePlan.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("request")
            .filter(leases.is_free(), pk=plan_id)
            .filter(state__in=[PlanState.SCHEDULED, PlanState.RUNNING], runs_at__lte=clock.now())
            .first()
        )
        if plan is None:
            return None
        if plan.state == PlanState.SCHEDULED:
            _begin(plan)
        plan.state = PlanState.RUNNING
        plan.lease_until = leases.end()
        plan.save(update_fields=["state", "lease_until"])
        return plan


def _begin(plan: ErasurePlan) -> None:
    """End all access; the locked row keeps new requests of the person out (``receive``)."""
    user = User.objects.select_for_update().get(pk=plan.request.user_id)
    record(ERASURE_STARTED, principal=SYSTEM, target=plan, about=plan.request.subject_id)
    end_access(user, reason="erasure", principal=SYSTEM)


def _erase_source(plan: ErasurePlan, source: PersonalDataSource, subject: DataSubject) -> None:
    """Run a handler and note what it did in one transaction, so that neither is without the other.

    The locked plan keeps a second worker out whose predecessor was only slow.
    """
    if source.handlers is None:
        return
    with transaction.atomic():
        ErasurePlan.objects.select_for_update().get(pk=plan.pk)
        if plan.items.filter(label=source.label).exists():
            return
        _note(plan, source, source.handlers.erase(subject))
        ErasurePlan.objects.filter(pk=plan.pk).update(lease_until=leases.end())


def _note(plan: ErasurePlan, source: PersonalDataSource, count: ErasureCount) -> None:
    ErasureItem.objects.create(
        plan=plan,
        label=source.label,
        title=str(source.shown_title),
        deleted=count.deleted,
        shredded=count.shredded,
        kept=count.kept,
        reason=str(count.reason),
    )


def _finish(plan: ErasurePlan) -> None:
    with transaction.atomic():
        locked = ErasurePlan.objects.select_for_update().select_related("request").get(pk=plan.pk)
        if locked.state != PlanState.RUNNING:
            return
        locked.state = PlanState.ERASED_LIVE
        locked.erased_at = clock.now()
        locked.key_epoch = present_epoch()
        locked.save(update_fields=["state", "erased_at", "key_epoch"])
        items = list(locked.items.order_by("label"))
        receipts.write(locked, items)
        record(
            ERASURE_ERASED,
            principal=SYSTEM,
            target=locked,
            details={
                "deleted": sum(item.deleted for item in items),
                "shredded": sum(item.shredded for item in items),
                "kept": sum(item.kept for item in items),
            },
        )
        close(locked.request, principal=SYSTEM)

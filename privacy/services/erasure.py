"""Erasure: previewed, confirmed, run after 72 hours, receipted (privacy.md 5)."""

import json
import secrets
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services.sessions import end_access
from audit.services import record
from encryption.services import Owner, OwnerKind, erase, public_key, sign
from foundation import clock, principals
from foundation.contracts.people import person_directory
from foundation.contracts.personal_data import ErasureCount, PersonalDataSource, personal_data
from foundation.deferred import defer
from foundation.mail import send
from foundation.principals import Principal
from privacy.audit_events import (
    ERASURE_CANCELLED,
    ERASURE_ERASED,
    ERASURE_SCHEDULED,
    ERASURE_STARTED,
)
from privacy.errors import NotCancellable
from privacy.models import ErasureItem, ErasurePlan, Receipt, SubjectRequest
from privacy.models.erasure import PlanState
from privacy.models.subject_request import RequestKind, RequestState
from privacy.services.exports import subject_of
from privacy.services.subject_requests import close, move, receive

WAIT = timedelta(hours=72)
LEASE = timedelta(minutes=2)
SYSTEM = principals.system("privacy.run_erasure")


def preview(user: User) -> list[ErasureCount]:
    """Return per source what an erasure would delete, shred and keep, changing nothing."""
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
        plan = ErasurePlan.objects.create(request=request, runs_at=clock.now() + WAIT)
        record(ERASURE_SCHEDULED, principal=principal, target=plan, about=user.subject_id)
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


def tell_scheduled(plan_id: UUID) -> None:
    """Mail the date of an erasure, the way to cancel it and the receipt's secret address.

    The address must be sent now: afterwards there is no address left to send anything to.
    """
    plan = ErasurePlan.objects.select_related("request").get(pk=plan_id)
    if plan.state != PlanState.SCHEDULED:
        return
    contact = person_directory.implementation.notice_addresses(plan.request.subject_id)
    token = secrets.token_urlsafe(32)
    plan.receipt_digest = digest(token)
    plan.save(update_fields=["receipt_digest"])
    send(
        template="privacy/erasure_scheduled",
        to=list(contact.addresses),
        language=contact.language,
        context={
            "runs_at": plan.runs_at,
            "action_url": f"{settings.BASE_URL}{reverse('privacy:overview')}",
            "receipt_url": f"{settings.BASE_URL}{reverse('privacy:receipt', args=[token])}",
        },
    )


def digest(token: str) -> bytes:
    """Return what is stored of a receipt's secret address."""
    return sha256(token.encode()).digest()


def sweep() -> bool:
    """Send due erasures to a worker; a killed one is sent again once its lease is over."""
    due = ErasurePlan.objects.filter(
        Q(lease_until__isnull=True) | Q(lease_until__lt=clock.now()),
        state__in=[PlanState.SCHEDULED, PlanState.RUNNING],
        runs_at__lte=clock.now(),
    )
    for plan_id in due.values_list("pk", flat=True)[:50]:
        defer("privacy.run_erasure", plan_id=plan_id)
    return False


def run(plan_id: UUID) -> None:
    """Erase a person, source by source; may be called again after a crash at any line.

    The keys go last: until then each handler can still find what it erases.
    """
    plan = _claim(plan_id)
    if plan is None:
        return
    request = plan.request
    user = User.objects.filter(pk=request.user_id).first()
    if user is not None:
        end_access(user, reason="erasure")
        _erase_sources(plan, user)
    erase(Owner(kind=OwnerKind.SUBJECT, id=request.subject_id))
    _finish(plan)


def _claim(plan_id: UUID) -> ErasurePlan | None:
    with transaction.atomic():
        plan = (
            ErasurePlan.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("request")
            .filter(Q(lease_until__isnull=True) | Q(lease_until__lt=clock.now()), pk=plan_id)
            .filter(state__in=[PlanState.SCHEDULED, PlanState.RUNNING], runs_at__lte=clock.now())
            .first()
        )
        if plan is None:
            return None
        if plan.state == PlanState.SCHEDULED:
            record(ERASURE_STARTED, principal=SYSTEM, target=plan, about=plan.request.subject_id)
        plan.state = PlanState.RUNNING
        plan.lease_until = clock.now() + LEASE
        plan.save(update_fields=["state", "lease_until"])
        return plan


def _erase_sources(plan: ErasurePlan, user: User) -> None:
    """Run every source's handler; the account itself is registered first and erased last."""
    subject = subject_of(user)
    done = set(plan.items.values_list("label", flat=True))
    for source in reversed(personal_data.all()):
        if source.handlers is None or source.label in done:
            continue
        _note(plan, source, source.handlers.erase(subject))


def _note(plan: ErasurePlan, source: PersonalDataSource, count: ErasureCount) -> None:
    with transaction.atomic():
        ErasureItem.objects.create(
            plan=plan,
            label=source.label,
            deleted=count.deleted,
            shredded=count.shredded,
            kept=count.kept,
            reason=str(count.reason),
        )
        ErasurePlan.objects.filter(pk=plan.pk).update(lease_until=clock.now() + LEASE)


def _finish(plan: ErasurePlan) -> None:
    with transaction.atomic():
        locked = ErasurePlan.objects.select_for_update().select_related("request").get(pk=plan.pk)
        locked.state = PlanState.ERASED_LIVE
        locked.erased_at = clock.now()
        locked.save(update_fields=["state", "erased_at"])
        items = list(locked.items.order_by("label"))
        _write_receipt(locked, items)
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
        close(SubjectRequest.objects.get(pk=locked.request_id), principal=SYSTEM)


def _write_receipt(plan: ErasurePlan, items: list[ErasureItem]) -> None:
    body = json.dumps(
        {
            "receipt": str(plan.pk),
            "unreadable_in_live_system_at": clock.now().isoformat(),
            "unreadable_in_every_copy_at": None,
            "sources": [
                {
                    "label": item.label,
                    "deleted": item.deleted,
                    "shredded": item.shredded,
                    "kept": item.kept,
                    "reason": item.reason,
                }
                for item in items
            ],
            "note": "Destroying keys makes values unreadable; backups stay readable for holders of "
            "an old key-store backup until its key epoch is destroyed.",
        },
        sort_keys=True,
        ensure_ascii=False,
    )
    signature = sign("receipt", body.encode())
    Receipt.objects.create(plan=plan, body=body, signature=signature.value, key_id=signature.key_id)


def receipt_file(receipt: Receipt) -> bytes:
    """Return a receipt with its signature and public key, to be checked without the portal."""
    return json.dumps(
        {
            "body": receipt.body,
            "signature": bytes(receipt.signature).hex(),
            "key_id": bytes(receipt.key_id).hex(),
            "public_key": public_key("receipt", key_id=bytes(receipt.key_id)).hex(),
            "algorithm": "Ed25519 over the UTF-8 bytes of body",
        },
        indent=2,
    ).encode()

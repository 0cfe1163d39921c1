"""Security notices: a row says what is due, a worker sends it, a sweep finds what was forgotten."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from accounts.models import NotificationAddress, SecurityNotice, User
from accounts.types import NoticeKind
from encryption.cells import cell
from foundation import clock, leases, mail
from foundation.contracts.people import NoticeContact
from foundation.deferred import defer

SWEEP_AFTER = timedelta(seconds=30)


@transaction.atomic
def tell(user: User, kind: NoticeKind) -> SecurityNotice:
    """Let a person know by mail, once the present change is committed."""
    notice = SecurityNotice.objects.create(user=user, kind=kind)
    defer("accounts.send_notice", notice_id=notice.pk)
    return notice


def send(notice_id: UUID) -> None:
    """Send a notice that is due; a second call does nothing."""
    found = SecurityNotice.objects.filter(pk=notice_id)
    if not leases.take(found.filter(sent_at__isnull=True)):
        return
    notice = found.select_related("user").get()
    if not notice.user.is_active:
        return
    contact = contact_of(notice.user)
    mail.send(
        template="accounts/notice",
        to=contact.addresses,
        language=contact.language,
        context={
            "kind": notice.kind,
            "title": notice.get_kind_display(),
            "at": notice.created_at,
            "action_url": f"{settings.BASE_URL}{reverse('session_list')}",
        },
    )
    found.update(sent_at=clock.now(), lease_until=None)


def contact_of(user: User) -> NoticeContact:
    """Return where notices to a person go: the sign-in address and all confirmed others."""
    confirmed = NotificationAddress.objects.filter(user=user, verified_at__isnull=False)
    others = (cell(row, "address").value for row in confirmed)  # one that is unreadable stops none
    addresses = dict.fromkeys([user.email, *(str(address) for address in others if address)])
    return NoticeContact(addresses=tuple(addresses), language=user.language)


def due() -> list[UUID]:
    """Return the notices that no worker has sent, although it is time."""
    waiting = SecurityNotice.objects.filter(
        leases.is_free(),
        sent_at__isnull=True,
        user__is_active=True,
        created_at__lt=clock.now() - SWEEP_AFTER,
    )
    return list(waiting.order_by("created_at").values_list("pk", flat=True)[:50])

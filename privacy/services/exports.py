"""Exports: the archive of an access request, made by a worker and fetched once."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Membership, User
from audit.services import record
from encryption.services import Owner, OwnerKind, erase, open_bytes, seal_bytes
from foundation import clock, principals
from foundation.contracts.personal_data import DataSubject, Section, personal_data
from foundation.deferred import defer
from foundation.principals import Principal
from privacy import archive
from privacy.audit_events import REQUEST_DELIVERED, REQUEST_READY
from privacy.errors import ArchiveGone
from privacy.models import Archive, SubjectRequest
from privacy.models.subject_request import RequestKind, RequestState
from privacy.services.subject_requests import close, move

LABEL = "privacy.archive.content"
LEASE = timedelta(minutes=2)
LIFE = timedelta(days=7)
SWEEP_AFTER = timedelta(seconds=20)


def subject_of(user: User) -> DataSubject:
    """Return the person as sources of personal data ask for them."""
    organisations = Membership.objects.filter(user=user).values_list("organisation_id", flat=True)
    return DataSubject(
        user_id=user.pk,
        subject_id=user.subject_id,
        email=user.email,
        organisation_ids=tuple(organisations.distinct()),
    )


def run(request_id: UUID) -> None:
    """Make the archive of a request; does nothing where another worker holds or did it."""
    request = _claim(request_id)
    if request is None:
        return
    user = User.objects.get(pk=request.user_id)
    sections = list(_sections(request, subject_of(user)))
    built = archive.build(
        sections, language=request.language, made_on=clock.now().date().isoformat()
    )
    _keep(request, built)


def fetch(request: SubjectRequest, *, principal: Principal) -> bytes:
    """Return the ZIP once; its key is destroyed with the same act.

    Raises:
        ArchiveGone: it was fetched before or its seven days are over.
    """
    with transaction.atomic():
        held = Archive.objects.select_for_update().filter(request=request).first()
        if held is None or held.content is None or held.expires_at <= clock.now():
            raise ArchiveGone(_("This copy was fetched or has ended. Ask for a new one."))
        content = open_bytes(
            owner=_owner(held.pk), label=LABEL, row_id=held.pk, sealed=bytes(held.content)
        )
        held.content = None
        held.fetched_at = clock.now()
        held.save(update_fields=["content", "fetched_at"])
        record(REQUEST_DELIVERED, principal=principal, target=request, about=request.subject_id)
        close(request, principal=principal)
    erase(_owner(held.pk))
    return content


def sweep() -> bool:
    """Send forgotten export requests again and end archives that nobody fetched."""
    late = clock.now() - SWEEP_AFTER
    due = SubjectRequest.objects.filter(
        Q(lease_until__isnull=True) | Q(lease_until__lt=clock.now()),
        kind=RequestKind.ACCESS,
        state__in=[RequestState.RECEIVED, RequestState.OPEN],
        received_at__lt=late,
    )
    for request_id in due.values_list("pk", flat=True)[:50]:
        defer("privacy.run_export", request_id=request_id)
    for held in Archive.objects.filter(content__isnull=False, expires_at__lte=clock.now())[:50]:
        _lapse(held.pk)
    return False


def _claim(request_id: UUID) -> SubjectRequest | None:
    with transaction.atomic():
        request = (
            SubjectRequest.objects.select_for_update(skip_locked=True)
            .filter(Q(lease_until__isnull=True) | Q(lease_until__lt=clock.now()), pk=request_id)
            .filter(state__in=[RequestState.RECEIVED, RequestState.OPEN])
            .first()
        )
        if request is None:
            return None
        if request.state == RequestState.RECEIVED:
            move(request, to=RequestState.OPEN)
        request.lease_until = clock.now() + LEASE
        request.done_steps = 0
        request.total_steps = len(personal_data)
        request.save(update_fields=["lease_until", "done_steps", "total_steps"])
        return request


def _sections(request: SubjectRequest, subject: DataSubject) -> Iterator[Section]:
    for number, source in enumerate(personal_data.all(), start=1):
        if source.handlers is not None:
            yield from (item for item in source.handlers.export(subject) if item.rows)
        SubjectRequest.objects.filter(pk=request.pk).update(
            done_steps=number, lease_until=clock.now() + LEASE
        )


def _keep(request: SubjectRequest, built: archive.BuiltArchive) -> None:
    held = Archive(request=request, size_bytes=len(built.content), expires_at=clock.now() + LIFE)
    held.content = seal_bytes(
        owner=_owner(held.pk), label=LABEL, row_id=held.pk, plaintext=built.content
    )
    with transaction.atomic():
        locked = SubjectRequest.objects.select_for_update().get(pk=request.pk)
        if locked.state != RequestState.OPEN:
            return
        held.save()
        move(locked, to=RequestState.READY)
        record(
            REQUEST_READY,
            principal=principals.system("privacy.run_export"),
            target=request,
            about=request.subject_id,
            details={"sections": built.sections, "rows": built.rows},
        )
        defer("privacy.mail_ready", request_id=request.pk)


def _lapse(archive_id: UUID) -> None:
    with transaction.atomic():
        held = Archive.objects.select_for_update().select_related("request").get(pk=archive_id)
        held.content = None
        held.save(update_fields=["content"])
        if held.request.state == RequestState.READY:
            move(held.request, to=RequestState.LAPSED)
    erase(_owner(archive_id))


def _owner(archive_id: UUID) -> Owner:
    return Owner(kind=OwnerKind.ARCHIVE, id=archive_id)

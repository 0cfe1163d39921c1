"""Exports: the archive of an access request, made by a worker and fetched once."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import record
from encryption.services import Owner, OwnerKind, erase, open_bytes, seal_bytes
from foundation import clock, leases, principals
from foundation.contracts.personal_data import DataSubject, Section, personal_data
from foundation.deferred import defer
from foundation.principals import Principal
from privacy import archive
from privacy.audit_events import REQUEST_DELIVERED, REQUEST_READY
from privacy.errors import ArchiveGone
from privacy.models import Archive, SubjectRequest
from privacy.models.subject_request import RequestKind, RequestState
from privacy.services.subject_requests import close, move
from privacy.services.subjects import subject_of

LABEL = "privacy.archive.content"
LIFE = timedelta(days=7)
BATCH = 50
SYSTEM = principals.system("privacy.run_export")
UNANSWERED = (RequestState.RECEIVED, RequestState.OPEN)


def run(request_id: UUID) -> None:
    """Make the archive of a request; does nothing where another worker holds or did it."""
    request = _claim(request_id)
    if request is None:
        return
    subject = subject_of(User.objects.get(pk=request.user_id))
    with translation.override(request.language):
        sections = list(_sections(request, subject))
    made_on = clock.now().date().isoformat()
    _keep(request, archive.build(sections, language=request.language, made_on=made_on))


def fetch(request: SubjectRequest, *, principal: Principal) -> bytes:
    """Return the ZIP once; then its key is destroyed.

    Call outside a transaction: the key must go after the commit, never before it.

    Raises:
        ArchiveGone: it was fetched before or its seven days are over.
    """
    with transaction.atomic():
        held = _locked(Archive.objects.filter(request=request, expires_at__gt=clock.now()))
        if held is None or held.content is None:
            raise ArchiveGone(_("This copy was fetched or has ended. Ask for a new one."))
        content = open_bytes(
            owner=_owner(held.pk), label=LABEL, row_id=held.pk, sealed=bytes(held.content)
        )
        held.content = None
        held.fetched_at = clock.now()
        held.save(update_fields=["content", "fetched_at"])
        record(REQUEST_DELIVERED, principal=principal, target=request, about=request.subject_id)
        close(held.request, principal=principal)
    _destroy_key(held.pk)
    return content


def sweep() -> bool:
    """Tell workers of forgotten requests and mails, and end archives that nobody fetched."""
    waiting = SubjectRequest.objects.filter(
        leases.is_free(), kind=RequestKind.ACCESS, state__in=UNANSWERED
    )
    _remind("privacy.run_export", waiting)
    unmailed = SubjectRequest.objects.filter(
        state=RequestState.READY, archive__told_at__isnull=True
    )
    _remind("privacy.mail_ready", unmailed)
    owed = Q(content__isnull=True, key_destroyed_at__isnull=True)
    ended = Archive.objects.filter(owed | Q(content__isnull=False, expires_at__lte=clock.now()))
    for archive_id in ended.values_list("pk", flat=True)[:BATCH]:
        _end(archive_id)
    return False


def count_held(subject: DataSubject) -> int:
    """Return how many archives of a person can still be opened."""
    return _held_of(subject).count()


def discard(subject: DataSubject) -> int:
    """End all requests for a copy and destroy the archives' keys; return how many there were."""
    waiting = SubjectRequest.objects.filter(
        user_id=subject.user_id, kind=RequestKind.ACCESS, state__in=UNANSWERED
    )
    for request in waiting.select_for_update():
        move(request, to=RequestState.WITHDRAWN)
    ids = list(_held_of(subject).values_list("pk", flat=True))
    for archive_id in ids:
        _end(archive_id)
    return len(ids)


def _claim(request_id: UUID) -> SubjectRequest | None:
    with transaction.atomic():
        request = (
            SubjectRequest.objects.select_for_update(skip_locked=True)
            .filter(leases.is_free(), pk=request_id, kind=RequestKind.ACCESS)
            .filter(state__in=UNANSWERED)
            .first()
        )
        if request is None:
            return None
        if request.state == RequestState.RECEIVED:
            move(request, to=RequestState.OPEN)
        request.lease_until = leases.end()
        request.done_steps = 0
        request.total_steps = len(personal_data)
        request.save(update_fields=["lease_until", "done_steps", "total_steps"])
        return request


def _sections(request: SubjectRequest, subject: DataSubject) -> Iterator[Section]:
    for number, source in enumerate(personal_data.all(), start=1):
        if source.handlers is not None:
            yield from (item for item in source.handlers.export(subject) if item.rows)
        SubjectRequest.objects.filter(pk=request.pk).update(
            done_steps=number, lease_until=leases.end()
        )


def _keep(request: SubjectRequest, built: archive.BuiltArchive) -> None:
    held = Archive(request=request, size_bytes=len(built.content), expires_at=clock.now() + LIFE)
    held.content = seal_bytes(
        owner=_owner(held.pk), label=LABEL, row_id=held.pk, plaintext=built.content
    )
    if not _hand_over(held, built):
        erase(_owner(held.pk))


def _hand_over(held: Archive, built: archive.BuiltArchive) -> bool:
    """Store an archive unless its request was ended or answered in the meantime."""
    with transaction.atomic():
        request = SubjectRequest.objects.select_for_update().get(pk=held.request_id)
        if request.state != RequestState.OPEN:
            return False
        held.save()
        move(request, to=RequestState.READY)
        request.enqueued_at = clock.real_now()
        request.save(update_fields=["enqueued_at"])
        record(
            REQUEST_READY,
            principal=SYSTEM,
            target=request,
            about=request.subject_id,
            details={"sections": built.sections, "rows": built.rows},
        )
        defer("privacy.mail_ready", request_id=request.pk)
        return True


def _remind(task: str, requests: QuerySet[SubjectRequest]) -> None:
    for request_id in leases.tell(requests, limit=BATCH):
        defer(task, request_id=request_id)


def _end(archive_id: UUID) -> None:
    """End an archive whose days are over or whose person is erased, its key last."""
    with transaction.atomic():
        held = _locked(Archive.objects.filter(pk=archive_id))
        if held is not None and held.content is not None:
            held.content = None
            held.save(update_fields=["content"])
            move(held.request, to=RequestState.LAPSED)
    _destroy_key(archive_id)


def _destroy_key(archive_id: UUID) -> None:
    erase(_owner(archive_id))
    Archive.objects.filter(pk=archive_id).update(key_destroyed_at=clock.now())


def _held_of(subject: DataSubject) -> QuerySet[Archive]:
    return Archive.objects.filter(request__user_id=subject.user_id, key_destroyed_at__isnull=True)


def _locked(archives: QuerySet[Archive]) -> Archive | None:
    """Return an archive with its request, both locked."""
    return archives.select_for_update().select_related("request").first()


def _owner(archive_id: UUID) -> Owner:
    return Owner(kind=OwnerKind.ARCHIVE, id=archive_id)

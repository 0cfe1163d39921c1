"""The copy of a person's data: made once, fetched once, its key destroyed."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import User
from audit.models import AuditEvent
from encryption.models import DataKey
from encryption.services import Owner, OwnerKind, was_erased
from foundation import clock
from foundation.contracts.personal_data import personal_data
from privacy import archive
from privacy.errors import ArchiveGone
from privacy.models import Archive, RequestStep, SubjectRequest
from privacy.models.subject_request import RequestState
from privacy.services import exports
from privacy.services.subjects import subject_of
from tests.factories import accounts as people
from tests.factories import privacy as make
from tests.factories.privacy import Killed

Captured = Callable[[], AbstractContextManager[list[Callable[[], object]]]]


@pytest.fixture
def person() -> User:
    return people.member(people.organisation(), name="Nina Nowak")


def owner_of(held: Archive) -> Owner:
    return Owner(OwnerKind.ARCHIVE, held.pk)


def entries(code: str) -> int:
    return AuditEvent.objects.filter(type=code).count()


def test_a_worker_makes_the_copy(person: User) -> None:
    request = make.ready(person)

    held = make.archive_of(request)
    assert held.content is not None
    assert b"PK\x03\x04" not in bytes(held.content)
    assert held.expires_at - held.made_at >= timedelta(days=6, hours=23)
    assert request.done_steps == request.total_steps == len(personal_data)
    assert entries("privacy.request.ready") == 1


def test_running_twice_makes_one_copy(person: User) -> None:
    request = make.ready(person)

    exports.run(request.pk)

    assert Archive.objects.count() == 1
    assert entries("privacy.request.ready") == 1


def test_a_request_that_another_worker_holds_is_left_alone(person: User) -> None:
    request = make.asked(person)
    exports._claim(request.pk)

    exports.run(request.pk)

    assert not Archive.objects.exists()
    assert SubjectRequest.objects.get(pk=request.pk).state == RequestState.OPEN


@pytest.mark.parametrize("label", [make.WITH_HANDLERS[0], make.WITH_HANDLERS[-1]])
def test_a_worker_killed_on_the_way_is_followed_by_another(
    person: User, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = make.asked(person)
    source = personal_data.get(label)
    assert source.handlers is not None
    with monkeypatch.context() as patched:
        dying = replace(source, handlers=make.Dying(source.handlers))
        patched.setitem(personal_data._items, label, dying)
        with pytest.raises(Killed):
            exports.run(request.pk)
    exports.run(request.pk)
    assert not Archive.objects.exists()
    make.free_lease(request)

    exports.run(request.pk)

    assert Archive.objects.count() == 1
    states = RequestStep.objects.filter(request=request).order_by("pk")
    assert [step.state for step in states] == ["received", "open", "ready"]


def test_a_copy_that_comes_too_late_is_not_kept(person: User) -> None:
    request = make.asked(person)
    claimed = exports._claim(request.pk)
    assert claimed is not None
    exports.discard(subject_of(person))

    exports._keep(claimed, archive.build([], language="en", made_on="2026-11-24"))

    assert not Archive.objects.exists()
    assert not DataKey.objects.using("keys").filter(owner_kind=OwnerKind.ARCHIVE).exists()
    assert SubjectRequest.objects.get(pk=request.pk).state == RequestState.WITHDRAWN


def test_the_copy_is_fetched_once_and_its_key_destroyed(person: User) -> None:
    request = make.ready(person)

    content = exports.fetch(request, principal=make.principal_of(person))

    held = make.archive_of(request)
    assert content.startswith(b"PK")
    assert held.content is None
    assert held.fetched_at is not None
    assert held.key_destroyed_at is not None
    assert was_erased(owner_of(held))
    assert SubjectRequest.objects.get(pk=request.pk).state == RequestState.CLOSED
    assert entries("privacy.request.delivered") == entries("privacy.request.closed") == 1
    with pytest.raises(ArchiveGone):
        exports.fetch(request, principal=make.principal_of(person))


def test_an_archive_ends_after_seven_days_with_its_key(person: User) -> None:
    request = make.ready(person)
    with make.moved_clock(timedelta(days=6, hours=23)):
        exports.sweep()
        assert make.archive_of(request).content is not None

    with make.moved_clock(timedelta(days=7, seconds=1)):
        with pytest.raises(ArchiveGone):
            exports.fetch(request, principal=make.principal_of(person))
        exports.sweep()

    held = make.archive_of(request)
    assert held.content is None
    assert was_erased(owner_of(held))
    assert SubjectRequest.objects.get(pk=request.pk).state == RequestState.LAPSED


def test_a_sweep_destroys_the_key_that_a_killed_process_owed(person: User) -> None:
    request = make.ready(person)
    held = make.archive_of(request)
    Archive.objects.filter(pk=held.pk).update(content=None, fetched_at=clock.now())
    SubjectRequest.objects.filter(pk=request.pk).update(state=RequestState.CLOSED)

    exports.sweep()

    assert was_erased(owner_of(held))
    assert make.archive_of(request).key_destroyed_at is not None
    assert SubjectRequest.objects.get(pk=request.pk).state == RequestState.CLOSED


def test_a_sweep_tells_a_worker_of_forgotten_requests_once_a_minute(
    person: User, django_capture_on_commit_callbacks: Captured
) -> None:
    request = make.asked(person)
    with django_capture_on_commit_callbacks() as at_once:
        exports.sweep()
    make.free_lease(request)

    with django_capture_on_commit_callbacks() as later:
        exports.sweep()
    with django_capture_on_commit_callbacks() as again:
        exports.sweep()

    assert (len(at_once), len(later), len(again)) == (0, 1, 0)


def test_a_sweep_tells_a_worker_of_a_mail_that_was_not_sent(
    person: User, django_capture_on_commit_callbacks: Captured
) -> None:
    request = make.ready(person)
    make.free_lease(request)

    with django_capture_on_commit_callbacks() as untold:
        exports.sweep()
    Archive.objects.update(told_at=clock.now())
    make.free_lease(request)
    with django_capture_on_commit_callbacks() as told:
        exports.sweep()

    assert (len(untold), len(told)) == (1, 0)


def test_the_words_of_a_copy_are_in_the_persons_language(person: User) -> None:
    User.objects.filter(pk=person.pk).update(language="de")
    person.refresh_from_db()

    page = make.copy_of(person)["index.html"].decode()

    assert '<html lang="de">' in page


def test_a_copy_needs_no_browser_of_its_own(person: User, client: Client) -> None:
    request = make.ready(person)

    assert client.post(f"/privacy/requests/{request.pk}/copy/").status_code == 302
    assert make.archive_of(request).content is not None
    assert str(make.archive_of(request)) == f"archive of {request.pk}"

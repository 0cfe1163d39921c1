"""An erasure is previewed, planned, cancelled within 72 hours, and run in steps that survive."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.mail import EmailMessage
from django.db import IntegrityError

from accounts.models import Membership, User, UserSession
from accounts.services import invitations, signup
from accounts.types import OrganisationKind
from audit.models import AuditEvent
from encryption.models import DataKey
from encryption.services import Owner, OwnerKind, drop_keys, was_erased
from foundation import clock
from foundation.contracts.personal_data import personal_data
from privacy import archive, queries
from privacy.errors import NotCancellable, RequestRunning
from privacy.models import Archive, ErasureItem, ErasurePlan, Receipt, SubjectRequest
from privacy.models.erasure import PlanState
from privacy.models.subject_request import RequestState
from privacy.services import erasure, erasure_runs, exports, mails
from privacy.services.subjects import subject_of
from tests.factories import accounts as people
from tests.factories import privacy as make
from tests.factories import records as room
from tests.factories.accounts import Browser
from tests.factories.privacy import Killed
from tests.servers import FreshDatabase

Captured = Callable[[], AbstractContextManager[list[Callable[[], object]]]]


@pytest.fixture
def person() -> User:
    return people.member(people.organisation(), name="Nina Nowak")


def entries(code: str) -> int:
    return AuditEvent.objects.filter(type=code).count()


def keys_of(user: User) -> int:
    return DataKey.objects.using("keys").filter(owner_id=user.subject_id).count()


def test_a_preview_changes_nothing(person: User) -> None:
    rows = User.objects.filter(pk=person.pk).values("email", "is_active", "security_epoch")
    before = list(rows)

    counts = {count.label: count for count in erasure.preview(person)}

    assert counts["accounts.user"].shredded == 1
    assert counts["accounts.membership"].kept == 1
    assert all(count.reason for count in counts.values() if count.kept)
    assert list(rows.all()) == before
    assert keys_of(person) == 1


def test_an_erasure_is_planned_in_72_hours(person: User) -> None:
    plan = make.planned(person)

    assert timedelta(hours=71, minutes=59) < plan.runs_at - clock.now() <= timedelta(hours=72)
    assert plan.request.state == RequestState.OPEN
    assert entries("privacy.erasure.scheduled") == 1
    with pytest.raises(RequestRunning):
        make.planned(person)


def test_nothing_runs_before_its_time(person: User) -> None:
    plan = make.planned(person)

    with make.moved_clock(timedelta(hours=71, minutes=59)):
        erasure_runs.run(plan.pk)

    plan.refresh_from_db()
    assert plan.state == PlanState.SCHEDULED
    assert not plan.items.exists()


def test_a_planned_erasure_can_be_cancelled(person: User) -> None:
    plan = make.planned(person)

    erasure.cancel(plan, principal=make.principal_of(person))

    plan.refresh_from_db()
    assert plan.state == PlanState.CANCELLED
    assert SubjectRequest.objects.get(pk=plan.request_id).state == RequestState.WITHDRAWN
    assert entries("privacy.erasure.cancelled") == 1
    with make.moved_clock(timedelta(hours=73)):
        erasure_runs.run(plan.pk)
    assert User.objects.get(pk=person.pk).is_active
    with pytest.raises(NotCancellable):
        erasure.cancel(plan, principal=make.principal_of(person))


def test_after_a_cancelled_erasure_another_can_be_planned(person: User) -> None:
    erasure.cancel(make.planned(person), principal=make.principal_of(person))

    assert make.planned(person).state == PlanState.SCHEDULED


def test_an_erasure_that_has_begun_cannot_be_cancelled(person: User) -> None:
    plan = make.due(person)
    erasure_runs._claim(plan.pk)

    with pytest.raises(NotCancellable):
        erasure.cancel(plan, principal=make.principal_of(person))


def test_an_erased_person_is_signed_out_and_stays_out(person: User) -> None:
    browser = Browser().sign_in(person, person.home_organisation)
    assert browser.get("/privacy/").status_code == 200

    plan = make.erased(person)

    assert browser.get("/privacy/").status_code == 302
    assert not UserSession.objects.filter(user=person).exists()
    assert entries("accounts.access.ended") == 1
    assert plan.state == PlanState.ERASED_LIVE
    assert was_erased(Owner(OwnerKind.SUBJECT, person.subject_id))
    assert keys_of(person) == 0


def test_each_act_stands_in_the_journal_once(person: User) -> None:
    make.erased(person)

    for step in ("scheduled", "started", "erased"):
        assert entries(f"privacy.erasure.{step}") == 1
    assert entries("privacy.request.received") == entries("privacy.request.closed") == 1
    body = AuditEvent.objects.get(type="privacy.erasure.erased").content
    assert "about" not in body


def test_running_twice_erases_once(person: User) -> None:
    plan = make.erased(person)
    make.free_lease(plan)

    erasure_runs.run(plan.pk)
    erasure_runs._finish(plan)

    assert Receipt.objects.filter(plan=plan).count() == 1
    assert entries("privacy.erasure.erased") == 1


def test_a_second_worker_that_comes_early_does_nothing(person: User) -> None:
    plan = make.due(person)
    erasure_runs._claim(plan.pk)

    erasure_runs.run(plan.pk)

    assert not plan.items.exists()
    assert keys_of(person) == 1


@pytest.mark.parametrize("label", make.WITH_HANDLERS)
def test_a_worker_killed_at_a_source_is_followed_by_another(
    person: User, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    principal = room.member(people.organisation())
    user = User.objects.get(pk=str(principal.id))
    room.record(principal)
    plan = make.due(user)
    preview = {count.label: count for count in erasure.preview(user)}
    source = personal_data.get(label)
    assert source.handlers is not None

    with monkeypatch.context() as patched:
        dying = replace(source, handlers=make.Dying(source.handlers))
        patched.setitem(personal_data._items, label, dying)
        with pytest.raises(Killed):
            erasure_runs.run(plan.pk)
    assert keys_of(user) == 1
    assert not ErasureItem.objects.filter(plan=plan, label=label).exists()
    make.free_lease(plan)
    erasure_runs.run(plan.pk)

    plan.refresh_from_db()
    assert plan.state == PlanState.ERASED_LIVE
    assert keys_of(user) == 0
    items = {item.label: item for item in plan.items.all()}
    assert set(items) == set(make.WITH_HANDLERS)
    for name in set(preview) - {"audit.entry"}:
        did = (items[name].deleted, items[name].shredded, items[name].kept)
        assert did == (preview[name].deleted, preview[name].shredded, preview[name].kept)
    assert entries("privacy.erasure.started") == entries("privacy.erasure.erased") == 1
    assert entries("accounts.access.ended") == 1
    assert User.objects.get(pk=person.pk).is_active


def test_a_worker_that_breaks_off_between_keys_and_receipt_is_followed_by_another(
    fresh_database: FreshDatabase, person: User
) -> None:
    plan = make.due(person)

    fresh_database.refuse_rows(Receipt)
    with pytest.raises(IntegrityError):
        erasure_runs.run(plan.pk)
    fresh_database.take_rows_again(Receipt)
    assert keys_of(person) == 0
    assert not Receipt.objects.exists()
    make.free_lease(plan)
    erasure_runs.run(plan.pk)

    assert Receipt.objects.get().plan_id == plan.pk
    assert SubjectRequest.objects.get(pk=plan.request_id).state == RequestState.CLOSED


def test_a_slow_worker_whose_lease_ran_out_doubles_nothing(person: User) -> None:
    plan = make.due(person)
    slow = erasure_runs._claim(plan.pk)
    assert slow is not None
    subject = subject_of(person)
    make.free_lease(plan)
    erasure_runs.run(plan.pk)

    for source in personal_data.all():
        erasure_runs._erase_source(slow, source, subject)
    erasure_runs._finish(slow)

    assert plan.items.count() == len(make.WITH_HANDLERS)
    assert entries("privacy.erasure.erased") == 1


def test_an_erasure_ends_the_copies_of_the_person(person: User) -> None:
    ready = make.ready(person)
    held = make.archive_of(ready)

    plan = make.erased(person)

    assert SubjectRequest.objects.get(pk=ready.pk).state == RequestState.LAPSED
    held.refresh_from_db()
    assert held.content is None
    assert was_erased(Owner(OwnerKind.ARCHIVE, held.pk))
    assert plan.items.get(label="privacy.archive").deleted == 1


def test_an_erasure_during_an_export_leaves_no_copy(person: User) -> None:
    asked = make.asked(person)
    claimed = exports._claim(asked.pk)
    assert claimed is not None

    make.erased(person)
    exports._keep(claimed, archive.build([], language="en", made_on="2026-11-24"))

    assert SubjectRequest.objects.get(pk=asked.pk).state == RequestState.WITHDRAWN
    assert not Archive.objects.exists()


def test_a_sweep_tells_a_worker_of_what_is_due(
    person: User, django_capture_on_commit_callbacks: Captured
) -> None:
    plan = make.planned(person)
    ErasurePlan.objects.filter(pk=plan.pk).update(told_at=clock.now())
    make.free_lease(plan)
    with django_capture_on_commit_callbacks() as too_early:
        erasure.sweep()
    ErasurePlan.objects.filter(pk=plan.pk).update(runs_at=clock.now())

    with django_capture_on_commit_callbacks() as due:
        erasure.sweep()
    with django_capture_on_commit_callbacks() as again:
        erasure.sweep()

    assert (len(too_early), len(due), len(again)) == (0, 1, 0)


def test_a_sweep_tells_a_worker_of_a_mail_that_was_not_sent(
    person: User,
    django_capture_on_commit_callbacks: Captured,
    mailoutbox: list[EmailMessage],
) -> None:
    plan = make.planned(person)
    make.free_lease(plan)

    with django_capture_on_commit_callbacks() as untold:
        erasure.sweep()
    mails.tell_scheduled(plan.pk)
    mails.tell_scheduled(plan.pk)
    make.free_lease(plan)
    with django_capture_on_commit_callbacks() as told:
        erasure.sweep()

    assert (len(untold), len(told)) == (1, 0)
    assert len(mailoutbox) == 1


def test_the_last_one_who_leads_an_organisation_is_warned_and_can_be_erased() -> None:
    home = people.organisation(name="Aurora")
    kim = people.member(home, "key_user", name="Kim Keyes")
    people.member(home, "customer")

    alone = queries.led_alone_by(kim.pk)
    plan = make.erased(kim)

    assert [organisation.name for organisation in alone] == ["Aurora"]
    scheduled = AuditEvent.objects.get(type="privacy.erasure.scheduled")
    assert scheduled.content["details"] == {"led_alone": 1}
    assert plan.state == PlanState.ERASED_LIVE
    assert not Membership.objects.filter(user=kim, valid_until__isnull=True).exists()
    assert not queries.led_alone_by(kim.pk)


def test_nobody_is_warned_where_another_leads() -> None:
    home = people.organisation()
    kim = people.member(home, "key_user")
    people.member(home, "administrator")

    assert queries.led_alone_by(kim.pk) == []
    assert queries.led_alone_by(people.member(home).pk) == []


def test_the_last_administrator_of_the_operator_can_be_erased() -> None:
    operator = people.organisation(OrganisationKind.OPERATOR)
    ada = people.member(operator, "administrator")

    assert queries.led_alone_by(ada.pk) == [operator]
    make.erased(ada)

    assert not User.objects.get(pk=ada.pk).is_staff


def test_who_comes_back_is_another_data_subject(person: User) -> None:
    email, home = person.email, person.home_organisation
    assert home is not None
    make.erased(person)
    drop_keys()

    invitation = invitations.invite(
        email=email,
        organisation=home,
        role=people.role("customer"),
        principal=people.TEST,
        by_mail=False,
    )
    back = signup.begin(
        invitation, passphrase=people.PASSPHRASE, display_name="Nina Nowak", language="en"
    )

    assert back.pk != person.pk
    assert back.subject_id != person.subject_id
    assert User.objects.get(pk=back.pk).display_name == "Nina Nowak"


def test_a_receipt_names_nobody(person: User) -> None:
    plan = make.erased(person)

    body = json.loads(plan.receipt.body)
    text = plan.receipt.body
    assert person.email not in text
    assert "Nina" not in text
    assert str(person.pk) not in text
    assert str(person.subject_id) not in text
    assert {line["label"] for line in body["sources"]} == set(make.WITH_HANDLERS)
    assert all(line["title"] != line["label"] for line in body["sources"])
    assert all(line["reason"] for line in body["sources"] if line["kept"])


def test_plans_items_and_receipts_name_themselves(person: User) -> None:
    plan = make.erased(person)

    assert str(plan) == f"erasure {plan.pk}"
    assert str(plan.receipt) == f"receipt {plan.receipt.pk}"
    assert str(plan.items.get(label="accounts.user")) == "accounts.user"

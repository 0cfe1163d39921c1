"""Requests move by the table alone, one at a time, each with its legal date."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.db import IntegrityError, connections, transaction

from accounts.models import User
from audit.models import AuditEvent
from privacy.errors import RequestRunning
from privacy.models import RequestStep, SubjectRequest
from privacy.models.erasure import PlanState
from privacy.models.subject_request import RequestKind, RequestState
from privacy.services import subject_requests
from privacy.services.clocks import one_month_after
from privacy.services.subject_requests import ENDED, TRANSITIONS
from tests.factories import accounts as people
from tests.factories import privacy as make


@pytest.fixture
def person() -> User:
    return people.member(people.organisation())


def test_a_random_walk_only_takes_the_ways_of_the_table(person: User) -> None:
    choose = random.Random(20261124)  # noqa: S311  a walk that can be walked again
    tried = refused = 0
    for _walk in range(40):
        request = make.asked(person)
        for _step in range(12):
            before, to = request.state, choose.choice(list(RequestState))
            tried += 1
            try:
                subject_requests.move(request, to=to)
            except ValueError:
                refused += 1
                assert to not in TRANSITIONS.get(before, frozenset())
                assert SubjectRequest.objects.get(pk=request.pk).state == before
            else:
                assert to in TRANSITIONS[before]
        steps = list(RequestStep.objects.filter(request=request).order_by("pk"))
        assert [step.state for step in steps][-1] == request.state
        assert (request.closed_at is not None) == (request.state in ENDED)
        SubjectRequest.objects.filter(pk=request.pk).update(state=RequestState.CLOSED)

    assert tried == 480
    assert 0 < refused < tried


def test_an_ended_request_leads_nowhere() -> None:
    assert not ENDED & set(TRANSITIONS)
    assert all(to <= set(RequestState) for to in TRANSITIONS.values())


@pytest.mark.parametrize(
    ("start", "due"),
    [
        (date(2026, 11, 24), date(2026, 12, 24)),
        (date(2026, 12, 5), date(2027, 1, 5)),
        (date(2026, 1, 31), date(2026, 2, 28)),
        (date(2028, 1, 31), date(2028, 2, 29)),
        (date(2028, 1, 29), date(2028, 2, 29)),
        (date(2027, 1, 29), date(2027, 2, 28)),
        (date(2028, 2, 29), date(2028, 3, 29)),
        (date(2026, 3, 31), date(2026, 4, 30)),
        (date(2026, 12, 31), date(2027, 1, 31)),
    ],
)
def test_an_answer_is_due_one_calendar_month_later(start: date, due: date) -> None:
    assert one_month_after(start) == due


def test_a_request_is_received_with_its_date_and_journal_entry(person: User) -> None:
    request = make.asked(person)

    assert request.state == RequestState.RECEIVED
    assert request.due_on == one_month_after(request.received_at.date())
    assert [step.state for step in request.steps.all()] == [RequestState.RECEIVED]
    entry = AuditEvent.objects.get(type="privacy.request.received")
    assert entry.target_id == str(request.pk)
    assert entry.content["details"] == {"kind": "access"}


def test_a_second_request_of_a_kind_waits_for_the_first(person: User) -> None:
    make.asked(person)

    with pytest.raises(RequestRunning):
        make.asked(person)

    make.planned(person)
    assert SubjectRequest.objects.filter(user_id=person.pk).count() == 2


def test_the_database_itself_knows_one_open_request_of_a_kind(person: User) -> None:
    request = make.asked(person)

    with pytest.raises(IntegrityError), transaction.atomic():
        SubjectRequest.objects.create(
            user_id=person.pk,
            subject_id=person.subject_id,
            kind=RequestKind.ACCESS,
            due_on=request.due_on,
        )


def test_nothing_more_can_be_asked_while_one_is_being_erased(person: User) -> None:
    plan = make.planned(person)
    plan.state = PlanState.RUNNING
    plan.save(update_fields=["state"])

    with pytest.raises(RequestRunning):
        make.asked(person)


@pytest.mark.usefixtures("fresh_database")
def test_a_double_click_at_the_same_moment_makes_one_request() -> None:
    browser = people.browser()

    def click(_turn: int) -> int:
        try:
            return browser.post("/privacy/copy/").status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(click, range(4)))

    assert set(statuses) == {302}
    assert SubjectRequest.objects.filter(user_id=browser.user.pk).count() == 1


def test_requests_and_steps_name_themselves(person: User) -> None:
    request = make.asked(person)

    assert str(request) == f"access {request.pk}"
    assert str(request.steps.get()) == f"{request.pk} received"

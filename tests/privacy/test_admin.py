"""Staff see requests and their dates in the admin, and change nothing."""

import pytest

from accounts.types import OrganisationKind
from tests.factories import accounts as people
from tests.factories import privacy as make
from tests.factories.accounts import Browser, queries_at_most

LIST = "/admin/privacy/subjectrequest/"
LIST_QUERIES = 7


@pytest.fixture
def officer() -> Browser:
    return people.browser(
        "data_protection_officer", kind=OrganisationKind.OPERATOR, name="Dana Dean"
    )


def test_the_data_protection_officer_sees_requests(officer: Browser, alice: Browser) -> None:
    request = make.asked(alice.user)

    page = officer.get(LIST).content.decode()
    detail = officer.get(f"{LIST}{request.pk}/change/").content.decode()

    assert str(request.pk) in page
    assert alice.user.email not in page + detail
    assert 'name="_save"' not in detail


def test_the_list_keeps_its_budget_of_queries(officer: Browser, alice: Browser) -> None:
    make.asked(alice.user)
    make.planned(alice.user)
    officer.get(LIST)

    with queries_at_most(LIST_QUERIES):
        assert officer.get(LIST).status_code == 200


def test_nobody_changes_a_request_there(officer: Browser, alice: Browser) -> None:
    request = make.asked(alice.user)

    answers = [
        officer.post(f"{LIST}{request.pk}/change/", {"state": "closed"}),
        officer.get(f"{LIST}add/"),
        officer.post(f"{LIST}{request.pk}/delete/", {"post": "yes"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 404, 404]
    request.refresh_from_db()
    assert request.state == "received"


def test_staff_without_the_right_and_customers_see_nothing(ada: Browser, kim: Browser) -> None:
    assert ada.get(LIST).status_code == 403
    assert kim.get(LIST).status_code == 302

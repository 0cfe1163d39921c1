"""Pages of privacy: who may see what, step-up before each act, words instead of codes."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections, transaction
from django.urls import reverse

from accounts.models import User
from accounts.services import memberships
from accounts.session_engine import SessionStore, key_of
from audit.models import AuditEvent
from encryption.services import Owner, OwnerKind, was_erased
from foundation.contracts.personal_data import personal_data
from privacy.models import ErasurePlan, SubjectRequest
from privacy.models.erasure import PlanState
from privacy.models.subject_request import RequestKind, RequestState
from privacy.services import erasure, erasure_runs, exports
from tests.factories import accounts as people
from tests.factories import privacy as make
from tests.factories.accounts import Answer, Browser, queries_at_most
from tests.servers import FreshDatabase

OVERVIEW_QUERIES = 10
REQUEST_QUERIES = 8


def forget_proof(browser: Browser) -> None:
    """Let the last proof of a factor be six minutes ago."""
    store = SessionStore(key_of(browser.cookies["sid"].value))
    store["proved_at"] = store["proved_at"] - 360
    store.save()


def request_of(browser: Browser) -> SubjectRequest:
    return SubjectRequest.objects.get(user_id=browser.user.pk)


def test_the_overview_shows_what_is_held_in_words(alice: Browser) -> None:
    page = alice.get("/privacy/").content.decode()

    assert "Your account" in page
    assert "Keeping the portal and its data safe" in page
    assert "legitimate interest, art. 6(1)(f) GDPR" in page
    assert "No requests yet" in page
    assert not [source.label for source in personal_data.all() if f">{source.label}<" in page]
    assert page.count("<h1") == 1


def test_the_overview_lists_requests_with_their_dates(alice: Browser) -> None:
    request = make.ready(alice.user)
    erasure.cancel(make.planned(alice.user), principal=alice.principal)
    make.planned(alice.user)

    page = alice.get("/privacy/").content.decode()

    assert f"/privacy/requests/{request.pk}/" in page
    assert "Ready" in page
    assert "Cancelled" in page
    assert "The erasure begins on" in page


def test_the_overview_keeps_its_budget_of_queries(alice: Browser) -> None:
    for _turn in range(6):
        SubjectRequest.objects.create(
            user_id=alice.user.pk,
            subject_id=alice.user.subject_id,
            kind=RequestKind.ACCESS,
            state=RequestState.CLOSED,
            due_on="2026-12-24",
        )
    alice.get("/privacy/")

    with queries_at_most(OVERVIEW_QUERIES):
        assert alice.get("/privacy/").status_code == 200


def test_the_page_of_a_request_keeps_its_budget_of_queries(alice: Browser) -> None:
    request = make.ready(alice.user)
    alice.get("/privacy/")

    with queries_at_most(REQUEST_QUERIES):
        assert alice.get(f"/privacy/requests/{request.pk}/").status_code == 200


def test_asking_for_a_copy_leads_to_its_page_which_asks_again(alice: Browser) -> None:
    answer = alice.post("/privacy/copy/")
    request = request_of(alice)

    page = alice.get(answer["Location"]).content.decode()
    fragment = alice.get(answer["Location"], headers={"HX-Request": "true"})

    assert answer["Location"] == f"/privacy/requests/{request.pk}/"
    assert "Your copy is being made" in page
    assert 'hx-trigger="every 2s"' in page
    assert "<html" not in fragment.content.decode()
    assert "HX-Request" in fragment["Vary"]
    exports.run(request.pk)
    finished = alice.get(answer["Location"]).content.decode()
    assert "hx-trigger" not in finished
    assert "Download the copy" in finished


def test_asking_twice_leads_to_the_request_that_is_open(alice: Browser) -> None:
    first = alice.post("/privacy/copy/")

    second = alice.post("/privacy/copy/", follow=True)

    assert second.redirect_chain == [(first["Location"], 302)]
    assert "already open" in second.content.decode()
    assert SubjectRequest.objects.count() == 1


def test_while_an_erasure_runs_asking_leads_back(alice: Browser) -> None:
    plan = make.planned(alice.user)
    ErasurePlan.objects.filter(pk=plan.pk).update(state=PlanState.RUNNING)

    assert alice.post("/privacy/copy/")["Location"] == "/privacy/"


def test_a_copy_is_downloaded_once(alice: Browser) -> None:
    request = make.ready(alice.user)
    path = f"/privacy/requests/{request.pk}/copy/"

    answer = alice.post(path)
    again = alice.post(path, follow=True)

    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"] == 'attachment; filename="my-data.zip"'
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    assert alice.user.email.encode() in make.opened(answer.content)["index.html"]
    assert "was fetched or has ended" in again.content.decode()
    assert "Closed on" in alice.get(f"/privacy/requests/{request.pk}/").content.decode()


@pytest.mark.usefixtures("fresh_database")
def test_a_downloaded_copys_key_is_destroyed_after_the_commit() -> None:
    browser = people.browser()
    request = make.ready(browser.user)

    browser.post(f"/privacy/requests/{request.pk}/copy/")

    held = make.archive_of(request)
    assert held.content is None
    assert was_erased(Owner(OwnerKind.ARCHIVE, held.pk))


@pytest.mark.parametrize("name", ["privacy:request", "privacy:fetch-copy"])
def test_a_foreign_request_answers_like_one_that_does_not_exist(
    alice: Browser, bob: Browser, carol: Browser, name: str
) -> None:
    request = make.ready(alice.user)

    answers = [
        getattr(browser, "get" if name == "privacy:request" else "post")(
            reverse(name, args=[wanted])
        )
        for browser in (bob, carol)
        for wanted in (request.pk, people.some_id())
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert make.archive_of(request).content is not None


def test_visitors_are_led_to_the_sign_in_page(visitor: Browser, alice: Browser) -> None:
    request = make.ready(alice.user)
    paths = ["/privacy/", "/privacy/erasure/", f"/privacy/requests/{request.pk}/"]

    answers = [visitor.get(path) for path in paths]
    answers += [
        visitor.post(path)
        for path in (
            "/privacy/copy/",
            "/privacy/erasure/",
            "/privacy/erasure/cancel/",
            f"/privacy/requests/{request.pk}/copy/",
        )
    ]

    assert {answer.status_code for answer in answers} == {302}
    assert all(answer["Location"].startswith("/sign-in/") for answer in answers)


def test_each_act_asks_for_a_recent_factor(alice: Browser) -> None:
    request = make.ready(alice.user)
    forget_proof(alice)

    answers = [
        alice.post("/privacy/copy/"),
        alice.post(f"/privacy/requests/{request.pk}/copy/"),
        alice.get("/privacy/erasure/"),
        alice.post("/privacy/erasure/", {"confirm": "yes"}),
    ]

    assert all(answer["Location"].startswith("/step-up/") for answer in answers)
    assert SubjectRequest.objects.count() == 1
    assert make.archive_of(request).content is not None
    assert alice.get("/privacy/").status_code == 200


def test_an_erasure_can_be_cancelled_without_a_new_proof(alice: Browser) -> None:
    plan = make.planned(alice.user)
    forget_proof(alice)

    answer = alice.post("/privacy/erasure/cancel/", follow=True)

    assert "Nothing was erased" in answer.content.decode()
    assert ErasurePlan.objects.get(pk=plan.pk).state == PlanState.CANCELLED


def test_the_page_of_an_erasure_says_what_goes_and_stays(alice: Browser) -> None:
    page = alice.get("/privacy/erasure/").content.decode()

    assert "Your account" in page
    assert "The row stays without name and address" in page
    assert "Erase my data in 72 hours" in page
    assert "Nobody else leads" not in page
    assert "accounts." not in page


def test_a_member_of_two_organisations_sees_what_an_erasure_does(alice: Browser) -> None:
    second = people.organisation(name="Second")
    memberships.create(alice.user, second, people.role("customer"), principal=people.TEST)

    page = alice.get("/privacy/erasure/")
    answer = alice.post("/privacy/erasure/", {"confirm": "yes"})

    assert page.status_code == 200
    assert answer["Location"] == "/privacy/"
    with make.moved_clock(timedelta(hours=73)):
        erasure_runs.run(ErasurePlan.objects.get().pk)
    assert not User.objects.get(pk=alice.user.pk).is_active


def test_the_last_one_who_leads_is_warned(kim: Browser) -> None:
    page = kim.get("/privacy/erasure/").content.decode()

    assert "Nobody else leads your organisation" in page
    assert "Aurora Instruments" in page


def test_an_erasure_is_planned_by_confirming(alice: Browser) -> None:
    alice.post("/privacy/erasure/", {"confirm": "yes"})

    overview = alice.get("/privacy/").content.decode()
    page = alice.get("/privacy/erasure/").content.decode()
    again = alice.post("/privacy/erasure/", {"confirm": "yes"}, follow=True)

    assert "Cancel the erasure" in overview
    assert "An erasure is planned already" in page
    assert "Erase my data in 72 hours" not in page
    assert "already open" in again.content.decode()
    assert ErasurePlan.objects.count() == 1
    request = request_of(alice)
    assert "Erasure of my data" in alice.get(f"/privacy/requests/{request.pk}/").content.decode()


def test_an_erasure_is_not_planned_without_the_word(alice: Browser) -> None:
    alice.post("/privacy/erasure/")

    assert not ErasurePlan.objects.exists()


def test_cancelling_what_is_not_planned_says_so(alice: Browser) -> None:
    answer = alice.post("/privacy/erasure/cancel/", follow=True)

    assert "No erasure is planned" in answer.content.decode()


def cancelled_by(browser: Browser) -> Answer:
    try:
        return browser.post("/privacy/erasure/cancel/")
    finally:
        connections.close_all()


def wait_for_a_lock(database: FreshDatabase) -> None:
    """Wait until somebody waits for a row that another transaction has."""
    waiting = "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted"
    of_this = " AND pg_stat_activity.datname = %s"
    with database.installation.postgres.connect() as superuser:
        for _turn in range(200):
            row = superuser.execute(waiting + of_this, [database.servers.main]).fetchone()
            if row is not None and row[0]:
                return
            time.sleep(0.02)
    pytest.fail("nobody waits")


@pytest.mark.parametrize(
    "path", ["/privacy/copy/", "/privacy/erasure/cancel/", "/privacy/requests/{}/copy/"]
)
def test_acts_are_no_links(alice: Browser, path: str) -> None:
    assert alice.get(path.format(people.some_id())).status_code == 405


def test_every_page_has_its_help_topic(alice: Browser) -> None:
    for page in ("overview", "request", "erasure", "receipt"):
        assert alice.get(f"/help/privacy/{page}/").status_code == 200


def test_a_cancelled_race_is_told(
    fresh_database: FreshDatabase,
) -> None:
    browser = people.browser()
    plan = make.due(browser.user)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            # The worker has begun and not yet committed: the page still finds the plan.
            ErasurePlan.objects.filter(pk=plan.pk).update(state=PlanState.RUNNING)
            asked = pool.submit(cancelled_by, browser)
            wait_for_a_lock(fresh_database)
        answer = asked.result(10)

    assert answer["Location"] == "/privacy/"
    assert not AuditEvent.objects.filter(type="privacy.erasure.cancelled").exists()

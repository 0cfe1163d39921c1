from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.fallback import FallbackStorage
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.test import RequestFactory
from django.utils import translation
from django.utils.translation import gettext

from accounts.models import Role
from audit import context
from audit.alerts.services import Occasion, raise_alert
from audit.anomaly.rules import Finding
from audit.events import Severity
from audit.models import Alert
from audit.permissions import HANDLE_ALERTS, READ_ALERTS, READ_ENTRIES
from audit.queries import entries_for
from audit.services import Target, record
from audit.views import alerts, history, log
from foundation import clock
from foundation.access.guards import PermissionMissing
from foundation.errors import NotFound
from foundation.identifiers import uuid7
from foundation.principals import VISITOR, Principal, system
from foundation.web import paging
from tests.factories import audit as make

View = Callable[..., HttpResponseBase]
ALL = frozenset({READ_ENTRIES.code, READ_ALERTS.code, HANDLE_ALERTS.code})


def request_of(principal: Principal, path: str = "/", **data: str) -> HttpRequest:
    """Return a request as middleware hands it to a view."""
    request = RequestFactory().get(path, data)
    request.principal = principal  # type: ignore[attr-defined]  # as the middleware does
    request.user = AnonymousUser()
    request.session = {}  # type: ignore[assignment]  # messages keep theirs in it
    request._messages = FallbackStorage(request)  # type: ignore[attr-defined]
    return request


def sent_by(principal: Principal, **data: str) -> HttpRequest:
    """Return a form that was sent."""
    request = request_of(principal)
    request.method, request.POST = "POST", RequestFactory().post("/", data).POST
    return request


def page(view: View, principal: Principal, *args: object, **data: str) -> str:
    """Return the text of a page that answered 200."""
    answer = view(request_of(principal, **data), *args)
    assert isinstance(answer, HttpResponse)
    assert answer.status_code == 200
    return answer.content.decode()


def written_by(principal: Principal, *, target: Target | None = None) -> UUID:
    """Write an entry and return its id."""
    with context.opened(make.surroundings()):
        record(make.CHANGE, principal=principal, target=target, details={"note": "hello"})
    return make.last(make.CHANGE.code).event_id


def alert_of(organisation_id: UUID | None) -> Alert:
    """Raise an alert in an organisation."""
    finding = Finding(rule="D01", severity=Severity.MEDIUM, dedupe_key=str(uuid7()))
    occasion = Occasion(uuid7(), clock.real_now(), organisation_id, "203.0.113.0/24")
    return raise_alert(finding, occasion=occasion)


def test_staff_see_the_entries_of_all_organisations() -> None:
    written_by(make.person(label="Zelda <zelda@example.test>"))

    text = page(log.log, make.person(is_staff=True, permissions=ALL))

    assert "Something was tried." in text
    assert "203.0.113.0/24" in text
    assert "zelda" not in text.lower()


def test_an_administrator_sees_own_organisation_only() -> None:
    admin = make.person(permissions=ALL)
    mine = written_by(make.person(organisation_id=admin.organisation_id))
    foreign = written_by(make.person())

    text = page(log.log, admin)

    assert str(mine) in text
    assert str(foreign) not in text


def test_who_belongs_to_no_organisation_sees_nothing() -> None:
    written_by(make.person(organisation_id=None))

    text = page(log.log, make.person(organisation_id=None, permissions=ALL))

    assert "No entries yet" in text


def test_without_the_permission_there_is_no_page() -> None:
    with pytest.raises(PermissionMissing):
        log.log(request_of(make.person()))


def test_an_entry_of_another_organisation_looks_like_none() -> None:
    foreign = written_by(make.person())

    for missing in (foreign, uuid7()):
        with pytest.raises(NotFound):
            log.entry_page(request_of(make.person(permissions=ALL)), missing)


def test_an_entry_page_shows_details_changes_and_what_belongs_to_it() -> None:
    staff, alice = make.person(is_staff=True, permissions=ALL), make.person()
    record(
        make.CHANGE,
        principal=alice,
        target=Target("workspace.record", "17"),
        changes={"status": ("open", "closed")},
        details={"note": "<b>bold</b>"},
    )

    text = page(log.entry_page, staff, make.last(make.CHANGE.code).event_id)

    assert "closed" in text
    assert "&lt;b&gt;bold" in text
    assert "?target=17" in text


@pytest.mark.parametrize("language", ["en", "de", "fr", "pl"])
def test_lists_show_words_and_only_the_page_of_an_entry_shows_codes(language: str) -> None:
    staff = make.person(is_staff=True, permissions=ALL)
    outer = Target("records.record", str(uuid7()))
    record(make.CHANGE, principal=system("privacy.run_export"), target=outer, outcome="denied")
    record(make.CHANGE, principal=staff, target=Target("accounts.role", str(uuid7())))
    written = {entry.target_type: entry.event_id for entry in make.entries(make.CHANGE.code)}
    codes = ("audit.test.changed", "privacy.run_export", "records.record", "accounts.role")

    with translation.override(language):
        shown = page(log.log, staff)
        entry = page(log.entry_page, staff, written["records.record"])
        role = str(Role._meta.verbose_name)
        portal, denied = gettext("the portal itself"), gettext("denied")

    assert [code for code in codes if f">{code}" in shown] == []
    assert f">{role} …" in shown
    assert f">{portal}</td>" in shown
    assert f">{denied}</span>" in shown
    for code in ("audit.test.changed", "privacy.run_export", f"records.record {outer.id}"):
        assert f"<code>{code}</code>" in entry


def test_a_narrowed_list_says_in_words_by_what() -> None:
    staff = make.person(is_staff=True, permissions=ALL)

    text = page(log.log, staff, type=make.CHANGE.code, outcome="denied")

    assert "Kind of event: Something was tried." in text
    assert "Outcome: denied" in text


def test_every_look_at_the_journal_is_an_entry() -> None:
    staff = make.person(is_staff=True, permissions=ALL)
    seen = written_by(make.person())

    page(log.log, staff)
    page(log.entry_page, staff, seen)

    listed, looked = make.entries("audit.entry.read")
    assert (listed.actor_id, looked.target_id) == (staff.subject_id, str(seen))
    assert listed.retention == "access"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"type": "audit.test"}, True),
        ({"type": "accounts."}, False),
        ({"outcome": "success"}, True),
        ({"outcome": "denied"}, False),
        ({"net": "203.0.113.9/24"}, True),
        ({"net": "198.51.100.0/24"}, False),
        ({"since": "2000-01-01 00:00"}, True),
        ({"until": "2000-01-01 00:00"}, False),
        ({"target": "17"}, True),
        ({"target": "18"}, False),
    ],
)
def test_filters_narrow_the_list(query: dict[str, str], *, found: bool) -> None:
    seen = written_by(make.person(), target=Target("workspace.record", "17"))

    text = page(log.log, make.person(is_staff=True, permissions=ALL), **query)

    assert (str(seen) in text) is found


@pytest.mark.parametrize(
    "query",
    [
        {"net": "nonsense"},
        {"since": "yesterday"},
        {"actor": "x"},
        {"outcome": "maybe"},
        {"type": "a" * 1000},
    ],
)
def test_filters_that_make_no_sense_are_named_and_break_nothing(query: dict[str, str]) -> None:
    answer = log.log(request_of(make.person(is_staff=True, permissions=ALL), **query))

    assert answer.status_code == 422


@pytest.mark.parametrize("cursor", ["x", "eyJ2IjpbXX0", "\x00", "a" * 5000])
def test_a_spoilt_cursor_is_the_first_page(cursor: str) -> None:
    seen = written_by(make.person())

    assert str(seen) in page(
        log.log, make.person(is_staff=True, permissions=ALL), type="audit.test", cursor=cursor
    )


def test_pages_follow_each_other_without_gap_or_double() -> None:
    staff = make.person(is_staff=True, permissions=ALL)
    ids = [written_by(make.person()) for _ in range(30)]

    first = entries_for(staff).filter(type=make.CHANGE.code)
    one = paging.by_cursor(request_of(staff), first, order=log.ORDER)
    cursor = one.next_url.partition("cursor=")[2]
    two = paging.by_cursor(request_of(staff, cursor=cursor), first, order=log.ORDER)

    shown = [row.event_id for row in (*one.rows, *two.rows)]
    assert shown == list(reversed(ids))


def test_a_persons_history_shows_own_acts_and_what_others_did_to_the_account() -> None:
    alice, bob = make.person(), make.person()
    own = make.event_type("audit.test.own", sentence="You did it.")
    done = make.event_type("audit.test.done", sentence="It was done to you.")
    strange = make.event_type("audit.test.strange", sentence="Not yours.")
    record(own, principal=alice)
    record(done, principal=bob, target=Target("person", str(alice.subject_id)))
    record(strange, principal=bob)

    text = page(history.history, alice)

    assert "You did it." in text
    assert "It was done to you." in text
    assert "Not yours." not in text
    assert len(make.entries("audit.history.read")) == 1


def test_who_is_not_signed_in_is_sent_to_sign_in() -> None:
    assert history.history(request_of(VISITOR)).status_code == 302


def test_alerts_of_another_organisation_are_neither_listed_nor_found() -> None:
    admin = make.person(permissions=ALL)
    mine, foreign = alert_of(admin.organisation_id), alert_of(uuid7())

    text = page(alerts.alert_list, admin)

    assert str(mine.pk) in text
    assert str(foreign.pk) not in text
    for view in (alerts.alert_page, alerts.take, alerts.close):
        request = request_of(admin) if view is alerts.alert_page else sent_by(admin)
        with pytest.raises(NotFound):
            view(request, foreign.pk)


def test_a_case_is_worked_on_by_page() -> None:
    staff = make.person(is_staff=True, permissions=ALL)
    alert = alert_of(None)

    assert "Repeated failed sign-ins" in page(alerts.alert_page, staff, alert.pk)
    assert alerts.take(sent_by(staff), alert.pk).status_code == 302
    wrong = alerts.close(sent_by(staff, verdict="false", reason=""), alert.pk)
    assert wrong.status_code == 422
    right = alerts.close(sent_by(staff, verdict="false", reason="by phone"), alert.pk)
    assert right.status_code == 302

    alert.refresh_from_db()
    assert (alert.state, alert.verdict) == ("closed", "false")
    assert alerts.close(sent_by(staff, verdict="true", reason="again"), alert.pk).status_code == 302
    alert.refresh_from_db()
    assert alert.verdict == "false"


def test_reading_alerts_gives_no_right_to_work_on_them() -> None:
    reader = make.person(is_staff=True, permissions=frozenset({READ_ALERTS.code}))
    alert = alert_of(None)

    assert "Take in hand" not in page(alerts.alert_page, reader, alert.pk)
    with pytest.raises(PermissionMissing):
        alerts.take(sent_by(reader), alert.pk)


def test_staff_are_told_when_nobody_gets_alerts() -> None:
    staff = make.person(is_staff=True, permissions=ALL)

    assert "Nobody is told" in page(alerts.alert_list, staff)


def test_the_clock_of_entries_is_the_databases() -> None:
    seen = written_by(make.person())

    entry = make.last(make.CHANGE.code)
    assert entry.event_id == seen
    assert abs(clock.real_now() - entry.occurred_at) < timedelta(minutes=1)

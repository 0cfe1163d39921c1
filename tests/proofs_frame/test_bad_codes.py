"""Wrong, old, used and missing codes and invitations: refused, on the record, nothing changed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache

from accounts.models import Invitation
from accounts.services import invitations
from audit.models import AuditEvent
from foundation import clock
from tests.factories import accounts
from tests.factories.accounts import PASSPHRASE, TEST, Answer, Browser, Person
from tests.proofs import Tried
from tests.proofs_frame.comparing import row_counts

WRONG = "wrong or was used"
FORM = {"display_name": "Ida Invited", "passphrase": PASSPHRASE}


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody tries.

    Attributes:
        ask: does it; what it needs is made before.
        status: of the answer.
        words: for the person.
        entry: type of the journal entry; empty where nothing was proved wrong.
        why: reason in the entry.
    """

    ask: Callable[[], Answer]
    status: int
    words: str
    entry: str = ""
    why: str = ""


@pytest.mark.proof(
    "frame: wrong, expired, replayed and missing codes are refused, on the record, without a trace"
)
def test_bad_codes_sign_nobody_in(tried: Tried) -> None:
    for what, code_of in CODES.items():
        person = accounts.enrolled(accounts.organisation())  # failures of one would lock the next
        code, words = code_of(person)
        browser = _after_passphrase(person)
        entry = "accounts.factor.failed" if words == WRONG else ""
        attempt = Attempt(partial(_second, browser, code), 422, words, entry)

        _check(what, attempt)

        assert browser.get("/profile/").status_code == 302, f"{what}: signed in"
        assert _signed_in(person, person.recovery_codes[7]).status_code == 302, "the control"
        tried.case()


@pytest.mark.proof("frame: used, old, withdrawn, unknown and foreign invitations are refused")
def test_bad_invitations_let_nobody_in(tried: Tried) -> None:
    used, old, withdrawn, foreign = (_invitation(f"{name}@example.test") for name in "abcd")
    assert Browser().post(used[1], FORM).status_code == 302, "the control"
    now = clock.now()
    Invitation.objects.filter(pk=old[0].pk).update(expires_at=now - timedelta(seconds=1))
    Invitation.objects.filter(pk=withdrawn[0].pk).update(withdrawn_at=now)
    carol, refused = accounts.browser(name="Carol Castle"), "accounts.invitation.refused"
    attempts = {
        "used": Attempt(lambda: Browser().post(used[1], FORM), 410, "used", refused, "used"),
        "old": Attempt(lambda: Browser().post(old[1], FORM), 410, "too old", refused, "expired"),
        "withdrawn": Attempt(
            lambda: Browser().post(withdrawn[1], FORM), 410, "withdrawn", refused, "withdrawn"
        ),
        "unknown": Attempt(
            lambda: Browser().post("/invitations/unknown/", FORM), 410, "", refused, "unknown"
        ),
        "foreign": Attempt(
            lambda: carol.post(foreign[1], FORM), 403, "another person", refused, "foreign"
        ),
        "a NUL byte": Attempt(
            lambda: Browser().post("/invitations/a%00b/", FORM), 410, "", refused, "unknown"
        ),
    }

    for what, attempt in attempts.items():
        _check(what, attempt)
        tried.case()


def _used(person: Person, code: str) -> str:
    assert _signed_in(person, code).status_code == 302, "the control"
    return code


CODES: dict[str, Callable[[Person], tuple[str, str]]] = {
    "wrong": lambda person: ("000000" if person.code() != "000000" else "111111", WRONG),
    "of ten minutes ago": lambda person: (person.code(steps=-20), WRONG),
    "of ten minutes ahead": lambda person: (person.code(steps=20), WRONG),
    "replayed": lambda person: (_used(person, person.code()), WRONG),
    "recovery code replayed": lambda person: (_used(person, person.recovery_codes[3]), WRONG),
    "recovery code of nobody": lambda _: ("0123456789", WRONG),
    "longer than any": lambda _: ("1" * 300, WRONG),
    "missing": lambda _: ("", "required"),
}


def _check(what: str, attempt: Attempt) -> None:
    """Try it: the answer, the entry with its reason, and that no row has changed."""
    cache.clear()
    before, known = row_counts(), AuditEvent.objects.filter(type=attempt.entry).count()

    answer = attempt.ask()

    assert answer.status_code == attempt.status, what
    assert attempt.words in answer.content.decode(), what
    assert row_counts() == before, what
    if attempt.entry:
        entries = AuditEvent.objects.filter(type=attempt.entry).order_by("seq")
        assert entries.count() == known + 1, f"{what}: no entry"
        assert attempt.why in str(entries.last() and entries.last().body), what  # type: ignore[union-attr]  # counted above


def _invitation(email: str) -> tuple[Invitation, str]:
    made = invitations.invite(
        email=email,
        organisation=accounts.organisation(),
        role=accounts.role("customer"),
        principal=TEST,
        by_mail=False,
    )
    return made, urlsplit(invitations.issue_link(made)).path


def _after_passphrase(person: Person) -> Browser:
    browser = Browser()
    browser.post("/sign-in/", {"login": person.user.email, "password": person.passphrase})
    return browser


def _second(browser: Browser, code: str) -> Answer:
    return browser.post("/sign-in/code/", {"code": code})


def _signed_in(person: Person, code: str) -> Answer:
    return _second(_after_passphrase(person), code)

"""Deny by default: every address of the resolver, before the second factor."""

from collections.abc import Iterator

import pytest
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from accounts.session_engine import SessionStore, key_of
from foundation.access.guards import guard_of
from tests.factories import accounts as make
from tests.factories.accounts import Browser

# Arguments for every converter that the resolver knows; the id belongs to nothing.
_TEXT = "nothing"


def routes() -> Iterator[tuple[str, URLPattern]]:
    """Return name and pattern of every address that has a name."""
    yield from _walk(get_resolver(), "")


def _walk(resolver: URLResolver, namespace: str) -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern, inner)
        elif pattern.name:
            yield f"{namespace}{pattern.name}", pattern


def _address(name: str, pattern: URLPattern) -> str | None:
    kinds = pattern.pattern.converters
    values = {
        key: make.some_id() if "UUID" in type(kind).__name__ else 1
        if "Int" in type(kind).__name__ else _TEXT
        for key, kind in kinds.items()
    }  # fmt: skip
    try:
        return reverse(name, kwargs=values)
    except NoReverseMatch:
        return None  # addresses of the admin by regular expression


def closed() -> list[str]:
    """Return the addresses that are not open to all and not of the token-only API."""
    found = []
    for name, pattern in routes():
        guard = guard_of(pattern.callback)
        is_open = guard is not None and bool(guard.open_reason)
        address = _address(name, pattern)
        if not is_open and not hasattr(pattern.callback, "cls") and address:
            found.append(address)
    return sorted(set(found))


def test_the_walk_finds_the_pages() -> None:
    addresses = closed()

    assert len(addresses) > 20
    assert "/profile/" in addresses
    assert "/admin/" in addresses


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_a_session_without_the_factor_is_led_away_from_every_page(method: str) -> None:
    browser = Browser()
    user = make.member(make.organisation(), "key_user")
    browser.use(make.session_of(user, verified=False))

    answers = {address: getattr(browser, method)(address) for address in closed()}

    wrong = {
        address: answer.status_code
        for address, answer in answers.items()
        if answer.status_code not in {301, 302, 403, 404, 405}
        or (answer.status_code == 302 and "sign-in" not in answer["Location"])
    }
    assert not wrong


def test_a_visitor_is_led_to_the_sign_in_from_every_page() -> None:
    browser = Browser()

    answers = {address: browser.get(address) for address in closed()}

    wrong = {
        address: answer.status_code
        for address, answer in answers.items()
        if answer.status_code == 200
        or (answer.status_code == 302 and "sign-in" not in answer["Location"])
    }
    assert not wrong


def test_the_factor_of_somebody_else_verifies_nobody(alice: Browser, bob: Browser) -> None:
    store = make.session_of(alice.user)
    store["otp_device_id"] = make.session_of(bob.user)["otp_device_id"]
    store.save()
    alice.use(store)

    assert alice.get("/profile/").status_code == 302


def test_a_verified_session_stays_verified(alice: Browser) -> None:
    assert alice.get("/profile/").status_code == 200
    assert alice.get("/profile/").status_code == 200


def test_a_step_up_is_asked_before_a_sensitive_page_and_leads_back(visitor: Browser) -> None:
    person = make.enrolled(make.organisation())
    visitor.sign_in(person.user)
    store = SessionStore(key_of(visitor.cookies["sid"].value))
    store["proved_at"] = 0
    store.save()

    asked = visitor.get("/profile/passphrase/")
    wrong = visitor.post(asked["Location"], {"code": "1"})
    right = visitor.post(asked["Location"], {"code": person.code()})

    assert asked["Location"] == "/step-up/?next=%2Fprofile%2Fpassphrase%2F"
    assert wrong.status_code == 422
    assert right["Location"] == "/profile/passphrase/"
    assert visitor.get("/profile/passphrase/").status_code == 200


def test_a_step_up_does_not_lead_to_other_hosts() -> None:
    person = make.enrolled(make.organisation())
    browser = Browser().sign_in(person.user)

    answer = browser.post("/step-up/?next=//evil.example/", {"code": person.code()})

    assert answer["Location"] == "/"

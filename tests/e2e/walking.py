"""Walks through every page a person can reach, in both themes and four languages."""

from collections import deque
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.urls import Resolver404, get_resolver, resolve
from playwright.sync_api import Page, Response

from tests.architecture.test_guards import patterns
from tests.e2e.browser import Visitor, axe_violations
from tests.e2e.people import Person, step_up_if_asked

LANGUAGES = {"en": "English", "de": "Deutsch", "fr": "Français", "pl": "Polski"}
THEMES = ("light", "dark")
METHOD_NOT_ALLOWED = 405
# Machines read these; they have tests of their own and no page to look at.
NOT_PAGES = ("api/", "oauth2/", ".well-known/", "health/", "csp-report", "static/")
# One-time links of mails and the set-up page: a wrong token shows the page that says so.
TOKEN_ADDRESSES = (
    "/setup/unknown-code/",
    "/invitations/unknown-token/",
    "/enrolment/link/unknown-token/",
    "/partners/confirm/unknown-token/",
    "/privacy/receipts/unknown-token/",
)


@dataclass(slots=True)
class Walk:
    """What has been visited.

    A page is looked at once, as the first person who reaches it: axe takes its time.

    Attributes:
        names: URL names that answered.
        pages: pages looked at, over persons, themes and languages.
        findings: what was wrong.
    """

    names: set[str] = field(default_factory=set)
    pages: int = 0
    findings: list[str] = field(default_factory=list)


def page_names() -> set[str]:
    """Return the URL names of all pages, from the resolver."""
    return {
        name
        for name, route, _view in patterns()
        if not route.lstrip("^").startswith(NOT_PAGES) and not route.startswith("admin/(?P<url>")
    }


def addresses_without_arguments() -> list[str]:
    """Return the addresses of all pages that need no id."""
    return [
        f"/{route}"
        for _name, route, _view in patterns()
        if "<" not in route and "(" not in route and not route.startswith((*NOT_PAGES, "^"))
    ]


def walk_as_visitor(walk: Walk, visitor: Visitor) -> None:
    """Look at what somebody meets who is not signed in."""
    addresses = [*addresses_without_arguments(), *TOKEN_ADDRESSES]
    found = _crawl(walk, visitor.page, None, addresses)
    _look(walk, visitor, None, found)


def walk_as(walk: Walk, person: Person) -> None:
    """Look at everything a person can reach by links, one address per URL name."""
    starts = [item for item in addresses_without_arguments() if not item.startswith("/sign-out")]
    found = _crawl(walk, person.page, person, starts)
    _look(walk, person.visitor, person, found)


def _crawl(walk: Walk, page: Page, person: Person | None, starts: list[str]) -> list[str]:
    """Return the addresses of pages that nobody has looked at, following links."""
    waiting, seen, pages = deque(starts), set[str](), list[str]()
    while waiting:
        address = waiting.popleft()
        name = _name_of(address)
        if name is None or name in seen or name.startswith("account_logout"):
            continue
        seen.add(name)
        if _has_no_page(page, address):
            walk.names.add(name)
            continue
        _open(page, person, address)
        if _sends_on(page, name):
            walk.names.add(name)
        elif _name_of(page.url) == name:
            waiting.extend(_links(page))
            if name not in walk.names:
                walk.names.add(name)
                pages.append(address)
    return pages


def _look(walk: Walk, visitor: Visitor, person: Person | None, addresses: list[str]) -> None:
    """Open each address in each language, and let axe look at it in each theme."""
    for words in LANGUAGES.values():
        _choose_language(visitor.page, words)
        for address in addresses:
            _open(visitor.page, person, address)
            for theme in THEMES:
                visitor.page.emulate_media(color_scheme=theme)
                found = axe_violations(visitor.page)
                walk.findings += [f"{address} {words} {theme}: {line}" for line in found]
                walk.pages += 1
    walk.findings += visitor.complaints
    visitor.complaints.clear()
    _choose_language(visitor.page, LANGUAGES["en"])


def _choose_language(page: Page, words: str) -> None:
    page.goto("/help/")
    page.get_by_role("button", name=words, exact=True).first.click()
    page.wait_for_load_state()


def _open(page: Page, person: Person | None, address: str) -> Response | None:
    """Open an address; prove the strong factor again where it is asked for."""
    answer = page.goto(address)
    if person is not None and "/step-up/" in page.url and not address.startswith("/step-up"):
        step_up_if_asked(person)
        answer = page.goto(address)
    return answer


def _has_no_page(page: Page, address: str) -> bool:
    """Say whether an address takes forms only (405) or answers with a file."""
    answer = page.request.get(address, max_redirects=0)
    is_html = "text/html" in answer.headers.get("content-type", "")
    return answer.status == METHOD_NOT_ALLOWED or (answer.ok and not is_html)


def _sends_on(page: Page, name: str) -> bool:
    """Say whether an address has led to another page, other than to prove who one is."""
    there = _name_of(page.url)
    return there != name and there not in {"account_login", "step_up", "mfa_authenticate"}


def _links(page: Page) -> list[str]:
    found: list[str] = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
    origin = page.evaluate("location.origin")
    return [item.removeprefix(origin).split("#")[0] for item in found if item.startswith(origin)]


def _name_of(address: str) -> str | None:
    """Return the URL name of an address, with its namespaces, as the guards' test names it."""
    try:
        match = resolve(urlsplit(address).path, urlconf=get_resolver().urlconf_module)
    except Resolver404:
        return None
    return ":".join([*match.namespaces, match.url_name or match.route])

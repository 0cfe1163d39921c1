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
    """Return one address per URL name that answers with a page, following links."""
    waiting, seen, pages = deque(starts), set[str](), list[str]()
    while waiting:
        address = waiting.popleft()
        name = _name_of(address)
        if name is None or name in seen or name.startswith("account_logout"):
            continue
        seen.add(name)
        walk.names.add(name)
        if not _answers_with_page(page, address):
            continue
        answer = _open(page, person, address)
        if answer is not None and _name_of(urlsplit(page.url).path) == name:
            pages.append(address)
            waiting.extend(_links(page))
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


def _answers_with_page(page: Page, address: str) -> bool:
    """Ask first: a browser cannot show an empty refusal (405) or a file as a page."""
    answer = page.request.get(address)
    return "text/html" in answer.headers.get("content-type", "") and bool(answer.body())


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

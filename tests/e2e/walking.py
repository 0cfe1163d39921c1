"""Walks through every page a person can reach, in both themes and four languages."""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from django.urls import NoReverseMatch, Resolver404, resolve, reverse
from playwright.sync_api import Page, Response

from tests.architecture.test_guards import patterns
from tests.e2e.browser import Visitor, axe_violations
from tests.e2e.people import Person, step_up_if_asked

LANGUAGES = {"en": "English", "de": "Deutsch", "fr": "Français", "pl": "Polski"}
THEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
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


# Names without a page of their own, and why; each is asked and must not show one.
NO_PAGES = {
    "admin:autocomplete": "answers scripts",
    "admin:login": "sends on to the portal's own sign-in",
    "admin:logout": "sends on to the portal's own sign-out",
    "admin:password_change": "sends on to the portal's own page",
    "favicon": "sends on to the picture",
}


@dataclass(slots=True)
class Walk:
    """What has been visited.

    A page is looked at once, as the first person who reaches it: axe takes its time.

    Attributes:
        names: URL names that answered.
        ids: ids in addresses that showed a page, by URL name.
        pages: pages looked at, over persons, themes and languages.
        findings: what was wrong.
    """

    names: set[str] = field(default_factory=set)
    ids: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    pages: int = 0
    findings: list[str] = field(default_factory=list)


def page_names() -> set[str]:
    """Return the URL names of all pages, from the resolver."""
    return {
        name
        for name, route, _view in patterns()
        if not route.lstrip("^").startswith(NOT_PAGES) and not route.startswith("admin/(?P<url>")
    }


def names_without_pages(visitor: Visitor) -> set[str]:
    """Return the reviewed names that show no page of their own, asked once more."""
    for name in NO_PAGES:
        answer = visitor.page.goto(reverse(name))
        is_shown = answer is not None and answer.ok and _name_of(visitor.page.url) == name
        assert not is_shown, f"{name} has a page"
    return set(NO_PAGES)


def addresses_without_arguments() -> list[str]:
    """Return the addresses of all pages that need no id."""
    return [
        f"/{route}"
        for _name, route, _view in patterns()
        if "<" not in route and "(" not in route and not route.startswith((*NOT_PAGES, "^"))
    ]


def walk_as_visitor(walk: Walk, visitor: Visitor, *, only: tuple[str, ...] = ()) -> None:
    """Look at what somebody meets who is not signed in, or at some addresses only."""
    walk.names -= {str(_name_of(address)) for address in only}
    addresses = only or (*addresses_without_arguments(), *TOKEN_ADDRESSES)
    found = _crawl(walk, visitor.page, None, addresses)
    _look(walk, visitor, None, found)


def walk_as(walk: Walk, person: Person) -> None:
    """Look at everything a person can reach by links, one address per URL name."""
    found = _crawl(walk, person.page, person, addresses_without_arguments())
    found += _crawl(walk, person.page, person, _siblings(walk))
    _look(walk, person.visitor, person, found)


def look_at(walk: Walk, page: Page, *, languages: bool = True) -> None:
    """Look at the open page of a person who is on the way in, where it stands."""
    here = _name_of(page.url)
    for words in LANGUAGES.values() if languages else ("",):
        if words:
            page.get_by_role("button", name=words, exact=True).first.click()
            page.wait_for_load_state()
        _look_in_both_themes(walk, page, words)
    if languages:
        page.get_by_role("button", name=LANGUAGES["en"], exact=True).first.click()
        page.wait_for_load_state()
    if here is not None:
        walk.names.add(here)


def _crawl(walk: Walk, page: Page, person: Person | None, starts: Iterable[str]) -> list[str]:
    """Return the addresses of pages that nobody has looked at, following links."""
    waiting, seen, pages = deque(starts), set[str](), list[str]()
    while waiting:
        address = waiting.popleft()
        name = _name_of(address)
        if name is None or name in seen:
            continue
        if _has_no_page(page, address):
            seen.add(name)
            walk.names.add(name)
        elif _shows(walk, page, person, address):
            seen.add(name)
            waiting.extend(_links(page))
            if name not in walk.names:
                walk.names.add(name)
                pages.append(address)
    return pages


def _shows(walk: Walk, page: Page, person: Person | None, address: str) -> bool:
    """Open an address; say whether it shows its own page, no other one and no refusal."""
    answer = _open(page, person, address)
    # The page of a bad token is a refusal by design.
    if answer is None or not (answer.ok or address in TOKEN_ADDRESSES):
        return False
    name = _name_of(address)
    if name is None or _name_of(page.url) != name:
        return False
    if kwargs := resolve(urlsplit(address).path).kwargs:
        walk.ids.setdefault(name, []).append(kwargs)
    return True


def _look(walk: Walk, visitor: Visitor, person: Person | None, addresses: list[str]) -> None:
    """Open each address in each language, and let axe look at it in each theme."""
    for words in LANGUAGES.values():
        _choose_language(visitor.page, words)
        for address in addresses:
            _open(visitor.page, person, address)
            _look_in_both_themes(walk, visitor.page, words)
    walk.findings += visitor.complaints
    visitor.complaints.clear()
    _choose_language(visitor.page, LANGUAGES["en"])


def _look_in_both_themes(walk: Walk, page: Page, words: str) -> None:
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        name = _name_of(page.url)
        walk.findings += [f"{name} {words} {theme}: {line}" for line in axe_violations(page)]
        walk.pages += 1


def _siblings(walk: Walk) -> list[str]:
    """Return addresses not yet visited whose ids are known from addresses that were.

    Of pages that act on one object, as in the admin, only the last word of the name differs.
    """
    found: dict[str, None] = {}  # in order, each once
    for name in page_names() - walk.names:
        for known_name, known in _known_ids(walk):
            with suppress(NoReverseMatch):
                found[reverse(name, kwargs=known)] = None
            if _stem(name) == _stem(known_name):
                with suppress(NoReverseMatch):
                    found[reverse(name, args=list(known.values()))] = None
    return list(found)


def _known_ids(walk: Walk) -> Iterator[tuple[str, dict[str, object]]]:
    for name, several in walk.ids.items():
        for known in several:
            yield name, known


def _stem(name: str) -> str:
    return name.rpartition("_")[0]


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


def _links(page: Page) -> list[str]:
    """Return the addresses that a page links or sends forms to, and its neighbours in the admin."""
    found: list[str] = page.eval_on_selector_all(
        "a[href], form[action]", "all => all.map(one => one.href || one.action)"
    )
    origin = page.evaluate("location.origin")
    own = [item.removeprefix(origin).split("#")[0] for item in found if item.startswith(origin)]
    changes = [item.removesuffix("change/") for item in own if item.endswith("/change/")]
    neighbours = [f"{item}{page_of}" for item in changes for page_of in ("", "delete/", "history/")]
    return [*own, *neighbours]


def _name_of(address: str) -> str | None:
    """Return the URL name of an address, with its namespaces, as the guards' test names it."""
    try:
        match = resolve(urlsplit(address).path)
    except Resolver404:
        return None
    return ":".join([*match.namespaces, match.url_name or match.route])

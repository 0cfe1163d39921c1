"""Bad input in every field of every page's form: no failure, clear words, and no row changed."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from django.core.cache import cache
from django.db import transaction
from django.forms import BaseForm, BooleanField
from django.test import Client
from django.urls import resolve
from pytest_django import Settings

from encryption.services import drop_keys
from foundation.rest.parsers import MAX_BYTES
from tests.factories import partners
from tests.factories.accounts import Answer, Browser
from tests.proofs import Tried
from tests.proofs_frame.comparing import row_counts
from tests.proofs_frame.forms_of_pages import Form, form_classes, forms_of
from tests.proofs_frame.visits import POSTED, Visit, visits
from tests.proofs_frame.world import CREDENTIAL

CLAIM = (
    "frame: NUL bytes, a megabyte and broken text in every field of every form are refused in "
    "clear words and write nothing"
)
URLENCODED = "application/x-www-form-urlencoded"
NUL = "before\x00after"
MEGABYTE = "x" * 1_000_000
SURROGATE = "\ud800"
LONG_QUERY = "x" * 4_000
TOO_MANY_FIELDS = b"&".join(b"f%d=1" % number for number in range(501))
# Parameters of lists, which stand in addresses without a form.
PARAMETERS = ("page", "after", "before", "sort", "order", "next", "q", "o", "p", "filter", "lang")
WHOLE = "*"
# Names of fields that may hold anything, because nothing is made of a wrong value: reviewed.
FORGIVING = {
    "next": "an address that is not ours leads to the home page",
}
# Fields whose good value only the person knows: reviewed; here a bad one is refused for that.
BLIND = {
    ("enrolment/authenticator/", "code"): "the code of an authenticator",
    ("enrolment/recovery-codes/confirm/", "code"): "one of ten random codes",
    ("profile/passphrase/", "old"): "the present passphrase",
    ("sign-in/", "__all__"): "address and passphrase together",
    ("sign-in/code/", "code"): "the code of an authenticator",
    ("step-up/", "code"): "the code of an authenticator",
}
# What a person would choose where the first choice is refused.
CHOICES: Mapping[str, Mapping[str, str]] = {
    "vault/<uuid:credential_id>/destroy/": {"name": CREDENTIAL},
    "admin/accounts/organisation/add/": {"kind": "customer"},
}
# Pages whose forms are examples and are sent nowhere.
EXAMPLES = ("/components/",)
TOKEN = "/oauth2/token"
OAUTH2 = (TOKEN, "/oauth2/revoke", "/oauth2/introspect")
# A parameter that the token endpoint does not know is ignored (RFC 6749, 3.2): a token is made.
OF_A_TOKEN = {"oauth2_provider_accesstoken", "partners_usedassertion"}
MESSAGE = b'<div class="messages"'


@dataclass(slots=True)
class Walk:
    """What was tried, and what was wrong."""

    forms: set[tuple[str, str, tuple[str, ...]]] = field(default_factory=set)
    seen: set[type[BaseForm]] = field(default_factory=set)
    blind: set[tuple[str, str]] = field(default_factory=set)
    findings: list[str] = field(default_factory=list)
    cases: int = 0


@pytest.fixture(autouse=True)
def generous(settings: Settings) -> None:
    """Let the walk be as long as it is."""
    settings.AXES_FAILURE_LIMIT = 100_000
    settings.OAUTH_NET_FAILURES = 100_000


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.proof(CLAIM)
def test_bad_input_in_every_field_of_every_form(tried: Tried) -> None:
    walk = Walk()

    for visit in visits():
        for address in visit.addresses:
            _look(walk, visit, address)

    assert walk.findings == []
    assert walk.blind == BLIND.keys(), "the control: a good value is accepted, a bad one is not"
    assert _never_shown(walk) == [], "forms that no page showed"
    tried.case(walk.cases)
    tried.figure(f"{len(walk.forms)} forms, {len(walk.seen)} classes")


def _look(walk: Walk, visit: Visit, address: str) -> None:
    """Open a page and try every form on it that was not tried before."""
    page = _opened(visit.browser, address)
    if page.status_code != 200 or not page.headers["Content-Type"].startswith("text/html"):
        return
    walk.seen.update(type(form) for form in _shown(page))
    path = address.removeprefix(POSTED)
    for value in ("%00", "%ED%A0%80", LONG_QUERY):
        _ask_lists(walk, visit, path, value)
    if path in EXAMPLES:
        return
    ticks = {name for form in _shown(page) for name in _ticks(form)}
    for form in forms_of(page.content.decode()):
        form.action = form.action or path
        form.values |= CHOICES.get(_kind(form.action), {})
        mark = (form.method, _kind(form.action), tuple(sorted(form.values)))
        if mark not in walk.forms:
            walk.forms.add(mark)
            _try(walk, visit, form, ticks | FORGIVING.keys())


def _opened(browser: Browser, address: str) -> Answer:
    if address.startswith(POSTED):
        return browser.post(address.removeprefix(POSTED))
    return browser.get(address)


def _kind(address: str) -> str:
    """Return the address without its query and ids, so that a form is tried once."""
    return resolve(address.partition("?")[0]).route


def _shown(page: Answer) -> Iterator[BaseForm]:
    """Give the forms that the page was drawn from."""
    for layer in page.context or ():
        for value in layer.dicts[-1].values() if hasattr(layer, "dicts") else ():
            found = getattr(value, "form", value)
            if isinstance(found, BaseForm):
                yield found


def _never_shown(walk: Walk) -> list[str]:
    return [
        f"{known.__module__}.{known.__name__}"
        for known in form_classes()
        if not any(issubclass(shown, known) for shown in walk.seen)
    ]


def _ticks(form: BaseForm) -> Iterator[str]:
    """Give the boxes to tick: whatever a browser sends for one means yes."""
    for name, found in form.fields.items():
        if isinstance(found, BooleanField):
            yield form.add_prefix(name)


def _ask_lists(walk: Walk, visit: Visit, path: str, value: str) -> None:
    """Ask with every parameter that a list may know, all at once."""
    query = "&".join(f"{name}={value}" for name in PARAMETERS)
    _ask(walk, visit, f"{path}?{query}")


def _ask(walk: Walk, visit: Visit, address: str) -> None:
    answer = visit.browser.get(address)
    walk.cases += 1
    if answer.status_code >= 500:
        walk.findings.append(f"{visit.who} GET {address[:120]}: {answer.status_code}")


def _try(walk: Walk, visit: Visit, form: Form, forgiving: Collection[str]) -> None:
    """Spoil one field after the other; what is accepted in spite of it is rolled back."""
    if form.method == "POST":
        walk.blind |= {(_kind(form.action), name) for name in _wrong_when_good(visit, form)}
    for name in form.values:
        for bad, what in ((NUL, "NUL"), (MEGABYTE, "a megabyte"), (SURROGATE, "a surrogate")):
            spoilt = form.body({name: bad})
            if form.method == "GET":
                query = form.body({name: bad if bad != MEGABYTE else LONG_QUERY}).decode()
                _ask(walk, visit, f"{form.action}?{query}")
                continue
            judged = "" if bad == SURROGATE or name in forgiving else name
            _send(walk, visit, form, spoilt, f"{what} in {name}", judged)
    if form.method == "POST":
        too_large = form.body() + b"&filler=" + b"x" * MAX_BYTES
        _send(walk, visit, form, too_large, "over 1 MiB", WHOLE)
        _send(walk, visit, form, form.body() + b"&" + TOO_MANY_FIELDS, "too many fields", WHOLE)


def _wrong_when_good(visit: Visit, form: Form) -> set[str]:
    """Return the fields that are refused with a good value too, so that they show nothing."""
    cache.clear()
    with transaction.atomic():
        answer = visit.browser.post(form.action, form.body(), content_type=URLENCODED)
        transaction.set_rollback(True)
    drop_keys()
    return {name for shown in _shown(answer) if shown.is_bound for name in _wrong(shown)}


def _send(walk: Walk, visit: Visit, form: Form, body: bytes, what: str, field_name: str) -> None:
    where = f"{visit.who} POST {_kind(form.action)}, {what}"
    walk.cases += 1
    cache.clear()  # the sessions lie in the database; counters must not stop the walk
    with transaction.atomic():
        before = row_counts()
        answer = visit.browser.post(form.action, body, content_type=URLENCODED)
        if field_name:
            walk.findings += [f"{where}: {line}" for line in _judge(answer, field_name)]
            changed = [name for name, rows in row_counts().items() if rows != before[name]]
            walk.findings += [f"{where}: wrote {name}" for name in changed]
        elif answer.status_code >= 500:
            walk.findings.append(f"{where}: {answer.status_code}")
        transaction.set_rollback(True)
    drop_keys()


def _judge(answer: Answer, field_name: str) -> list[str]:
    """The whole request is refused, or the form is shown again with an error beside the field."""
    if field_name == WHOLE or answer.status_code in {400, 413}:
        return [] if answer.status_code in {400, 413} else [f"{answer.status_code}"]
    names = {name for form in _shown(answer) if form.is_bound for name in _wrong(form)}
    if answer.status_code in {200, 422} and (field_name in names or MESSAGE in answer.content):
        return []
    return [f"{answer.status_code} with errors at {sorted(names)}"]


def _wrong(form: BaseForm) -> Iterable[str]:
    return [form.add_prefix(name) for name in form.errors]


@pytest.mark.proof(CLAIM)
def test_bad_input_in_every_field_of_the_oauth2_endpoints(tried: Tried) -> None:
    client, key = Client(raise_request_exception=False), partners.key()
    by_key, by_secret = partners.live(key), partners.live(email="dev@second.example")
    secret = partners.secret_of(by_secret.client(), by_secret.person)
    grant = {"grant_type": "client_credentials", "scope": "records:read"}
    rest = {"token": "some-token", "token_type_hint": "access_token"}
    own = {"client_id": by_secret.client().client_id, "client_secret": secret}

    def good() -> tuple[dict[str, str], dict[str, str]]:
        """Return both ways to prove a client; an assertion works once."""
        return (
            {**grant, **rest, **own},
            {**grant, **rest, **partners.proof(by_key.client().client_id, key)},
        )

    before = row_counts()
    for path in OAUTH2:
        for way, form in enumerate(good()):
            for name in form:
                for bad in (NUL, MEGABYTE, SURROGATE):
                    body = Form(values={**good()[way], name: bad}).body()
                    status = client.post(path, body, content_type=URLENCODED).status_code
                    assert status < 500, f"{path} {name}: {status}"
                    assert path != TOKEN or status >= 400 or name in rest, f"{name}: {status}"
                    tried.case()
        for body in (Form(values=good()[0]).body() + b"&x=" + b"x" * MAX_BYTES, TOO_MANY_FIELDS):
            assert client.post(path, body, content_type=URLENCODED).status_code in {400, 413}
            tried.case()
    changed = {name for name, rows in row_counts().items() if rows != before[name]}
    assert changed <= OF_A_TOKEN, "fields the token endpoint does not know change nothing"

    for form in good():
        assert client.post(TOKEN, form).status_code == 200, "the control"

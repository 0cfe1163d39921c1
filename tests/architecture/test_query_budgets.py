"""Every page and every GET of the API has a budget of statements that more rows do not raise.

The addresses come from the resolver. ``query_budgets.json`` holds the budget of each one that
answers, and of the others the reviewed reason why there is nothing to measure. After a wanted
change write it anew and read the difference:
``WRITE_QUERY_BUDGETS=yes bin/test tests/architecture/test_query_budgets.py``.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Role
from encryption.models import DataKey
from encryption.services import drop_keys
from foundation.web import paging
from tests.architecture.filled import Filled, add_rows, filled
from tests.architecture.test_guards import patterns
from tests.factories import partners
from tests.factories.accounts import Answer
from tests.factories.records import IBAN

BUDGETS = Path(__file__).parent / "query_budgets.json"
FEW, MANY = 3, 8
# Lists that are asked by a form.
SEARCHES = {"records:look_up": {"iban": IBAN}}
# Asks its checks in threads of its own, and may be ready or not when it is asked.
UNSTEADY = {"health_ready"}
# The owners of the shared connections: every statement of every alias goes through one of them.
DATABASES = ("default", "keys")
# Forms of the admin, one row each; its lists and the pages of its rows are measured.
ADMIN_FORMS = re.compile(r"admin:(admin/|.*_(add|delete|history|approve|refuse|suspend|resume)$)")
_ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")
_ADMIN_PAGE = re.compile(r"admin:(\w+?)_(\w+)_change$")

Ask = Callable[[str], Answer]


@dataclass(slots=True)
class Captured:
    """Statements of all databases while a block ran."""

    statements: list[str] = field(default_factory=list)


@pytest.mark.timeout(600)  # some 300 requests; each is quick, but a busy machine takes its time
def test_every_address_has_a_budget_or_a_reason_and_more_rows_cost_no_statement() -> None:
    names = {
        name: route
        for name, route, _view in patterns()
        if not ADMIN_FORMS.match(name) and name not in UNSTEADY
    }
    place = filled()

    add_rows(place, FEW)
    few = measured(names, place)
    add_rows(place, MANY)
    many = measured_again(names, place, few)

    if os.environ.get("WRITE_QUERY_BUDGETS"):
        write(names, many)
    agreed = json.loads(BUDGETS.read_text(encoding="utf-8"))
    budgets, reasons = agreed["budgets"], agreed["unmeasured"]
    assert len(many) > 30
    assert sorted(many) == sorted(budgets), "an address without budget, or a budget without one"
    assert sorted(set(names) - set(many)) == sorted(reasons)
    assert [name for name, reason in reasons.items() if len(reason) < 10] == []
    assert {name: (few[name][0], many[name]) for name in many if many[name] > few[name][0]} == {}
    assert {name: many[name] for name in many if many[name] > budgets[name]} == {}
    assert {name: many[name] for name in many if many[name] < budgets[name] - 3} == {}, "too wide"


def test_a_statement_for_each_row_is_seen() -> None:
    with captured() as found:
        for _row in range(MANY):
            Role.objects.using("journal").exists()
            DataKey.objects.using("keys").exists()

    assert len(found.statements) == 2 * MANY


def test_a_page_holds_fewer_rows_than_the_measured_lists_get() -> None:
    assert FEW < MANY < paging.PAGE_SIZE


def measured(names: dict[str, str], place: Filled) -> dict[str, tuple[int, Ask]]:
    """Return for each address that answers the most statements it took, and who asked."""
    found: dict[str, tuple[int, Ask]] = {}
    for name, route in names.items():
        address = address_of(name, route, place)
        if address is not None:
            asked = [(cost(ask, address), ask) for ask in askers(place, name, route)]
            found[name] = max(asked, key=lambda item: item[0])
    return {name: (count, ask) for name, (count, ask) in found.items() if count}


def measured_again(
    names: dict[str, str], place: Filled, before: dict[str, tuple[int, Ask]]
) -> dict[str, int]:
    """Return the statements of the same addresses, asked by the same people."""
    addresses = {name: address_of(name, names[name], place) for name in before}
    return {name: cost(before[name][1], address) for name, address in addresses.items() if address}


def askers(place: Filled, name: str, route: str) -> Iterator[Ask]:
    """Give ways to ask an address, one for everybody who may."""
    if route.startswith("api/"):
        for token in (place.token, place.registration_token):
            yield Client(headers=partners.bearer(token)).get
        return
    for browser in place.people:
        form = SEARCHES.get(name)
        yield browser.get if form is None else partial(browser.post, data=form)


def address_of(name: str, route: str, place: Filled) -> str | None:
    """Return the address with ids, or None where it names something that pages do not show."""
    admin = _ADMIN_PAGE.match(name)
    if admin is not None:
        row = apps.get_model(admin[1], admin[2])._default_manager.first()
        return None if row is None else "/" + _ARGUMENT.sub(str(row.pk), route)
    ids = place.ids | (place.api_ids if route.startswith("api/") else {})
    if "(" in route or not set(_ARGUMENT.findall(route)) <= set(ids):
        return None
    return "/" + _ARGUMENT.sub(lambda argument: str(ids[argument[1]]), route)


def cost(ask: Ask, address: str) -> int:
    """Return the statements of an address without any data key at hand; 0 if it refuses.

    The lower one of two tries: the first fills caches, and either may meet a statement that
    is due from time to time (session last seen, new revocations).
    """
    counts = []
    for _try in range(2):
        drop_keys()
        with captured() as found:
            answer = ask(address)
        if answer.status_code != HTTPStatus.OK:
            return 0
        counts.append(len(found.statements))
    return min(counts)


@contextmanager
def captured() -> Iterator[Captured]:
    """Count the statements of all databases."""
    found = Captured()
    with ExitStack() as stack:
        contexts = [
            stack.enter_context(CaptureQueriesContext(connections[alias])) for alias in DATABASES
        ]
        yield found
        for context in contexts:
            found.statements += [str(query["sql"]) for query in context.captured_queries]


def write(names: dict[str, str], many: dict[str, int]) -> None:
    """Write what was measured; reasons stay, and new addresses get an empty one to fill."""
    reasons = (
        json.loads(BUDGETS.read_text(encoding="utf-8"))["unmeasured"] if BUDGETS.exists() else {}
    )
    unmeasured = {name: reasons.get(name, "") for name in sorted(set(names) - set(many))}
    text = json.dumps({"budgets": dict(sorted(many.items())), "unmeasured": unmeasured}, indent=2)
    BUDGETS.write_text(f"{text}\n", encoding="utf-8")

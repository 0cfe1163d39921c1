"""A permission that the role editor offers acts: some guard, page or service asks for it.

The sets come from the code: the registry, and the guards behind all addresses, the admin classes,
what pages contribute, and the sources where they ask a principal themselves.
"""

import ast
from collections.abc import Iterator
from types import ModuleType

from django.contrib.admin.sites import all_sites
from django.db import connection

from foundation.access.guards import guard_of
from foundation.access.permissions import permissions
from foundation.web.cards import cards
from foundation.web.navigation import navigation
from foundation.web.related import related
from tests.architecture import source
from tests.architecture.test_guards import patterns

# How a guard gets its permission: a decorator of a view, or the question to a principal.
ASKING = {"may", "requires", "staff_requires"}


def asked_by_addresses() -> set[str]:
    guards = [guard_of(view) for _name, _route, view in patterns()]
    return {guard.permission for guard in guards if guard and guard.permission}


def asked_by_the_admin() -> set[str]:
    admins = [found for site in all_sites for found in site._registry.values()]
    values = [
        getattr(found, name)
        for found in admins
        for name in dir(type(found))
        if name.endswith("_permission")
    ]
    return {value for value in values if isinstance(value, str)} - {""}


def asked_by_contributions() -> set[str]:
    return {
        *(item.permission for item in navigation.all()),
        *(card.permission for card in cards.all()),
        *(source_of.permission for source_of in related.all()),
    } - {""}


def asked_by_sources() -> set[str]:
    """Give what ``principal.may(CODE)``, ``@requires(CODE)`` and ``CODE in codes`` ask for."""
    found: set[str] = set()
    for path in source.files():
        tree = source.tree_of(path)
        expressions = list(questions(tree))
        if expressions:
            found |= set(texts(expressions, source.module_of(path)))
    return found


def questions(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and len(node.args) == 1 and called(node) in ASKING:
            yield node.args[0]
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In):
            holder = node.comparators[0]
            if isinstance(holder, ast.Name) and holder.id == "codes":
                yield node.left


def called(node: ast.Call) -> str:
    return str(getattr(node.func, "attr", getattr(node.func, "id", "")))


def texts(expressions: list[ast.expr], module: ModuleType) -> Iterator[str]:
    for expression in expressions:
        value = source.held(expression, module)
        if isinstance(value, str):
            yield value


def asked() -> set[str]:
    return (
        asked_by_addresses() | asked_by_the_admin() | asked_by_contributions() | asked_by_sources()
    )


def test_every_permission_on_offer_is_asked_for_somewhere() -> None:
    assert len(permissions) > 15
    assert sorted(set(permissions.keys()) - asked()) == []


def test_nothing_asks_for_a_permission_that_no_role_can_hold() -> None:
    found = asked()

    assert len(found) > 15
    assert sorted(found - set(permissions.keys())) == []


def test_shipped_roles_hold_permissions_on_offer_alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT code FROM accounts_rolepermission")
        given = {str(code) for (code,) in cursor.fetchall()}

    assert len(given) > 10
    assert sorted(given - set(permissions.keys())) == []


def test_a_question_in_the_source_is_found() -> None:
    tree = ast.parse("principal.may(CODE)\nif OTHER in codes: pass\nrows.may(code, 1)")

    assert [ast.unparse(found) for found in questions(tree)] == ["CODE", "OTHER"]

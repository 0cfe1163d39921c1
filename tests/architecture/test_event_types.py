"""An event type that the journal knows is recorded by some code; the others promise too much."""

import ast
from collections.abc import Iterator
from pathlib import Path

from audit.events import EventType, audit_event_types
from tests.architecture import source

DECLARATIONS = "audit_events.py"


def recorded() -> set[str]:
    """Give the codes of the types that code outside of the declarations hands on."""
    paths = [path for path in source.files() if path.name != DECLARATIONS]
    return {code for path in paths for code in codes_in(path)} | of_the_key_store()


def codes_in(path: Path) -> Iterator[str]:
    expressions = list(handed_on(source.tree_of(path)))
    if not expressions:
        return
    module = source.module_of(path)
    for value in (source.held(expression, module) for expression in expressions):
        if isinstance(value, EventType):
            yield value.code


def of_the_key_store() -> set[str]:
    """Give what ``KeyEvent("...")`` names: the key store stands below the journal."""
    return {
        node.args[0].value
        for path in source.files()
        for node in ast.walk(source.tree_of(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "KeyEvent"
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def handed_on(tree: ast.AST) -> Iterator[ast.expr]:
    """Give constants that are used as they are; ``TYPE.code`` finds entries and records none."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Attribute) and node.attr == "code":
            continue
        if isinstance(node, ast.Name | ast.Attribute) and source.is_constant(node):
            yield node
        yield from handed_on(node)


def test_every_registered_event_type_is_recorded_somewhere() -> None:
    declared = {found.code for found in audit_event_types}
    codes = {code for code in declared if not code.startswith("audit.test.")}

    assert len(codes) > 50
    assert sorted(codes - recorded()) == []


def test_every_event_of_the_key_store_has_a_type() -> None:
    found = of_the_key_store()

    assert found
    assert sorted(found - set(audit_event_types.keys())) == []


def test_asking_for_entries_of_a_type_does_not_count_as_recording_it() -> None:
    tree = ast.parse("record(ONE)\nentries.filter(type=TWO.code)\nrecord(events.THREE)")

    assert [ast.unparse(found) for found in handed_on(tree)] == ["ONE", "events.THREE"]

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from django.db import connection, models
from django.db.migrations import CreateModel
from django.db.migrations.state import ProjectState
from django.db.utils import IntegrityError, ProgrammingError

from foundation.identifiers import uuid7
from foundation.tenancy import (
    EnableRowSecurity,
    ModelOperation,
    OrganisationForeignKey,
    ScopeForeign,
    ScopeMissing,
    current_organisation,
    organisation_scope,
    required_organisation,
)
from tests.factories.walls import rows_seen

APP = "rest"  # any app of the main database; the tables go with the test's transaction
SHELF, BOOK = "rest_shelf", "rest_book"


def test_outside_of_a_scope_nothing_is_open() -> None:
    assert current_organisation() is None
    with pytest.raises(ScopeMissing):
        required_organisation()


def test_a_scope_opens_again_for_the_same_organisation_alone() -> None:
    one, other = uuid7(), uuid7()

    with organisation_scope(one):
        with organisation_scope(one):
            assert required_organisation() == one
        with pytest.raises(ScopeForeign), organisation_scope(other):
            pass
        assert current_organisation() == one

    assert current_organisation() is None


def test_a_scope_ends_with_an_error_too() -> None:
    with pytest.raises(ZeroDivisionError), organisation_scope(uuid7()):
        _ = 1 // 0

    assert current_organisation() is None


def test_row_security_shows_rows_of_the_open_organisation_alone(
    shelves: ProjectState,
) -> None:
    one, other = uuid7(), uuid7()
    migrate(EnableRowSecurity("shelf"), shelves)
    put(SHELF, organisation_id=one)
    put(SHELF, organisation_id=other)

    seen = (rows_seen(SHELF), rows_seen(SHELF, organisation_id=one))
    migrate(EnableRowSecurity("shelf"), shelves, backwards=True)

    assert seen == (0, 1)
    assert rows_seen(SHELF) == 2


def test_row_security_refuses_a_row_of_another_organisation(shelves: ProjectState) -> None:
    migrate(EnableRowSecurity("shelf"), shelves)

    with pytest.raises(ProgrammingError, match="row-level security"), organisation_scope(uuid7()):
        insert(SHELF, id=uuid7(), organisation_id=uuid7())


def test_staff_may_read_a_table_only_once_row_security_is_there(shelves: ProjectState) -> None:
    assert not staff_may_read(SHELF)

    migrate(EnableRowSecurity("shelf"), shelves)
    allowed = staff_may_read(SHELF)
    migrate(EnableRowSecurity("shelf"), shelves, backwards=True)

    assert allowed
    assert not staff_may_read(SHELF)


def test_a_foreign_key_cannot_cross_the_border(shelves: ProjectState) -> None:
    one, other = uuid7(), uuid7()
    shelf = put(SHELF, organisation_id=one)
    unguarded = put(BOOK, organisation_id=other, shelf_id=shelf)
    delete(BOOK, unguarded)

    migrate(OrganisationForeignKey("book", "shelf"), shelves)

    put(BOOK, organisation_id=one, shelf_id=shelf)
    with pytest.raises(IntegrityError, match="rest_book_shelf_organisation"):
        put(BOOK, organisation_id=other, shelf_id=shelf)


def test_a_foreign_key_step_can_be_taken_back_and_again(shelves: ProjectState) -> None:
    step = OrganisationForeignKey("book", "shelf")
    migrate(step, shelves)

    migrate(step, shelves, backwards=True)

    put(BOOK, organisation_id=uuid7(), shelf_id=put(SHELF, organisation_id=uuid7()))
    delete(BOOK)
    migrate(step, shelves)


def test_a_foreign_key_step_on_another_column_is_a_mistake(shelves: ProjectState) -> None:
    with pytest.raises(ValueError, match="organisation_id is no foreign key"):
        migrate(OrganisationForeignKey("book", "organisation_id"), shelves)


def test_steps_say_what_they_do() -> None:
    assert EnableRowSecurity("shelf").describe() == "Row-level security on shelf"
    assert "book.shelf carries" in OrganisationForeignKey("book", "shelf").describe()


def test_a_step_without_statements_is_a_mistake(shelves: ProjectState) -> None:
    model = shelves.apps.get_model(APP, "shelf")

    with pytest.raises(NotImplementedError):
        ModelOperation("shelf").statements(model, shelves)
    with pytest.raises(NotImplementedError):
        ModelOperation("shelf").reverse_statements(model)


@pytest.fixture
def shelves() -> ProjectState:
    """Two tables of this test: a shelf, and a book that points to it."""
    state = ProjectState()
    key = ("id", models.UUIDField(primary_key=True, default=uuid7))
    organisation = ("organisation_id", models.UUIDField())
    shelf = models.ForeignKey("rest.shelf", on_delete=models.CASCADE, db_constraint=False)
    steps = (
        CreateModel("Shelf", fields=[key, organisation]),
        CreateModel("Book", fields=[key, organisation, ("shelf", shelf)]),
    )
    for step in steps:
        before = state.clone()
        step.state_forwards(APP, state)
        with as_migrator(), connection.schema_editor(atomic=False) as editor:
            step.database_forwards(APP, editor, before, state)
    return state


def migrate(step: ModelOperation, state: ProjectState, *, backwards: bool = False) -> None:
    step.state_forwards(APP, state)
    run = step.database_backwards if backwards else step.database_forwards
    with as_migrator(), connection.schema_editor(atomic=False) as editor:
        run(APP, editor, state, state)


@contextmanager
def as_migrator() -> Iterator[None]:
    """Act as the role that owns the tables; what is still unchecked is checked first."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL ROLE gatehouse_migrator")
        yield
        cursor.execute("SET LOCAL ROLE gatehouse_app")


def put(table: str, **values: UUID) -> UUID:
    """Insert a row in the scope of its organisation, with its foreign keys checked."""
    row = uuid7()
    with organisation_scope(values["organisation_id"]):
        insert(table, id=row, **values)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return row


def insert(table: str, **values: UUID) -> None:
    columns = ", ".join(values)
    marks = ", ".join(["%s"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", [*values.values()])  # noqa: S608


def delete(table: str, row: UUID | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE %s IN (id::text, '')", [str(row or "")])  # noqa: S608


def staff_may_read(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege('gatehouse_staff', %s, 'SELECT')", [table])
        (found,) = cursor.fetchone() or (False,)
    return bool(found)

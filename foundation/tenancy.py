"""The border between organisations: the scope, the scoped manager and row-level security.

Two walls (workspace.md 1). In the code, the default manager of a scoped model answers only inside
``organisation_scope``. In the database, row-level security compares each row with the setting that
the scope sends, so that even raw SQL of the web role sees no foreign row.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar
from uuid import UUID

from django.db import connections, models, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

SETTING = "gatehouse.organisation"

Row = TypeVar("Row", bound=models.Model)

_scope: ContextVar[UUID | None] = ContextVar("organisation_scope", default=None)
_aliases: ContextVar[frozenset[str]] = ContextVar("organisation_scope_aliases", default=frozenset())


class ScopeMissing(RuntimeError):
    """A scoped model was asked outside ``organisation_scope``: a mistake in our code."""


class ScopeForeign(RuntimeError):
    """A second organisation was opened inside the scope of a first one."""


def current_organisation() -> UUID | None:
    """Return the organisation whose scope is open, or None."""
    return _scope.get()


def required_organisation() -> UUID:
    """Return the organisation whose scope is open.

    Raises:
        ScopeMissing: no scope is open.
    """
    organisation_id = _scope.get()
    if organisation_id is None:
        raise ScopeMissing("no organisation_scope is open")
    return organisation_id


@contextmanager
def organisation_scope(organisation_id: UUID, *, using: str = "default") -> Iterator[None]:
    """Open a transaction in which the rows of one organisation can be seen and written.

    Answers that stream must read their rows before they leave the scope, and outbound calls
    collect their data in it and are made after it.

    Args:
        organisation_id: the organisation.
        using: database alias; the same organisation may be opened on a second alias inside.

    Raises:
        ScopeForeign: another organisation's scope is open.
    """
    opened = _scope.get()
    if opened is not None and opened != organisation_id:
        raise ScopeForeign("another organisation's scope is open")
    with transaction.atomic(using=using):
        if using not in _aliases.get():
            _send_setting(organisation_id, using)
        scope_token = _scope.set(organisation_id)
        alias_token = _aliases.set(_aliases.get() | {using})
        try:
            yield
        finally:
            _aliases.reset(alias_token)
            _scope.reset(scope_token)


def _send_setting(organisation_id: UUID, using: str) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SETTING, str(organisation_id)])


class ScopedManager(models.Manager[Row]):
    """Default manager of a scoped model: rows of the open organisation, or an error."""

    def get_queryset(self) -> models.QuerySet[Row]:
        """Return the rows of the open organisation.

        Raises:
            ScopeMissing: no scope is open.
        """
        return super().get_queryset().filter(organisation_id=required_organisation())


class ModelOperation(Operation):
    """A migration step of SQL about one model's table, without change of Django's state."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change nothing: Django's state knows no row security."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,  # noqa: ARG002  Django's signature
        to_state: ProjectState,
    ) -> None:
        """Run the statements where the model's table lives."""
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            for statement in self.statements(model, to_state):
                schema_editor.execute(statement, None)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,  # noqa: ARG002  Django's signature
    ) -> None:
        """Run the reverse statements where the model's table lives."""
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            for statement in self.reverse_statements(model):
                schema_editor.execute(statement, None)

    def statements(self, model: type[models.Model], state: ProjectState) -> list[str]:
        """Return the SQL that does the step."""
        raise NotImplementedError

    def reverse_statements(self, model: type[models.Model]) -> list[str]:
        """Return the SQL that undoes it."""
        raise NotImplementedError


class EnableRowSecurity(ModelOperation):
    """Put a table under row-level security: its organisation, and reading for staff queues."""

    def describe(self) -> str:
        """Return the step in words."""
        return f"Row-level security on {self.model_name}"

    def statements(self, model: type[models.Model], state: ProjectState) -> list[str]:  # noqa: ARG002
        """Return the SQL that does the step."""
        table = model._meta.db_table  # noqa: SLF001  Django's documented model API
        condition = f"organisation_id = NULLIF(current_setting('{SETTING}', true), '')::uuid"
        return [
            f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
            f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
            f'CREATE POLICY organisation ON "{table}" USING ({condition}) WITH CHECK ({condition})',
            f'CREATE POLICY staff_reads ON "{table}" FOR SELECT TO gatehouse_staff USING (true)',
            f'GRANT SELECT ON "{table}" TO gatehouse_staff',
        ]

    def reverse_statements(self, model: type[models.Model]) -> list[str]:
        """Return the SQL that undoes it."""
        table = model._meta.db_table  # noqa: SLF001
        return [
            f'REVOKE SELECT ON "{table}" FROM gatehouse_staff',  # noqa: S608  a model's table name
            f'DROP POLICY staff_reads ON "{table}"',
            f'DROP POLICY organisation ON "{table}"',
            f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY',
            f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY',
        ]


class OrganisationForeignKey(ModelOperation):
    """Make a foreign key carry the organisation, so that no row can point across the border.

    Django has no composite foreign key: the column stays a Django ForeignKey (declare it with
    ``db_constraint=False``) and this step adds the constraint over both columns.

    Args:
        model_name: the model that points.
        field: name of its ForeignKey.
    """

    def __init__(self, model_name: str, field: str) -> None:
        super().__init__(model_name)
        self.field = field

    def describe(self) -> str:
        """Return the step in words."""
        return f"Foreign key {self.model_name}.{self.field} carries the organisation"

    def statements(self, model: type[models.Model], state: ProjectState) -> list[str]:  # noqa: ARG002
        """Return the SQL that does the step."""
        table = model._meta.db_table  # noqa: SLF001
        target = self._target(model)
        unique = f"{target}_id_organisation"
        return [
            (
                "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint "
                f"WHERE conname = '{unique}') THEN "
                f'ALTER TABLE "{target}" ADD CONSTRAINT "{unique}" UNIQUE (id, organisation_id); '
                "END IF; END $$"
            ),
            (
                f'ALTER TABLE "{table}" ADD CONSTRAINT "{self._constraint(table)}" '
                f'FOREIGN KEY ("{self.field}_id", organisation_id) '
                f'REFERENCES "{target}" (id, organisation_id) DEFERRABLE INITIALLY DEFERRED'
            ),
        ]

    def reverse_statements(self, model: type[models.Model]) -> list[str]:
        """Return the SQL that undoes it; the unique constraint may serve others and stays."""
        table = model._meta.db_table  # noqa: SLF001
        return [f'ALTER TABLE "{table}" DROP CONSTRAINT "{self._constraint(table)}"']

    def _target(self, model: type[models.Model]) -> str:
        related = model._meta.get_field(self.field).related_model  # noqa: SLF001
        if related is None or isinstance(related, str):
            raise ValueError(f"{self.model_name}.{self.field} is no foreign key")
        return related._meta.db_table  # noqa: SLF001

    def _constraint(self, table: str) -> str:
        return f"{table}_{self.field}_organisation"[:63]

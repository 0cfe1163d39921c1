"""Migration steps for tables with sealed fields."""

from django.db import models
from django.db.migrations.state import ProjectState

from encryption.fields import SealedField
from foundation.tenancy import ModelOperation

_INDEX_TABLE = "encryption_blindindexentry"


class ForbidKeyChange(ModelOperation):
    """Forbid changes of a table's key, to which its sealed values are bound.

    If the model has a blind index, deleted rows take their digests with them.
    """

    def describe(self) -> str:
        """Return the step in words."""
        return f"The key of {self.model_name} never changes"

    def statements(self, model: type[models.Model], state: ProjectState) -> list[str]:  # noqa: ARG002
        """Return the SQL that does the step."""
        table, key = _names(model)
        statements = [
            (
                f"CREATE FUNCTION {table}_key_stays() RETURNS trigger LANGUAGE plpgsql AS $$ "
                f"BEGIN RAISE EXCEPTION 'the key of {table} never changes' "
                "USING ERRCODE = 'integrity_constraint_violation'; END $$"
            ),
            (
                f'CREATE TRIGGER key_stays BEFORE UPDATE ON "{table}" FOR EACH ROW '
                f'WHEN (OLD."{key}" IS DISTINCT FROM NEW."{key}") '
                f"EXECUTE FUNCTION {table}_key_stays()"
            ),
        ]
        if _is_indexed(model):
            statements += [
                (
                    f"CREATE FUNCTION {table}_digests_go() RETURNS trigger LANGUAGE plpgsql "  # noqa: S608
                    "SECURITY DEFINER SET search_path = pg_catalog, public AS $$ "
                    f'BEGIN DELETE FROM {_INDEX_TABLE} WHERE row = OLD."{key}"; '
                    "RETURN NULL; END $$"
                ),
                (
                    f'CREATE TRIGGER digests_go AFTER DELETE ON "{table}" FOR EACH ROW '
                    f"EXECUTE FUNCTION {table}_digests_go()"
                ),
            ]
        return statements

    def reverse_statements(self, model: type[models.Model]) -> list[str]:
        """Return the SQL that undoes it."""
        table, _ = _names(model)
        return [
            f'DROP TRIGGER IF EXISTS digests_go ON "{table}"',
            f"DROP FUNCTION IF EXISTS {table}_digests_go()",
            f'DROP TRIGGER key_stays ON "{table}"',
            f"DROP FUNCTION {table}_key_stays()",
        ]


class UniqueBlindIndex(ModelOperation):
    """Let no two rows have the same value in a field with a blind index.

    Args:
        model_name: the model.
        field: name of the sealed field.
    """

    def __init__(self, model_name: str, field: str) -> None:
        super().__init__(model_name)
        self.field = field

    def describe(self) -> str:
        """Return the step in words."""
        return f"{self.model_name}.{self.field} is unique by its blind index"

    def statements(self, model: type[models.Model], state: ProjectState) -> list[str]:  # noqa: ARG002
        """Return the SQL that does the step."""
        label = self._label(model)
        index = _index_name(label)
        statement = f'CREATE UNIQUE INDEX "{index}" ON {_INDEX_TABLE} (digest)'
        return [f"{statement} WHERE label = '{label}'"]

    def reverse_statements(self, model: type[models.Model]) -> list[str]:
        """Return the SQL that undoes it."""
        return [f'DROP INDEX "{_index_name(self._label(model))}"']

    def _label(self, model: type[models.Model]) -> str:
        field = model._meta.get_field(self.field)  # noqa: SLF001  Django's model API
        if not isinstance(field, SealedField) or not field.blind_index:
            raise ValueError(f"{self.model_name}.{self.field} has no blind index")
        return field.label


def _names(model: type[models.Model]) -> tuple[str, str]:
    meta = model._meta  # noqa: SLF001  Django's model API
    return meta.db_table, str(meta.pk.column)


def _is_indexed(model: type[models.Model]) -> bool:
    fields = model._meta.concrete_fields  # noqa: SLF001
    return any(isinstance(field, SealedField) and field.blind_index for field in fields)


def _index_name(label: str) -> str:
    return f"encryption_unique_{label.replace('.', '_')}"[:63]

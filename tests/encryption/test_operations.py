"""Migration steps, the router, and models of migrations."""

from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connections, models
from django.db.migrations.operations import CreateModel
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.writer import MigrationWriter

from encryption.key_tables import BlindIndexEntry, DataKey, Installation, RootVersion, SigningKey
from encryption.models import SealingKey
from encryption.operations import ForbidKeyChange, UniqueBlindIndex
from encryption.router import KeysRouter
from encryption.sealed import sealed_fields
from tests.encryption.models import APP, Person, Supplier, Visit
from tests.factories.encryption import person, unsaved_person
from tests.proofs import Tried
from tests.servers import state as servers

ROUTER = KeysRouter()


def test_steps_describe_and_undo_themselves() -> None:
    steps = [
        (Person, ForbidKeyChange("Person")),
        (Supplier, ForbidKeyChange("Supplier")),
        (Person, UniqueBlindIndex("Person", "email")),
    ]
    assert [step.describe() for _, step in steps] == [
        "The key of Person never changes",
        "The key of Supplier never changes",
        "Person.email is unique by its blind index",
    ]
    with servers().installation.postgres.connect(servers().clone.main) as connection:
        connection.execute("BEGIN")
        for model, step in reversed(steps):
            for statement in step.reverse_statements(model):
                connection.execute(statement.encode())
        left = connection.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgname IN ('key_stays', 'digests_go') "
            "AND tgrelid = ANY(ARRAY[%s::regclass, %s::regclass])",
            [Person._meta.db_table, Supplier._meta.db_table],
        ).fetchone()
        for model, step in steps:
            for statement in step.statements(model, ProjectState()):
                connection.execute(statement.encode())
        connection.execute("ROLLBACK")
    assert left == (0,)


def test_only_a_field_with_a_blind_index_can_be_unique() -> None:
    for field in ("name", "code"):
        with pytest.raises(ValueError, match="no blind index"):
            UniqueBlindIndex("Person", field).statements(Person, ProjectState())


@pytest.mark.parametrize(
    ("model", "alias"),
    [(DataKey, "keys"), (Installation, "keys"), (BlindIndexEntry, None), (Person, None)],
)
def test_the_key_store_lives_in_its_own_database(
    model: type[models.Model], alias: str | None
) -> None:
    assert ROUTER.db_for_read(model) == ROUTER.db_for_write(model) == alias


@pytest.mark.parametrize(
    ("db", "app", "model", "hints", "allowed"),
    [
        ("keys", "encryption", "DataKey", {}, True),
        ("default", "encryption", "datakey", {}, False),
        ("default", "encryption", "blindindexentry", {}, True),
        ("keys", "encryption", "blindindexentry", {}, False),
        ("default", "accounts", "user", {}, True),
        ("keys", "accounts", "user", {}, False),
        ("staff", "accounts", "user", {}, False),
        ("default", "accounts", None, {}, True),
        ("keys", "accounts", None, {}, False),
        ("keys", "encryption", None, {"database": "keys"}, True),
        ("default", "encryption", None, {"database": "keys"}, False),
    ],
)
def test_migrations_run_where_they_belong(
    db: str,
    app: str,
    model: str | None,
    hints: dict[str, object],
    allowed: bool,  # noqa: FBT001
) -> None:
    assert ROUTER.allow_migrate(db, app, model, **hints) is allowed


def test_no_relation_spans_both_databases() -> None:
    assert ROUTER.allow_relation(DataKey(), RootVersion())
    assert ROUTER.allow_relation(Person(), Visit())
    assert not ROUTER.allow_relation(DataKey(), Person())


def test_both_databases_hold_their_tables_alone() -> None:
    def tables(alias: str) -> set[str]:
        with connections[alias].cursor() as cursor:
            names = connections[alias].introspection.table_names(cursor)
        return {name for name in names if name.startswith("encryption_")}

    assert "encryption_blindindexentry" in tables("default")
    assert "encryption_datakey" not in tables("default")
    assert tables("keys") == {
        f"encryption_{name}"
        for name in (
            "installation", "rootversion", "kekepoch", "kekwrap", "datakey", "indexkey",
            "signingkey", "sealingkey", "revocation", "erasureledgerentry", "replayledgerentry",
            "epochfloor", "rotationrun", "keystoreverification",
        )
    }  # fmt: skip


def test_models_of_migrations_read_and_write() -> None:
    row = person(name="Ada")
    project = ProjectState()
    project.add_model(ModelState.from_model(Person))
    historical = project.apps.get_model(APP, "Person")
    read = historical.objects.get(pk=row.pk)
    assert read.name == "Ada"

    read.name = "Eve"
    read.save()
    made = historical(name="New", email="new@example.org", subject_id=uuid4())
    made.save()

    assert Person.objects.get(pk=row.pk).name == "Eve"
    assert Person.objects.matching(email="new@example.org")[0].name == "New"


def test_a_migration_writes_mixin_manager_and_labels_down() -> None:
    found = ModelState.from_model(Person)
    operation = CreateModel(found.name, list(found.fields.items()), found.options, found.bases,
                            found.managers)  # fmt: skip

    written, _ = MigrationWriter.serialize(operation)

    assert "encryption.sealed.SealedMixin" in written
    assert "encryption.sealed.SealedManager()" in written
    assert "label='t.person.name'" in written
    assert "owner_kind='subject'" in written


def test_rows_describe_themselves_without_secrets() -> None:
    assert str(SigningKey(purpose="checkpoint")) == "checkpoint"
    assert str(SealingKey(purpose="vault")) == "vault"
    assert "Ada" not in str(unsaved_person(name="Ada"))


@pytest.mark.proof("encryption: no key of a row with sealed values can be changed")
def test_every_table_with_sealed_values_keeps_its_keys(tried: Tried) -> None:
    models_found = [model for model in apps.get_models() if sealed_fields(model)]
    for model in models_found:
        wanted = {"key_stays"}
        if any(field.blind_index for field in sealed_fields(model)):
            wanted.add("digests_go")
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass",
                [model._meta.db_table],
            )
            triggers = {name for (name,) in cursor.fetchall()}
        assert wanted <= triggers, model

    assert models_found
    tried.case()

"""System checks, and the registry of labels they compare with."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps.registry import Apps
from django.conf import settings as django_settings
from django.contrib import admin
from django.core.checks import CheckMessage
from django.core.management import CommandError, call_command
from django.db import models
from django.test.utils import isolate_apps
from pytest_django import Settings

from encryption import checks, labels
from encryption.fields import SealedDateField, SealedTextField
from encryption.labels import Label
from encryption.sealed import SealedManager, SealedMixin
from encryption.types import OwnerKind
from foundation.contracts import key_journal
from foundation.models import Entity
from tests.encryption.models import Manager, Person, PersonAlias, Supplier, Visit

TextField = SealedTextField[str, str]


def text(label: str = "t.bad.name", *, blind_index: bool = False, **options: object) -> TextField:
    return SealedTextField(
        label=label,
        owner_kind=OwnerKind.SUBJECT,
        owner="owner_id",
        blind_index=blind_index,
        **options,
    )


def ids(problems: Iterator[CheckMessage]) -> list[str]:
    return sorted(str(problem.id).removeprefix("encryption.") for problem in problems)


@pytest.fixture
def known(tmp_path: Path, settings: Settings) -> Path:
    """Give a registry file of the test's own."""
    shutil.copy(settings.BASE_DIR / "pyproject.toml", tmp_path)
    settings.BASE_DIR = tmp_path
    labels.file().parent.mkdir()
    return labels.file()


def test_the_test_models_have_no_problem() -> None:
    for model in (Person, Manager, PersonAlias, Supplier, Visit):
        assert ids(checks.model_problems(model)) == []


def test_the_installed_models_have_no_problem() -> None:
    assert checks.check_labels() == []
    assert checks.check_models() == []
    assert checks.check_databases() == []


def test_a_label_used_twice_is_e001() -> None:
    label = Label("a", "m.M", "f", "subject")

    assert ids(checks.label_problems([label, label], {"a": label})) == ["E001"]


@pytest.mark.parametrize(
    "entry",
    [
        None,
        Label("a", "m.M", "g", "subject"),
        Label("a", "m.N", "f", "subject"),
        Label("a", "m.M", "f", "organisation"),
        Label("a", "m.M", "f", "subject", state="retired"),
    ],
)
def test_a_label_that_is_not_registered_as_declared_is_e002(entry: Label | None) -> None:
    known = {} if entry is None else {"a": entry}

    assert ids(checks.label_problems([Label("a", "m.M", "f", "subject")], known)) == ["E002"]


@isolate_apps("foundation")
def test_models_that_do_not_fit_are_refused() -> None:
    class Numbered(SealedMixin, models.Model):  # noqa: DJ008  never shown
        owner_id = models.UUIDField()
        name = text()
        objects = SealedManager()

        class Meta:
            app_label = "foundation"

    class Ownerless(SealedMixin, Entity):
        name = text()
        objects = SealedManager()

        class Meta:
            app_label = "foundation"

    class Plain(Entity):
        owner_id = models.UUIDField()
        name = text()

        class Meta:
            app_label = "foundation"

    assert ids(checks.model_problems(Numbered)) == ["E003"]
    assert ids(checks.model_problems(Ownerless)) == ["E004"]
    assert ids(checks.model_problems(Plain)) == ["E007"]


@isolate_apps("foundation")
def test_sealed_fields_in_indexes_constraints_and_orderings_are_e005() -> None:
    class Unique(SealedMixin, Entity):
        owner_id = models.UUIDField()
        name = text(unique=True)
        objects = SealedManager()

        class Meta:
            app_label = "foundation"

    class Arranged(SealedMixin, Entity):
        owner_id = models.UUIDField()
        name = text()
        objects = SealedManager()

        class Meta:
            app_label = "foundation"
            ordering = ("-name", models.F("owner_id").asc())
            unique_together = [("owner_id", "name")]
            indexes = [models.Index(fields=["name"], name="one")]
            constraints = [
                models.UniqueConstraint(fields=["name"], name="two"),
                models.UniqueConstraint(fields=["gone"], name="three"),
                models.CheckConstraint(condition=models.Q(owner_id=None), name="four"),
            ]

    assert ids(checks.model_problems(Unique)) == ["E005"]
    assert ids(checks.model_problems(Arranged)) == ["E005"] * 4


@isolate_apps("foundation")
def test_blind_indexes_of_what_is_easily_guessed_are_e006() -> None:
    class Guessable(SealedMixin, Entity):
        owner_id = models.UUIDField()
        city = text(blind_index=True)
        colour = text(label="t.bad.colour", choices=[("r", "red")], blind_index=True)
        born = SealedDateField(
            label="t.bad.born", owner_kind=OwnerKind.SUBJECT, owner="owner_id", blind_index=True
        )
        iban = text(label="t.bad.iban", blind_index=True)
        objects = SealedManager()

        class Meta:
            app_label = "foundation"

    assert ids(checks.model_problems(Guessable)) == ["E006"] * 3


def test_sealed_fields_in_searches_and_filters_of_the_admin_are_e005() -> None:
    class Searching(admin.ModelAdmin[Person]):
        search_fields = ("^name", "code")
        list_filter = ("note", ("code", admin.AllValuesFieldListFilter), admin.SimpleListFilter)
        ordering = ("-email",)

    site = admin.AdminSite("test of searches")
    site.register(Person, Searching)

    assert ids(checks.admin_problems(Person, Searching(Person, site))) == ["E005"] * 3
    assert len(checks.check_admin()) >= 3


def test_a_missing_or_shared_keys_database_is_e008(monkeypatch: pytest.MonkeyPatch) -> None:
    before = django_settings.DATABASES
    monkeypatch.setattr(django_settings, "DATABASES", {"default": before["default"]})
    assert ids(iter(checks.check_databases())) == ["E008"]
    both = {"default": before["default"], "keys": before["default"]}
    monkeypatch.setattr(django_settings, "DATABASES", both)
    assert ids(iter(checks.check_databases())) == ["E008"]


def test_a_start_without_a_key_journal_is_e009() -> None:
    with key_journal.port.exchanged(None):
        assert ids(iter(checks.check_journal())) == ["E009"]

    assert checks.check_journal() == []


def test_the_command_adds_labels_and_never_changes_one(
    known: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    *others, last = labels.declared()
    labels.append(others, release="0.0.9")
    first = known.read_text()
    with pytest.raises(CommandError, match="--write"):
        call_command("encryption_labels")

    call_command("encryption_labels", write=True)
    call_command("encryption_labels")

    assert known.read_text().startswith(first)
    assert f"{last.label}  {last.model}.{last.field}  {last.owner_kind}" in capsys.readouterr().out
    entries = labels.registered()
    assert all(entries[label.label].describes(label) for label in [*others, last])
    assert {entries[label.label].release for label in others} == {"0.0.9"}
    assert entries[last.label].release == "0.1.0"


def test_the_command_starts_a_registry_with_its_rule(known: Path) -> None:
    call_command("encryption_labels", write=True)

    assert known.read_text().startswith("# Labels of sealed fields.")
    assert set(labels.registered()) == {label.label for label in labels.declared()}


@pytest.mark.usefixtures("known")
def test_a_registry_that_does_not_exist_is_empty() -> None:
    assert labels.registered() == {}


def test_declared_labels_skip_proxies_and_inherited_columns() -> None:
    registry = Apps()
    registry.get_models = lambda *_args, **_options: [Person, Manager, PersonAlias]  # type: ignore[method-assign]

    found = labels.declared(registry)

    assert [label.label for label in found].count("t.person.name") == 1
    assert {label.model for label in found} == {
        "encryption_tests.Person",
        "encryption_tests.Manager",
    }


def test_the_set_up_command_says_how_the_key_store_is(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("encryption_setup")

    assert capsys.readouterr().out.strip() == "key store: ok"

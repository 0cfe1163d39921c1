"""What is held about a person is exported and erased; every column is classified."""

import json

from django.apps import apps

from accounts import personal_data
from accounts.models import Membership, User
from accounts.services import notices
from accounts.types import NoticeKind
from foundation.contracts.personal_data import DataSubject
from foundation.contracts.personal_data import personal_data as registry
from tests.factories import accounts as make
from tests.factories.accounts import Person

OURS = ("accounts", "account", "mfa", "axes", "sessions", "socialaccount", "guardian", "admin",
        "auth", "contenttypes")  # fmt: skip


def subject(person: Person) -> DataSubject:
    return DataSubject(
        user_id=person.user.pk, subject_id=person.user.subject_id, email=person.user.email
    )


def test_every_column_of_our_tables_and_the_libraries_is_classified() -> None:
    sources = {source.model: source for source in registry}
    wrong = {}
    for model in apps.get_models():
        if model._meta.app_label not in OURS or model._meta.proxy:
            continue
        source = sources.get(model._meta.label)
        fields = {field.name for field in model._meta.concrete_fields}
        classified = set(source.fields) if source else set()
        if fields != classified:
            wrong[model._meta.label] = fields ^ classified

    assert not wrong


def test_an_export_holds_what_a_person_gave_and_no_secret() -> None:
    person = make.enrolled(make.organisation(), name="Nina Nowak")

    sections = [
        section
        for source in personal_data.SOURCES
        if source.handlers is not None
        for section in source.handlers.export(subject(person))
    ]
    text = json.dumps([dict(row) for section in sections for row in section.rows])

    assert "Nina Nowak" in text
    assert person.user.email in text
    assert "Customer" in text
    assert person.secret not in text
    assert person.user.password not in text


def test_a_preview_changes_nothing() -> None:
    person = make.enrolled(make.organisation())

    for source in personal_data.SOURCES:
        if source.handlers is not None:
            source.handlers.preview(subject(person))

    assert User.objects.get(pk=person.user.pk).is_active


def test_an_erased_person_leaves_a_shell_without_name_address_and_access() -> None:
    person = make.enrolled(make.organisation(), name="Nina Nowak")
    notices.tell(person.user, NoticeKind.ROLE_CHANGED)
    make.session_of(person.user)

    for _ in range(2):  # a crash in between is repaired by the second call
        for source in reversed(personal_data.SOURCES):
            if source.handlers is not None:
                source.handlers.erase(subject(person))

    user = User.objects.get(pk=person.user.pk)
    assert person.user.email not in user.email
    assert not user.display_name
    assert not user.is_active
    assert not user.has_usable_password()
    assert not Membership.objects.filter(user=user, valid_until__isnull=True).exists()
    for source in personal_data.ACCOUNT + personal_data.LIBRARIES:
        if isinstance(source.handlers, personal_data.Rows):
            assert source.handlers.preview(subject(person)).deleted == 0

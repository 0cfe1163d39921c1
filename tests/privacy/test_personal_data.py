"""What is declared about people can be shown to people; privacy's own tables are declared too."""

import pytest

from accounts.models import User
from foundation.contracts.personal_data import FieldClass, PersonalDataSource, personal_data
from foundation.registry import Registry
from privacy import personal_data as own
from privacy.models import Purpose
from privacy.models.purpose import SHIPPED
from privacy.services import erasure
from privacy.services.subjects import subject_of
from privacy.tasks import mail_erasure_scheduled, mail_ready, run_erasure, run_export
from tests.factories import accounts as people
from tests.factories import privacy as make

SHOWN = [source for source in personal_data.all() if source.handlers is not None]


@pytest.mark.parametrize("source", SHOWN, ids=lambda source: source.label)
def test_what_people_are_shown_is_in_words(source: PersonalDataSource) -> None:
    assert str(source.title)
    assert str(source.shown_title) == str(source.title) != source.label
    assert str(source.retention)
    assert Purpose.objects.filter(code=source.purpose).exists()


def test_a_source_without_title_shows_its_label() -> None:
    assert PersonalDataSource(label="a.b", model="a.B", fields={}).shown_title == "a.b"


def test_every_purpose_of_a_source_is_shipped_with_words() -> None:
    codes = {source.purpose for source in personal_data.all()}

    assert codes <= set(SHIPPED) <= set(Purpose.objects.values_list("code", flat=True))
    for purpose in Purpose.objects.all():
        assert str(purpose.shown_description) == purpose.description
        assert str(purpose.shown_basis) == purpose.basis
        assert str(purpose) == purpose.code


def test_a_purpose_of_the_operator_has_its_own_words() -> None:
    purpose = Purpose(code="newsletter", basis="consent", description="News by mail")

    assert (purpose.shown_description, purpose.shown_basis) == ("News by mail", "consent")


def test_a_personal_column_without_handlers_is_reached_by_those_of_another_table() -> None:
    personal = {FieldClass.IDENTIFIER, FieldClass.CONTACT, FieldClass.SPECIAL}
    unreached = {
        source.label
        for source in personal_data.all()
        if source.handlers is None and personal & set(source.fields.values())
    }

    assert unreached == {
        "accounts.social_account",  # no row is ever written
        "audit.alert_channel",  # addresses of functions
        "audit.own_history",  # a view of audit.entry
        "records.value",  # by records.record
        "records.version",  # by records.record
    }


def test_the_requests_of_a_person_are_in_the_copy_and_stay_after_the_erasure() -> None:
    person = people.member(people.organisation())
    make.ready(person)
    requests, archives = own.Requests(), own.Archives()
    subject = subject_of(person)

    (section,) = requests.export(subject)

    assert [(row["kind"], row["state"]) for row in section.rows] == [("access", "ready")]
    assert list(archives.export(subject)) == []
    assert archives.preview(subject).deleted == 1
    assert requests.preview(subject).kept == 2  # with the request that is about to be made
    make.planned(person)
    assert requests.preview(subject).kept == 2


def test_a_registry_of_sources_is_frozen() -> None:
    assert isinstance(personal_data, Registry)
    assert len(SHOWN) == len(make.WITH_HANDLERS) > 20


def test_tasks_take_ids_and_do_the_work() -> None:
    person = people.member(people.organisation())
    request, plan = make.asked(person), make.due(person)

    run_export(str(request.pk))
    mail_ready(str(request.pk))
    mail_erasure_scheduled(str(plan.pk))
    run_erasure(str(plan.pk))

    assert not User.objects.get(pk=person.pk).is_active
    assert erasure.preview(person)

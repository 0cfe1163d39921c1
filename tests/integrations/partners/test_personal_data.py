"""What partners' tables hold about a person comes out and goes."""

import pytest
from oauth2_provider.models import AccessToken

from accounts.models import User
from encryption.errors import Erased
from foundation.contracts.personal_data import DataSubject, Handlers, personal_data
from integrations.partners.models import Onboarding
from tests.factories import partners

LABELS = ("partners.onboarding", "partners.client", "partners.token")


def _subject(partner: partners.Partner) -> DataSubject:
    assert partner.person.id is not None
    user = User.objects.get(pk=partner.person.id)
    return DataSubject(user_id=user.pk, subject_id=user.subject_id, email=partners.EMAIL)


def test_the_contact_exports_address_name_and_clients() -> None:
    key = partners.key()
    partner = partners.live(key)
    token = partners.access_token(partner.client(), key)
    AccessToken.objects.update(user_id=partner.person.id)

    text = str([_handlers(label).export(_subject(partner)) for label in LABELS])

    assert partners.EMAIL in text
    assert "Paula Partner" in text
    assert "Borealis (live)" in text
    assert token not in text


def test_erasure_makes_the_contact_unreadable_and_keeps_the_organisations_client() -> None:
    partner = partners.live(partners.key())
    subject = _subject(partner)

    counts = [_handlers(label).preview(subject) for label in LABELS]
    for label in LABELS:
        _handlers(label).erase(subject)

    assert [(count.shredded, count.kept) for count in counts] == [(1, 0), (0, 2), (0, 0)]
    onboarding = Onboarding.objects.get(pk=partner.onboarding.pk)
    with pytest.raises(Erased):
        str(onboarding.contact_email)
    assert partner.client().owner_id is None
    assert partner.client().is_usable(None)


def test_erasing_twice_is_harmless() -> None:
    partner = partners.live(partners.key())
    subject = _subject(partner)

    for _turn in range(2):
        for label in LABELS:
            _handlers(label).erase(subject)


def _handlers(label: str) -> Handlers:
    handlers = personal_data.get(label).handlers
    assert handlers is not None
    return handlers

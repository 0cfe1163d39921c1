"""What ends by itself."""

from datetime import timedelta

from django.core import mail
from oauth2_provider.models import AccessToken

from foundation import clock
from integrations.partners.models import Onboarding, UsedAssertion
from integrations.partners.services import clients, housekeeping, mails
from integrations.partners.types import Environment
from tests.factories import partners


def _idle(onboarding: Onboarding, days: int) -> None:
    Onboarding.objects.filter(pk=onboarding.pk).update(
        changed_at=clock.now() - timedelta(days=days)
    )


def test_a_forgotten_confirmation_is_sent_by_the_sweep() -> None:
    onboarding, _token = partners.started()
    assert mails.sweep() is False
    assert mail.outbox == []

    Onboarding.objects.filter(pk=onboarding.pk).update(
        created_at=clock.now() - timedelta(minutes=1)
    )
    mails.sweep()

    assert [message.to for message in mail.outbox] == [[partners.EMAIL]]


def test_an_idle_onboarding_is_warned_and_ends_a_week_later() -> None:
    partner = partners.in_sandbox(partners.key())
    onboarding = partner.onboarding

    _idle(onboarding, 24)
    housekeeping.lapse()
    housekeeping.lapse()
    assert len(mail.outbox) - 1 == 1
    assert Onboarding.objects.get(pk=onboarding.pk).state == "sandbox"

    _idle(onboarding, 31)
    housekeeping.lapse()
    assert Onboarding.objects.get(pk=onboarding.pk).state == "sandbox"

    Onboarding.objects.filter(pk=onboarding.pk).update(warned_at=clock.now() - timedelta(days=8))
    housekeeping.lapse()
    assert Onboarding.objects.get(pk=onboarding.pk).state == "lapsed"
    assert not partner.client(Environment.SANDBOX).is_usable(None)


def test_a_live_partner_never_lapses() -> None:
    partner = partners.live(partners.key())
    _idle(partner.onboarding, 400)

    housekeeping.lapse()

    assert Onboarding.objects.get(pk=partner.onboarding.pk).state == "live"


def test_ended_tokens_and_assertions_are_deleted() -> None:
    key = partners.key()
    client = partners.live(key).client()
    partners.access_token(client, key)
    housekeeping.prune()
    assert AccessToken.objects.count() == UsedAssertion.objects.count() == 1

    AccessToken.objects.update(expires=clock.now() - timedelta(days=2))
    UsedAssertion.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    housekeeping.prune()

    assert AccessToken.objects.count() == UsedAssertion.objects.count() == 0


def test_losing_access_ends_the_tokens_in_a_persons_name() -> None:
    key = partners.key()
    partner = partners.live(key)
    partners.access_token(partner.client(), key)
    assert partner.person.id is not None
    AccessToken.objects.update(user_id=partner.person.id)

    assert clients.end_tokens_of_user(partner.person.id, "frozen") == 1
    assert not AccessToken.objects.filter(expires__gt=clock.now()).exists()

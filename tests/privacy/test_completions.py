"""The second date of a receipt, and erasures that a restore has to repeat."""

import json
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from accounts.models import Membership, User
from audit.models import AuditEvent
from encryption import services as keys
from encryption.providers.key_file import create
from encryption.rotation import runs
from encryption.rotation.destruction import verify_backup
from encryption.types import GENERAL
from foundation import clock
from privacy.models import ErasurePlan
from privacy.models.erasure import PlanState
from privacy.services import completions, receipts, replays
from tests.encryption.rotation.rotating import finish
from tests.factories import accounts as people
from tests.factories import privacy as make
from tests.factories.accounts import Browser
from tests.privacy.test_receipts import check


@pytest.fixture(autouse=True)
def root_key(tmp_path: Path, settings: Settings) -> None:
    """Use a root key file of the test's own, whose versions can be destroyed."""
    create(tmp_path / "root.key")
    settings.ROOT_KEY_FILE = tmp_path / "root.key"
    keys.drop_keys()


@pytest.fixture
def person() -> User:
    return people.member(people.organisation(), name="Nina Nowak")


def destroy_the_first_epoch() -> None:
    finish(*runs.start_root(by="test"))
    verify_backup("backup", taken_at=clock.real_now())
    finish(runs.start_destruction(GENERAL, 1, by="test"))


def dates(plan: ErasurePlan) -> tuple[object, object]:
    plan.receipt.refresh_from_db()
    body = json.loads(plan.receipt.body)
    return body["unreadable_in_live_system_at"], body["unreadable_in_every_copy_at"]


def test_the_second_date_is_withheld_until_the_epoch_is_destroyed(person: User) -> None:
    plan = make.erased(person)
    finish(*runs.start_root(by="test"))

    completions.sweep()

    plan.refresh_from_db()
    assert plan.state == PlanState.ERASED_LIVE
    assert plan.key_epoch == 1
    assert dates(plan)[1] is None


def test_a_destroyed_epoch_gives_the_receipt_its_second_date(person: User) -> None:
    plan = make.erased(person)
    before, first = receipts.file_of(plan.receipt), dates(plan)
    destroy_the_first_epoch()

    completions.sweep()
    completions.sweep()

    plan.refresh_from_db()
    after = dates(plan)
    assert plan.state == PlanState.COMPLETE
    assert plan.completed_at is not None
    assert after == (first[0], plan.completed_at.isoformat())
    check(before)
    check(receipts.file_of(plan.receipt))
    assert AuditEvent.objects.filter(type="privacy.erasure.completed").count() == 1


def test_who_is_erased_after_the_switch_waits_for_the_next_destruction(person: User) -> None:
    finish(*runs.start_root(by="test"))
    plan = make.erased(person)
    verify_backup("backup", taken_at=clock.real_now())
    finish(runs.start_destruction(GENERAL, 1, by="test"))

    completions.sweep()

    plan.refresh_from_db()
    assert (plan.state, plan.key_epoch) == (PlanState.ERASED_LIVE, 2)


def test_an_erasure_from_before_epochs_were_noted_waits_for_the_present_one(person: User) -> None:
    plan = make.erased(person)
    ErasurePlan.objects.update(key_epoch=None)

    completions.sweep()

    plan.refresh_from_db()
    assert (plan.state, plan.key_epoch) == (PlanState.ERASED_LIVE, 1)


def test_the_page_of_a_receipt_tells_both_dates(person: User, visitor: Browser) -> None:
    plan = make.erased(person)
    path = receipts.address_of(plan).removeprefix(django_settings.BASE_URL)
    waiting = visitor.get(path).content.decode()
    destroy_the_first_epoch()
    completions.sweep()

    complete = visitor.get(path).content.decode()

    assert "Backups become unreadable too once" in waiting
    assert "It became unreadable in every copy" in complete


def test_a_replay_erases_again_whom_a_restore_brought_back(
    person: User, capsys: pytest.CaptureFixture[str]
) -> None:
    other = people.member(people.organisation(), name="Olaf")
    row, membership = User.objects.filter(pk=person.pk), Membership.objects.filter(user=person)
    ended = membership.values("valid_until").get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT email, display_name FROM accounts_user WHERE id = %s", [person.pk])
        old = cursor.fetchone() or ()
        make.erased(person)
        cursor.execute(
            "UPDATE accounts_user SET email = %s, display_name = %s, is_active = true "
            "WHERE id = %s",
            [*old, person.pk],
        )
    membership.update(**ended)

    call_command("replay_erasures")
    again = replays.replay()

    erased = row.get()
    assert (erased.is_active, erased.display_name) == (False, None)
    assert person.email not in erased.email
    assert User.objects.get(pk=other.pk).display_name == "Olaf"
    assert (again.people, again.index.digests) == (0, 0)
    assert "came back: 1 people" in capsys.readouterr().out
    assert AuditEvent.objects.filter(type="privacy.erasure.replayed").count() == 1

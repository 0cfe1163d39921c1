"""Staff pages of keys: who sees them, who rotates and destroys, and that no key is shown."""

from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connections
from pytest_django import Settings

from accounts.models import Role, RolePermission
from accounts.types import OrganisationKind
from encryption import services
from encryption.key_tables import DataKey, KekEpoch, RotationRun
from encryption.permissions import DESTROY_KEYS, READ_KEYS, ROTATE_KEYS
from encryption.providers.key_file import create
from encryption.rotation import runs
from encryption.rotation.destruction import verify_backup
from encryption.types import GENERAL, RotationKind
from foundation import clock
from tests.encryption.rotation.rotating import finish
from tests.factories import accounts
from tests.factories.accounts import Browser
from tests.factories.encryption import person

RUNS = "/admin/encryption/rotationrun/"
EPOCHS = "/admin/encryption/kekepoch/"
PAGES = (RUNS, EPOCHS, "/admin/encryption/rootversion/", "/admin/encryption/datakey/")


@pytest.fixture
def staff(tmp_path: Path, settings: Settings) -> Browser:
    """Give an administrator of the operator who may rotate and destroy keys."""
    create(tmp_path / "root.key")
    settings.ROOT_KEY_FILE = tmp_path / "root.key"
    services.drop_keys()
    allow(READ_KEYS, ROTATE_KEYS, DESTROY_KEYS)
    return accounts.browser("administrator", kind=OrganisationKind.OPERATOR)


def allow(*codes: str) -> None:
    role = Role.objects.get(code="administrator", is_system=True)
    for code in (READ_KEYS, ROTATE_KEYS, DESTROY_KEYS):
        RolePermission.objects.filter(role=role, code=code).delete()
    for code in codes:
        RolePermission.objects.create(role=role, code=code)


def blobs() -> list[str]:
    with connections["keys"].cursor() as cursor:
        cursor.execute("SELECT encode(blob, 'hex') FROM encryption_datakey")
        return [row[0] for row in cursor.fetchall()]


def test_the_pages_tell_what_is_wrong_with_the_key_service_and_the_cure(
    staff: Browser, settings: Settings
) -> None:
    person(name="Ada")
    fine = [staff.get(url).content.decode() for url in PAGES]
    settings.ROOT_KEY_FILE.rename(settings.ROOT_KEY_FILE.with_suffix(".away"))

    away = [staff.get(url).content.decode() for url in PAGES]

    assert not any("cached keys serve" in page for page in fine)
    assert all("cached keys serve" in page for page in away)
    assert all("Bring the key service back" in page for page in away)


def test_the_pages_show_state_and_use_and_no_key(staff: Browser) -> None:
    person(name="Ada")
    runs.start_epoch(GENERAL, by="test")
    epoch = KekEpoch.objects.exclude(purpose="vault").get()

    pages = {url: staff.get(url) for url in (*PAGES, f"{EPOCHS}{epoch.pk}/change/")}

    assert {answer.status_code for answer in pages.values()} == {200}
    assert pages[RUNS]["Refresh"] == "5"
    assert "<progress" in pages[RUNS].content.decode()
    assert "general 1" in pages[EPOCHS].content.decode()
    assert "accounts.user.display_name" in pages[PAGES[3]].content.decode()
    everything = "".join(answer.content.decode() for answer in pages.values())
    assert blobs()
    assert [blob for blob in blobs() if blob in everything] == []
    assert str(DataKey.objects.first()) not in everything


def test_a_rotation_is_started_on_its_page_and_watched(staff: Browser) -> None:
    person(name="Ada")
    assert staff.get(f"{RUNS}add/").status_code == 200
    refused = staff.post(f"{RUNS}add/", {"kind": "data_keys", "owner_kind": ""})
    assert "Say whose data keys are replaced." in refused.content.decode()

    for kind in RotationKind.values[:4]:
        answer = staff.post(f"{RUNS}add/", {"kind": kind, "owner_kind": "subject"})
        assert answer.status_code == 302

    found = set(runs.open_runs().values_list("kind", flat=True))
    assert found == {"epoch", "root", "data_keys", "index"}
    run = runs.open_runs().filter(kind="epoch").get()
    assert run.started_by == "staff"
    assert LogEntry.objects.filter(object_repr="epoch general").exists()
    finish(run)
    page = staff.get(f"{RUNS}{run.pk}/change/").content.decode()
    assert "finished" in staff.get(RUNS).content.decode()
    assert "new epoch" in page


def test_an_epoch_is_destroyed_on_its_page(staff: Browser) -> None:
    person(name="Ada")
    finish(*runs.start_root(by="test"))
    old = KekEpoch.objects.get(purpose=GENERAL, number=1)
    page = f"{EPOCHS}{old.pk}/delete/"
    assert "cannot be undone" in staff.get(page).content.decode()
    answer = staff.post(page, follow=True)
    assert "restored and verified" in answer.content.decode()
    assert not runs.open_runs().exists()
    verify_backup("backup", taken_at=clock.real_now())

    assert staff.post(page).status_code == 302

    run = RotationRun.objects.get(kind=RotationKind.DESTROY)
    assert (run.purpose, run.target) == (GENERAL, "1")
    assert LogEntry.objects.filter(object_repr="general 1").exists()


def test_each_right_opens_its_own_pages_alone(staff: Browser) -> None:
    person()
    epoch = KekEpoch.objects.exclude(purpose="vault").get()
    allow(READ_KEYS)

    assert staff.get(RUNS).status_code == 200
    assert staff.get(f"{RUNS}add/").status_code == 403
    assert staff.post(f"{EPOCHS}{epoch.pk}/delete/").status_code == 403
    assert staff.get(f"{EPOCHS}4711/delete/").status_code == 403
    allow()
    assert [staff.get(url).status_code for url in PAGES] == [403] * 4


def test_customers_do_not_come_near_the_keys(alice: Browser) -> None:
    assert [alice.get(url).status_code for url in PAGES] == [302] * 4

"""The demo: made-up people loaded repeatably, their secrets in one file, the mail that was sent."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError
from pytest_django import Settings

from accounts import factors
from accounts.models import Membership, Organisation, User
from audit.alerts import channels
from audit.models import AuditEvent
from foundation import clock
from foundation.models import Installation
from foundation.tenancy import organisation_scope
from portal.demo import loading, mailbox, people
from tests.factories.accounts import TEST, Browser
from tests.servers import FreshDatabase
from workspace.records.models import Record

HOST = "localhost:8000"


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    settings.DEMO = True
    settings.ALLOWED_HOSTS = ["*"]
    return tmp_path


@pytest.fixture
def demo() -> None:
    Installation.objects.create(kind=Installation.Kind.DEMO)


def counts() -> tuple[int, int, int, int]:
    customer = Organisation.objects.get(name=loading.CUSTOMER)
    with organisation_scope(customer.pk):
        records = Record.objects.count()
    return User.objects.count(), Membership.objects.count(), Organisation.objects.count(), records


@pytest.mark.usefixtures("demo")
def test_the_demo_has_people_of_every_kind_who_can_sign_in() -> None:
    loaded = loading.load()

    assert {person.role for person in loaded} == {"administrator", "customer", "key_user"}
    assert {person.organisation for person in loaded} == set(loading.ORGANISATIONS)
    assert channels.operator_addresses() == ("security@kestrel.example",)
    for person in loaded:
        user = User.objects.get(email=person.email)
        assert user.check_password(person.passphrase)
        assert factors.check(user.pk, people.current_code(person.totp_secret)) is not None


@pytest.mark.usefixtures("demo")
def test_loading_again_changes_nothing(folder: Path) -> None:
    loading.load()
    before, file = counts(), (folder / people.FILE).read_bytes()
    channels.set_addresses(["chosen@kestrel.example"], principal=TEST)
    entries = AuditEvent.objects.count()

    call_command("load_demo")

    assert counts() == before
    assert (folder / people.FILE).read_bytes() == file
    assert channels.operator_addresses() == ("chosen@kestrel.example",)
    assert AuditEvent.objects.count() == entries


@pytest.mark.parametrize("killed_at", range(len(loading.PARTS)))
def test_a_start_that_broke_off_between_people_goes_on(
    fresh_database: FreshDatabase, killed_at: int
) -> None:
    Installation.objects.create(kind=Installation.Kind.DEMO)
    fresh_database.refuse_rows(User, f"email = '{loading.PARTS[killed_at].email}'")
    with pytest.raises(IntegrityError):
        loading.load()
    fresh_database.take_rows_again(User)
    assert User.objects.count() == killed_at
    known = {person.email: person.passphrase for person in people.load()}

    loaded = {person.email: person for person in loading.load()}

    assert len(loaded) == len(loading.PARTS)
    for email, passphrase in known.items():
        assert loaded[email].passphrase == passphrase
    assert all(
        User.objects.get(email=email).check_password(person.passphrase)
        for email, person in loaded.items()
    )


@pytest.mark.usefixtures("demo")
def test_a_lost_file_of_secrets_is_said_in_one_line(folder: Path) -> None:
    loading.load()
    (folder / people.FILE).unlink()

    with pytest.raises(CommandError, match="bring the file back"):
        call_command("load_demo")


@pytest.mark.parametrize("kind", [Installation.Kind.PRODUCTION, Installation.Kind.TEST, None])
def test_nothing_is_loaded_into_a_database_that_is_no_demo(kind: str | None, folder: Path) -> None:
    if kind:
        Installation.objects.create(kind=kind)

    with pytest.raises(CommandError, match="no demo"):
        call_command("load_demo")

    assert not User.objects.exists()
    assert not (folder / people.FILE).exists()


@pytest.mark.usefixtures("demo")
def test_the_secrets_are_random_and_readable_by_the_owner_alone(folder: Path) -> None:
    loading.load()
    file = folder / people.FILE
    passphrases = {item["passphrase"] for item in json.loads(file.read_text(encoding="utf-8"))}

    assert file.stat().st_mode & 0o777 == 0o600
    assert len(passphrases) == len(loading.PARTS)
    assert all(re.fullmatch(r"([a-z]+ ){6}\d\d", passphrase) for passphrase in passphrases)
    assert people.new_totp_secret() != people.new_totp_secret()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    secret = base64.b32encode(b"12345678901234567890").decode()

    assert people.current_code(secret, at=datetime.fromtimestamp(seconds, tz=UTC)) == code[-6:]


@pytest.mark.usefixtures("demo")
def test_the_page_shows_each_person_with_passphrase_and_code(visitor: Browser) -> None:
    loaded = loading.load()

    page = visitor.get("/demo/", HTTP_HOST=HOST)

    text = page.content.decode()
    for person in loaded:
        assert person.email in text
        assert person.passphrase in text
        assert people.current_code(person.totp_secret) in text
        assert person.totp_secret not in text
    assert "no-store" in page["Cache-Control"]


@pytest.mark.usefixtures("demo")
def test_before_loading_the_page_says_how_to_go_on(visitor: Browser) -> None:
    assert "not loaded yet" in visitor.get("/demo/", HTTP_HOST=HOST).content.decode()
    assert "No mail yet" in visitor.get("/demo/mail/", HTTP_HOST=HOST).content.decode()


@pytest.mark.parametrize("kind", [Installation.Kind.PRODUCTION, Installation.Kind.TEST, None])
def test_on_a_database_that_is_no_demo_there_is_no_such_page(
    visitor: Browser, kind: str | None
) -> None:
    if kind:
        Installation.objects.create(kind=kind)

    for path in ("/demo/", "/demo/mail/"):
        assert visitor.get(path, HTTP_HOST=HOST).status_code == 404


@pytest.mark.usefixtures("demo")
def test_a_peer_without_an_address_is_nobody_on_this_machine(visitor: Browser) -> None:
    assert visitor.get("/demo/", HTTP_HOST=HOST, REMOTE_ADDR="").status_code == 404
    assert visitor.get("/demo/", HTTP_HOST=HOST, REMOTE_ADDR="::1").status_code == 200


@pytest.mark.usefixtures("demo")
def test_a_host_that_is_not_ours_is_refused(visitor: Browser, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]

    assert visitor.get("/demo/", HTTP_HOST="evil.example").status_code == 400


@pytest.mark.usefixtures("demo")
def test_the_mail_that_was_sent_is_shown_newest_first(visitor: Browser, folder: Path) -> None:
    (folder / "mail").mkdir()
    for number, subject in enumerate(("First", "Second <script>")):
        message = EmailMessage()
        message["To"], message["Subject"] = "carl.customer@acme.example", subject
        message["Date"] = "Tue, 24 Nov 2026 17:00:00 +0000"
        message.set_content("Open http://localhost:8000/invitations/x/")
        message.add_alternative("<p>html</p>", subtype="html")
        path = folder / "mail" / f"{number}.eml"
        path.write_bytes(bytes(message))
    (folder / "mail" / "2.eml").write_bytes(b"Subject: Bare\r\n\r\n")

    mails = mailbox.newest()
    page = visitor.get("/demo/mail/", HTTP_HOST=HOST).content.decode()

    assert {mail.subject for mail in mails} == {"First", "Second <script>", "Bare"}
    assert mails[0].name
    assert 'href="http://localhost:8000/invitations/x/"' in page
    assert "Second &lt;script&gt;" in page
    assert "<script>" not in page


def test_a_code_of_now_is_that_of_the_clock() -> None:
    secret = people.new_totp_secret()
    moment = clock.now()

    assert people.current_code(secret) in {
        people.current_code(secret, at=moment),
        people.current_code(secret, at=moment + timedelta(seconds=people.STEP_SECONDS)),
    }

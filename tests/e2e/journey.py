"""The steps of the main journey; each is one act and what must be seen."""

import json
import re
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.message import Message
from io import BytesIO
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import Browser, expect

from tests.e2e.browser import Visitor, new_visitor
from tests.e2e.people import (
    Look,
    Person,
    enrol,
    enrol_by_mail,
    nothing,
    sign_in,
    step_up_if_asked,
    submit,
)
from tests.e2e.stack import Stack, link_in

WRONG_SIGN_INS = 5
ALERT_SECONDS = 60
ERASED_WITHIN = 180  # a worker is reminded of a row once a minute
ERASURE_SECONDS = 72 * 3600 + 60


@dataclass(slots=True)
class Planted:
    """Values that must be found nowhere in clear (random, so that no other run leaves them)."""

    iban: str = "DE89370400440532013000"
    changed_iban: str = "GB33BUKB20201555555555"
    phone: str = field(
        default_factory=lambda: f"+49 30 {secrets.randbelow(90_000_000) + 10_000_000}"
    )
    holder: str = field(default_factory=lambda: f"Holder {secrets.token_hex(8)}")
    api_key: str = field(default_factory=lambda: f"key-{secrets.token_hex(20)}")
    passphrases: list[str] = field(default_factory=list)

    def all(self) -> list[str]:
        """Return every planted value."""
        return [
            self.iban,
            self.changed_iban,
            self.phone,
            self.holder,
            self.api_key,
            *self.passphrases,
        ]


@dataclass(slots=True)
class Answer:
    """An answer of the API."""

    status: int
    body: dict[str, object]
    headers: Message


@dataclass(slots=True)
class Journey:
    """What the steps share."""

    stack: Stack
    browser: Browser
    planted: Planted = field(default_factory=Planted)
    people: dict[str, Person] = field(default_factory=dict)
    visitors: list[Visitor] = field(default_factory=list)
    look: Look = nothing

    def visitor(self) -> Visitor:
        """Open a fresh browser profile."""
        made = new_visitor(self.browser, self.stack.address)
        self.visitors.append(made)
        return made

    def keep(self, name: str, person: Person) -> Person:
        """Remember a person and the passphrase that must not lie around."""
        self.people[name] = person
        self.planted.passphrases.append(person.passphrase)
        return person

    def call(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call the API as a partner's program does."""
        request = urllib.request.Request(f"{self.stack.address}{path}", method=method)
        request.add_header("Accept", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, data, timeout=30) as answer:
                return Answer(answer.status, _json(answer.read()), answer.headers)
        except urllib.error.HTTPError as error:
            return Answer(error.code, _json(error.read()), error.headers)


def _json(raw: bytes) -> dict[str, object]:
    return dict(json.loads(raw)) if raw else {}


def set_up(journey: Journey) -> None:
    """The first administrator opens the printed address and enrols."""
    visitor = journey.visitor()
    page = visitor.page
    page.goto(journey.stack.setup_path)
    page.get_by_label("Organisation").fill("Kestrel Operations")
    page.get_by_label("E-mail").fill("ada@kestrel.example")
    submit(page, "Continue")
    journey.keep(
        "ada", enrol(visitor, page.url, email="ada@kestrel.example", name="Ada Administrator")
    )


def choose_alert_channel(journey: Journey) -> None:
    """The administrator says where alerts go."""
    page = journey.people["ada"].page
    page.goto("/alerts/channel/")
    step_up_if_asked(journey.people["ada"])
    page.get_by_label("E-mail addresses").fill("security@kestrel.example")
    page.get_by_role("main").get_by_role("button").last.click()
    expect(page.get_by_role("main")).to_be_visible()


def invite_customer(journey: Journey) -> None:
    """The administrator makes an organisation and invites its key user in the admin."""
    ada = journey.people["ada"]
    page = ada.page
    page.goto("/admin/accounts/organisation/add/")
    step_up_if_asked(ada)
    page.get_by_label("Kind").select_option("customer")
    page.get_by_label("Name").fill("Acme")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("Acme")
    for email, role in (("kim@acme.example", "Key user"), ("olga@acme.example", "Administrator")):
        page.goto("/admin/accounts/invitation/add/")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Organisation").select_option(label="Acme")
        page.get_by_label("Role").select_option(label=role)
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.locator(".messagelist")).to_be_visible()


def enrol_customer(journey: Journey) -> None:
    """The invited person comes by the mail and reaches the home page; the link is used up."""
    visitor = journey.visitor()
    mail = journey.stack.mailbox.wait_for(to="kim@acme.example", containing="/invitations/")
    kim = enrol_by_mail(
        visitor,
        journey.stack.mailbox,
        email="kim@acme.example",
        name="Kim Keyuser",
        look=journey.look,
    )
    journey.keep("kim", kim)
    other = journey.visitor()
    other.page.goto(link_in(mail, containing="/invitations/"))
    expect(other.page.get_by_role("main")).to_contain_text("used")


def create_own_record(journey: Journey) -> None:
    """The key user makes a record with sealed values and reads it back."""
    page = journey.people["kim"].page
    page.get_by_role("link", name="Records").first.click()
    page.get_by_role("link", name="New record").first.click()
    page.get_by_role("link", name="Company data").click()
    page.get_by_label("Legal name").fill("Acme Limited")
    page.get_by_label("Phone number").fill(journey.planted.phone)
    page.get_by_label("Account holder").fill(journey.planted.holder)
    page.get_by_label("IBAN").fill(journey.planted.iban)
    submit(page, "Create record")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Acme Limited")
    expect(page.get_by_role("main")).to_contain_text(journey.planted.holder)


def store_and_test_key(journey: Journey, *, probe_url: str) -> None:
    """An organisation administrator stores an API key, has it tested, never sees it again."""
    visitor = journey.visitor()
    olga = enrol_by_mail(
        visitor, journey.stack.mailbox, email="olga@acme.example", name="Olga Organiser"
    )
    journey.keep("olga", olga)
    page = olga.page
    page.get_by_role("link", name="Credentials").first.click()
    page.get_by_role("link", name="Store an API key").first.click()
    step_up_if_asked(olga)
    page.get_by_label("Name").fill("ERP, read orders")
    page.get_by_label("Purpose").fill("Show order states")
    page.get_by_label("Allowed hosts").fill("localhost")
    page.get_by_label("Test address").fill(probe_url)
    page.get_by_label("Header").fill("X-Api-Key")
    page.get_by_role("textbox", name="Key", exact=True).fill(journey.planted.api_key)
    submit(page, "Seal and store")
    expect(page.get_by_role("heading", level=1)).to_have_text("ERP, read orders")
    assert journey.planted.api_key not in page.content()
    submit(page, "Test the key")
    expect(page.get_by_role("main")).to_contain_text("200", timeout=20_000)
    assert journey.planted.api_key not in page.content()
    journey.look(page)


@dataclass(slots=True)
class PartnerProgram:
    """What the partner's program holds: its own key never leaves it."""

    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    onboarding: str = ""
    registration_token: str = ""
    client_id: str = ""
    token_endpoint: str = ""

    def jwks(self) -> dict[str, object]:
        """Return the public half as a key set."""
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**public, "kid": "journey-1", "alg": "ES256", "use": "sig"}]}

    def assertion(self) -> str:
        """Sign a proof for the token endpoint (RFC 7523)."""
        now = int(time.time())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.token_endpoint,
            "iat": now,
            "exp": now + 120,
            "jti": secrets.token_hex(16),
        }
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"kid": "journey-1"})


def start_onboarding(journey: Journey, program: PartnerProgram, *, with_key: bool = True) -> None:
    """The partner's program starts, the person confirms the mail, the program describes itself."""
    own_key = {"jwks": program.jwks()} if with_key else {}
    started = journey.call(
        "POST",
        "/api/v1/onboardings",
        body={"email": "bo@borealis-freight.example", "language": "en"},
        headers={"Idempotency-Key": secrets.token_hex(16)},
    )
    assert started.status == 201, started.body
    program.onboarding = str(started.body["id"])
    program.registration_token = str(started.body["registration_token"])
    mail = journey.stack.mailbox.wait_for(to="bo@borealis-freight.example", containing="/confirm/")
    visitor = journey.visitor()
    visitor.page.goto(link_in(mail, containing="/confirm/"))
    submit(visitor.page, "Confirm address")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Your address is confirmed")
    path = f"/api/v1/onboardings/{program.onboarding}"
    seen = journey.call("GET", path, token=program.registration_token)
    described = journey.call(
        "PATCH",
        path,
        token=program.registration_token,
        headers={"If-Match": str(seen.headers["ETag"])},
        body={
            "organisation_name": "Borealis Freight",
            "contact_name": "Bo Partner",
            "purpose": "Keeps supplier data current",
            "wanted_scopes": ["records:read", "records:write"],
            **own_key,
        },
    )
    assert described.status == 200, described.body
    program.token_endpoint = str(described.body["token_endpoint"])


def accept_terms(journey: Journey, program: PartnerProgram) -> None:
    """The partner's person enrols, accepts the terms and asks for approval."""
    visitor = journey.visitor()
    bo = enrol_by_mail(
        visitor, journey.stack.mailbox, email="bo@borealis-freight.example", name="Bo Partner"
    )
    journey.keep("bo", bo)
    page = bo.page
    page.goto("/partners/")
    page.get_by_role("link", name="Read and accept the terms").click()
    step_up_if_asked(bo)
    journey.look(page)
    for box in page.get_by_role("main").get_by_role("checkbox").all():
        box.check()
    submit(page, "Accept for the organisation")
    submit(page, "Ask for approval")
    state = journey.call(
        "GET", f"/api/v1/onboardings/{program.onboarding}", token=program.registration_token
    )
    assert state.body["state"] == "awaiting_approval", state.body


def approve_partner(journey: Journey, program: PartnerProgram) -> None:
    """The administrator approves on the evidence; the program learns its live client."""
    ada = journey.people["ada"]
    page = ada.page
    page.goto(f"/admin/partners/onboarding/{program.onboarding}/change/")
    step_up_if_asked(ada)
    page.get_by_role("link", name="Approve partner").click()
    page.get_by_label("Reason").fill("Contract signed, domain proved")
    page.get_by_role("button", name="Approve partner").click()
    state = journey.call(
        "GET", f"/api/v1/onboardings/{program.onboarding}", token=program.registration_token
    )
    assert state.body["state"] == "live", state.body
    clients = state.body["clients"]
    assert isinstance(clients, list)
    live = [client for client in clients if client["environment"] == "live"]
    program.client_id = str(live[0]["client_id"])


def token_of(program: PartnerProgram, scope: str) -> str:
    """Get an access token by the program's own key."""
    form = {
        "grant_type": "client_credentials",
        "scope": scope,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": program.assertion(),
    }
    request = urllib.request.Request(
        program.token_endpoint, urllib.parse.urlencode(form).encode(), method="POST"
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(json.loads(answer.read())["access_token"])


def change_bank_details(journey: Journey, program: PartnerProgram) -> None:
    """The program creates and changes bank details; a key user of the partner sees them."""
    token = token_of(program, "records:read records:write")
    created = journey.call(
        "POST",
        "/api/v1/records",
        token=token,
        headers={"Idempotency-Key": secrets.token_hex(16)},
        body={
            "kind": "company",
            "values": {"legal_name": "Borealis Freight AS", "iban": journey.planted.iban},
        },
    )
    assert created.status == 201, created.body
    path = f"/api/v1/records/{created.body['id']}"
    read = journey.call("GET", path, token=token)
    changed = journey.call(
        "PATCH",
        path,
        token=token,
        headers={"If-Match": str(read.headers["ETag"])},
        body={"values": {"iban": journey.planted.changed_iban}},
    )
    assert changed.status == 200, changed.body
    page = journey.people["bo"].page
    page.goto("/records/")
    page.get_by_role("link", name="Borealis Freight AS").click()
    shown = page.get_by_role("main").inner_text().replace(" ", "")
    assert journey.planted.changed_iban in shown


def guess_passphrase(journey: Journey, *, victim: str, is_known: bool = True) -> float:
    """Five wrong passphrases become an alert mail; returns the seconds it took.

    The lock binds person and net, so the victim proves no factor from here for 15 minutes.
    """
    before = len(journey.stack.mailbox.mails)
    page = journey.visitor().page
    for number in range(WRONG_SIGN_INS):
        page.goto("/sign-in/")
        page.get_by_label("E-mail address").fill(victim)
        page.get_by_label("Passphrase").fill(f"wrong guess number {number} of five")
        submit(page, "Continue")
    started = time.monotonic()
    journey.stack.mailbox.wait_for(
        to="security@kestrel.example", after=before, seconds=ALERT_SECONDS
    )
    seconds = time.monotonic() - started
    if is_known:
        journey.stack.mailbox.wait_for(to=victim, after=before, seconds=ALERT_SECONDS)
    return seconds


def take_copy(journey: Journey, folder: Path) -> None:
    """The customer asks for a copy, downloads it once and finds the own data in it."""
    kim = journey.people["kim"]
    page = kim.page
    page.get_by_role("link", name="My data").first.click()
    submit(page, "Ask for a copy")
    if "/step-up/" in page.url:
        step_up_if_asked(kim)
        page.goto("/privacy/")
        submit(page, "Ask for a copy")
    expect(page.get_by_role("button", name="Download the copy")).to_be_visible(timeout=60_000)
    with page.expect_download() as waiting:
        submit(page, "Download the copy")
    path = folder / "copy.zip"
    waiting.value.save_as(path)
    with zipfile.ZipFile(BytesIO(path.read_bytes())) as bundle:
        names = bundle.namelist()
        page_text = bundle.read("index.html").decode()
        manifest = json.loads(bundle.read("manifest.json"))
    assert "kim@acme.example" in page_text
    assert any(name.startswith("data/") and name.endswith(".csv") for name in names)
    assert any(name.startswith("data/") and name.endswith(".json") for name in names)
    assert set(manifest["files"]) == set(names) - {"manifest.json", "manifest.sig"}
    page.reload()
    expect(page.get_by_role("button", name="Download the copy")).to_have_count(0)


def change_role(journey: Journey) -> None:
    """A permission taken from a role in the admin takes effect at the next request."""
    ada, kim = journey.people["ada"], journey.people["kim"]
    before = kim.page.goto("/members/")
    assert before is not None
    assert before.status == 200
    page = ada.page
    page.goto("/admin/accounts/role/")
    step_up_if_asked(ada)
    page.get_by_role("link", name="Key user").click()
    page.get_by_role("checkbox", name=re.compile(r"accounts\.user\.read")).uncheck()
    page.get_by_label("Reason").fill("Key users no longer look after colleagues")
    page.get_by_role("button", name="Save", exact=True).click()
    after = kim.page.goto("/members/")
    assert after is not None
    assert after.status == 403


def plant_in_clear(journey: Journey, words: str) -> None:
    """The administrator names an organisation, which is no secret: the search must find it."""
    ada = journey.people["ada"]
    page = ada.page
    page.goto("/admin/accounts/organisation/add/")
    if "/step-up/" in page.url:
        step_up_if_asked(ada)
        page.goto("/admin/accounts/organisation/add/")
    page.get_by_label("Kind").select_option("customer")
    page.get_by_label("Name").fill(words)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist")).to_be_visible()


def erase(journey: Journey) -> None:
    """The customer has everything erased; after 72 hours nobody can sign in or read it."""
    kim = journey.people["kim"]
    page = kim.page
    page.goto("/privacy/erasure/")
    step_up_if_asked(kim)
    submit(page, "Erase my data in 72 hours")
    mail = journey.stack.mailbox.wait_for(to="kim@acme.example", containing="/receipts/")
    journey.stack.move_clock(ERASURE_SECONDS)
    receipt = journey.visitor().page
    deadline = time.monotonic() + ERASED_WITHIN
    while time.monotonic() < deadline:
        receipt.goto(link_in(mail, containing="/receipts/"))
        if receipt.get_by_role("link", name="Download the receipt").count():
            break
        time.sleep(1)
    expect(receipt.get_by_role("link", name="Download the receipt")).to_be_visible()
    page.goto("/records/")
    expect(page).to_have_url(re.compile("/sign-in/"))


def make_secret(journey: Journey) -> None:
    """The partner's person makes a secret for a client without a key; it is shown once."""
    bo = journey.people["bo"]
    page = bo.page
    page.goto("/partners/")
    page.get_by_role("main").get_by_role("table").get_by_role("link").first.click()
    page.get_by_role("link", name=re.compile("secret", re.IGNORECASE)).first.click()
    step_up_if_asked(bo)
    page.get_by_role("main").get_by_role("button").first.click()
    expect(page.get_by_role("main")).to_contain_text("once")


def ask_copy(journey: Journey) -> None:
    """The customer asks for a copy and leaves it there."""
    kim = journey.people["kim"]
    page = kim.page
    page.goto("/privacy/")
    submit(page, "Ask for a copy")
    if "/step-up/" in page.url:
        step_up_if_asked(kim)
        page.goto("/privacy/")
        submit(page, "Ask for a copy")
    expect(page.get_by_role("button", name="Download the copy")).to_be_visible(timeout=60_000)


def create_device(journey: Journey) -> None:
    """The key user keeps a device whose unlock code is shown on request only."""
    page = journey.people["kim"].page
    page.goto("/records/new/device/")
    page.get_by_label("Name").fill("Label printer, gate 4")
    page.get_by_label("Unlock code").fill(secrets.token_hex(4))
    submit(page, "Create record")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Label printer")


def leave_invitation_open(journey: Journey) -> None:
    """An organisation administrator invites somebody who does not come."""
    olga = journey.people["olga"]
    page = olga.page
    page.goto("/members/invite/")
    step_up_if_asked(olga)
    page.get_by_label("E-mail address").fill("late@acme.example")
    submit(page, "Send the invitation")
    expect(page.get_by_role("heading", level=1)).to_have_text("Members")


def sign_in_elsewhere(journey: Journey) -> None:
    """An organisation administrator signs in by a second browser, which can then be ended."""
    olga = journey.people["olga"]
    again = replace(olga, visitor=journey.visitor())
    sign_in(again, look=journey.look)
    olga.last_step = again.last_step


def take_every_permission(journey: Journey) -> None:
    """The administrator gives the own role what it lacks, to reach every page."""
    ada = journey.people["ada"]
    page = ada.page
    page.goto("/admin/accounts/role/")
    step_up_if_asked(ada)
    page.get_by_role("link", name="Administrator", exact=True).click()
    page.get_by_label("Reason").fill("Looks after everything")
    for box in page.locator("input[name=codes]").all():
        box.check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("changed successfully")


def rotate_keys(journey: Journey) -> None:
    """The administrator starts a rotation in the admin and sees it end."""
    ada = journey.people["ada"]
    page = ada.page
    page.goto("/admin/encryption/rotationrun/add/")
    step_up_if_asked(ada)
    page.get_by_label("What is rotated").select_option("epoch")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("finished", timeout=60_000)

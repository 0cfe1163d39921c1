"""Partners on their way in, and the keys and tokens they use."""

import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.core import mail
from django.test import Client
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from accounts.models import Organisation, User
from accounts.services import organisations
from accounts.types import OrganisationKind
from audit.events import EventType
from audit.models import AuditEvent
from foundation import clock
from foundation.identifiers import uuid7
from foundation.principals import ActorType, Principal, system
from integrations.partners import agreements, assertions
from integrations.partners.models import Onboarding, PartnerClient
from integrations.partners.permissions import (
    APPROVE_ONBOARDINGS,
    MANAGE_CLIENTS,
    READ_CLIENTS,
    READ_ONBOARDINGS,
)
from integrations.partners.services import approvals, clients, mails, onboardings
from integrations.partners.services.onboardings import Description
from integrations.partners.types import Environment

EMAIL = "dev@borealis.example"
NET = "192.0.2.0/24"
SCOPES = ("records:read", "records:write", "clients:read", "clients:write")
TOKEN_PATH = "/oauth2/token"


@dataclass(frozen=True, slots=True)
class Key:
    """A partner's key pair."""

    private: JWK
    kid: str
    algorithm: str

    @property
    def public(self) -> dict[str, object]:
        """The public half as a partner registers it."""
        members: dict[str, object] = json.loads(self.private.export_public())
        return members


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner with its clients.

    Attributes:
        onboarding: as it stands.
        organisation: of kind partner.
        person: who accepted the terms, as principal in that organisation.
        key: of its clients; None where they use secrets.
    """

    onboarding: Onboarding
    organisation: Organisation
    person: Principal
    key: Key | None

    def client(self, environment: Environment = Environment.LIVE) -> PartnerClient:
        """Return the client of an environment."""
        found: PartnerClient = PartnerClient.objects.get(
            onboarding=self.onboarding, environment=environment
        )
        return found


@dataclass(slots=True)
class Claims:
    """Claims of an assertion, right unless a test says otherwise."""

    client_id: str
    changes: Mapping[str, object] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """Return the claims; a change to None leaves a claim out."""
        now = int(time.time())
        right: dict[str, object] = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": assertions.token_url(),
            "iat": now,
            "exp": now + 120,
            "jti": secrets.token_hex(16),
        }
        return {
            name: value for name, value in {**right, **self.changes}.items() if value is not None
        }


def key(algorithm: str = "ES256") -> Key:
    """Make a key pair."""
    kid = secrets.token_hex(4)
    if algorithm == "ES256":
        made = JWK.generate(kty="EC", crv="P-256", kid=kid)
    else:
        made = JWK.generate(kty="RSA", size=2048, kid=kid)
    return Key(private=made, kid=kid, algorithm=algorithm)


def key_set(*keys: Key) -> dict[str, object]:
    """Return a key set of public keys."""
    return {"keys": [item.public for item in keys]}


def assertion(client_id: str, signing: Key, **changes: object) -> str:
    """Return a signed assertion; changes replace claims, None leaves one out."""
    header = {"alg": signing.algorithm, "kid": signing.kid, "typ": "JWT"}
    return signed(header, Claims(client_id, changes).as_dict(), signing.private)


def signed(header: Mapping[str, object], claims: Mapping[str, object], private: JWK) -> str:
    """Return a compact JWS."""
    token = JWS(json.dumps(claims))
    token.add_signature(private, None, json.dumps(header), None)
    compact: str = token.serialize(compact=True)
    return compact


def proof(client_id: str, signing: Key, **changes: object) -> dict[str, str]:
    """Return the parameters by which a client proves itself with its key."""
    return {
        "client_assertion_type": assertions.ASSERTION_TYPE,
        "client_assertion": assertion(client_id, signing, **changes),
    }


def started(email: str = EMAIL) -> tuple[Onboarding, str]:
    """Return a new onboarding and its registration token."""
    begun = onboardings.start(email=email, language="en", net=NET)
    return Onboarding.objects.get(pk=begun.onboarding_id), begun.registration_token


def link_of(onboarding: Onboarding) -> str:
    """Send the confirmation of an onboarding and return the token of its link."""
    mails.send_confirmation(onboarding.pk)
    found = re.search(r"/partners/confirm/([^/\s]+)/", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


def confirmed(email: str = EMAIL) -> tuple[Onboarding, str]:
    """Return an onboarding whose address is confirmed, and its registration token."""
    onboarding, token = started(email)
    return onboardings.confirm_address(link_of(onboarding)), token


def description(signing: Key | None = None, *, scopes: tuple[str, ...] = SCOPES) -> Description:
    """Return a full description."""
    return Description(
        organisation_name="Borealis",
        contact_name="Paula Partner",
        purpose="Keeps supplier data current",
        wanted_scopes=scopes,
        jwks=key_set(signing) if signing else None,
    )


def described(
    signing: Key | None = None, *, email: str = EMAIL, scopes: tuple[str, ...] = SCOPES
) -> tuple[Onboarding, str]:
    """Return an onboarding that waits for the terms, and its registration token."""
    onboarding, token = confirmed(email)
    principal = onboardings.registration_principal(onboarding)
    given = description(signing, scopes=scopes)
    return onboardings.describe(onboarding.pk, given, principal=principal), token


def in_sandbox(
    signing: Key | None = None, *, email: str = EMAIL, scopes: tuple[str, ...] = SCOPES
) -> Partner:
    """Return a partner whose terms are accepted."""
    onboarding, _token = described(signing, email=email, scopes=scopes)
    assert onboarding.organisation is not None
    user = User.objects.create_user(f"{uuid7()}@borealis.example", display_name="Paula Partner")
    person = person_of(onboarding.organisation.pk, user)
    accepted = onboardings.accept_terms(
        onboarding.pk, digests=agreements.digests(), principal=person, user_id=user.pk
    )
    return Partner(accepted, onboarding.organisation, person, signing)


def live(
    signing: Key | None = None, *, email: str = EMAIL, scopes: tuple[str, ...] = SCOPES
) -> Partner:
    """Return an approved partner."""
    partner = in_sandbox(signing, email=email, scopes=scopes)
    onboardings.ask_approval(partner.onboarding.pk, principal=partner.person)
    approved = approvals.approve(
        partner.onboarding.pk, reason="All evidence is there", principal=staff()
    )
    return Partner(approved, partner.organisation, partner.person, signing)


def staff(*permissions: str) -> Principal:
    """Return a member of the operator's staff who may decide."""
    operator = Organisation.objects.filter(kind=OrganisationKind.OPERATOR).first()
    if operator is None:
        operator = organisations.create(
            kind=OrganisationKind.OPERATOR, name="Operator", principal=system("tests")
        )
    user = User.objects.create_user(f"{uuid7()}@operator.example", display_name="Sam Staff")
    codes = permissions or (READ_ONBOARDINGS, APPROVE_ONBOARDINGS)
    return Principal(
        kind=ActorType.USER,
        id=user.pk,
        subject_id=user.subject_id,
        organisation_id=operator.pk,
        permissions=frozenset(codes),
        label="Sam Staff",
        is_staff=True,
    )


def person_of(organisation_id: UUID, user: User) -> Principal:
    """Return a key user of an organisation."""
    return Principal(
        kind=ActorType.USER,
        id=user.pk,
        subject_id=user.subject_id,
        organisation_id=organisation_id,
        permissions=frozenset({READ_CLIENTS, MANAGE_CLIENTS}),
        label="Paula Partner",
    )


def secret_of(client: PartnerClient, person: Principal) -> str:
    """Make a secret of a client."""
    made = clients.make_secret(client.pk, form_id=uuid7(), principal=person)
    assert made is not None
    return made


def access_token(client: PartnerClient, signing: Key, *, scope: str = "") -> str:
    """Get an access token at the token endpoint."""
    form = {"grant_type": "client_credentials", **proof(client.client_id, signing)}
    if scope:
        form["scope"] = scope
    answer = Client().post(TOKEN_PATH, form)
    assert answer.status_code == 200, answer.content
    token: str = answer.json()["access_token"]
    return token


def bearer(token: str) -> dict[str, str]:
    """Return the header of a token."""
    return {"Authorization": f"Bearer {token}"}


def ended(client: PartnerClient) -> PartnerClient:
    """Return the client past its end."""
    client.valid_until = clock.now()
    client.save(update_fields=["valid_until"])
    return client


def details_of(event_type: EventType) -> list[dict[str, object]]:
    """Return the details of the journal's entries of a type, oldest first."""
    entries = AuditEvent.objects.filter(type=event_type.code).order_by("seq")
    return [dict(entry.content.get("details") or {}) for entry in entries]  # type: ignore[call-overload]

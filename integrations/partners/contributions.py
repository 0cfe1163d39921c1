"""What partners contribute to pages, API, loops and inventory."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from foundation.contracts.access_enders import AccessEnder
from foundation.contracts.interfaces import Direction, Interface
from foundation.contracts.loops import Loop
from foundation.identifiers import parse_uuid
from foundation.rest.problem_types import ProblemType
from foundation.rest.scopes import Scope
from foundation.web.navigation import NavigationItem
from integrations.partners import queries
from integrations.partners.models import PartnerClient
from integrations.partners.permissions import READ_CLIENTS
from integrations.partners.services import clients, housekeeping, mails
from integrations.partners.services.onboardings import REGISTRATION_SCOPE

KIND: Final = "partner_client"

SCOPES: Final = (
    Scope(REGISTRATION_SCOPE, _("Carry on one's own onboarding")),
    Scope("clients:read", _("Read the organisation's clients")),
    Scope("clients:write", _("Replace the public keys of the organisation's clients")),
)

NAVIGATION: Final = (
    NavigationItem(
        key="partners",
        label=_("Partner clients"),
        url_name="partners:overview",
        icon="plug",
        permission=READ_CLIENTS,
        order=60,
    ),
)

LOOPS: Final = (
    Loop(name="partners.mails", step=mails.sweep, interval_seconds=30.0),
    Loop(name="partners.prune", step=housekeeping.prune, interval_seconds=600.0),
    Loop(name="partners.lapse", step=housekeeping.lapse, interval_seconds=3600.0),
)

ACCESS_ENDERS: Final = (AccessEnder(name="partners.tokens", end=clients.end_tokens_of_user),)

PROBLEMS: Final = (
    ProblemType(
        "onboarding_state",
        409,
        _("Not possible in this state"),
        _("The onboarding is not where this step starts."),
        _("Read the onboarding: “next” says what it waits for."),
    ),
    ProblemType(
        "address_not_confirmed",
        409,
        _("The address is not confirmed"),
        _("The link in the mail has not been opened yet."),
        _("Open the link in the mail and confirm the address in the browser."),
    ),
    ProblemType(
        "member_fixed",
        409,
        _("This member can no longer be changed"),
        _("The organisation exists under its name."),
        _("Leave the member out. The operator's staff can correct a name."),
    ),
    ProblemType(
        "certificate_needed",
        409,
        _("A certificate is needed first"),
        _("The rule of this installation asks for the certification bench."),
        _("Pass the bench, then ask for approval."),
    ),
    ProblemType(
        "keys_not_accepted",
        400,
        _("The public keys are not accepted"),
        _("The key set holds something else than public keys for ES256, PS256 or RS256."),
        _("Read “errors”. If a private key was sent, make a new one."),
    ),
    ProblemType(
        "token_in_query",
        400,
        _("A token in the address"),
        _("Addresses end up in logs and histories, so a token in one is known to others."),
        _("Revoke the token and send the next one in the Authorization header."),
    ),
    ProblemType(
        "token_invalid",
        401,
        _("The token is not valid"),
        _("The token is wrong, has ended or was revoked, or its client may not act any more."),
        _("Get a new access token. If that is refused too, look at the client's page."),
    ),
    ProblemType(
        "client_not_usable",
        403,
        _("The client cannot be used"),
        _("The client is disabled, revoked or past its end."),
        _("Look at the client's page in the portal."),
    ),
)


class ClientInterfaces:
    """Tells the inventory of partner clients."""

    kind = KIND

    def find(self, code: str) -> Interface | None:
        """Return the interface of a client as it stands now."""
        client_id = parse_uuid(code.partition(":")[2])
        client = PartnerClient.objects.filter(pk=client_id).first() if client_id else None
        return None if client is None else _interface(client)

    def of_organisation(self, organisation_id: UUID | None) -> Iterable[Interface]:
        """Return the interfaces of an organisation; the operator has no partner client."""
        rows = queries.clients_of(organisation_id).select_related("organisation", "acts_in")
        return [_interface(client) for client in rows]


def _interface(client: PartnerClient) -> Interface:
    return Interface(
        code=f"{KIND}:{client.pk}",
        kind=KIND,
        direction=Direction.IN,
        owner=client.organisation.name,
        purpose=client.purpose,
        data_classes=frozenset(client.allowed_scopes),
        recipients=(client.organisation.name,),
        organisation_id=client.organisation_id,
        last_used_at=client.last_used_at,
        is_enabled=client.is_usable(None),
    )

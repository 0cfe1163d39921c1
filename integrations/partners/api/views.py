"""API of the partners: their onboarding, and their clients."""

from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.net import client_ip
from foundation.rest.idempotency import idempotent
from foundation.rest.listing import Listing
from foundation.rest.preconditions import etag_of
from foundation.rest.views import ApiView
from integrations.partners import queries
from integrations.partners.api import serializers
from integrations.partners.authentication import RegistrationAuth
from integrations.partners.models import Onboarding, PartnerClient
from integrations.partners.services import clients, onboardings
from integrations.partners.services.onboardings import REGISTRATION_SCOPE, Description


class OnboardingsView(ApiView):
    """Starts onboardings."""

    open_reason = "a partner has no token before it starts; limited by the caller's net"

    @extend_schema(
        operation_id="onboardings_create",
        request=serializers.StartInput,
        responses={201: serializers.StartedOutput},
    )
    @idempotent(once=("registration_token",))
    def post(self, request: Request) -> Response:
        """Start an onboarding and send a link to the address.

        The answer holds a registration token for the other calls; it is shown once and lives for
        seven days.
        """
        given = serializers.StartInput(data=request.data)
        given.is_valid(raise_exception=True)
        started = onboardings.start(
            email=given.validated_data["email"],
            language=given.validated_data["language"],
            net=client_ip(request._request).net,  # noqa: SLF001  DRF's name for Django's request
        )
        onboarding = Onboarding.objects.get(pk=started.onboarding_id)
        body = {
            "id": started.onboarding_id,
            "state": onboarding.state,
            "registration_token": started.registration_token,
        }
        location = f"/api/v1/onboardings/{started.onboarding_id}"
        headers = {"ETag": _onboarding_etag(onboarding), "Location": location}
        return Response(body, status=201, headers=headers)


class OnboardingView(ApiView):
    """One onboarding, for the holder of its registration token."""

    authentication_classes = (RegistrationAuth,)
    required_scopes = (REGISTRATION_SCOPE,)

    @extend_schema(operation_id="onboardings_read", responses={200: serializers.OnboardingOutput})
    def get(self, request: Request, onboarding_id: UUID) -> Response:  # noqa: ARG002
        """Read the state and the next step."""
        onboarding = queries.onboarding_for(self.principal, onboarding_id)
        return self._shown(onboarding)

    @extend_schema(
        operation_id="onboardings_describe",
        request=serializers.DescriptionInput,
        responses={200: serializers.OnboardingOutput},
    )
    def patch(self, request: Request, onboarding_id: UUID) -> Response:
        """Describe the organisation, its purpose, the wanted scopes and the public keys."""
        onboarding = queries.onboarding_for(self.principal, onboarding_id)
        self.require_match(_onboarding_etag(onboarding))
        given = serializers.DescriptionInput(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        if "wanted_scopes" in values:
            values["wanted_scopes"] = tuple(values["wanted_scopes"])
        described = onboardings.describe(
            onboarding.pk, Description(**values), principal=self.principal
        )
        return self._shown(described)

    def _shown(self, onboarding: Onboarding) -> Response:
        body = serializers.onboarding_view(onboarding)
        return self.versioned(body, etag=_onboarding_etag(onboarding))


class ApprovalRequestsView(ApiView):
    """Asks for approval."""

    authentication_classes = (RegistrationAuth,)
    required_scopes = (REGISTRATION_SCOPE,)

    @extend_schema(
        operation_id="onboardings_ask_approval",
        request=None,
        responses={201: serializers.StartedOutput},
    )
    @idempotent()
    def post(self, request: Request, onboarding_id: UUID) -> Response:  # noqa: ARG002
        """Ask for the live client; the operator's staff decide on the evidence."""
        onboarding = queries.onboarding_for(self.principal, onboarding_id)
        asked = onboardings.ask_approval(onboarding.pk, principal=self.principal)
        headers = {"ETag": _onboarding_etag(asked)}
        return Response({"id": asked.pk, "state": asked.state}, status=201, headers=headers)


class ClientsView(ApiView):
    """The clients of the calling client's organisation."""

    required_scopes = ("clients:read",)
    listing: ClassVar[Listing] = Listing(sorts={"created": "created"}, default_sort="created")

    @extend_schema(
        operation_id="clients_list", responses={200: serializers.ClientOutput(many=True)}
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """List the clients."""
        rows = queries.clients_seen_by(self.principal).select_related("organisation", "acts_in")
        page = self.page(rows)
        return Response(page.body(serializers.client_view))


class ClientView(ApiView):
    """One client of the calling client's organisation."""

    required_scopes: ClassVar[dict[str, tuple[str, ...]]] = {
        "GET": ("clients:read",),
        "PATCH": ("clients:write",),
    }

    @extend_schema(operation_id="clients_read", responses={200: serializers.ClientOutput})
    def get(self, request: Request, client_id: UUID) -> Response:  # noqa: ARG002
        """Read a client."""
        return self._shown(queries.client_for(self.principal, client_id))

    @extend_schema(
        operation_id="clients_replace_keys",
        request=serializers.KeysInput,
        responses={200: serializers.ClientOutput},
    )
    def patch(self, request: Request, client_id: UUID) -> Response:
        """Replace the public keys of a client; old ones open nothing from now on."""
        client = queries.client_for(self.principal, client_id)
        self.require_match(_client_etag(client))
        given = serializers.KeysInput(data=request.data)
        given.is_valid(raise_exception=True)
        changed = clients.replace_keys(
            client.pk, given.validated_data["jwks"], principal=self.principal
        )
        return self._shown(changed)

    def _shown(self, client: PartnerClient) -> Response:
        return self.versioned(serializers.client_view(client), etag=_client_etag(client))


def _onboarding_etag(onboarding: Onboarding) -> str:
    return etag_of("onboarding", onboarding.pk, onboarding.version)


def _client_etag(client: PartnerClient) -> str:
    return etag_of("client", client.pk, client.updated, client.is_usable(None))

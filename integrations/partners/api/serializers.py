"""Shapes of the onboarding and client resources."""

from django.conf import settings
from rest_framework import serializers

from foundation.rest.serializers import StrictSerializer, TextField
from integrations.partners import key_sets
from integrations.partners.assertions import token_url
from integrations.partners.models import Onboarding, PartnerClient
from integrations.partners.services.onboardings import next_step

MAX_SCOPES = 32


class StartInput(StrictSerializer):
    """What starts an onboarding."""

    email = serializers.EmailField(max_length=254)
    language = serializers.ChoiceField(
        choices=[code for code, _name in settings.LANGUAGES], default="en"
    )


class StartedOutput(StrictSerializer):
    """The new onboarding; the token is shown this once."""

    id = serializers.UUIDField()
    state = serializers.CharField()
    registration_token = serializers.CharField(required=False)


class DescriptionInput(StrictSerializer):
    """What a partner says of itself; members may come one by one."""

    organisation_name = TextField(max_length=200, required=False)
    contact_name = TextField(max_length=200, required=False)
    purpose = TextField(max_length=500, required=False)
    wanted_scopes = serializers.ListField(
        child=TextField(max_length=64),
        min_length=1,
        max_length=MAX_SCOPES,
        required=False,
    )
    jwks = serializers.DictField(required=False)


class NextOutput(StrictSerializer):
    """What an onboarding waits for."""

    code = serializers.CharField()
    who = serializers.CharField()
    detail = serializers.CharField()
    url = serializers.CharField(allow_blank=True)


class ClientOutput(StrictSerializer):
    """A client as its organisation sees it."""

    id = serializers.UUIDField()
    client_id = serializers.CharField()
    environment = serializers.CharField()
    is_usable = serializers.BooleanField()
    scopes = serializers.ListField(child=serializers.CharField())
    authenticates_by = serializers.CharField()
    key_ids = serializers.ListField(child=serializers.CharField())
    valid_until = serializers.DateTimeField()


class OnboardingOutput(StrictSerializer):
    """An onboarding as its partner sees it."""

    id = serializers.UUIDField()
    state = serializers.CharField()
    organisation_name = serializers.CharField()
    purpose = serializers.CharField()
    wanted_scopes = serializers.ListField(child=serializers.CharField())
    key_ids = serializers.ListField(child=serializers.CharField())
    reason = serializers.CharField(allow_blank=True)
    token_endpoint = serializers.CharField()
    clients = ClientOutput(many=True)
    next = NextOutput(allow_null=True)


class KeysInput(StrictSerializer):
    """A client's new key set, which replaces the old one."""

    jwks = serializers.DictField()


def onboarding_view(onboarding: Onboarding) -> dict[str, object]:
    """Return what the partner sees of its onboarding."""
    step = next_step(onboarding)
    return {
        "id": onboarding.pk,
        "state": onboarding.state,
        "organisation_name": onboarding.organisation_name,
        "purpose": onboarding.purpose,
        "wanted_scopes": onboarding.wanted_scopes,
        "key_ids": key_sets.names(onboarding.jwks),
        "reason": onboarding.decision_reason,
        "token_endpoint": token_url(),
        "clients": [client_view(client) for client in onboarding.clients.order_by("id")],
        "next": None
        if step is None
        else {"code": step.code, "who": step.who, "detail": step.detail, "url": step.url},
    }


def client_view(client: PartnerClient) -> dict[str, object]:
    """Return what the organisation sees of a client."""
    return {
        "id": client.pk,
        "client_id": client.client_id,
        "environment": client.environment,
        "is_usable": client.is_usable(None),
        "scopes": client.allowed_scopes,
        "authenticates_by": "private_key_jwt" if client.has_own_key else "client_secret",
        "key_ids": key_sets.names(client.jwks),
        "valid_until": client.valid_until,
    }

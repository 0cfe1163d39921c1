"""The partner client: the swapped application of django-oauth-toolkit (identity.md 8).

These tables are read before an organisation is known, at the token endpoint and at the start of
each API request. There the queries are the wall, as for the tables of ``accounts``.
"""

import hmac
from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import AbstractApplication

from foundation import clock
from foundation.identifiers import uuid7
from foundation.models import Entity
from integrations.partners.digests import digest_of
from integrations.partners.types import Environment

if TYPE_CHECKING:
    from uuid import UUID


class PartnerClient(AbstractApplication):
    """A partner's OAuth2 client.

    It authenticates either with its own key (``jwks``) or with a row of :class:`ClientSecret`;
    the library's own secret column stays empty and is never compared.
    """

    id: "models.UUIDField[UUID, UUID]" = models.UUIDField(  # type: ignore[assignment]  # DOT: bigint
        primary_key=True, default=uuid7, editable=False
    )
    client_secret: "models.CharField[str, str]" = models.CharField(
        max_length=255, blank=True, default="", editable=False
    )
    organisation = models.ForeignKey(
        "accounts.Organisation",
        on_delete=models.PROTECT,
        editable=False,
        related_name="partner_clients",
        help_text=_("Whose client it is."),
    )
    acts_in = models.ForeignKey(
        "accounts.Organisation",
        on_delete=models.PROTECT,
        editable=False,
        related_name="+",
        help_text=_("Whose data it reads and writes: the organisation itself, or its sandbox."),
    )
    onboarding = models.ForeignKey(
        "partners.Onboarding",
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="clients",
    )
    environment = models.CharField(max_length=16, choices=Environment.choices)
    is_active = models.BooleanField(default=True)
    valid_until = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    allowed_scopes = ArrayField(models.CharField(max_length=64), default=list)
    granted_fields = models.JSONField(default=dict)
    ip_allowlist = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    jwks = models.JSONField(default=dict, blank=True)
    plan = models.CharField(max_length=32, default="standard")
    purpose = models.CharField(max_length=500)
    owner = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, related_name="owned_partner_clients"
    )
    last_used_at = models.DateTimeField(null=True)
    last_used_net = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        verbose_name = _("partner client")
        verbose_name_plural = _("partner clients")
        constraints = [
            models.CheckConstraint(
                condition=Q(client_secret=""), name="partners_client_no_secret_column"
            ),
            models.CheckConstraint(
                condition=Q(environment__in=Environment.values),
                name="partners_client_environment",
            ),
            models.CheckConstraint(
                condition=Q(environment=Environment.SANDBOX) | Q(acts_in=F("organisation")),
                name="partners_client_live_acts_in_own",
            ),
        ]
        indexes = [models.Index(fields=["organisation", "environment"])]

    @property
    def has_own_key(self) -> bool:
        """Whether it authenticates with its own key, and therefore never with a secret."""
        return bool(self.jwks.get("keys"))

    def is_usable(self, request: object) -> bool:  # noqa: ARG002  the library's signature
        """Whether the client may do anything now; asked at each token and each request."""
        return (
            self.is_active
            and self.revoked_at is None
            and clock.now() < self.valid_until
            and self.organisation.is_active
            and self.acts_in.is_active
        )


class ClientSecret(Entity):
    """A secret of a client: its digest alone. Two may live at once (identity.md 8).

    The secret has over 700 random bits, so one round of SHA-256 is enough: there is nothing to
    guess that a slow hash would protect.
    """

    client = models.ForeignKey(PartnerClient, on_delete=models.CASCADE, related_name="secrets")
    hash = models.CharField(max_length=64, unique=True)
    form_id = models.UUIDField(unique=True, help_text=_("The form that made it, used once."))
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("client secret")
        verbose_name_plural = _("client secrets")

    def __str__(self) -> str:
        return f"secret {self.id}"

    def is_live(self, at: datetime) -> bool:
        """Whether the secret opens anything at a moment."""
        return self.revoked_at is None and at < self.expires_at

    def matches(self, secret: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self.hash, self.digest(secret))

    @staticmethod
    def digest(secret: str) -> str:
        """Return what is stored of a secret."""
        return digest_of(secret)


class UsedAssertion(Entity):
    """A signed assertion that a client has used: each opens the door once.

    A table and no cache: a lost cache would let every assertion of the last minutes in again.
    """

    client = models.ForeignKey(PartnerClient, on_delete=models.CASCADE, related_name="+")
    jti_hash = models.CharField(max_length=64)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("used assertion")
        verbose_name_plural = _("used assertions")
        constraints = [
            models.UniqueConstraint(fields=["client", "jti_hash"], name="partners_assertion_once")
        ]

    def __str__(self) -> str:
        return f"assertion {self.id}"

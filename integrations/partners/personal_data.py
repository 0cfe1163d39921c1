"""What partners' tables hold about people, ours and those of django-oauth-toolkit."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import AccessToken, Grant, IDToken, RefreshToken

from encryption import services as keys
from encryption.cells import Fault, cell
from encryption.services import Owner, OwnerKind
from foundation.contracts.personal_data import (
    DataSubject,
    ErasureCount,
    FieldClass,
    PersonalDataSource,
    Section,
)
from integrations.partners.models import ClientSecret, Onboarding, PartnerClient
from integrations.partners.services.clients import end_tokens_of_user

_NONE: Final = FieldClass.NONE
_LINK: Final = FieldClass.LINK
_SECRET: Final = FieldClass.SECRET


class Onboardings:
    """Handlers of the onboardings a person is the contact of."""

    title = _("Partner onboardings")

    def export(self, subject: DataSubject) -> Iterable[Section]:
        """Return address, name and times."""
        rows: tuple[Mapping[str, object], ...] = tuple(
            {
                "contact_email": _opened(item, "contact_email"),
                "contact_name": _opened(item, "contact_name"),
                "organisation": item.organisation_name,
                "state": item.state,
                "started_from": item.started_net,
                "created_at": item.created_at.isoformat(),
            }
            for item in _onboardings_of(subject)
        )
        return [Section(label="partners.onboarding", title=str(self.title), rows=rows)]

    def preview(self, subject: DataSubject) -> ErasureCount:
        """Count the onboardings whose contact data lose their key."""
        return ErasureCount(label="partners.onboarding", shredded=len(_onboardings_of(subject)))

    def erase(self, subject: DataSubject) -> ErasureCount:
        """Destroy the keys of the contact data; the organisation's contract stays."""
        found = _onboardings_of(subject)
        for item in found:
            Onboarding.objects.filter(pk=item.pk).update(contact_user=None, started_net="")
            keys.erase(Owner(OwnerKind.SUBJECT, item.contact_subject_id))
        return ErasureCount(label="partners.onboarding", shredded=len(found))


class Clients:
    """Handlers of the clients a person owns."""

    title = _("Partner clients you own")

    def export(self, subject: DataSubject) -> Iterable[Section]:
        """Return names and environments."""
        rows: tuple[Mapping[str, object], ...] = tuple(
            {"client": client.name, "environment": client.environment}
            for client in PartnerClient.objects.filter(owner_id=subject.user_id)
        )
        return [Section(label="partners.client", title=str(self.title), rows=rows)]

    def preview(self, subject: DataSubject) -> ErasureCount:
        """Count the clients that stay with the organisation."""
        kept = PartnerClient.objects.filter(owner_id=subject.user_id).count()
        reason = (
            str(_("They belong to the organisation; the link to the person is cut")) if kept else ""
        )
        return ErasureCount(label="partners.client", kept=kept, reason=reason)

    def erase(self, subject: DataSubject) -> ErasureCount:
        """Cut the link to the person."""
        counted = self.preview(subject)
        PartnerClient.objects.filter(owner_id=subject.user_id).update(owner=None)
        ClientSecret.objects.filter(created_by_id=subject.user_id).update(created_by=None)
        return counted


class Tokens:
    """Handlers of the tokens a person's consent rests on."""

    title = _("Tokens in your name")

    def export(self, subject: DataSubject) -> Iterable[Section]:
        """Return scopes and times, never a value."""
        rows: tuple[Mapping[str, object], ...] = tuple(
            {
                "client": token.application.name if token.application else "",
                "scopes": token.scope,
                "created_at": token.created.isoformat(),
                "expires_at": token.expires.isoformat(),
            }
            for token in AccessToken.objects.filter(user_id=subject.user_id)
        )
        return [Section(label="partners.token", title=str(self.title), rows=rows)]

    def preview(self, subject: DataSubject) -> ErasureCount:
        """Count what is deleted."""
        return ErasureCount(
            label="partners.token",
            deleted=sum(rows.count() for rows in _token_rows(subject)),
        )

    def erase(self, subject: DataSubject) -> ErasureCount:
        """Delete tokens and grants."""
        end_tokens_of_user(subject.user_id, "erasure")
        deleted = sum(rows.delete()[0] for rows in _token_rows(subject))
        return ErasureCount(label="partners.token", deleted=deleted)


def _token_rows(subject: DataSubject) -> Iterator["QuerySet[Model]"]:
    for model in (AccessToken, RefreshToken, Grant, IDToken):
        yield model.objects.filter(user_id=subject.user_id)


def _onboardings_of(subject: DataSubject) -> list[Onboarding]:
    by_user = Q(contact_user_id=subject.user_id)
    found = {item.pk: item for item in Onboarding.objects.filter(by_user)}
    for item in Onboarding.objects.filter(keys.lookup(Onboarding, "contact_email", subject.email)):
        if _has_address(item, subject.email):
            found.setdefault(item.pk, item)
    return [found[key] for key in sorted(found)]


def _has_address(item: Onboarding, email: str) -> bool:
    """Compare the address; where only its digest can be read, an erasure goes on by that."""
    found = cell(item, "contact_email")
    return found.fault is not None or str(found.value).casefold() == email.casefold()


def _opened(item: Onboarding, name: str) -> str:
    """Return a value of the contact, or why it cannot be read; empty once its key is destroyed."""
    found = cell(item, name)
    return "" if found.fault is Fault.ERASED else found.text


def _classes(**classes: str) -> dict[str, FieldClass]:
    return {name: FieldClass(kind) for kind, names in classes.items() for name in names.split()}


_RETENTION: Final = _("access tokens and grants one day after their end")

SOURCES: Final = (
    PersonalDataSource(
        label="partners.onboarding",
        model="partners.Onboarding",
        fields=_classes(
            none="""id state resumes_to version language email_domain registration_hash
            registration_expires_at confirmation_hash confirmation_expires_at
            confirmation_sent_at lease_until organisation_name purpose wanted_scopes jwks
            organisation sandbox_organisation decided_at decision_reason decision_sent_at
            created_at changed_at warned_at""",
            contact="contact_email",
            identifier="contact_name",
            behaviour="started_net",
            link="contact_subject_id contact_user decided_by",
        ),
        subjects=("contact_subject_id", "contact_user.subject_id", "decided_by.subject_id"),
        purpose="contract",
        basis="contract, art. 6(1)(b)",
        retention=_("with the partner's contract; an idle onboarding ends after 30 days"),
        handlers=Onboardings(),
        title=Onboardings.title,
        reasons={
            "email_domain": "a domain speaks for an organisation; public providers are refused",
            "registration_hash": "SHA-256 of a random value",
            "confirmation_hash": "SHA-256 of a random value",
            "organisation_name": "name of a company",
            "purpose": "what an organisation uses the API for",
            "jwks": "public keys of an organisation",
            "decision_reason": "ground given to an organisation",
        },
    ),
    PersonalDataSource(
        label="partners.onboarding_step",
        model="partners.OnboardingStep",
        fields=_classes(
            none="id onboarding from_state to_state at actor_type evidence", link="actor_id"
        ),
        retention="with the partner's contract",
        reasons={"evidence": "digests, versions, domains and codes"},
    ),
    PersonalDataSource(
        label="partners.approval_rule",
        model="partners.ApprovalRule",
        fields=_classes(none="id plan kind changed_at reason"),
        reasons={"reason": "why the operator chose a rule"},
    ),
    PersonalDataSource(
        label="partners.client",
        model="partners.PartnerClient",
        fields=_classes(
            none="""id client_id client_secret redirect_uris post_logout_redirect_uris client_type
            authorization_grant_type hash_client_secret name skip_authorization created updated
            algorithm allowed_origins registration_source cimd_expires_at organisation acts_in
            onboarding environment is_active valid_until revoked_at allowed_scopes granted_fields
            ip_allowlist jwks plan purpose last_used_at last_used_net""",
            link="user owner",
        ),
        subjects=("owner.subject_id",),
        purpose="contract",
        retention=_("with the partner's contract"),
        handlers=Clients(),
        title=Clients.title,
        reasons={
            "client_secret": "always empty, by a constraint",
            "name": "name of a program of an organisation",
            "purpose": "what an organisation uses the API for",
            "last_used_net": "net of an organisation's server",
            "ip_allowlist": "nets of an organisation's servers",
            "jwks": "public keys of an organisation",
        },
    ),
    PersonalDataSource(
        label="partners.client_secret",
        model="partners.ClientSecret",
        fields=_classes(
            none="id client hash form_id created_at expires_at revoked_at last_used_at",
            link="created_by",
        ),
        subjects=("created_by.subject_id",),
        retention="with the client",
        reasons={"hash": "SHA-256 of a random value"},
    ),
    PersonalDataSource(
        label="partners.used_assertion",
        model="partners.UsedAssertion",
        fields=_classes(none="id client jti_hash expires_at"),
        retention="until the assertion would have ended",
    ),
    PersonalDataSource(
        label="partners.token",
        model="oauth2_provider.AccessToken",
        fields=_classes(
            none="""id source_refresh_token id_token application expires scope resource created
            updated""",
            link="user",
            secret="token token_checksum",  # noqa: S106  a class of data
        ),
        subjects=("user.subject_id",),
        retention=_RETENTION,
        handlers=Tokens(),
        title=Tokens.title,
    ),
    PersonalDataSource(
        label="partners.refresh_token",
        model="oauth2_provider.RefreshToken",
        fields=_classes(
            none="id application access_token token_family resource created updated revoked",
            link="user",
            secret="token token_checksum",  # noqa: S106  a class of data
        ),
        subjects=("user.subject_id",),
        retention="30 days after revocation, to see reuse",
    ),
    PersonalDataSource(
        label="partners.grant",
        model="oauth2_provider.Grant",
        fields=_classes(
            none="""id application expires redirect_uri scope created updated code_challenge
            code_challenge_method nonce claims resource""",
            link="user",
            secret="code",  # noqa: S106  a class of data
        ),
        subjects=("user.subject_id",),
        retention=_RETENTION,
    ),
    PersonalDataSource(
        label="partners.id_token",
        model="oauth2_provider.IDToken",
        fields=_classes(
            none="id jti application expires scope created updated",
            link="user",
        ),
        subjects=("user.subject_id",),
        retention=_RETENTION,
    ),
    PersonalDataSource(
        label="partners.device_grant",
        model="oauth2_provider.DeviceGrant",
        fields=_classes(
            none="id scope interval expires status client_id last_checked",
            link="user",
            secret="device_code user_code",  # noqa: S106  a class of data
        ),
        subjects=("user.subject_id",),
        retention="no row is ever written: the device flow is not mounted",
    ),
)

"""What allauth asks us: who may sign in, by which stages, and how secrets are kept."""

from typing import TYPE_CHECKING

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from accounts import assurance, factors
from accounts.models import User
from accounts.services import authentication
from accounts.services.sessions import session_factor
from accounts.types import FactorKind
from foundation.net import client_ip

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Sign-in by passphrase and second factor; accounts come by invitation alone."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Nobody signs up by himself."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the one client address, for allauth's rate limits."""
        return client_ip(request).address or "unknown"

    def get_login_stages(self) -> list[str]:
        """Return the stages between passphrase and session."""
        return ["accounts.stages.SecondFactorStage"]

    def authenticate(self, request: HttpRequest, **credentials: object) -> AbstractBaseUser | None:
        """Return the person, or None for a wrong passphrase and for closed and frozen accounts.

        A frozen account answers like a wrong passphrase: whoever froze it may be watching.
        """
        user = super().authenticate(request, **credentials)
        if isinstance(user, User) and user.is_active and not user.is_frozen:
            return user
        return None

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Open the session of a person whose second factor was checked in this sign-in.

        Raises:
            ImmediateHttpResponse: no factor was checked: back to the start.
        """
        kinds = [
            str(found.get("type", ""))
            for found in get_authentication_records(request, user)
            if found.get("method") == "mfa"
        ]
        if not isinstance(user, User) or not kinds:
            raise ImmediateHttpResponse(HttpResponseRedirect(reverse("account_login")))
        user.otp_device = session_factor(user, FactorKind.MFA)  # type: ignore[attr-defined]  # django-otp's
        super().login(request, user)
        assurance.note_proof(request)
        if authentication.needs_recovery_codes(user):
            request.session[assurance.MUST_KEY] = "recovery_codes"
        authentication.record_success(request, user, method=f"password+{kinds[-1]}")

    def get_reauthentication_methods(
        self, user: "AbstractBaseUser | AnonymousUser"
    ) -> list[dict[str, str]]:
        """Step up by a strong factor alone, never by the passphrase."""
        if not user.is_authenticated:
            return []
        return [{"id": "step_up", "url": reverse("step_up"), "description": "step_up"}]

    def add_message(self, *args: object, **kwargs: object) -> None:
        """Keep allauth's own messages away: our pages say what happened."""

    def send_mail(self, *args: object, **kwargs: object) -> None:
        """Keep allauth's own mails away: ours go out by a worker."""


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """Keeps secrets of authenticators sealed and the last strong factor in place."""

    def encrypt(self, text: str) -> str:
        """Seal a secret under a purpose key (trap L)."""
        return factors.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Open a sealed secret."""
        return factors.reveal(encrypted_text)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Keep the last strong factor: every role demands one."""
        others = Authenticator.objects.filter(
            user_id=authenticator.user_id,
            type__in=(Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN),
        ).exclude(pk=authenticator.pk)
        return bool(others.exists())

    def send_notification_mail(self, *args: object, **kwargs: object) -> None:
        """Keep allauth's notices away: ours go to all notification addresses."""

"""Login stages: after the passphrase comes the second factor, always.

Upper floors that add a stage take their base class from here (``LoginStage``).
"""

from allauth.account.stages import LoginStage
from allauth.mfa.stages import AuthenticateStage
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts import factors

__all__ = ["LoginStage", "SecondFactorStage"]


class SecondFactorStage(AuthenticateStage):  # type: ignore[misc]  # allauth ships no types
    """Keeps allauth's key; only picks the page.

    Who owns no factor is sent to ask for a new mail: a passphrase alone never opens enrolment.
    """

    def handle(self) -> tuple[HttpResponse | None, bool]:
        """Return the page of the code, or end this sign-in."""
        user = self.login.user
        if user is None or not factors.owns_strong(user.pk):
            return HttpResponseRedirect(reverse("enrolment_unfinished")), False
        self.state["authentication_required"] = True
        return HttpResponseRedirect(reverse("mfa_authenticate")), True

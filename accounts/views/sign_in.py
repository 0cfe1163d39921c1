"""Sign-in, second factor, step-up and sign-out."""

from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from allauth.account.views import LoginView
from allauth.mfa.base.views import AuthenticateView
from django import forms
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import assurance
from accounts.forms import AxesAuthenticateForm, AxesReauthenticateForm, SignInForm
from accounts.services import authentication
from foundation.access.guards import open_to_all, signed_in, without_scope
from foundation.web.forms import render_form

if TYPE_CHECKING:
    from accounts.factors import Proof
    from accounts.models import User

GET_AND_POST = ["GET", "HEAD", "POST"]


class SignInView(LoginView):  # type: ignore[misc]  # allauth ships no types
    """Address and passphrase."""

    form_class = SignInForm
    template_name = "account/login.html"

    def get_form_class(self) -> type[forms.Form]:
        """Return our form, whatever is set for allauth."""
        return SignInForm

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        """Answer 422: the same for a wrong passphrase and an unknown address."""
        context = self.get_context_data(form=form)
        return render(
            self.request, self.template_name, context, status=HTTPStatus.UNPROCESSABLE_ENTITY
        )


class SecondFactorView(AuthenticateView):  # type: ignore[misc]  # allauth ships no types
    """The code of the authenticator, or a recovery code."""

    template_name = "mfa/authenticate.html"

    def get_form_class(self) -> type[forms.Form]:
        """Return our form, whatever is set for allauth."""
        return AxesAuthenticateForm

    def form_valid(self, form: AxesAuthenticateForm) -> HttpResponse:
        """Put the proof on record and go on with the sign-in."""
        form.save()
        user = cast("User", self.stage.login.user)
        if form.proof is not None:
            authentication.record_proof(self.request, user, form.proof, step_up=False)
        return cast("HttpResponse", self.stage.exit())

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        """Answer 422."""
        context = {**self.get_context_data(), "form": form}
        return render(
            self.request, self.template_name, context, status=HTTPStatus.UNPROCESSABLE_ENTITY
        )


sign_in = open_to_all("people sign in here")(without_scope(SignInView.as_view()))
second_factor = open_to_all("allauth's login stage admits only a passed passphrase")(
    without_scope(SecondFactorView.as_view())
)


@sensitive_post_parameters("code")
@require_http_methods(GET_AND_POST)
@signed_in
@without_scope
def step_up(request: HttpRequest) -> HttpResponse:
    """Ask for a code before a sensitive act and lead back to it."""
    user = cast("User", request.user)
    target = safe_next(request)
    form = AxesReauthenticateForm(user=user, data=request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        assurance.note_proof(request)
        authentication.record_proof(request, user, cast("Proof", form.proof), step_up=True)
        return HttpResponseRedirect(target)
    return render_form(request, "account/step_up.html", form, {"next": target})


@require_http_methods(GET_AND_POST)
@open_to_all("whoever holds a session may end it")
@without_scope
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session; a GET only shows the button."""
    if request.method != "POST":
        return render(request, "account/logout.html")
    if request.user.is_authenticated:
        authentication.sign_out(request, request.user)
    logout(request)
    return HttpResponseRedirect(reverse("account_login"))


def safe_next(request: HttpRequest) -> str:
    """Return where to go next: an address of this portal, else the home page."""
    wanted = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME, "")
    if url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return wanted
    return resolve_url("home")

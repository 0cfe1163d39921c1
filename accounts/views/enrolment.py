"""Enrolment: from the mail to the first session that counts.

Each page checks the enrolment session itself: nobody is verified yet, so guards cannot.
"""

from typing import Final, cast

from allauth.mfa.adapter import get_adapter
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import assurance, factors, principal, queries
from accounts.errors import PassphraseRefused
from accounts.forms import AddressForm, CodeForm, EnrolmentForm
from accounts.models import Invitation, User
from accounts.services import authentication, invitations, sessions, signup
from accounts.views.sign_in import GET_AND_POST
from foundation import rate_limit
from foundation.access.guards import open_to_all, principal_of, without_scope
from foundation.errors import TooMany
from foundation.net import client_ip
from foundation.web.forms import add_errors, render_form

BACKEND: Final = "allauth.account.auth_backends.AuthenticationBackend"
SECRET_KEY: Final = "totp"  # noqa: S105  name of a session entry, which holds it sealed
OWN_CHECK: Final = "checks the enrolment session itself"
REQUESTS_PER_HOUR: Final = 20
CODE_HELP = gettext_lazy("Six digits. They change every 30 seconds.")
RECOVERY_HELP = gettext_lazy("Ten digits. The code stays good: this only shows that you have it.")


@sensitive_post_parameters("passphrase")
@require_http_methods(GET_AND_POST)
@open_to_all("the link of the mail is the right to come")
@without_scope
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Show who invites to what; take name and passphrase, or the yes of an existing account."""
    found = invitations.opened(token)
    person = queries.user_by_email(found.email)
    if not signup.may_enrol(person):
        return _accept_signed_in(request, found, cast("User", person))
    _refuse_others(request, found)
    form = EnrolmentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = signup.begin(found, language=_language(request), **form.cleaned_data)
        except PassphraseRefused as error:
            add_errors(form, error)
        else:
            return _enter(request, user)
    return render_form(request, "accounts/invitation.html", form, _facts(found))


@sensitive_post_parameters("passphrase")
@require_http_methods(GET_AND_POST)
@open_to_all("the link of the mail is the right to come")
@without_scope
def enrolment_link(request: HttpRequest, token: str) -> HttpResponse:
    """Go on with an abandoned enrolment: name and passphrase are set anew."""
    link = signup.opened_link(token)
    form = EnrolmentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = signup.begin_again(link, language=_language(request), **form.cleaned_data)
        except PassphraseRefused as error:
            add_errors(form, error)
        else:
            return _enter(request, user)
    return render_form(request, "accounts/enrolment_link.html", form)


@sensitive_post_parameters("code")
@require_http_methods(GET_AND_POST)
@open_to_all(OWN_CHECK)
@without_scope
def authenticator(request: HttpRequest) -> HttpResponse:
    """Show the secret as QR code and text; take the first code."""
    user = _enrolling(request)
    if user is None:
        return HttpResponseRedirect(reverse("enrolment_unfinished"))
    if factors.owns_strong(user.pk):
        return HttpResponseRedirect(reverse("enrolment_recovery"))
    secret = _secret(request)
    form = CodeForm(request.POST or None, help_text=CODE_HELP)
    if request.method == "POST" and form.is_valid():
        if signup.enrol_totp(user, secret=secret, code=form.cleaned_data["code"]):
            request.session.pop(SECRET_KEY, None)
            return HttpResponseRedirect(reverse("enrolment_recovery"))
        form.add_error("code", _("This code does not fit. Check the time of your device."))
    context = {
        "otpauth": get_adapter().build_totp_url(user, secret),
        "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
    }
    return render_form(request, "accounts/authenticator.html", form, context)


@require_http_methods(GET_AND_POST)
@open_to_all(OWN_CHECK)
@without_scope
def recovery(request: HttpRequest) -> HttpResponse:
    """Explain recovery codes; a POST makes ten and shows them this once."""
    user = _person(request)
    if user is None:
        return HttpResponseRedirect(reverse("enrolment_unfinished"))
    if request.method != "POST":
        return render(request, "accounts/recovery_start.html")
    codes = signup.make_recovery_codes(user)
    form = CodeForm(help_text=RECOVERY_HELP)
    return render(request, "accounts/recovery_codes.html", {"codes": codes, "form": form})


@sensitive_post_parameters("code")
@require_POST
@open_to_all(OWN_CHECK)
@without_scope
def confirm(request: HttpRequest) -> HttpResponse:
    """Take one of the codes as a sign that they are kept, and open the session."""
    user = _person(request)
    if user is None:
        return HttpResponseRedirect(reverse("enrolment_unfinished"))
    form = CodeForm(request.POST, help_text=RECOVERY_HELP)
    if form.is_valid():
        if signup.confirm_recovery_codes(user, form.cleaned_data["code"]):
            return _finish(request, user)
        form.add_error("code", _("This is none of the codes that were just shown."))
    return render_form(request, "accounts/recovery_codes.html", form)


@require_http_methods(GET_AND_POST)
@open_to_all("answers alike for known and unknown addresses")
@without_scope
def unfinished(request: HttpRequest) -> HttpResponse:
    """Offer a new mail to people who have not finished the enrolment."""
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        _limit(request)
        signup.request_link(form.cleaned_data["email"])
        return HttpResponseRedirect(reverse("enrolment_mail_sent"))
    return render_form(request, "accounts/unfinished.html", form)


@require_safe
@open_to_all("says the same to everybody")
@without_scope
def mail_sent(request: HttpRequest) -> HttpResponse:
    """Say that a mail is on its way, if there is somebody to get it."""
    return render(request, "accounts/mail_sent.html")


def _accept_signed_in(request: HttpRequest, found: Invitation, person: User) -> HttpResponse:
    """Let the owner of an existing account accept while signed in."""
    actor = principal_of(request)
    if not actor.is_authenticated:
        context = {**_facts(found), "next": request.get_full_path()}
        return render(request, "accounts/invitation_sign_in.html", context)
    if actor.id != person.pk:
        invitations.refuse_foreign(found, principal=actor)
    if request.method == "POST":
        invitations.accept(found, person, principal=actor)
        request.session[principal.ORGANISATION_KEY] = str(found.organisation_id)
        return HttpResponseRedirect(reverse("home"))
    return render(request, "accounts/invitation_accept.html", _facts(found))


def _refuse_others(request: HttpRequest, found: Invitation) -> None:
    """Refuse an invitation in the session of somebody else."""
    user = request.user
    if user.is_authenticated and user.email != found.email:
        invitations.refuse_foreign(found, principal=principal.bare(user))


def _facts(found: Invitation) -> dict[str, object]:
    return {
        "invitation": found,
        "organisation": found.organisation,
        "inviter": invitations.inviter_name(found),
    }


def _enter(request: HttpRequest, user: User) -> HttpResponse:
    """Open a session that may do nothing but enrol."""
    login(request, user, backend=BACKEND)
    request.session[assurance.ENROLMENT_KEY] = str(user.pk)
    return HttpResponseRedirect(reverse("enrolment_authenticator"))


def _enrolling(request: HttpRequest) -> User | None:
    """Return the person of an enrolment session, which only a mail opens."""
    user = request.user
    if not user.is_authenticated or principal.is_verified(user):
        return None
    same = request.session.get(assurance.ENROLMENT_KEY) == str(user.pk)
    return user if same and not user.is_frozen else None


def _person(request: HttpRequest) -> User | None:
    """Return who may take recovery codes: after the authenticator, or when they are missing."""
    user = _enrolling(request)
    if user is not None:
        return user if factors.owns_strong(user.pk) else None
    if principal_of(request).is_authenticated and assurance.MUST_KEY in request.session:
        return cast("User", request.user)
    return None


def _finish(request: HttpRequest, user: User) -> HttpResponse:
    request.session.pop(assurance.MUST_KEY, None)
    if request.session.pop(assurance.ENROLMENT_KEY, None):
        sessions.verify(request, user)
        authentication.record_success(request, user, method="enrolment")
    return HttpResponseRedirect(reverse("home"))


def _secret(request: HttpRequest) -> str:
    """Return the secret offered in this session, kept there sealed."""
    sealed = request.session.get(SECRET_KEY)
    if isinstance(sealed, str):
        return factors.reveal(sealed)
    secret = factors.new_totp_secret()
    request.session[SECRET_KEY] = factors.seal(secret)
    return secret


def _language(request: HttpRequest) -> str:
    return str(getattr(request, "LANGUAGE_CODE", "en"))


def _limit(request: HttpRequest) -> None:
    net = client_ip(request).net
    if not rate_limit.allow(f"enrolment-mail:{net}", limit=REQUESTS_PER_HOUR, window_seconds=3600):
        raise TooMany(_("Too many mails were asked for from your network."), retry_after=3600)

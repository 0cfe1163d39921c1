"""What people see and change about themselves."""

from typing import TYPE_CHECKING, cast
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import assurance, factors, queries
from accounts.errors import PassphraseRefused
from accounts.forms import CodeForm, PassphraseForm, ProfileForm
from accounts.models import User, UserSession
from accounts.services import notices, passphrases, profiles, sessions, signup
from accounts.types import NoticeKind
from accounts.views.enrolment import RECOVERY_HELP
from accounts.views.sign_in import GET_AND_POST
from encryption.cells import cell
from foundation.access.guards import principal_of, signed_in, step_up, without_scope
from foundation.identifiers import parse_uuid
from foundation.web import paging, tables
from foundation.web.forms import add_errors, render_form
from foundation.web.tables import Column, Value

if TYPE_CHECKING:
    from foundation.web.paging import Page

SESSION_COLUMNS = (
    Column(gettext_lazy("Browser"), heading=True),
    Column(gettext_lazy("Network")),
    Column(gettext_lazy("Started")),
    Column(gettext_lazy("Last used")),
    Column(gettext_lazy("End")),
)


@require_http_methods(GET_AND_POST)
@signed_in
@without_scope
def profile(request: HttpRequest) -> HttpResponse:
    """Show and change name, language and colours."""
    user = _user(request)
    name = cell(user, "display_name").value
    initial = {"display_name": name, "language": user.language, "theme": user.theme}
    form = ProfileForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        profiles.change(user, principal=principal_of(request), **form.cleaned_data)
        messages.success(request, _("Your profile was saved."))
        return HttpResponseRedirect(reverse("profile"))
    context = {
        "person": user,
        "codes_left": factors.recovery_codes_left(user.pk),
        "standings": queries.standings_of(user.pk),
        "chosen": principal_of(request).organisation_id,
    }
    return render_form(request, "accounts/profile.html", form, context)


@sensitive_post_parameters("old", "passphrase")
@require_http_methods(GET_AND_POST)
@signed_in
@step_up(seconds=300)
@without_scope
def passphrase(request: HttpRequest) -> HttpResponse:
    """Change the passphrase; all other sessions end."""
    form = PassphraseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            passphrases.change(
                _user(request),
                old=form.cleaned_data["old"],
                new=form.cleaned_data["passphrase"],
                request=request,
                principal=principal_of(request),
            )
        except PassphraseRefused as error:
            add_errors(form, error)
        else:
            messages.success(request, _("Your passphrase was changed. Other sessions ended."))
            return HttpResponseRedirect(reverse("profile"))
    return render_form(request, "accounts/passphrase.html", form)


@require_http_methods(GET_AND_POST)
@signed_in
@step_up(seconds=300)
@without_scope
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Make a new set of recovery codes; the old set is dead from then on."""
    if request.method != "POST":
        return render(request, "accounts/recovery_renew.html")
    codes = signup.make_recovery_codes(_user(request))
    notices.tell(_user(request), NoticeKind.RECOVERY_CODES_NEW)
    request.session[assurance.MUST_KEY] = "recovery_codes"
    form = CodeForm(help_text=RECOVERY_HELP)
    return render(request, "accounts/recovery_codes.html", {"codes": codes, "form": form})


@require_safe
@signed_in
@without_scope
def session_list(request: HttpRequest) -> HttpResponse:
    """List the sessions of the person."""
    page: Page[UserSession] = paging.by_number(request, queries.open_sessions_of(_user(request).pk))
    here = request.session.session_key
    context = {
        "columns": tables.headings(request, SESSION_COLUMNS),
        "rows": tables.cells(SESSION_COLUMNS, (_row(session, here) for session in page.rows)),
        "page": page,
        "has_others": (page.total or 0) > 1,
    }
    return render(request, "accounts/session_list.html", context)


@require_http_methods(GET_AND_POST)
@signed_in
@without_scope
def session_end(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """End one of the person's sessions."""
    user = _user(request)
    found = queries.open_sessions_of(user.pk).filter(pk=session_id).first()
    if found is None:
        raise Http404
    if request.method != "POST":
        context = {"session": found, "browser": _browser(found)}
        return render(request, "accounts/session_end.html", context)
    sessions.end(found, principal=principal_of(request))
    messages.success(request, _("The session was ended."))
    return HttpResponseRedirect(reverse("session_list"))


@require_POST
@signed_in
@without_scope
def session_end_others(request: HttpRequest) -> HttpResponse:
    """End all of the person's sessions but this one."""
    sessions.end_others(_user(request), keep=request.session, principal=principal_of(request))
    messages.success(request, _("All your other sessions were ended."))
    return HttpResponseRedirect(reverse("session_list"))


@require_POST
@signed_in
@without_scope
def choose_organisation(request: HttpRequest) -> HttpResponse:
    """Act in another organisation of the person from now on."""
    wanted = parse_uuid(request.POST.get("organisation", ""))
    if wanted is None or not queries.is_member(_user(request).pk, wanted):
        raise Http404
    sessions.choose_organisation(request.session, wanted, principal=principal_of(request))
    return HttpResponseRedirect(reverse("home"))


def _user(request: HttpRequest) -> User:
    return cast("User", request.user)


def _row(session: UserSession, here: str | None) -> tuple[object, ...]:
    is_here = session.session_key == here
    end = Value(_("This session"), badge="info") if is_here else _end_link(session)
    return (
        _browser(session),
        session.net or _("unknown"),
        formats.date_format(session.started_at, "DATETIME_FORMAT"),
        formats.date_format(session.last_seen_at, "DATETIME_FORMAT"),
        end,
    )


def _end_link(session: UserSession) -> Value:
    return Value(_("End"), href=reverse("session_end", args=[session.pk]))


def _browser(session: UserSession) -> str:
    return session.family or _("Unknown browser")

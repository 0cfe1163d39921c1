"""The members of an organisation and its open invitations."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import queries
from accounts.errors import AlreadyMember, TooManyInvitations
from accounts.forms import InviteForm, MemberRoleForm
from accounts.models import Membership, Organisation, User
from accounts.permissions import INVITE_USERS, MANAGE_USERS, READ_USERS
from accounts.services import invitations, memberships
from accounts.views.sign_in import GET_AND_POST
from encryption.cells import cell
from foundation.access.guards import principal_of, requires, step_up, without_scope
from foundation.web import paging, tables
from foundation.web.forms import render_form
from foundation.web.tables import Column, Value

if TYPE_CHECKING:
    from foundation.web.paging import Page

COLUMNS = (
    Column(gettext_lazy("Name"), heading=True),
    Column(gettext_lazy("E-mail address")),
    Column(gettext_lazy("Role")),
    Column(gettext_lazy("Member since")),
    Column(gettext_lazy("Change")),
)


@require_safe
@requires(READ_USERS)
@without_scope
def member_list(request: HttpRequest) -> HttpResponse:
    """List the members of the present organisation and the open invitations."""
    actor = principal_of(request)
    organisation_id = _organisation_id(request)
    page: Page[Membership] = paging.by_number(request, queries.members_of(organisation_id))
    may_change = actor.may(MANAGE_USERS)
    may_invite = actor.may(INVITE_USERS)
    context = {
        "columns": tables.headings(request, COLUMNS),
        "rows": tables.cells(COLUMNS, _rows(page.rows, may_change=may_change)),
        "page": page,
        "may_invite": may_invite,
        "invitations": queries.open_invitations_of(organisation_id)[:50] if may_invite else (),
    }
    return render(request, "accounts/member_list.html", context)


@require_http_methods(GET_AND_POST)
@requires(INVITE_USERS)
@without_scope
def member_invite(request: HttpRequest) -> HttpResponse:
    """Invite somebody to the present organisation."""
    organisation = get_object_or_404(Organisation, pk=_organisation_id(request))
    roles = queries.assignable_roles(organisation, principal_of(request).permissions)
    initial = {"language": getattr(request, "LANGUAGE_CODE", "en")}
    form = InviteForm(request.POST or None, roles=roles, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            invitations.invite(
                organisation=organisation, principal=principal_of(request), **form.cleaned_data
            )
        except (AlreadyMember, TooManyInvitations) as error:
            form.add_error("email", error.message)
        else:
            messages.success(request, _("The invitation is on its way."))
            return HttpResponseRedirect(reverse("member_list"))
    return render_form(request, "accounts/member_invite.html", form)


@require_http_methods(GET_AND_POST)
@requires(MANAGE_USERS)
@step_up(seconds=300)
@without_scope
def member_role(request: HttpRequest, membership_id: UUID) -> HttpResponse:
    """Change the role of a member."""
    member = _member(request, membership_id)
    roles = queries.assignable_roles(member.organisation, principal_of(request).permissions)
    form = MemberRoleForm(request.POST or None, roles=roles, member=member)
    if request.method == "POST" and form.is_valid():
        memberships.change_role(
            member.pk,
            form.cleaned_data["role"],
            organisation_id=member.organisation_id,
            principal=principal_of(request),
        )
        messages.success(request, _("The role was changed."))
        return HttpResponseRedirect(reverse("member_list"))
    return render_form(request, "accounts/member_role.html", form, {"member": member})


@require_http_methods(GET_AND_POST)
@requires(MANAGE_USERS)
@step_up(seconds=300)
@without_scope
def member_end(request: HttpRequest, membership_id: UUID) -> HttpResponse:
    """End a membership, after a page that says what is lost."""
    member = _member(request, membership_id)
    if request.method != "POST":
        return render(request, "accounts/member_end.html", {"member": member})
    memberships.end(
        member.pk, organisation_id=member.organisation_id, principal=principal_of(request)
    )
    messages.success(request, _("The membership was ended."))
    return HttpResponseRedirect(reverse("member_list"))


@require_POST
@requires(INVITE_USERS)
@without_scope
def invitation_resend(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Send an open invitation once more."""
    invitations.resend(
        invitation_id,
        organisation_id=_organisation_id(request),
        principal=principal_of(request),
    )
    messages.success(request, _("The invitation is on its way."))
    return HttpResponseRedirect(reverse("member_list"))


@require_POST
@requires(INVITE_USERS)
@without_scope
def invitation_withdraw(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Take an open invitation back."""
    invitations.withdraw(
        invitation_id,
        organisation_id=_organisation_id(request),
        principal=principal_of(request),
    )
    messages.success(request, _("The invitation was withdrawn."))
    return HttpResponseRedirect(reverse("member_list"))


def _organisation_id(request: HttpRequest) -> UUID:
    return cast("UUID", principal_of(request).organisation_id)


def _member(request: HttpRequest, membership_id: UUID) -> Membership:
    member = (
        queries.members_of(_organisation_id(request))
        .select_related("organisation")
        .filter(pk=membership_id)
        .first()
    )
    if member is None:
        raise Http404
    return member


def _rows(members: Iterable[Membership], *, may_change: bool) -> Iterable[tuple[object, ...]]:
    members = tuple(members)
    # Read by the sealed manager, so that the keys of all names come in one query.
    people = {user.pk: user for user in User.objects.filter(pk__in=[m.user_id for m in members])}
    for member in members:
        user = people[member.user_id]
        change = reverse("member_role", args=[member.pk]) if may_change else ""
        yield (
            cell(user, "display_name").text or _("not given"),
            user.email,
            str(member.role.title),
            formats.date_format(member.valid_from, "DATE_FORMAT"),
            Value(_("Change role"), href=change) if may_change else "",
        )

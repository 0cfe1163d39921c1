"""Staff pages of partners: the waiting onboardings with their evidence, and clients to look at.

Nothing here shows a secret, or the digest of one.
"""

from collections.abc import Callable
from typing import ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundation.access.guards import principal_of
from foundation.access.model_admin import GuardedModelAdmin
from foundation.errors import Conflict, Denied, NotFound
from foundation.principals import Principal
from integrations.partners.forms import DecisionForm
from integrations.partners.models import Onboarding, PartnerClient
from integrations.partners.permissions import APPROVE_ONBOARDINGS, READ_ONBOARDINGS
from integrations.partners.services import approvals
from integrations.partners.types import OnboardingState

Decide = Callable[..., Onboarding]

DECISIONS: dict[str, tuple[Decide, object, object]] = {
    "approve": (
        approvals.approve,
        gettext_lazy("Approve partner"),
        gettext_lazy("The live client is made and the partner is told by mail."),
    ),
    "refuse": (
        approvals.refuse,
        gettext_lazy("Refuse partner"),
        gettext_lazy("The partner is told the reason by mail; its sandbox client stops."),
    ),
    "suspend": (
        approvals.suspend,
        gettext_lazy("Suspend partner"),
        gettext_lazy("All clients of the partner stop at the next request."),
    ),
    "resume": (
        approvals.resume,
        gettext_lazy("Lift suspension"),
        gettext_lazy("Clients of the partner that were not revoked work again."),
    ),
}
OFFERED: dict[str, tuple[str, ...]] = {
    OnboardingState.AWAITING_APPROVAL: ("approve", "refuse"),
    OnboardingState.LIVE: ("suspend",),
    OnboardingState.SUSPENDED: ("resume",),
}


@admin.register(Onboarding)
class OnboardingAdmin(GuardedModelAdmin[Onboarding]):
    """Onboardings: evidence to read, decisions on pages of their own."""

    view_permission = READ_ONBOARDINGS
    decide_permission: ClassVar[str] = APPROVE_ONBOARDINGS
    list_display = ("organisation_name", "state", "email_domain", "created_at", "changed_at")
    list_filter = ("state",)
    search_fields = ("organisation_name", "email_domain")
    ordering = ("-changed_at",)
    change_form_template = "partners/admin/onboarding.html"
    fields = (
        "state",
        "organisation_name",
        "email_domain",
        "purpose",
        "wanted_scopes",
        "keys",
        "evidence",
        "client_list",
        "started_net",
        "created_at",
        "changed_at",
        "decided_at",
        "decision_reason",
    )
    readonly_fields = fields

    @admin.display(description=gettext_lazy("Public keys"))
    def keys(self, onboarding: Onboarding) -> SafeString | str:
        """List id and kind of each key; the numbers help nobody."""
        found = onboarding.jwks.get("keys", [])
        pairs = ((key.get("kid"), key.get("alg") or key.get("kty")) for key in found)
        return format_html_join(", ", "{} ({})", pairs) if found else _("none")

    @admin.display(description=gettext_lazy("Evidence"))
    def evidence(self, onboarding: Onboarding) -> SafeString:
        """List the steps with what each rests on."""
        rows = (
            (step.at.isoformat(" ", "seconds"), step.get_to_state_display(), _words(step.evidence))
            for step in onboarding.steps.all()
        )
        return format_html_join("", "<div>{} · <strong>{}</strong> {}</div>", rows)

    @admin.display(description=gettext_lazy("Clients"))
    def client_list(self, onboarding: Onboarding) -> SafeString | str:
        """List the clients with environment and id."""
        rows = tuple(onboarding.clients.values_list("environment", "client_id"))
        return format_html_join("", "<div>{}: {}</div>", rows) if rows else _("none")

    def get_urls(self) -> list[URLPattern]:
        """Add a page for each decision."""
        view = self.admin_site.admin_view(self.decide)
        view.model_admin = self  # type: ignore[attr-defined]  # Django's mark of an admin view
        own = [
            path(
                f"<uuid:onboarding_id>/{name}/",
                view,
                {"decision": name},
                name=f"partners_onboarding_{name}",
            )
            for name in DECISIONS
        ]
        return [*own, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, object], *args: object, **options: object
    ) -> HttpResponse:
        """Offer the decisions that fit the state."""
        onboarding = context.get("original")
        if isinstance(onboarding, Onboarding) and self._may_decide(request):
            context["decisions"] = [
                (DECISIONS[name][1], _decide_url(onboarding.pk, name))
                for name in OFFERED.get(onboarding.state, ())
            ]
        return super().render_change_form(request, context, *args, **options)  # type: ignore[arg-type]

    def decide(self, request: HttpRequest, onboarding_id: UUID, decision: str) -> HttpResponseBase:
        """Ask for the reason and decide."""
        if not self._may_decide(request):
            raise Denied
        onboarding = Onboarding.objects.filter(pk=onboarding_id).first()
        if onboarding is None:
            raise NotFound
        form = DecisionForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            return self._decided(request, onboarding, decision, form.cleaned_data["reason"])
        _act, title, effect = DECISIONS[decision]
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "effect": effect,
            "onboarding": onboarding,
            "form": form,
            "opts": Onboarding._meta,  # noqa: SLF001  Django's documented model API
        }
        return render(request, "partners/admin/decide.html", context)

    def _decided(
        self, request: HttpRequest, onboarding: Onboarding, decision: str, reason: str
    ) -> HttpResponse:
        act = DECISIONS[decision][0]
        try:
            act(onboarding.pk, reason=reason, principal=_staff(request))
        except Conflict as conflict:
            messages.error(request, conflict.message)
        else:
            messages.success(request, _("The decision is recorded."))
        url = reverse("admin:partners_onboarding_change", args=[onboarding.pk])
        return HttpResponseRedirect(url)

    def _may_decide(self, request: HttpRequest) -> bool:
        return self._staff_may(request, self.decide_permission)


@admin.register(PartnerClient)
class PartnerClientAdmin(GuardedModelAdmin[PartnerClient]):
    """Clients, to look at; partners administer theirs in the portal."""

    view_permission = READ_ONBOARDINGS
    list_display = ("name", "organisation", "environment", "is_active", "valid_until")
    list_filter = ("environment", "is_active")
    list_select_related = ("organisation",)
    fields = (
        "name",
        "client_id",
        "organisation",
        "environment",
        "is_active",
        "valid_until",
        "revoked_at",
        "allowed_scopes",
        "ip_allowlist",
        "plan",
        "purpose",
        "last_used_at",
        "last_used_net",
    )
    readonly_fields = fields


def _staff(request: HttpRequest) -> Principal:
    return principal_of(request)


def _decide_url(onboarding_id: UUID, decision: str) -> str:
    return reverse(f"admin:partners_onboarding_{decision}", args=[onboarding_id])


def _words(evidence: dict[str, object]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in evidence.items())

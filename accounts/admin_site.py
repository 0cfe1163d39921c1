"""The Django admin behind our verdict: staff, second factor, recent proof."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from accounts import assurance
from accounts.principal import is_verified
from foundation.access.guards import Guard, principal_of
from foundation.access.model_admin import GuardedModelAdmin

PageView = TypeVar("PageView", bound=Callable[..., HttpResponseBase])

RECENT_SECONDS = 900


class PortalAdminSite(admin.AdminSite):
    """Stock pages; who may enter is ours to say (identity.md 2)."""

    site_header = _("Administration")
    site_title = _("Administration")
    index_title = _("Administration")
    site_url = None  # our header has its own way back to the portal
    enable_nav_sidebar = True

    def register(  # type: ignore[override]  # the stubs tie model and class by a type variable
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: type[admin.ModelAdmin[Model]] | None = None,
        **options: object,
    ) -> None:
        """Take pages whose rights are our permissions; leave those that libraries bring."""
        if admin_class is not None and issubclass(admin_class, GuardedModelAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Leave out Django's link from a row to its page: no model of ours has such an address."""
        return [entry for entry in super().get_urls() if not _is_view_on_site(entry)]

    def has_permission(self, request: HttpRequest) -> bool:
        """Let verified staff in who proved a strong factor not long ago."""
        return self._is_staff(request) and assurance.recently(request, seconds=RECENT_SECONDS)

    def login(
        self,
        request: HttpRequest,
        extra_context: dict[str, object] | None = None,  # noqa: ARG002  Django's signature
    ) -> HttpResponse:
        """Send people to the portal's own sign-in or step-up; there is no form here.

        Other signed-in people get the portal's home page: that there is an admin is no news.
        """
        target = request.GET.get("next", reverse("admin:index"))
        if self._is_staff(request):
            return HttpResponseRedirect(f"{reverse('step_up')}?{urlencode({'next': target})}")
        if principal_of(request).is_authenticated:
            return HttpResponseRedirect(reverse("home"))
        return HttpResponseRedirect(f"{reverse('account_login')}?{urlencode({'next': target})}")

    # Not wrapped by ``admin_view``: who is not let in must be able to come here.
    login.guard = Guard(open_reason="leads to the portal's own sign-in")  # type: ignore[attr-defined]

    def logout(  # type: ignore[override]  # a redirect instead of a page
        self,
        request: HttpRequest,  # noqa: ARG002  Django's signature
        extra_context: dict[str, object] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        """Send people to the portal's own sign-out."""
        return HttpResponseRedirect(reverse("account_logout"))

    def password_change(  # type: ignore[override]  # a redirect instead of a page
        self,
        request: HttpRequest,  # noqa: ARG002
        extra_context: dict[str, object] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        """Send people to the portal's own page."""
        return HttpResponseRedirect(reverse("password_change"))

    def admin_view(
        self,
        view: PageView,
        cacheable: bool = False,  # noqa: FBT001, FBT002  Django's signature
    ) -> PageView:
        """Mark all pages as outside the scope of one organisation: staff work for all."""
        inner = super().admin_view(view, cacheable)
        inner.without_scope = True  # type: ignore[attr-defined]  # read by the middleware
        return inner

    def _is_staff(self, request: HttpRequest) -> bool:
        user = request.user
        verified = user.is_authenticated and is_verified(user)
        return verified and user.is_active and principal_of(request).is_staff


def _is_view_on_site(entry: URLPattern | URLResolver) -> bool:
    return isinstance(entry, URLPattern) and entry.name == "view_on_site"

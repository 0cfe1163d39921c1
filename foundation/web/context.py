"""Context processor: what base templates show on every page."""

from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.text import capfirst
from django.utils.translation import get_language_info

from foundation.access.guards import principal_of
from foundation.principals import Principal
from foundation.web import preferences
from foundation.web.branding import branding
from foundation.web.navigation import groups_for

# Same order on every page (WCAG 2.2, 3.2.6).
_HELP_LINKS = ("help", "contact", "status")


def page(request: HttpRequest) -> Mapping[str, object]:
    """Add branding, principal, organisation, navigation, theme, languages and help links."""
    principal = principal_of(request)
    return {
        "brand": branding(),
        "principal": principal,
        "organisation_name": principal.organisation_name,
        "frame": _frame(principal),
        "navigation": groups_for(principal, path=request.path),
        "theme": preferences.theme_of(request),
        "languages": _languages(),
        "help_links": {name: found for name in _HELP_LINKS if (found := _address(name))},
        "request_id": getattr(request, "request_id", ""),
    }


def _languages() -> tuple[tuple[str, str], ...]:
    """Return each language under its own name, so that everybody finds theirs."""
    return tuple(
        (code, capfirst(get_language_info(code)["name_local"]))
        for code, _name in settings.LANGUAGES
    )


def _frame(principal: Principal) -> str:
    """Return the layout of pages that people see signed in or not."""
    return "layouts/page.html" if principal.is_authenticated else "layouts/narrow.html"


def _address(url_name: str) -> str:
    try:
        return reverse(url_name)
    except NoReverseMatch:  # a page of an app that this installation does not have
        return ""

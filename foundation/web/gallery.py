"""The living style guide: every component in all its states, on one page for the staff."""

from collections.abc import Mapping

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from foundation.access.guards import staff_requires
from foundation.access.permissions import Permission
from foundation.web import charts, tables
from foundation.web.cards import CardContent, CardLine, ShownCard
from foundation.web.forms import PortalForm, SecretField
from foundation.web.icons import NAMES
from foundation.web.paging import Page, PageNumber
from foundation.web.tables import Chip, Column, Value

SEE_COMPONENTS = Permission("web.components.read", _("See the style guide"), staff_only=True)

COLUMNS = (
    Column(_("Name"), key="name", heading=True),
    Column(_("State")),
    Column(_("Last use"), key="used"),
    Column(_("Requests"), key="requests", numeric=True),
)
ROWS = (
    (
        Value("Borealis production", href="#"),
        Value(_("Active"), badge="good"),
        "24 Nov 2026",
        "12,480",
    ),
    (
        Value("Borealis sandbox", href="#"),
        Value(_("Waiting for approval"), badge="warn"),
        "23 Nov 2026",
        "318",
    ),
    (
        Value("Legacy importer of the accounting department", href="#"),
        Value(_("Revoked"), badge="bad"),
        "2 Mar 2026",
        "0",
    ),
)


class ExampleForm(PortalForm):
    """One field of each kind."""

    autocomplete = {"name": "organization", "email": "email"}

    name = forms.CharField(
        label=_("Name of the endpoint"),
        help_text=_("Shown in lists and mails. Example: Stock updates, Berlin."),
        max_length=80,
    )
    email = forms.EmailField(label=_("Contact address"), required=False, max_length=254)
    kind = forms.ChoiceField(
        label=_("Kind"), choices=[("a", _("Every event")), ("b", _("Chosen events"))]
    )
    mode = forms.ChoiceField(
        label=_("When to send"),
        widget=forms.RadioSelect,
        choices=[("now", _("At once")), ("hour", _("Once an hour, collected"))],
    )
    note = forms.CharField(label=_("Note"), widget=forms.Textarea, required=False, max_length=500)
    secret = SecretField(label=_("API key"), help_text=_("Stored sealed and never shown again."))
    agree = forms.BooleanField(label=_("I have read the terms of the interface"))


@staff_requires(SEE_COMPONENTS.code)
@require_safe
def components(request: HttpRequest) -> HttpResponse:
    """Show every component in all states."""
    return render(request, "web/components.html", examples(request))


def examples(request: HttpRequest) -> Mapping[str, object]:
    """Return what the style guide shows."""
    points = [charts.Point(f"{day}.11.", value) for day, value in enumerate(_VALUES, start=12)]
    return {
        "columns": tables.headings(request, COLUMNS),
        "rows": tables.cells(COLUMNS, ROWS),
        "chips": (Chip(_("State: active"), "#"), Chip(_("Partner: Borealis"), "#")),
        "page": Page(rows=(), previous_url="#", next_url="#", numbers=_NUMBERS),
        "blank_form": ExampleForm(),
        "wrong_form": ExampleForm({"email": "no address", "mode": "now"}, prefix="wrong"),
        "cards": _CARDS,
        "facts": ((_("Organisation"), "Borealis Freight GmbH"), (_("Bank account"), "")),
        "crumbs": ((_("Partners"), "#"), ("Borealis", "#"), (_("Clients"), "")),
        "codes": ("7hq2-mv9k", "x4tn-p8wd", "c3rz-6yfj", "n9bk-2sgh"),
        "lost": (_("All tokens of this client"), _("Open event streams")),
        "kept": (_("The journal of what the client did"),),
        "line": charts.line(points, title=_("Requests"), description=_("Requests of ten days")),
        "bars": charts.bars(points, title=_("Errors"), description=_("Errors of ten days")),
        "spark": charts.spark(_VALUES, label=_("Requests rose in ten days")),
        "icons": sorted(NAMES),
        "secret": "gh_live_5Yx0V2cQm8rT1nK7",
    }


_VALUES = (120.0, 180.0, 160.0, 240.0, 310.0, 280.0, 190.0, 330.0, 360.0, 420.0)
_NUMBERS = tuple(PageNumber(number, "#", number == 2) for number in (1, 2, 3, 9))  # noqa: PLR2004
_CARDS = (
    ShownCard(
        _("Records"),
        "database",
        CardContent(
            figure="18", text=_("of your organisation"), href="#", action=_("Open records")
        ),
    ),
    ShownCard(
        _("Approvals"),
        "badge-check",
        CardContent(
            figure="2",
            text=_("partners wait for a decision"),
            tone="warn",
            href="#",
            action=_("Decide"),
        ),
    ),
    ShownCard(
        _("Sign-ins"),
        "shield-check",
        CardContent(
            lines=(
                CardLine(_("Today, 09:14"), note="Berlin"),
                CardLine(_("Yesterday, 17:40"), note="Berlin"),
            )
        ),
    ),
)

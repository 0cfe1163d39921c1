"""What records contribute to pages, the API and the registries of visibility."""

from typing import TYPE_CHECKING, cast

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from foundation.contracts.visibility import Visibility as VisibilityContract
from foundation.principals import Principal
from foundation.rest.scopes import Scope
from foundation.tenancy import current_organisation
from foundation.web.cards import Card, CardContent
from foundation.web.navigation import NavigationItem
from workspace.records.permissions import READ
from workspace.records.queries import READ_SCOPE, WRITE_SCOPE, may_write, visible_to

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

COUNTED = 100

SCOPES = (
    Scope(READ_SCOPE, gettext_lazy("Read records of your organisation")),
    Scope(WRITE_SCOPE, gettext_lazy("Create records and change those it may see")),
)

NAVIGATION = (
    NavigationItem(
        key="records",
        label=gettext_lazy("Records"),
        url_name="records:list",
        icon="folder",
        permission=READ.code,
        order=20,
    ),
)


def _visible(principal: Principal) -> "QuerySet[Model]":
    return cast("QuerySet[Model]", visible_to(principal))


VISIBILITIES = (VisibilityContract(kind="record", visible_to=_visible),)


def render_card(principal: Principal) -> CardContent | None:
    """Say how many records the person sees; stays away outside of an organisation."""
    if current_organisation() is None:
        return None
    # Counting stops at a bound: the page must not grow slow with the table.
    count = visible_to(principal)[: COUNTED + 1].count()
    if not count:
        may_add = may_write(principal)
        return CardContent(
            text=_("Contacts, company data, contracts and devices will stand here."),
            href=reverse("records:choose_kind") if may_add else "",
            action=_("Create the first record") if may_add else "",
        )
    return CardContent(
        figure=f"{COUNTED}+" if count > COUNTED else str(count),
        text=ngettext("record you can see", "records you can see", count),
        href=reverse("records:list"),
        action=_("Open records"),
    )


CARDS = (
    Card(
        key="records",
        title=gettext_lazy("Records"),
        render=render_card,
        permission=READ.code,
        order=20,
        icon="folder",
    ),
)

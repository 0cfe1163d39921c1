"""What the vault contributes: navigation and its credentials as registered ways out."""

from collections.abc import Iterable
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from foundation.contracts.interfaces import Interface
from foundation.contracts.loops import Loop
from foundation.web.navigation import NavigationItem
from integrations.vault.permissions import READ
from integrations.vault.services import testing
from integrations.vault.services.interfaces import KIND, find_interface_of, interfaces_of

NAVIGATION = (
    NavigationItem(
        key="vault",
        label=_("Credentials"),
        url_name="vault:list",
        icon="vault",
        permission=READ.code,
        order=60,
    ),
)


LOOPS = (Loop(name="vault.tests", step=testing.sweep, interval_seconds=15, alias=testing.STAFF),)


class CredentialInterfaces:
    """Tells ``foundation.http`` and the inventory about credentials."""

    kind = KIND

    def find(self, code: str) -> Interface | None:
        """Return the way out of a code as it stands now."""
        return find_interface_of(code)

    def of_organisation(self, organisation_id: UUID | None) -> Iterable[Interface]:
        """Return the ways out of an organisation."""
        return interfaces_of(organisation_id)

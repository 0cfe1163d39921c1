"""What accounts contributes to the contracts of lower floors."""

from typing import cast
from uuid import UUID

from django.http import HttpRequest

from accounts.models import Organisation, User
from accounts.services import notices, profiles
from foundation.access.guards import principal_of
from foundation.contracts.people import NoticeContact


class Directory:
    """Tells floors below where a person is told something."""

    def notice_addresses(self, subject_id: UUID) -> NoticeContact:
        """Return where notices to a person go; no address once erased."""
        user = User.objects.filter(subject_id=subject_id, is_active=True).first()
        return notices.contact_of(user) if user else NoticeContact(addresses=(), language="en")


class Organisations:
    """Tells jobs of floors below which organisations there are."""

    def all_ids(self) -> list[UUID]:
        """Return the ids of all organisations."""
        return list(Organisation.objects.order_by("pk").values_list("pk", flat=True))


class Preferences:
    """Keeps language and theme of signed-in people on the user."""

    def language(self, request: HttpRequest) -> str:
        """Return the language of the person."""
        return str(getattr(request.user, "language", ""))

    def theme(self, request: HttpRequest) -> str:
        """Return the colours of the person, empty for "as the system says"."""
        theme = str(getattr(request.user, "theme", ""))
        return theme if theme in {"light", "dark"} else ""

    def save(self, request: HttpRequest, *, language: str | None, theme: str | None) -> None:
        """Keep a choice."""
        user = cast("User", request.user)
        profiles.change(user, principal=principal_of(request), language=language, theme=theme)

"""What people change about themselves."""

from django.conf import settings
from django.db import transaction

from accounts.audit_events import PROFILE_CHANGED
from accounts.models import User
from accounts.types import Theme
from audit import services as audit
from encryption.cells import cell
from foundation.principals import Principal


@transaction.atomic
def change(
    user: User,
    *,
    principal: Principal,
    display_name: str | None = None,
    language: str | None = None,
    theme: str | None = None,
) -> None:
    """Change name, language or theme of a person; None leaves one as it is."""
    changed = []
    present = cell(user, "display_name").value or ""  # an empty field leaves an unreadable name
    if display_name is not None and display_name.strip() != present:
        user.display_name = display_name.strip()
        changed.append("display_name")
    if language in dict(settings.LANGUAGES) and language != user.language:
        user.language = str(language)
        changed.append("language")
    if theme in Theme.values and theme != user.theme:
        user.theme = str(theme)
        changed.append("theme")
    if changed:
        user.save(update_fields=changed)
        audit.record(PROFILE_CHANGED, principal=principal, target=user, details={"fields": changed})

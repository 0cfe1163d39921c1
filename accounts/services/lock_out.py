"""The lock-out guard for whoever checks secrets of people or clients (identity.md 5).

The token endpoint of partners uses it too: asked before hashing, told of each refusal. Attempts
are counted per identifier and net.
"""

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts import axes_glue
from foundation.errors import TooMany

CLIENT = "client"


def check(request: HttpRequest, identifier: str, *, method: str = CLIENT) -> None:
    """Let an attempt pass, or refuse it before any secret is compared.

    Args:
        request: whose net counts.
        identifier: e-mail address or client id.
        method: ``client`` for partner clients, else the kind of code.

    Raises:
        TooMany: too many failures of this identifier from this net.
    """
    if not axes_glue.may_try(request, identifier, method=method):
        raise TooMany(
            _("Too many attempts failed. Wait 15 minutes and try again."),
            code="accounts.locked_out",
            retry_after=int(settings.AXES_COOLOFF_TIME.total_seconds()),
        )


def failed(request: HttpRequest, identifier: str, *, method: str = CLIENT) -> None:
    """Count a refused secret."""
    axes_glue.count_failure(request, identifier, method=method)
    request.axes_locked_out = False  # type: ignore[attr-defined]  # the caller answers, not axes


def succeeded(identifier: str) -> None:
    """Forget the failures of an identifier after a success."""
    axes_glue.forget(identifier)

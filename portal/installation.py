"""What a database is for, marked once and checked at each start."""

from django.conf import settings
from django.db import transaction

from foundation.models import Installation

Kind = Installation.Kind

_REFUSALS = {
    (Kind.DEMO, Kind.PRODUCTION): "this data folder holds a demo: start it with --demo (make run), "
    "or choose another folder with --data",
    (Kind.PRODUCTION, Kind.DEMO): "this data folder holds a real installation: start it without "
    "--demo, or choose another folder with --data (make run DATA=...)",
}
_DEFAULT_REFUSAL = "this data folder holds a test installation: choose another one with --data"


class ForeignInstallation(RuntimeError):
    """The database was made for something else than what is being started."""


def wanted_kind(*, demo: bool) -> Installation.Kind:
    """Return what this start is for."""
    if settings.TEST_CLOCK:
        return Kind.TEST
    return Kind.DEMO if demo else Kind.PRODUCTION


def mark(kind: Installation.Kind) -> None:
    """Mark an empty database, or check that it is marked with the same kind.

    Raises:
        ForeignInstallation: it was made for something else; the message says what to do.
    """
    with transaction.atomic():
        found, _created = Installation.objects.get_or_create(is_only=True, defaults={"kind": kind})
    if found.kind != kind:
        raise ForeignInstallation(_REFUSALS.get((Kind(found.kind), kind), _DEFAULT_REFUSAL))

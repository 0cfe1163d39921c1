"""Access to the keys database: which alias, and what its absence means."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.conf import settings
from django.db import InterfaceError, OperationalError, connections
from django.utils.translation import gettext as _

from encryption.errors import KeysUnavailable, Refused
from encryption.router import KEYS
from encryption.types import VAULT

KEYS_VAULT: Final = "keys_vault"
VAULT_ZONES: Final = frozenset({"vault", "all"})

_ERASURE_LOCK = 7_316_101


@contextmanager
def keys_database() -> Iterator[None]:
    """Turn an unreachable keys database into ``KeysUnavailable``."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise KeysUnavailable(_("the keys database does not answer")) from error


def alias_of(purpose: str) -> str:
    """Return the alias that sees the keys of a purpose.

    Raises:
        Refused: keys of purpose ``vault`` outside zone ``vault``.
    """
    if purpose != VAULT:
        return KEYS
    if settings.ZONE not in VAULT_ZONES or KEYS_VAULT not in connections:
        raise Refused(
            _("only zone vault opens what is sealed to the vault"), code="encryption.zone"
        )
    return KEYS_VAULT


def lock_for_making(alias: str) -> None:
    """Keep erasures away until the present transaction has made its keys."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_ERASURE_LOCK])


def lock_for_erasing(alias: str) -> None:
    """Keep others from making and destroying keys until the present transaction ends.

    So no key appears behind its owner's erasure, and revocations become visible in the order of
    their numbers.
    """
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ERASURE_LOCK])

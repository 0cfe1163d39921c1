"""Shapes of the key store: who owns a key, what a signature is."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final
from uuid import UUID, uuid5

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

NO_OWNER: Final = UUID(int=0)
DATA: Final = "data"
VAULT: Final = "vault"
GENERAL: Final = "general"

_DAYS = UUID("7d0f4c5e-2b8e-5d4a-9c1f-0a6d3e5b7c91")


class OwnerKind(TextChoices):
    """Kinds of owner a data key can have; the values are part of stored formats."""

    SUBJECT = "subject", _("data subject")
    ORGANISATION = "organisation", _("organisation")
    FILE_SET = "file_set", _("file set")
    CREDENTIAL = "credential", _("credential")
    ARCHIVE = "archive", _("archive")
    DAY = "day", _("day")
    PURPOSE = "purpose", _("purpose")


@dataclass(frozen=True, slots=True)
class Owner:
    """Owner of data keys: destroying its keys makes all it owns unreadable."""

    kind: OwnerKind
    id: UUID

    @staticmethod
    def day(on: date) -> "Owner":
        """Return the owner that stands for one day."""
        return _day(on)


@lru_cache(maxsize=64)
def _day(on: date) -> Owner:
    return Owner(OwnerKind.DAY, uuid5(_DAYS, on.isoformat()))


class KeyState(TextChoices):
    """State of a key row; ``destroyed`` is for epochs and root versions only."""

    PENDING = "pending", _("pending")
    ACTIVE = "active", _("active")
    RETIRED = "retired", _("retired")
    DESTROYED = "destroyed", _("destroyed")


class RotationKind(TextChoices):
    """What a rotation run does."""

    EPOCH = "epoch", _("new epoch")
    ROOT = "root", _("new root version")
    DATA_KEYS = "data_keys", _("new data keys")
    INDEX = "index", _("new index root")
    DESTROY = "destroy", _("destruction of an epoch")


class RingState(TextChoices):
    """What the process can do with sealed data now (encryption.md 8)."""

    SEALED = "sealed", _("sealed")
    OK = "ok", _("ok")
    DEGRADED = "degraded", _("degraded")
    REFUSED = "refused", _("refused")


class ReplayKind(TextChoices):
    """What the replay ledger repeats after a restore."""

    RESTRICTED = "restricted", _("restricted")
    WITHDRAWN = "withdrawn", _("withdrawn")
    OBJECTED = "objected", _("objected")
    KILLED = "killed", _("killed")


@dataclass(frozen=True, slots=True)
class Signature:
    """An Ed25519 signature and the key that made it."""

    value: bytes
    key_id: bytes

"""Tables of the key store (database alias ``keys``) and of the blind index (``default``).

They stand here and not in ``models`` because sealed fields, which models are made of, read them.
``encryption.models`` shows them to Django.
"""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from encryption.types import KeyState, OwnerKind, ReplayKind, RotationKind
from foundation.identifiers import uuid7


class Installation(models.Model):
    """The id of this installation, part of every key context; exactly one row."""

    only = models.SmallIntegerField(primary_key=True, default=1)
    id = models.UUIDField(default=uuid7, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(only=1), name="encryption_one_installation")
        ]

    def __str__(self) -> str:
        return str(self.id)


class RootVersion(models.Model):
    """One version of the root key, by the name its key service gives it."""

    name = models.CharField(_("name"), primary_key=True, max_length=200)
    state = models.CharField(
        _("state"), max_length=16, choices=KeyState.choices, default=KeyState.ACTIVE
    )
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("root version")
        verbose_name_plural = _("root versions")

    def __str__(self) -> str:
        return self.name


class KekEpoch(models.Model):
    """A key-encryption key of one period, wrapped by the root key."""

    purpose = models.CharField(max_length=16)
    number = models.PositiveIntegerField()
    state = models.CharField(
        _("state"), max_length=16, choices=KeyState.choices, default=KeyState.ACTIVE
    )
    blob = models.BinaryField(max_length=1024)
    root_version = models.ForeignKey(
        RootVersion,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("root version"),
    )
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("epoch")
        verbose_name_plural = _("epochs")
        constraints = [
            models.UniqueConstraint(fields=["purpose", "number"], name="encryption_epoch_number"),
            models.UniqueConstraint(
                fields=["purpose"],
                condition=models.Q(state="active"),
                name="encryption_one_active_epoch",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.number}"


class KekWrap(models.Model):
    """Which root versions ever wrapped an epoch: all must die for the epoch to be dead.

    Role ``gatehouse_keys`` does not see the epochs of purpose ``vault``, but all wraps: so what
    became of an epoch stands here.

    Attributes:
        emptied_at: from then on no key stands under the epoch, and none can come.
        destroyed_at: when the epoch was given up for good.
    """

    epoch = models.ForeignKey(KekEpoch, on_delete=models.PROTECT, related_name="wraps")
    root_version = models.ForeignKey(RootVersion, on_delete=models.PROTECT, related_name="wraps")
    wrapped_at = models.DateTimeField(db_default=Now(), editable=False)
    emptied_at = models.DateTimeField(null=True, editable=False)
    destroyed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["epoch", "root_version"], name="encryption_one_wrap")
        ]

    def __str__(self) -> str:
        return f"{self.epoch_id} {self.root_version_id}"


class EpochFloor(models.Model):
    """The lowest epoch number of a purpose that is still accepted; it only rises."""

    purpose = models.CharField(primary_key=True, max_length=16)
    number = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.purpose} >= {self.number}"


class DataKey(models.Model):
    """A wrapped AES-256 key of one owner; its id is eight random bytes, read as a number."""

    id = models.BigIntegerField(primary_key=True)
    owner_kind = models.CharField(max_length=16, choices=OwnerKind.choices)
    owner_id = models.UUIDField()
    purpose = models.CharField(max_length=64)
    epoch = models.ForeignKey(KekEpoch, on_delete=models.PROTECT, related_name="data_keys")
    blob = models.BinaryField(max_length=256)
    seals = models.BigIntegerField(default=0)
    state = models.CharField(max_length=16, choices=KeyState.choices, default=KeyState.ACTIVE)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("data key")
        verbose_name_plural = _("data keys")
        constraints = [
            models.UniqueConstraint(
                fields=["owner_id", "owner_kind", "purpose"],
                condition=models.Q(state="active"),
                name="encryption_one_active_data_key",
            ),
        ]
        indexes = [models.Index(fields=["owner_id", "owner_kind"], name="encryption_key_owner")]

    def __str__(self) -> str:
        return f"{self.owner_kind} key"


class IndexKey(models.Model):
    """A wrapped index root: from it the key of each blind-index field is derived."""

    epoch_number = models.PositiveSmallIntegerField(unique=True)
    epoch = models.ForeignKey(KekEpoch, on_delete=models.PROTECT, related_name="index_keys")
    blob = models.BinaryField(max_length=256)
    state = models.CharField(max_length=16, choices=KeyState.choices, default=KeyState.ACTIVE)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"index root {self.epoch_number}"


class SigningKey(models.Model):
    """An Ed25519 key pair of one purpose, the private half wrapped."""

    id = models.BigIntegerField(primary_key=True)
    purpose = models.CharField(max_length=64)
    public_key = models.BinaryField(max_length=32)
    epoch = models.ForeignKey(KekEpoch, on_delete=models.PROTECT, related_name="signing_keys")
    blob = models.BinaryField(max_length=256)
    state = models.CharField(max_length=16, choices=KeyState.choices, default=KeyState.ACTIVE)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["purpose"],
                condition=models.Q(state="active"),
                name="encryption_one_active_signing_key",
            )
        ]

    def __str__(self) -> str:
        return self.purpose


class SealingKey(models.Model):
    """An X25519 key pair for HPKE; the private half is sealed under a data key of its purpose.

    Everybody reads the public half. The data key and its epoch have purpose ``vault``, whose rows
    only role ``gatehouse_keys_vault`` sees.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    purpose = models.CharField(max_length=64)
    public_key = models.BinaryField(max_length=32)
    sealed_private_key = models.BinaryField(max_length=256)
    state = models.CharField(max_length=16, choices=KeyState.choices, default=KeyState.ACTIVE)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["purpose"],
                condition=models.Q(state="active"),
                name="encryption_one_active_sealing_key",
            )
        ]

    def __str__(self) -> str:
        return self.purpose


class Revocation(models.Model):
    """A destroyed key; processes drop it when they see its number.

    ``key_id`` 0 is no key: it asks processes to look again which keys seal, and which index roots
    live.
    """

    number = models.BigAutoField(primary_key=True)
    key_id = models.BigIntegerField()
    revoked_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return str(self.number)


class ErasureLedgerEntry(models.Model):
    """An owner whose keys were destroyed on purpose, as a digest; append-only."""

    owner_digest = models.BinaryField(max_length=32, unique=True)
    owner_kind = models.CharField(max_length=16, choices=OwnerKind.choices)
    erased_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"{self.owner_kind} {self.erased_at}"


class ReplayLedgerEntry(models.Model):
    """A restriction, withdrawal, objection or kill that a restore must repeat; append-only."""

    kind = models.CharField(max_length=16, choices=ReplayKind.choices)
    digest = models.BinaryField(max_length=32)
    remembered_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "digest"], name="encryption_remember_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.remembered_at}"


class RotationRun(models.Model):
    """One rotation: what it does, how much is left, who works on it.

    Attributes:
        purpose: purpose of the epochs; for data keys the kind of owner.
        source: name of the root version to leave.
        target: what the run moves to: number of an epoch, name of a root version, owner.
        cursor: where a scan of rows goes on.
        left: rows that are still to do; a finished run has none.
        lease_until: until then a process works on it; others leave it alone.
        note: what the run leaves as it is.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(_("kind"), max_length=16, choices=RotationKind.choices)
    purpose = models.CharField(max_length=16)
    source = models.CharField(max_length=200, blank=True, default="")
    target = models.CharField(_("target"), max_length=200, blank=True, default="")
    cursor = models.CharField(max_length=300, blank=True, default="")
    total = models.BigIntegerField(default=0)
    left = models.BigIntegerField(default=0)
    started_by = models.CharField(_("started by"), max_length=80)
    started_at = models.DateTimeField(_("started at"), db_default=Now(), editable=False)
    finished_at = models.DateTimeField(_("finished at"), null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    last_error = models.CharField(_("last error"), max_length=300, blank=True, default="")
    note = models.CharField(_("note"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("rotation")
        verbose_name_plural = _("rotations")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "purpose"],
                condition=models.Q(finished_at__isnull=True),
                name="encryption_one_open_run",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.purpose}"


class KeyStoreVerification(models.Model):
    """A backup of the key store that was restored and read; append-only.

    Attributes:
        taken_at: when the backup was taken.
        backup: name of the backup.
    """

    taken_at = models.DateTimeField()
    verified_at = models.DateTimeField(db_default=Now(), editable=False)
    backup = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.backup


class BlindIndexEntry(models.Model):
    """The keyed digest of one sealed value, for equality look-up (database ``default``).

    ``owner`` is the owner of the value's key, so that erasing the owner deletes its digests.
    """

    label = models.CharField(max_length=100)
    digest = models.BinaryField(max_length=16)
    row = models.UUIDField()
    epoch = models.PositiveSmallIntegerField()
    norm = models.PositiveSmallIntegerField()
    owner_kind = models.CharField(max_length=16, choices=OwnerKind.choices)
    owner = models.UUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["row", "label", "epoch", "norm"], name="encryption_one_digest"
            )
        ]
        indexes = [
            models.Index(fields=["digest", "label", "row"], name="encryption_blind_lookup"),
            models.Index(fields=["owner"], name="encryption_blind_owner"),
        ]

    def __str__(self) -> str:
        return self.label


KEY_STORE: tuple[type[models.Model], ...] = (
    Installation,
    RootVersion,
    KekEpoch,
    KekWrap,
    EpochFloor,
    DataKey,
    IndexKey,
    SigningKey,
    SealingKey,
    Revocation,
    ErasureLedgerEntry,
    ReplayLedgerEntry,
    RotationRun,
    KeyStoreVerification,
)

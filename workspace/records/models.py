"""Tables of records: kinds and their fields, records, values, versions, grants.

All but the kinds belong to one organisation and stand under row-level security; foreign keys
between them carry the organisation (migration operations of ``foundation.tenancy``).
"""

from typing import ClassVar

from django.conf import settings
from django.db import models

from encryption.fields import SealedJSONField, SealedTextField
from encryption.sealed import ScopedSealedManager, SealedMixin
from encryption.types import OwnerKind
from foundation.clock import now
from foundation.models import Entity
from foundation.tenancy import ScopedManager
from workspace.records.types import DataClass, RecordState, ValueType, Visibility


class RecordKind(Entity):
    """A kind of record, such as contact or company data; shipped kinds come by migration."""

    code = models.SlugField(max_length=40, unique=True)
    label = models.CharField(max_length=80)
    title_field = models.SlugField(max_length=40)
    is_about_person = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "records_kind"
        ordering = ("position", "code")

    def __str__(self) -> str:
        return self.code


class RecordKindField(Entity):
    """A field of a kind: type, class of its content, why it is asked, how it is kept."""

    kind = models.ForeignKey(RecordKind, on_delete=models.CASCADE, related_name="fields")
    code = models.SlugField(max_length=40)
    label = models.CharField(max_length=80)
    help_text = models.CharField(max_length=200, blank=True)
    value_type = models.CharField(max_length=20, choices=ValueType.choices)
    data_class = models.CharField(max_length=20, choices=DataClass.choices)
    purpose = models.CharField(max_length=60)
    is_sealed = models.BooleanField(default=True)
    is_searchable = models.BooleanField(default=False)
    is_required = models.BooleanField(default=False)
    max_length = models.PositiveIntegerField(default=200)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "records_kind_field"
        ordering = ("position", "code")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("kind", "code"), name="records_kind_field_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind_id}.{self.code}"


class Record(Entity):
    """One record of an organisation; its values stand in :class:`RecordValue`.

    Attributes:
        owner: the person who made it, until handed over; None where a client made it.
        owner_client_id: the partner client that made it.
        subject_id: owner of the keys of its personal values, where the kind is about a person.
        version: counts changes; a stale change is refused.
    """

    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.PROTECT, editable=False, related_name="+"
    )
    kind = models.ForeignKey(RecordKind, on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    owner_client_id = models.UUIDField(null=True)
    subject_id = models.UUIDField(null=True)
    visibility = models.CharField(max_length=20, choices=Visibility.choices, default=Visibility.OWN)
    state = models.CharField(max_length=20, choices=RecordState.choices, default=RecordState.ACTIVE)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)

    objects = ScopedManager()

    class Meta:
        db_table = "records_record"
        indexes: ClassVar = [
            models.Index(fields=("organisation", "-updated_at", "-id"), name="records_by_update"),
            models.Index(fields=("organisation", "owner"), name="records_by_owner"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(visibility__in=Visibility.values), name="records_visibility"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=RecordState.values), name="records_state"
            ),
        ]

    def __str__(self) -> str:
        return f"record {self.pk}"


class RecordValue(SealedMixin, Entity):
    """The value of one field of a record, in the column that fits its class.

    Attributes:
        organisation_text: sealed under the organisation's key.
        identifier: likewise, of high entropy (IBAN), with a blind index for exact look-up.
        personal_text: sealed under the key of the person the record is about.
        plain_text: for fields declared as not sealed.
        subject_id: owner of the key of ``personal_text``.
    """

    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.PROTECT, editable=False, related_name="+"
    )
    record = models.ForeignKey(
        Record, on_delete=models.CASCADE, db_constraint=False, related_name="values"
    )
    field = models.SlugField(max_length=40)
    subject_id = models.UUIDField(null=True)
    organisation_text = SealedTextField(
        label="records.value.organisation_text",
        owner_kind=OwnerKind.ORGANISATION,
        owner="organisation_id",
        null=True,
    )
    identifier = SealedTextField(
        label="records.value.identifier",
        owner_kind=OwnerKind.ORGANISATION,
        owner="organisation_id",
        blind_index=True,
        null=True,
    )
    personal_text = SealedTextField(
        label="records.value.personal_text",
        owner_kind=OwnerKind.SUBJECT,
        owner="subject_id",
        null=True,
    )
    plain_text = models.TextField(null=True)  # noqa: DJ001  null: another column holds the value

    objects = ScopedSealedManager()

    class Meta:
        db_table = "records_value"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("record", "field"), name="records_value_once")
        ]

    def __str__(self) -> str:
        return f"value {self.pk}"


class RecordVersion(SealedMixin, Entity):
    """What a change wrote: who, when, which fields, and the values from then on.

    Attributes:
        number: version of the record that the change made.
        actor_kind: type of actor.
        actor_id: subject id of the person or id of the client.
        fields: codes of the fields that changed.
        organisation_values: changed values under the organisation's key.
        personal_values: changed values under the key of the person the record is about.
    """

    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.PROTECT, editable=False, related_name="+"
    )
    record = models.ForeignKey(
        Record, on_delete=models.CASCADE, db_constraint=False, related_name="versions"
    )
    number = models.PositiveIntegerField()
    changed_at = models.DateTimeField(default=now)
    actor_kind = models.CharField(max_length=20)
    actor_id = models.UUIDField(null=True)
    fields = models.JSONField(default=list)
    visibility = models.CharField(max_length=20, choices=Visibility.choices)
    subject_id = models.UUIDField(null=True)
    organisation_values = SealedJSONField(
        label="records.version.organisation_values",
        owner_kind=OwnerKind.ORGANISATION,
        owner="organisation_id",
        null=True,
    )
    personal_values = SealedJSONField(
        label="records.version.personal_values",
        owner_kind=OwnerKind.SUBJECT,
        owner="subject_id",
        null=True,
    )

    objects = ScopedSealedManager()

    class Meta:
        db_table = "records_version"
        ordering = ("-number",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("record", "number"), name="records_version_once")
        ]

    def __str__(self) -> str:
        return f"version {self.pk}"


class RecordGrant(Entity):
    """A colleague who was named for a record of mode ``chosen``, perhaps until a date."""

    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.PROTECT, editable=False, related_name="+"
    )
    record = models.ForeignKey(
        Record, on_delete=models.CASCADE, db_constraint=False, related_name="grants"
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    ends_at = models.DateTimeField(null=True)
    granted_at = models.DateTimeField(default=now)

    objects = ScopedManager()

    class Meta:
        db_table = "records_grant"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("record", "user"), name="records_grant_once")
        ]

    def __str__(self) -> str:
        return f"grant {self.pk}"


class RecordGroupMember(Entity):
    """A person in the named group of a ``confidential`` record."""

    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.PROTECT, editable=False, related_name="+"
    )
    record = models.ForeignKey(
        Record, on_delete=models.CASCADE, db_constraint=False, related_name="group"
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    added_at = models.DateTimeField(default=now)

    objects = ScopedManager()

    class Meta:
        db_table = "records_group_member"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("record", "user"), name="records_group_member_once")
        ]

    def __str__(self) -> str:
        return f"group member {self.pk}"

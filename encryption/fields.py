"""Model fields whose values are sealed before they reach SQL.

A value is bound to its field (label), its row (key) and its owner (data key). Plaintext never
reaches a statement: ``get_db_prep_value`` takes ``Sealed`` or ``None`` only.

The fields derive from ``Field`` and not from ``BinaryField``: that class has ``get_placeholder``,
which switches off Django's UNNEST bulk insert.
"""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar, cast
from uuid import UUID

from django.core.exceptions import FieldError
from django.core.validators import validate_email
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.query_utils import DeferredAttribute

from encryption import dumps, envelope, failures, normalisation
from encryption.errors import NotStorable, Tampered, Unreadable
from encryption.keyring import keyring, realm
from encryption.types import NO_OWNER, Owner, OwnerKind
from encryption.values import UNOPENED, Row, Sealed, Waiting

Set = TypeVar("Set")
Get = TypeVar("Get")

_WRAPPED = (Sealed, Waiting)

if TYPE_CHECKING:
    _Field = models.Field
else:

    class _Field(models.Field):
        """Django's field, with the type parameters that its stubs give it."""

        def __class_getitem__(cls, _types: object) -> type:
            return cls


class SealedAttribute(DeferredAttribute):
    """Opens a sealed value on first touch; what is assigned waits in clear until ``save``."""

    field: "SealedField[object, object]"

    def __init__(self, field: "SealedField[object, object]") -> None:
        super().__init__(field)
        self._name = field.attname

    def __get__(
        self, instance: models.Model | None, cls: type[models.Model] | None = None
    ) -> object:
        """Return the plain value."""
        if instance is None:
            return self
        data = instance.__dict__
        try:
            value = data[self._name]
        except KeyError:
            super().__get__(instance, cls)  # loads the deferred column
            return self.__get__(instance, cls)
        if value.__class__ is not Sealed:
            return value.value if value.__class__ is Waiting else value
        if value.value is UNOPENED:
            if "_keep_sealed" in data or value.row is None:  # the latter is being loaded
                return value
            self.field.open(value, instance)
        return value.value

    def __set__(self, instance: models.Model, value: object) -> None:
        """Keep a new value; putting an opened value back changes nothing."""
        data, name = instance.__dict__, self.field.attname
        current = data.get(name)
        if current.__class__ is Sealed and current.value is value:
            return
        is_kept_as_is = value is None or value.__class__ in _WRAPPED
        data[name] = value if is_kept_as_is else Waiting(value)


class SealedField(_Field[Set, Get]):
    """Parent of the sealed fields.

    Args:
        label: frozen name of the field, listed in ``encryption/labels.toml``; never changed, even
            if model or field are renamed.
        owner_kind: whose key seals the value.
        owner: name of the row's column (attribute) that holds the owner's id.
        blind_index: keep a keyed digest for equality look-up.
    """

    descriptor_class = SealedAttribute
    empty_strings_allowed = False
    is_mutable: ClassVar[bool] = False
    can_be_indexed: ClassVar[bool] = False

    def __init__(
        self,
        verbose_name: object = None,
        *,
        label: str,
        owner_kind: OwnerKind,
        owner: str,
        blind_index: bool = False,
        **options: object,
    ) -> None:
        self.label = label
        self.label_part = envelope.label_part(label)
        self.owner_kind = OwnerKind(owner_kind)
        self.realm = realm(self.owner_kind)
        self.owner = owner
        self.blind_index = blind_index
        options["editable"] = False
        super().__init__(verbose_name, **options)  # type: ignore[arg-type]  # Django checks them

    def get_internal_type(self) -> str:
        """Return the column type: bytes."""
        return "BinaryField"

    def deconstruct(self) -> tuple[str, str, list[object], dict[str, object]]:
        """Return what a migration writes down."""
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        kwargs.update(label=self.label, owner_kind=self.owner_kind.value, owner=self.owner)
        if self.blind_index:
            kwargs["blind_index"] = True
        return name, path, list(args), kwargs

    def encode(self, value: object) -> bytes:
        """Return the bytes to seal.

        Raises:
            TypeError: not a value of this field.
            NotStorable: a value that cannot be stored.
        """
        raise NotImplementedError

    def decode(self, plaintext: bytes) -> object:
        """Return the value of opened bytes."""
        raise NotImplementedError

    def normalise(self, value: object) -> bytes:  # noqa: ARG002  fields with an index use it
        """Return the form of a value that the blind index compares."""
        raise TypeError(f"{self.label} cannot have a blind index")

    def from_db_value(
        self, value: bytes | None, _expression: object, _connection: BaseDatabaseWrapper
    ) -> Sealed | None:
        """Wrap the column's bytes; the mixin's ``from_db`` binds them to their row."""
        if value is None:
            return None
        return Sealed(value if value.__class__ is bytes else bytes(value), self.label_part)

    def open(self, sealed: Sealed, instance: models.Model | None) -> None:
        """Open a sealed value in place.

        Args:
            sealed: a value that is bound to its row.
            instance: object of the row, which may know an owner that the value does not.

        Raises:
            Tampered: changed, moved, or sealed for another owner.
            Erased: the owner's keys were destroyed.
            KeyLost: the key is not in the keys database.
            KeysUnavailable: the key service or the keys database is away.
        """
        row = sealed.row
        if row is None:
            raise Unreadable("a sealed value without its row cannot be opened")
        owner_id = row.owners.get(self.owner) or self._learnt_owner(row, instance)
        try:
            handle = keyring.get(envelope.key_id_of(sealed.ciphertext))
            if handle is None:
                raise keyring.why_missing(Owner(self.owner_kind, owner_id))  # noqa: TRY301
            if handle.owner_number != owner_id.int or handle.realm != self.realm:
                raise Tampered("a sealed value belongs to another owner")  # noqa: TRY301  told below
            place = sealed.label + row.key
            if self.is_mutable:
                sealed.encoded = envelope.open_sealed(handle.cipher, sealed.ciphertext, place)
                sealed.value = self.decode(sealed.encoded)
            else:  # neither text is a variable of this frame, which reports show
                sealed.value = self.decode(
                    envelope.open_sealed(handle.cipher, sealed.ciphertext, place)
                )
        except Exception as error:  # noqa: BLE001  raised below, without the frames it passed
            failure = failures.of_opening(error, self.label, sealed)
        else:
            return
        sealed.encoded = None
        raise failure

    def seal(self, value: object, row: Row) -> Sealed:
        """Seal a value for a row.

        Raises:
            NotStorable: the field cannot hold this value.
            Erased: the owner's keys were destroyed.
            KeysUnavailable: the key service or the keys database is away.
        """
        sealed = Sealed(b"", self.label_part, row)
        sealed.value = value
        try:
            sealed.encoded = self.encode(value)
            owner_id = row.owners[self.owner]
            if owner_id is None:
                raise ValueError(f"{self.label} has no owner: set {self.owner} first")  # noqa: TRY301
            handle = keyring.for_sealing(Owner(self.owner_kind, owner_id))
            sealed.ciphertext = envelope.seal(
                handle.cipher,
                header=handle.header,
                label=self.label_part,
                row=row.key,
                plaintext=sealed.encoded,
            )
            if not self.is_mutable:
                sealed.encoded = None
        except Exception as error:  # noqa: BLE001  raised below, without the frames it passed
            failure = failures.of_sealing(error, self.label, sealed)
        else:
            return sealed
        value = None  # an error report shows the variables of this frame
        raise failure

    def needs_seal(self, instance: models.Model) -> bool:
        """Say whether saving the instance seals this field anew."""
        value = instance.__dict__[self.attname]
        return value.__class__ is not Sealed or not self._stands(value, instance)

    def pre_save(self, model_instance: models.Model, add: bool) -> Sealed | None:  # noqa: ARG002, FBT001  Django's hook
        """Return what is written: a value sealed for this row and its owner of now."""
        if self.attname not in model_instance.__dict__:
            getattr(model_instance, self.attname)  # loads the deferred column
        value = model_instance.__dict__[self.attname]
        if value is None:
            return None
        if value.__class__ is Sealed:
            if self._stands(value, model_instance):
                return value
            if value.value is UNOPENED:
                self.open(value, model_instance)
        sealed = self.seal(value.value, self._row_now(model_instance))
        model_instance.__dict__[self.attname] = sealed
        return sealed

    def get_db_prep_value(
        self,
        value: object,
        connection: BaseDatabaseWrapper,  # noqa: ARG002
        prepared: bool = False,  # noqa: ARG002, FBT001, FBT002  Django's hook
    ) -> bytes | None:
        """Return the bytes for the statement.

        Raises:
            TypeError: plaintext.
        """
        if value is None:
            return None
        if value.__class__ is not Sealed:
            raise TypeError(f"{self.label} takes sealed values only: use save or bulk_update")
        return value.ciphertext

    def get_lookup(self, lookup_name: str) -> "type[models.Lookup[object]] | None":
        """Return ``isnull``; every other look-up on ciphertext is refused."""
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        raise self._refusal(f"cannot be filtered by {lookup_name}")

    def get_transform(self, lookup_name: str) -> NoReturn:
        """Refuse: ciphertext has no parts."""
        raise self._refusal(f"cannot be transformed by {lookup_name}")

    def formfield(self, *_args: object, **_options: object) -> None:
        """Give no form field: forms name sealed values one by one."""

    def value_from_object(self, obj: models.Model) -> Get:
        """Return the value without opening it."""
        return cast("Get", obj.__dict__.get(self.attname))

    def value_to_string(self, obj: models.Model) -> str:
        """Return the stored bytes in text, where dumps ask for them (``encryption.dumps``).

        Raises:
            TypeError: anywhere else; serialisers hold no sealed values.
        """
        value = obj.__dict__.get(self.attname)
        if value.__class__ is not Sealed or not dumps.is_open():
            raise TypeError(f"{self.label} is sealed and is not serialised")
        return dumps.written(value.ciphertext)

    def to_python(self, value: object) -> object:
        """Return a value as it is, and what a dump holds as a sealed value."""
        if not dumps.is_open() or value is None:
            return value
        ciphertext = dumps.read(value)
        return Waiting(value) if ciphertext is None else Sealed(ciphertext, self.label_part)

    def _learnt_owner(self, row: Row, instance: models.Model | None) -> UUID:
        known = as_uuid(getattr(instance, self.owner, None)) or NO_OWNER
        row.owners[self.owner] = known
        return known

    def _stands(self, sealed: Sealed, instance: models.Model) -> bool:
        row, now = sealed.row, self._row_now(instance)
        if row is None or row.key != now.key or sealed.label != self.label_part:
            return False
        if row.owners.get(self.owner, now.owners[self.owner]) != now.owners[self.owner]:
            return False
        if sealed.encoded is not None:
            return self.encode(sealed.value) == sealed.encoded
        return True

    def _row_now(self, instance: models.Model) -> Row:
        key = as_uuid(getattr(instance, _key_of(self.model)))
        if key is None:
            raise ValueError(f"{self.label}: the row has no key yet")
        return Row(key.bytes, {self.owner: as_uuid(getattr(instance, self.owner))})

    def _refusal(self, what: str) -> FieldError:
        cure = "use encryption.services.lookup" if self.blind_index else "it has no blind index"
        return FieldError(f"{self.label} is sealed and {what}: {cure}")


AnySealedField = SealedField[object, object]


class SealedTextField(SealedField[Set, Get]):
    """Text."""

    _pyi_private_set_type: str  # these two are read by django-stubs
    _pyi_private_get_type: str

    empty_strings_allowed = True
    can_be_indexed = True

    def encode(self, value: object) -> bytes:
        """Return UTF-8."""
        if not isinstance(value, str):
            raise TypeError(f"{self.label} takes text")
        return _utf8(value)

    def decode(self, plaintext: bytes) -> object:
        """Return the text."""
        return plaintext.decode()

    def normalise(self, value: object) -> bytes:
        """Return the text in NFKC, case-folded, without outer space."""
        return normalisation.normalise_text(str(value))


class SealedEmailField(SealedTextField[Set, Get]):
    """An e-mail address."""

    default_validators = [validate_email]

    def normalise(self, value: object) -> bytes:
        """Return the address with its domain in ASCII."""
        return normalisation.normalise_email(str(value))


class SealedJSONField(SealedField[Set, Get]):
    """A JSON value; a change inside it is noticed at ``save``."""

    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    is_mutable = True

    def encode(self, value: object) -> bytes:
        """Return compact JSON in UTF-8."""
        try:
            _require_json_names(value)
            text = json.dumps(
                value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True
            )
        except (ValueError, RecursionError) as error:
            raise NotStorable("not a JSON value", code="encryption.not_json") from error
        return _utf8(text)

    def decode(self, plaintext: bytes) -> object:
        """Return the JSON value."""
        return json.loads(plaintext)


class SealedDateField(SealedField[Set, Get]):
    """A date."""

    _pyi_private_set_type: date
    _pyi_private_get_type: date

    def encode(self, value: object) -> bytes:
        """Return the date in ISO 8601."""
        if not isinstance(value, date) or isinstance(value, datetime):
            raise TypeError(f"{self.label} takes a date")
        return value.isoformat().encode()

    def decode(self, plaintext: bytes) -> object:
        """Return the date."""
        return date.fromisoformat(plaintext.decode())


class SealedDecimalField(SealedField[Set, Get]):
    """A finite decimal number, kept with its digits."""

    _pyi_private_set_type: Decimal
    _pyi_private_get_type: Decimal

    def encode(self, value: object) -> bytes:
        """Return the number as text."""
        if not isinstance(value, Decimal):
            raise TypeError(f"{self.label} takes a Decimal")
        if not value.is_finite():
            raise NotStorable("not a finite number", code="encryption.not_finite")
        return str(value).encode()

    def decode(self, plaintext: bytes) -> object:
        """Return the number."""
        return Decimal(plaintext.decode())


class SealedBinaryField(SealedField[Set, Get]):
    """Bytes."""

    _pyi_private_set_type: bytes
    _pyi_private_get_type: bytes

    def encode(self, value: object) -> bytes:
        """Return the bytes."""
        if not isinstance(value, bytes):
            raise TypeError(f"{self.label} takes bytes")
        return value

    def decode(self, plaintext: bytes) -> object:
        """Return the bytes."""
        return plaintext


def as_uuid(value: object) -> UUID | None:
    """Return a key or owner id as a UUID; None stays None."""
    if value is None or isinstance(value, UUID):
        return value
    return UUID(str(value))


def _key_of(model: type[models.Model]) -> str:
    return model._meta.pk.attname  # noqa: SLF001  Django's model API


def _require_json_names(value: object) -> None:
    """Refuse names that are no text: JSON would make one name of 1 and of "1"."""
    if isinstance(value, dict):
        if not all(isinstance(name, str) for name in value):
            raise ValueError("a name is no text")
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            _require_json_names(item)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise NotStorable("a lone surrogate is no text", code="encryption.not_unicode") from error

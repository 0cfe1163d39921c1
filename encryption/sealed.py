"""Mixin, queryset and managers of models with sealed fields.

``class Person(SealedMixin, Entity)`` with ``objects = SealedManager()``, or
``ScopedSealedManager()`` where rows belong to an organisation.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Self, TypeVar, cast

from asgiref.sync import sync_to_async
from django.db import models, router, transaction
from django.db.models.query import ModelIterable

from encryption import blind_index
from encryption.failures import bare
from encryption.fields import AnySealedField, SealedField
from encryption.keyring import keyring
from encryption.plans import (
    index_changes,
    moved_fields,
    owner_names,
    owners_of,
    plan_of,
    remember_row,
    require_same_owners,
    sealed_fields,
    stored,
)
from encryption.refusals import is_expression, refuse_conditions, refuse_names
from encryption.values import Row, Sealed
from foundation.tenancy import ScopedManager

__all__ = [
    "ScopedSealedManager",
    "Sealed",
    "SealedManager",
    "SealedMixin",
    "SealedQuerySet",
    "sealed_fields",
    "stored",
]

Entry = TypeVar("Entry", bound=models.Model)
Managed_co = TypeVar("Managed_co", bound=models.Model, covariant=True)

AnyQuerySet = models.QuerySet[models.Model]

_CHUNK = 2000

if TYPE_CHECKING:
    _Model = models.Model
else:
    _Model = object


class SealedMixin(_Model):
    """Binds sealed values to their row. A plain class: it stays in the bases of migrations."""

    @classmethod
    def from_db(  # type: ignore[override]  # the stubs are those of a newer Django
        cls, db: str | None, field_names: Collection[str], values: Sequence[object]
    ) -> Self:
        """Make an instance of a row and bind its sealed values to it.

        Of a whole row, sealed values pass the constructor by: it would set each through its
        descriptor, which has nothing to do for a value from the database.
        """
        plan = plan_of(cls)
        whole = len(values) == plan.width
        kept = list(values)
        if whole:
            for _, place in plan.columns:
                kept[place] = models.DEFERRED
        instance = super().from_db(db, field_names, kept)
        data = instance.__dict__
        row = Row(data[plan.key].bytes, {name: data.get(name) for name in plan.owners})
        data["_sealed_row"] = row
        for name, place in plan.columns:
            if whole:
                data[name] = value = values[place]
            else:
                value = data.get(name)
            if value.__class__ is Sealed:
                value.row = row
        return instance

    def save(self, *args: object, **options: object) -> None:
        """Save; values whose owner changed are sealed anew, touched or not.

        Raises:
            ValueError: ``update_fields`` names a sealed field but not its changed owner.
        """
        plan = plan_of(type(self))
        update_fields = cast("Iterable[str] | None", options.get("update_fields"))
        names = None if update_fields is None else set(update_fields)
        moved = moved_fields(self, plan, names)
        if names is not None:
            names |= {field.name for field in moved}
            options["update_fields"] = names
        using = cast("str | None", options.get("using"))
        using = using or router.db_for_write(type(self), instance=self)
        indexed = [field for field in plan.indexed if index_changes(self, field, names)]
        if indexed:
            with transaction.atomic(using=using):
                super().save(*args, **options)  # type: ignore[arg-type]
                blind_index.forget([self.pk], indexed, using=using)
                _index([self], indexed, using)
        else:
            super().save(*args, **options)  # type: ignore[arg-type]
        remember_row(self, plan, names)

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: models.QuerySet[Self] | None = None,
    ) -> None:
        """Read the row again; sealed values stay sealed."""
        if from_queryset is None:
            alias = using or self._state.db or router.db_for_read(type(self), instance=self)
            from_queryset = SealedQuerySet(type(self), using=alias)
        elif using is not None:
            from_queryset = from_queryset.using(using)
        if isinstance(from_queryset, SealedQuerySet):
            from_queryset = from_queryset.keep_sealed()
        plan = plan_of(type(self))
        if fields is None:
            super().refresh_from_db(from_queryset=from_queryset)
            remember_row(self, plan, None)
            return
        asked = set(fields)
        # The queryset brings the owners along; a new owner that waits for save() stays.
        kept = {name: self.__dict__[name] for name in plan.owners if name in self.__dict__}
        super().refresh_from_db(fields=asked, from_queryset=from_queryset)
        for name, value in kept.items():
            if asked.isdisjoint(plan.owners[name]):
                self.__dict__[name] = value

    def __getstate__(self) -> dict[str, object]:
        """Return the state without plaintext: what is not saved yet is sealed first.

        Raises:
            ValueError: a value cannot be sealed yet, because the row has no owner.
        """
        for field in plan_of(type(self)).fields:
            if self.__dict__.get(field.attname) is not None:
                field.pre_save(self, False)  # noqa: FBT003  Django's hook
        return cast("dict[str, object]", super().__getstate__())


class SealedQuerySet(models.QuerySet[Entry]):
    """Preloads keys of each fetched chunk, seals in bulk, and refuses what ciphertext cannot do."""

    _keep_sealed = False

    def keep_sealed(self) -> Self:
        """Return instances whose fields give ``Sealed`` values instead of opening them."""
        clone = self.all()
        clone._keep_sealed = True  # noqa: SLF001  our own attribute
        return clone

    def matching(self, **value: object) -> list[Entry]:
        """Return the rows whose sealed field equals a value, by its blind index.

        Raises:
            TypeError: the field has no blind index.
        """
        ((name, wanted),) = value.items()
        field = cast("AnySealedField", self.model._meta.get_field(name))  # noqa: SLF001
        normal = field.normalise(wanted)
        found = self.filter(blind_index.match_normal(field, normal))
        return [
            entry
            for entry in found
            if (value := getattr(entry, name)) == wanted or field.normalise(value) == normal
        ]

    def iterator(self, chunk_size: int | None = None) -> Iterator[Entry]:
        """Iterate in chunks whose keys are loaded in one query each."""
        entries = super().iterator(chunk_size=chunk_size or _CHUNK)
        if not self._gives_models():
            return entries
        return _preloaded(entries, chunk_size or _CHUNK)

    async def aiterator(self, chunk_size: int = _CHUNK) -> AsyncIterator[Entry]:
        """Iterate as ``iterator`` does; a value opened later waits for no database."""
        chunk: list[Entry] = []
        async for entry in super().aiterator(chunk_size=chunk_size):
            chunk.append(entry)
            if len(chunk) == chunk_size:
                for ready in await self._made_ready(chunk):
                    yield ready
                chunk = []
        for ready in await self._made_ready(chunk):
            yield ready

    def only(self, *fields: str) -> Self:
        """Load only these fields, with the owners of sealed values."""
        return super().only(*fields, *plan_of(self.model).owners)

    def defer(self, *fields: str | None) -> Self:
        """Leave out these fields, but never the owners of sealed values."""
        owners = owner_names(self.model)
        kept = cast("list[str]", [name for name in fields if name not in owners])
        return super().defer(*kept)

    def update(self, **values: object) -> int:
        """Update plain columns; a sealed field can be set to None only.

        Raises:
            TypeError: a value or expression for a sealed field, or a new owner: use ``save`` or
                ``bulk_update``, which seal.
        """
        emptied = [self._emptied(name, value) for name, value in values.items()]
        indexed = [field for field in emptied if field is not None and field.blind_index]
        if not indexed:
            return super().update(**values)
        with transaction.atomic(using=self.db):
            rows = self.values_list("pk", flat=True)
            blind_index.forget(rows, indexed, using=self.db)
            return super().update(**values)

    def bulk_create(
        self,
        objs: Iterable[Entry],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,  # noqa: FBT001, FBT002
        update_conflicts: bool = False,  # noqa: FBT001, FBT002
        update_fields: Collection[str] | None = None,
        unique_fields: Collection[str] | None = None,
    ) -> list[Entry]:
        """Insert rows; with ``update_conflicts`` values are sealed for the row that stands there.

        Raises:
            TypeError: ``ignore_conflicts`` on a model with a blind index.
        """
        entries, plan = list(objs), plan_of(self.model)
        if ignore_conflicts and plan.indexed:
            raise TypeError("ignore_conflicts does not say which rows to index")
        with transaction.atomic(using=self.db):
            if update_conflicts:
                self._take_standing_keys(entries, tuple(unique_fields or ()))
            keyring.preload_owners(owners_of(entries, plan.fields))
            created = super().bulk_create(
                entries,
                batch_size=batch_size,
                ignore_conflicts=ignore_conflicts,
                update_conflicts=update_conflicts,
                update_fields=update_fields,
                unique_fields=unique_fields,
            )
            if update_conflicts:
                self._require_standing(entries)
            self._after_bulk(entries, plan.indexed, None, are_new=not update_conflicts)
        return created

    def bulk_update(
        self, objs: Iterable[Entry], fields: Iterable[str], batch_size: int | None = None
    ) -> int:
        """Update rows; sealed values are sealed, also those whose owner is among the fields."""
        entries, plan = list(objs), plan_of(self.model)
        names = set(fields)
        by_name = {field.name: field for field in plan.fields}
        moved = {field.name for entry in entries for field in moved_fields(entry, plan, names)}
        sealed = [by_name[name] for name in sorted(names | moved) if name in by_name]
        plain = sorted(names - set(by_name))
        changed = [field for field in sealed if field.blind_index]
        keyring.preload_owners(owners_of(entries, sealed))
        with transaction.atomic(using=self.db):
            rows = self._unchecked().bulk_update(entries, plain, batch_size) if plain else 0
            if sealed:
                rows = self._write_sealed(entries, sealed, batch_size or _CHUNK)
            self._after_bulk(entries, changed, names)
        return rows

    def union(self, *other_qs: AnyQuerySet, all: bool = False) -> Self:  # noqa: A002  Django's name
        """Join rows; where doubles are removed, chosen sealed fields are refused."""
        if not all:
            self._refuse_chosen((self, *other_qs), "union")
        return super().union(*other_qs, all=all)

    def intersection(self, *other_qs: AnyQuerySet) -> Self:
        """Keep common rows; chosen sealed fields are refused."""
        self._refuse_chosen((self, *other_qs), "intersection")
        return super().intersection(*other_qs)

    def difference(self, *other_qs: AnyQuerySet) -> Self:
        """Keep rows the others lack; chosen sealed fields are refused."""
        self._refuse_chosen((self, *other_qs), "difference")
        return super().difference(*other_qs)

    def order_by(self, *field_names: object) -> Self:
        """Order; sealed fields are refused."""
        refuse_names(self.model, field_names, "order_by")
        return super().order_by(*field_names)  # type: ignore[arg-type]

    def distinct(self, *field_names: str) -> Self:
        """Remove doubles; sealed fields are refused."""
        refuse_names(self.model, (*field_names, *self._chosen()), "distinct")
        return super().distinct(*field_names)

    def aggregate(self, *args: object, **kwargs: object) -> dict[str, object]:
        """Aggregate; sealed fields are refused."""
        refuse_names(self.model, (*args, *kwargs.values()), "aggregate")
        return super().aggregate(*args, **kwargs)

    def annotate(self, *args: object, **kwargs: object) -> Self:
        """Annotate; sealed fields are refused, also as groups."""
        refuse_names(self.model, (*args, *kwargs.values(), *self._chosen()), "annotate")
        return super().annotate(*args, **kwargs)

    def alias(self, *args: object, **kwargs: object) -> Self:
        """Name an expression; sealed fields are refused."""
        refuse_names(self.model, (*args, *kwargs.values()), "alias")
        return super().alias(*args, **kwargs)

    def latest(self, *fields: object) -> Entry:
        """Return the last row; sealed fields are refused."""
        refuse_names(self.model, fields, "latest")
        return super().latest(*fields)  # type: ignore[arg-type]

    def earliest(self, *fields: object) -> Entry:
        """Return the first row; sealed fields are refused."""
        refuse_names(self.model, fields, "earliest")
        return super().earliest(*fields)  # type: ignore[arg-type]

    def _filter_or_exclude(
        self, negate: object, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> Self:
        refuse_conditions(self.model, (*args, *kwargs.values()))
        return cast("Self", super()._filter_or_exclude(negate, args, kwargs))  # type: ignore[misc]

    def _values(self, *fields: object, **expressions: object) -> Self:
        if self.query.distinct or isinstance(self.query.group_by, tuple):
            refuse_names(self.model, (*fields, *expressions.values()), "distinct and groups")
        return cast("Self", super()._values(*fields, **expressions))  # type: ignore[misc]

    def _refuse_chosen(self, querysets: Iterable[AnyQuerySet], act: str) -> None:
        for queryset in querysets:
            chosen = tuple(queryset._fields or ())  # type: ignore[attr-defined]
            refuse_names(queryset.model, chosen, act)

    async def _made_ready(self, entries: list[Entry]) -> list[Entry]:
        if self._gives_models():
            await sync_to_async(_preload)(entries)
        return entries

    def _clone(self) -> Self:
        clone = super()._clone()  # type: ignore[misc]  # Django's hook for subclasses
        clone._keep_sealed = self._keep_sealed  # noqa: SLF001  our own attribute
        return cast("Self", clone)

    def _fetch_all(self) -> None:
        is_fresh = self._result_cache is None
        super()._fetch_all()
        if is_fresh and self._gives_models():
            entries = self._result_cache or []
            _preload(entries)
            if self._keep_sealed:
                for entry in entries:
                    entry.__dict__["_keep_sealed"] = True

    def _gives_models(self) -> bool:
        return issubclass(self._iterable_class, ModelIterable)

    def _chosen(self) -> tuple[object, ...]:
        return tuple(self._fields or ())  # type: ignore[attr-defined]

    def _emptied(self, name: str, value: object) -> AnySealedField | None:
        field = self.model._meta.get_field("id" if name == "pk" else name)  # noqa: SLF001
        if isinstance(field, SealedField):
            if value is not None:
                raise TypeError(f"{field.label} is sealed: update() sets it to None only")
            return field
        if getattr(field, "attname", name) in plan_of(self.model).owners:
            raise TypeError(f"{name} owns sealed values: change it by save() or bulk_update()")
        if is_expression(value):
            refuse_names(self.model, [value], "update")
        return None

    def _write_sealed(
        self, entries: Sequence[Entry], fields: Sequence[AnySealedField], batch_size: int
    ) -> int:
        rows = 0
        for start in range(0, len(entries), batch_size):
            batch = entries[start : start + batch_size]
            values = {field.attname: _case(field, batch) for field in fields}
            rows += self._unchecked().filter(pk__in=[entry.pk for entry in batch]).update(**values)
        return rows

    def _unchecked(self) -> models.QuerySet[Entry]:
        """Return the same rows as a queryset of Django, for statements that hold sealed values."""
        return models.QuerySet(self.model, query=self.query.chain(), using=self.db)

    def _take_standing_keys(self, entries: Sequence[Entry], unique: tuple[str, ...]) -> None:
        """Give each new object the key of the row it will meet: values are bound to that key."""
        plan = plan_of(self.model)
        if not plan.fields or set(unique) <= {"pk", plan.key}:
            return
        model = self.model._meta  # noqa: SLF001
        names = [model.get_field(name).attname for name in unique]  # type: ignore[union-attr]
        condition = models.Q()
        for entry in entries:
            condition |= models.Q(**{name: getattr(entry, name) for name in names})
        standing = {
            tuple(getattr(row, name) for name in names): row
            for row in self.filter(condition).only("pk", *names)
        }
        for entry in entries:
            row = standing.get(tuple(getattr(entry, name) for name in names))
            if row is not None:
                require_same_owners(entry, row, plan)
                entry.pk = row.pk

    def _require_standing(self, entries: Sequence[Entry]) -> None:
        found = self.filter(pk__in=[entry.pk for entry in entries]).count()
        if found != len({entry.pk for entry in entries}):
            raise RuntimeError("another writer inserted a row meanwhile: repeat the bulk_create")

    def _after_bulk(
        self,
        entries: Sequence[Entry],
        indexed: Sequence[AnySealedField],
        names: set[str] | None,
        *,
        are_new: bool = False,
    ) -> None:
        if indexed and not are_new:
            blind_index.forget([entry.pk for entry in entries], indexed, using=self.db)
        if indexed:
            _index(entries, indexed, self.db)
        for entry in entries:
            remember_row(entry, plan_of(self.model), names)


if TYPE_CHECKING:

    class _Manager(models.Manager[Managed_co]):
        """What ``from_queryset`` makes."""

        def get_queryset(self) -> SealedQuerySet[Managed_co]: ...
        def matching(self, **value: object) -> list[Managed_co]: ...

    class _ScopedManager(ScopedManager[Managed_co]):  # type: ignore[type-var]  # its parent is only read
        """What ``from_queryset`` makes."""

        def get_queryset(self) -> SealedQuerySet[Managed_co]: ...
        def matching(self, **value: object) -> list[Managed_co]: ...

else:
    _Manager = models.Manager.from_queryset(SealedQuerySet)
    _ScopedManager = ScopedManager.from_queryset(SealedQuerySet)


class SealedManager(_Manager[Managed_co]):
    """Manager of models with sealed fields; migrations use it too."""

    use_in_migrations = True


class ScopedSealedManager(_ScopedManager[Managed_co]):
    """Manager of models with sealed fields whose rows belong to an organisation."""


def _index(entries: Sequence[models.Model], fields: Sequence[AnySealedField], using: str) -> None:
    """Write digests; what fails has passed no frame that holds a value in clear."""
    try:
        blind_index.add(entries, fields, using=using)
    except Exception as error:  # noqa: BLE001  raised below
        failure = bare(error)
    else:
        return
    raise failure


def _preloaded(entries: Iterator[Entry], size: int) -> Iterator[Entry]:
    while chunk := list(islice(entries, size)):
        _preload(chunk)
        yield from chunk


def _preload(entries: Iterable[models.Model]) -> None:
    key_ids: set[bytes] = set()
    for entry in entries:
        _collect(entry, key_ids)
    if key_ids:
        keyring.preload(key_ids)


def _collect(entry: models.Model, key_ids: set[bytes]) -> None:
    """Collect a key for each owner: while keys rotate the second one is loaded at first use."""
    data = entry.__dict__
    for names in plan_of(type(entry)).sharing:
        for name in names:
            value = data.get(name)
            if value.__class__ is Sealed:
                key_ids.add(value.ciphertext[1:9])
                break
    for related in entry._state.fields_cache.values():  # noqa: SLF001  rows of select_related
        if isinstance(related, SealedMixin):
            _collect(related, key_ids)


def _case(field: AnySealedField, entries: Sequence[models.Model]) -> models.Case | None:
    values = [field.pre_save(entry, False) for entry in entries]  # noqa: FBT003  Django's hook
    if not any(values):
        return None  # PostgreSQL would take a choice among nothing but NULL for text
    return models.Case(
        *(
            models.When(pk=entry.pk, then=models.Value(value, output_field=field))
            for entry, value in zip(entries, values, strict=True)
        ),
        output_field=field,
    )

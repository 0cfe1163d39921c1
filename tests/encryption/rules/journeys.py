"""A machine that does anything to rows with sealed values, and knows what they must read."""

import json
import pickle
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Final
from uuid import UUID, uuid4

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
)

from encryption.errors import Erased
from encryption.key_tables import RotationRun
from encryption.light import light_rows, opened
from encryption.rotation import runs
from encryption.services import drop_keys, erase
from encryption.types import GENERAL, Owner, OwnerKind
from tests.encryption.models import Person
from tests.encryption.rotation.rotating import finish

Value = object
Values = dict[str, Value]

OWNERS: Final = {
    "name": "subject_id",
    "note": "organisation_id",
    "data": "subject_id",
    "born": "subject_id",
    "balance": "subject_id",
    "photo": "subject_id",
}
ROTATIONS: Final[dict[str, Callable[[], list[RotationRun]]]] = {
    "keys of subjects": lambda: [runs.start_data_keys("subject", by="journey")],
    "keys of organisations": lambda: [runs.start_data_keys("organisation", by="journey")],
    "epoch": lambda: [runs.start_epoch(GENERAL, by="journey")],
    "root": lambda: runs.start_root(by="journey"),
    "index": lambda: [runs.start_index(by="journey")],
}
LIGHT: Final = ("name", "note")
KINDS: Final = {"subject_id": OwnerKind.SUBJECT, "organisation_id": OwnerKind.ORGANISATION}

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=3,
)
STRATEGIES: Final[dict[str, st.SearchStrategy[Value]]] = {
    "name": TEXTS,
    "note": st.none() | TEXTS,
    "data": st.none() | st.dictionaries(TEXTS, JSON, max_size=3) | st.lists(JSON, max_size=3),
    "born": st.none() | st.dates(),
    "balance": st.none() | st.decimals(allow_nan=False, allow_infinity=False),
    "photo": st.none() | st.binary(max_size=12),
}
VALUES = st.fixed_dictionaries(STRATEGIES)
ONE_VALUE = st.one_of([st.tuples(st.just(n), found) for n, found in STRATEGIES.items()])


@dataclass(frozen=True)
class Expected:
    """What a row must read."""

    values: Values
    owners: dict[str, UUID]
    email: str | None = None


@dataclass
class Count:
    """How much was done, over all journeys."""

    steps: int = 0
    values: int = 0
    by_name: dict[str, int] = field(default_factory=dict)

    def reset(self) -> None:
        """Begin anew."""
        self.steps = self.values = 0
        self.by_name.clear()

    def step(self, name: str) -> None:
        """Count a step."""
        self.steps += 1
        self.by_name[name] = self.by_name.get(name, 0) + 1


COUNT: Final = Count()


ONE: Final = f"SELECT * FROM {Person._meta.db_table} WHERE id = %s"  # noqa: S608


def loaded(key: UUID, way: int) -> Person:
    """Return a row as one of the ways of loading gives it."""
    ways: tuple[Callable[[], Person], ...] = (
        lambda: Person.objects.get(pk=key),
        lambda: Person.objects.only("code").get(pk=key),
        lambda: Person.objects.defer("name", "note").get(pk=key),
        lambda: next(Person.objects.filter(pk=key).iterator()),
        lambda: Person.objects.raw(ONE, [key])[0],
        lambda: copy(Person.objects.get(pk=key)),
        lambda: pickle.loads(pickle.dumps(Person.objects.get(pk=key))),  # noqa: S301  our own
    )
    return ways[way % len(ways)]()


WAYS = st.integers(min_value=0, max_value=6)
WHOLE = (0, 3, 4, 5, 6)  # a clone cannot load what was left out: its row is not there yet


def is_same(found: Value, wanted: Value) -> bool:
    """Say whether a value is the wanted one, to the sign of a zero and the last digit."""
    if isinstance(wanted, Decimal):
        return isinstance(found, Decimal) and found.as_tuple() == wanted.as_tuple()
    if isinstance(wanted, dict | list):
        return json.dumps(found, sort_keys=True) == json.dumps(wanted, sort_keys=True)
    return type(found) is type(wanted) and found == wanted


class Journey(RuleBasedStateMachine):
    """Rows of people, their owners, and what each row must read."""

    rows: Bundle[UUID] = Bundle("rows")

    def __init__(self) -> None:
        super().__init__()
        self.expected: dict[UUID, Expected] = {}
        self.pool: dict[str, list[UUID]] = {name: [uuid4() for _ in range(3)] for name in KINDS}
        self.erased: set[UUID] = set()
        self.numbers = 0

    def teardown(self) -> None:
        """Look at everything once more and leave nothing behind."""
        try:
            self.everything_reads_as_expected()
        finally:
            Person.objects.all().delete()

    # Steps

    @rule(target=rows, values=VALUES, pick=st.integers(0, 5), has_email=st.booleans())
    def create(self, values: Values, pick: int, *, has_email: bool) -> UUID:
        """Save a new row."""
        row, expected = self._new(values, pick, has_email=has_email)
        row.save()
        return self._keep(row, expected, "create")

    @rule(target=rows, many=st.lists(VALUES, min_size=1, max_size=2), pick=st.integers(0, 5))
    def create_many(self, many: list[Values], pick: int) -> MultipleResults[UUID]:
        """Insert rows in bulk."""
        made = [self._new(values, pick + n, has_email=n % 2 == 0) for n, values in enumerate(many)]
        Person.objects.bulk_create([row for row, _ in made], batch_size=3)
        return multiple(*[self._keep(row, wanted, "create_many") for row, wanted in made])

    @rule(key=rows, change=ONE_VALUE, way=WAYS, is_narrow=st.booleans())
    def change(self, key: UUID, change: tuple[str, Value], way: int, *, is_narrow: bool) -> None:
        """Save a row with one changed value."""
        name, value = change
        row = self._load(key, way)
        if row is None:
            return
        setattr(row, name, value)
        refused = value is not None and row_owner(row, name) in self.erased
        self._save(row, [name] if is_narrow else None, refused=refused, step="change")
        if not refused:
            self._set(key, {name: value})

    @rule(key=rows, owner=st.sampled_from(sorted(KINDS)), pick=st.integers(0, 5), way=WAYS,
          how=st.sampled_from(["save", "narrow", "bulk"]))  # fmt: skip
    def move(self, key: UUID, owner: str, pick: int, way: int, how: str) -> None:
        """Give a row to another owner."""
        row = self._load(key, way)
        if row is None:
            return
        new = self.pool[owner][pick % len(self.pool[owner])]
        old = getattr(row, owner)
        setattr(row, owner, new)
        has_values = any(
            self.expected[key].values[name] is not None for name in OWNERS if OWNERS[name] == owner
        )
        if owner == "subject_id" and self.expected[key].email is not None:
            has_values = True
        refused = new != old and has_values and bool({old, new} & self.erased)
        if how == "bulk":
            self._guarded(lambda: Person.objects.bulk_update([row], [owner]), refused=refused)
            COUNT.step("move")
        else:
            self._save(row, [owner] if how == "narrow" else None, refused=refused, step="move")
        if not refused:
            self._own(key, owner, new)

    @rule(keys=st.lists(rows, min_size=1, max_size=4), values=VALUES,
          names=st.sets(st.sampled_from(sorted(OWNERS)), min_size=1))  # fmt: skip
    def change_many(self, keys: list[UUID], values: Values, names: set[str]) -> None:
        """Write some fields of some rows in bulk."""
        keys = [key for key in dict.fromkeys(keys) if key in self.expected]
        found = list(Person.objects.filter(pk__in=keys))
        for row in found:
            for name in names:
                setattr(row, name, values[name])
        refused = any(
            values[name] is not None and row_owner(row, name) in self.erased
            for row in found
            for name in names
        )
        if found:
            self._guarded(lambda: Person.objects.bulk_update(found, sorted(names)), refused=refused)
            COUNT.step("change_many")
        if not refused:
            for key in keys:
                self._set(key, {name: values[name] for name in names})

    @rule(target=rows, key=rows, way=st.sampled_from(WHOLE))
    def clone(self, key: UUID, way: int) -> UUID | MultipleResults[UUID]:
        """Save a row again under a new key."""
        row = self._load(key, way)
        if row is None:
            return multiple()
        row.email = None
        row.code = None
        row.pk = None
        wanted = replace(self.expected[key], email=None)
        refused = any(
            wanted.values[name] is not None and wanted.owners[OWNERS[name]] in self.erased
            for name in OWNERS
        )
        row._state.adding = True
        self._save(row, None, refused=refused, step="clone")
        if refused:
            return multiple()
        return self._keep(row, wanted, "cloned")

    @rule(key=rows, values=VALUES)
    def upsert(self, key: UUID, values: Values) -> None:
        """Write a row by its unique code, as a new object that meets it."""
        old = Person.objects.filter(pk=key).first()
        if old is None or old.code is None or set(self.expected[key].owners.values()) & self.erased:
            return
        new = Person(code=old.code, **self.expected[key].owners, **values)
        Person.objects.bulk_create(
            [new], update_conflicts=True, unique_fields=["code"], update_fields=[*OWNERS, "email"]
        )
        COUNT.step("upsert")
        self.expected[key] = replace(self.expected[key], values=values, email=None)

    @rule(key=rows, names=st.sets(st.sampled_from(["note", "data", "born", "balance", "photo"])))
    def empty(self, key: UUID, names: set[str]) -> None:
        """Empty fields by an update."""
        if key in self.expected and names:
            Person.objects.filter(pk=key).update(**dict.fromkeys(names))
            self._set(key, dict.fromkeys(names))
            COUNT.step("empty")

    @rule(key=rows, value=JSON)
    def change_inside(self, key: UUID, value: Value) -> None:
        """Change a value in place."""
        row = self._load(key, 0)
        if row is None or row.subject_id in self.erased or row.data is None:
            return
        if isinstance(row.data, dict):
            row.data["changed"] = value
        else:
            row.data.append(value)
        row.save()
        COUNT.step("change_inside")
        self._set(key, {"data": copy(row.data)})

    @rule(key=rows)
    def delete(self, key: UUID) -> None:
        """Delete a row."""
        if self.expected.pop(key, None) is not None:
            assert Person.objects.get(pk=key).delete()[0] == 1
            COUNT.step("delete")

    @rule(owner=st.sampled_from(sorted(KINDS)), pick=st.integers(0, 2))
    def erase_owner(self, owner: str, pick: int) -> None:
        """Destroy the keys of an owner; somebody else takes its place in the pool."""
        gone = self.pool[owner][pick % len(self.pool[owner])]
        if gone in self.erased or len(self.erased) > 2:
            return
        erase(Owner(KINDS[owner], gone))
        self.erased.add(gone)
        self.pool[owner].append(uuid4())
        COUNT.step("erase_owner")

    @rule(what=st.sampled_from(sorted(ROTATIONS)))
    def rotate(self, what: str) -> None:
        """Move to new data keys, a new epoch, root version or index root."""
        finish(*ROTATIONS[what]())
        COUNT.step("rotate")

    @rule()
    def forget_keys(self) -> None:
        """Start with an empty cache of keys, as a new process does."""
        drop_keys()
        COUNT.step("forget_keys")

    @invariant()
    def everything_reads_as_expected(self) -> None:
        """Every value of every row is the one last written, or erased."""
        found = {row.pk: row for row in Person.objects.all()}
        assert set(found) == set(self.expected)
        for key, wanted in self.expected.items():
            for name in OWNERS:
                self._compare(wanted, name, partial(getattr, found[key], name))
        for light in light_rows(Person, "id", *LIGHT, column="id", among=list(self.expected)):
            wanted = self.expected[UUID(str(light[0]))]
            for name, value in zip(LIGHT, light[1:], strict=True):
                self._compare(wanted, name, partial(opened, Person, name, value))

    @invariant()
    def addresses_are_found(self) -> None:
        """Each address finds its row, and no erased one does."""
        for key, wanted in self.expected.items():
            if wanted.email is not None:
                is_gone = wanted.owners["subject_id"] in self.erased
                matched = [] if is_gone else [key]
                assert [row.pk for row in Person.objects.matching(email=wanted.email)] == matched

    # What steps share

    def _compare(self, wanted: Expected, name: str, read: Callable[[], Value]) -> None:
        COUNT.values += 1
        value = wanted.values[name]
        if value is not None and wanted.owners[OWNERS[name]] in self.erased:
            with pytest.raises(Erased):
                read()
            return
        assert is_same(read(), value)

    def _new(self, values: Values, pick: int, *, has_email: bool) -> tuple[Person, Expected]:
        self.numbers += 1
        owners = {
            name: [one for one in pool if one not in self.erased][pick % 3]
            for name, pool in self.pool.items()
        }
        email = f"p{self.numbers}@example.org" if has_email else None
        row = Person(code=f"C{self.numbers}", email=email, **owners, **values)
        return row, Expected(values=values, owners=owners, email=email)

    def _keep(self, row: Person, expected: Expected, step: str) -> UUID:
        COUNT.step(step)
        self.expected[row.pk] = expected
        return row.pk

    def _load(self, key: UUID, way: int) -> Person | None:
        return loaded(key, way) if key in self.expected else None

    def _save(self, row: Person, names: list[str] | None, *, refused: bool, step: str) -> None:
        self._guarded(lambda: row.save(update_fields=names), refused=refused)
        COUNT.step(step)

    def _guarded(self, act: Callable[[], object], *, refused: bool) -> None:
        if not refused:
            act()
            return
        with pytest.raises(Erased):
            act()

    def _set(self, key: UUID, values: Values) -> None:
        wanted = self.expected[key]
        self.expected[key] = replace(wanted, values={**wanted.values, **values})

    def _own(self, key: UUID, owner: str, new: UUID) -> None:
        wanted = self.expected[key]
        self.expected[key] = replace(wanted, owners={**wanted.owners, owner: new})


def row_owner(row: Person, name: str) -> UUID:
    """Return the owner of a field of a row."""
    found = getattr(row, OWNERS[name])
    assert isinstance(found, UUID)
    return found

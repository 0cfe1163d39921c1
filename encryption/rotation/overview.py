"""What there is to see of keys: state, age, use, and what depends on them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.apps import apps
from django.db import connections
from django.db.models import Count, Max, Min, QuerySet

from encryption.database import KEYS_VAULT, keys_database
from encryption.fields import SealedField
from encryption.key_tables import DataKey, KekEpoch, RootVersion, RotationRun
from encryption.rotation.rewrapping import keys_under
from encryption.router import KEYS
from encryption.types import DATA, VAULT, KeyState, OwnerKind

_RUNS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class DataKeyLine:
    """Data keys of one kind of owner, purpose and state.

    Attributes:
        keys: how many.
        oldest: when the oldest was made.
        seals: the most values that one of them sealed, counted in batches ahead.
        fields: labels of the fields that keys of the kind seal.
    """

    kind: str
    purpose: str
    state: str
    keys: int
    oldest: datetime
    seals: int
    fields: tuple[str, ...]

    @property
    def kind_label(self) -> str:
        """Kind of owner, in words."""
        return str(OwnerKind(self.kind).label)

    @property
    def state_label(self) -> str:
        """State, in words."""
        return str(KeyState(self.state).label)


def epochs() -> list[KekEpoch]:
    """Return the epochs that this process may see, newest first."""
    with keys_database():
        rows = list(KekEpoch.objects.using(KEYS).exclude(purpose=VAULT).order_by("-number"))
        if KEYS_VAULT in connections:
            vault = KekEpoch.objects.using(KEYS_VAULT).filter(purpose=VAULT)
            rows += vault.order_by("-number")
    return rows


def data_keys() -> list[DataKeyLine]:
    """Return the data keys of all owners, counted by kind, purpose and state."""
    fields = _fields_by_kind()
    with keys_database():
        found = (
            DataKey.objects.using(KEYS)
            .exclude(purpose=VAULT)
            .values("owner_kind", "purpose", "state")
            .annotate(keys=Count("pk"), oldest=Min("created_at"), most=Max("seals"))
            .order_by("owner_kind", "purpose", "state")
        )
        return [
            DataKeyLine(
                kind=row["owner_kind"],
                purpose=row["purpose"],
                state=row["state"],
                keys=row["keys"],
                oldest=row["oldest"],
                seals=row["most"],
                fields=fields.get(row["owner_kind"], ()) if row["purpose"] == DATA else (),
            )
            for row in found
        ]


def newest_runs() -> QuerySet[RotationRun]:
    """Return the newest runs."""
    return RotationRun.objects.using(KEYS).order_by("-started_at", "-pk")[:_RUNS_SHOWN]


def progress_line(run: RotationRun) -> str:
    """Return how far a run is, in one line."""
    done = max(run.total - run.left, 0)
    end = "finished" if run.finished_at else f"{run.left} left"
    extra = "".join(f"; {text}" for text in (run.note, run.last_error) if text)
    return f"{run.kind} {run.purpose}: {done} of {run.total} done, {end}{extra}"


def lines() -> Iterator[str]:
    """Give everything as lines of text."""
    for epoch in epochs():
        state = f"{epoch.state}, {keys_under(epoch)} keys" if not is_dead(epoch) else "destroyed"
        yield f"epoch {epoch}: {state}, root {epoch.root_version_id}, {_age(epoch.created_at)}"
    with keys_database():
        for root in RootVersion.objects.using(KEYS).order_by("created_at"):
            yield f"root {root}: {root.state}, {_age(root.created_at)}"
        for line in data_keys():
            yield (
                f"data keys of {line.kind} ({line.purpose}): {line.keys} {line.state}, "
                f"oldest {_age(line.oldest)}, at most {line.seals} seals"
            )
        for run in newest_runs():
            yield progress_line(run)


def is_dead(epoch: KekEpoch) -> bool:
    """Say whether no copy of an epoch opens any more."""
    return epoch.state == KeyState.DESTROYED and not bytes(epoch.blob)


def _fields_by_kind() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:  # noqa: SLF001  Django's model API
            if isinstance(field, SealedField):
                kind = str(field.owner_kind)
                found[kind] = (*found.get(kind, ()), field.label)
    return found


def _age(since: datetime) -> str:
    return f"since {since.date().isoformat()}"

"""Rows of ``audit_event``: the one place that writes the INSERT.

The role of the web process has no SELECT on the journal, so there is no RETURNING and no ORM.
Sequence, epoch, transaction id, database user and time are set by the trigger.
"""

from dataclasses import dataclass, fields
from uuid import UUID

from foundation import prepared

RECORD_IN_CHANGE = 1
RECORD_IN_JOURNAL = 2


@dataclass(frozen=True, slots=True)
class Row:
    """One row as the writer sends it; field names are column names."""

    event_id: UUID
    writer: int
    type: str
    outcome: str
    severity: int
    retention: str
    schema_ver: int
    organisation_id: UUID | None
    actor_type: str
    actor_id: UUID | None
    on_behalf_of: UUID | None
    credential_id: UUID | None
    session_tag: bytes | None
    target_type: str | None
    target_id: str | None
    request_id: UUID
    net: str | None
    cc: str | None
    asn: int | None
    body: str
    actor_sealed: bytes | None
    actor_key: bytes | None
    subject_sealed: bytes | None
    subject_key: bytes | None
    mac: bytes
    mac_key: int


_COLUMNS = tuple(column.name for column in fields(Row))
_INSERT = (
    f"INSERT INTO audit_event ({', '.join(_COLUMNS)}) "  # noqa: S608  names of this module only
    f"VALUES ({', '.join(['%s'] * len(_COLUMNS))})"
)


def insert(row: Row, *, using: str) -> None:
    """Write one row on a database alias; whatever the database says is passed on."""
    prepared.execute(_INSERT, [getattr(row, column) for column in _COLUMNS], using=using)

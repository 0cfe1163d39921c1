"""Writes and audited reads of records."""

from workspace.records.services.reading import (
    list_records,
    read_record,
    reveal_value,
    rows_of,
    shown_values,
    version_rows,
)
from workspace.records.services.sharing import change_visibility
from workspace.records.services.writing import Saved, change_record, create_record

__all__ = [
    "Saved",
    "change_record",
    "change_visibility",
    "create_record",
    "list_records",
    "read_record",
    "reveal_value",
    "rows_of",
    "shown_values",
    "version_rows",
]

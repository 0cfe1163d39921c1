"""Cells as a thief of SQL sees and writes them."""

import base64
from uuid import UUID

from django.db import connection, models


def cell(model: type[models.Model], column: str, pk: UUID) -> bytes:
    """Return the stored bytes of a cell."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {column} FROM {model._meta.db_table} WHERE {model._meta.pk.column} = %s",  # noqa: S608
            [pk],
        )
        return bytes(cursor.fetchone()[0])


def write_cell(
    model: type[models.Model], column: str, pk: UUID, value: bytes | UUID | None
) -> None:
    """Write any bytes into a cell."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {model._meta.db_table} SET {column} = %s WHERE {model._meta.pk.column} = %s",  # noqa: S608
            [value, pk],
        )
        assert cursor.rowcount == 1


def forms_of(secret: bytes) -> tuple[str, ...]:
    """Return how bytes could stand in a text: as Python shows them, in hex, in base64."""
    shown = repr(secret)[2:-1]
    return shown, secret.hex(), base64.b64encode(secret).decode().rstrip("=")

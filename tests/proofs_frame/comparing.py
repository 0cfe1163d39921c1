"""Compares answers, and the whole database before and after."""

import re
from dataclasses import dataclass

from django.db import connection
from psycopg import sql

from tests.factories.accounts import Answer

_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]*"|"X-CSRFToken": "[^"]*"')
# What an attempt itself may leave: entries of the journal, the moment a session was last seen, a
# count of requests. Everything else of the database must be as it was.
LEFT_BY_ATTEMPTS = (
    "audit_",
    "detection_attempt",
    "accounts_usersession",
    "django_session",
    "rest_idempotencyrecord",
    "axes_",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a client learns from an answer, without what differs in each answer anyway."""

    status: int
    location: str
    content_type: str
    body: bytes


def seen(answer: Answer, *ids: object) -> Seen:
    """Return what an answer shows, with the asked ids and the request's own id taken out."""
    hidden = [str(item) for item in (*ids, answer.headers.get("X-Request-Id", "")) if str(item)]
    body = _TOKEN.sub(b"", answer.content)
    location = str(answer.headers.get("Location", ""))
    for item in hidden:
        body = body.replace(item.encode(), b"ID")
        location = location.replace(item, "ID")
    return Seen(answer.status_code, location, str(answer.headers.get("Content-Type", "")), body)


def fingerprint() -> dict[str, str]:
    """Return a digest of every table's rows, read by the role that passes row security."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE gatehouse_backup")
        names = [name for name in _tables() if not name.startswith(LEFT_BY_ATTEMPTS)]
        cursor.execute(sql.SQL(" UNION ALL ").join(map(_digest, names)))
        rows = cursor.fetchall()
        cursor.execute("SET LOCAL ROLE gatehouse_app")
    return {str(name): str(digest) for name, digest in rows}


def row_counts() -> dict[str, int]:
    """Return the number of rows of every table that an attempt may not change."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE gatehouse_backup")
        names = [name for name in _tables() if not name.startswith(LEFT_BY_ATTEMPTS)]
        counts = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT {}, count(*) FROM {}").format(sql.Literal(name), sql.Identifier(name))
            for name in names
        )
        cursor.execute(counts)
        rows = cursor.fetchall()
        cursor.execute("SET LOCAL ROLE gatehouse_app")
    return {str(name): int(number) for name, number in rows}


def _tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
            "AND relkind = 'r' AND NOT relispartition ORDER BY relname"
        )
        return [str(row[0]) for row in cursor.fetchall()]


def _digest(name: str) -> sql.Composable:
    return sql.SQL(
        "SELECT {}, md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '')) FROM {} t"
    ).format(sql.Literal(name), sql.Identifier(name))

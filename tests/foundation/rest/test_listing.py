import base64
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.http import QueryDict
from django.test import Client

from foundation.identifiers import uuid7
from foundation.rest.listing import Listing, Page, page_of, text
from foundation.rest.models import IdempotencyRecord
from tests.foundation.rest.sample_api import TOKENS

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def rows() -> list[IdempotencyRecord]:
    made = [
        IdempotencyRecord(
            id=uuid7(),
            owner_digest=bytes([number]) * 32,
            key_digest=b"k" * 32,
            request_digest=b"r" * 32,
            claim=UUID(int=number),
            claimed_at=START + timedelta(seconds=number // 3),  # three share each moment
            expires_at=START + timedelta(days=36500),
            answered_at=START,
            answer_status=201 if number % 2 else 409,
            answer_body="listed",
        )
        for number in range(60)
    ]
    return IdempotencyRecord.objects.bulk_create(made)


def walk(client: Client, query: str) -> list[str]:
    found: list[str] = []
    cursor = ""
    for _ in range(100):
        body = client.get(f"/api/v1/samples?{query}{cursor}").json()
        found += [row["id"] for row in body["data"]]
        if body["next"] is None:
            return found
        cursor = f"&cursor={body['next']}"
    raise AssertionError("the list does not end")


@pytest.mark.parametrize("sort", ["claimed_at", "-claimed_at", "status", "-status"])
@pytest.mark.parametrize("limit", [1, 7, 60, 100])
def test_walk_meets_every_row_once_and_in_order(
    paul: Client, rows: list[IdempotencyRecord], sort: str, limit: int
) -> None:
    found = walk(paul, f"sort={sort}&limit={limit}")

    column = {"claimed_at": "claimed_at", "status": "answer_status"}[sort.removeprefix("-")]
    ordered = sorted(
        rows, key=lambda row: (getattr(row, column), row.id), reverse=sort.startswith("-")
    )
    assert found == [str(row.id) for row in ordered]


def test_page_has_twenty_five_rows_and_no_total(
    paul: Client, rows: list[IdempotencyRecord]
) -> None:
    body = paul.get("/api/v1/samples").json()

    assert rows
    assert set(body) == {"data", "next"}
    assert len(body["data"]) == 25


def test_new_rows_do_not_shift_the_pages(paul: Client, rows: list[IdempotencyRecord]) -> None:
    first = paul.get("/api/v1/samples?sort=-claimed_at&limit=30").json()
    IdempotencyRecord.objects.create(
        owner_digest=b"n" * 32,
        key_digest=b"k" * 32,
        request_digest=b"r" * 32,
        claim=uuid7(),
        claimed_at=START + timedelta(days=1),
        expires_at=START + timedelta(days=36500),
        answered_at=START,
        answer_status=201,
        answer_body="listed",
    )

    second = paul.get(f"/api/v1/samples?sort=-claimed_at&limit=30&cursor={first['next']}").json()

    ids = {row["id"] for row in [*first["data"], *second["data"]]}
    assert ids == {str(row.id) for row in rows}


def test_filters_choose(paul: Client, rows: list[IdempotencyRecord]) -> None:
    since = (START + timedelta(seconds=10)).isoformat().replace("+00:00", "Z")

    found = walk(paul, f"status=201&claimed_at.gte={since}&limit=9")

    assert set(found) == {
        str(row.id)
        for row in rows
        if row.answer_status == 201 and row.claimed_at >= START + timedelta(seconds=10)
    }
    assert walk(paul, f"claim={UUID(int=5)}") == [str(rows[5].id)]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=x", "limit"),
        ("limit=", "limit"),
        ("limit=٣", "limit"),
        ("sort=secret", "sort"),
        ("sort=--claimed_at", "sort"),
        ("sort=answer_status", "sort"),
        ("status=7", "status"),
        ("status=", "status"),
        ("claimed_at.gte=yesterday", "claimed_at.gte"),
        ("claimed_at.gte=2026-01-01T00:00:00", "claimed_at.gte"),
        ("claimed_at.gte=2026-13-01T00:00:00Z", "claimed_at.gte"),
        ("claim=%00", "claim"),
        ("cursor=", "cursor"),
        ("cursor=x", "cursor"),
        ("cursor=%00", "cursor"),
        ("claimed_at__gte=2026-01-01T00:00:00Z", "claimed_at__gte"),
    ],
)
def test_wrong_value_is_refused_by_the_name_of_its_parameter(
    paul: Client, query: str, name: str
) -> None:
    response = paul.get(f"/api/v1/samples?{query}")

    assert response.status_code == 400
    assert [entry["parameter"] for entry in response.json()["errors"]] == [name]


def test_cursor_with_any_byte_changed_is_refused(
    paul: Client, rows: list[IdempotencyRecord]
) -> None:
    cursor = paul.get("/api/v1/samples?limit=10").json()["next"]
    refused = 0

    for place, byte in enumerate(cursor):
        changed = cursor[:place] + ("A" if byte != "A" else "B") + cursor[place + 1 :]
        refused += paul.get(f"/api/v1/samples?limit=10&cursor={changed}").status_code == 400

    assert rows
    # The last character of base64 carries bits that mean nothing: it may be read as before.
    assert refused >= len(cursor) - 2


def test_cursor_serves_its_own_client_order_and_filters_alone(
    paul: Client, rows: list[IdempotencyRecord]
) -> None:
    cursor = paul.get("/api/v1/samples?limit=10").json()["next"]
    reader = Client(headers={"Authorization": "Bearer reader"})

    def status(client: Client, query: str) -> int:
        return client.get(f"/api/v1/samples?{query}&cursor={cursor}").status_code

    assert rows
    assert status(paul, "limit=20") == 200
    assert status(paul, "limit=10&sort=-claimed_at") == 400
    assert status(paul, "limit=10&status=201") == 400
    assert status(reader, "limit=10") == 400


def test_cursor_hides_no_secret_and_names_no_column(
    paul: Client, rows: list[IdempotencyRecord]
) -> None:
    cursor = paul.get("/api/v1/samples?limit=10").json()["next"]

    assert rows
    payload = cursor.split(":")[0]
    assert b"claimed_at" not in base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))


def test_text_filter_takes_short_printable_text() -> None:
    assert text("Müller & Co") == "Müller & Co"
    for wrong in ("x" * 201, "a\x00", "a\nb"):
        with pytest.raises(ValueError, match=r"^[ax]"):
            text(wrong)


def test_page_of_models_is_the_same_as_one_of_values(rows: list[IdempotencyRecord]) -> None:
    def page(parameters: str) -> Page[IdempotencyRecord]:
        return page_of(
            IdempotencyRecord.objects.filter(answer_body="listed"),
            listing=Listing(sorts={"claimed_at": "claimed_at"}, default_sort="claimed_at"),
            parameters=QueryDict(parameters),
            principal=TOKENS["paul"],
        )

    first = page("limit=40")
    second = page(f"limit=40&cursor={first.next_cursor}")

    assert {*first.rows, *second.rows} == set(rows)
    assert str(first.rows[0]) == f"idempotency record {first.rows[0].pk}"

"""The partner API's list of records beside plain Django REST framework with the same companies.

Both run the whole way from a WSGI call to the bytes of the answer, each with its own middleware.
Three partners hold 1x, 10x and 100x companies in the same tables, so growth is measured in the
same rounds.
"""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from uuid import UUID

from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory, override_settings
from pytest_django import Settings

from foundation.tenancy import organisation_scope
from integrations.partners.models import PartnerClient
from tests.benchmarks import plain_api, tables
from tests.benchmarks.measuring import (
    Contestant,
    Measurement,
    Times,
    milliseconds,
    race,
    ratio,
    scaled,
)
from tests.benchmarks.models import PlainRecord
from tests.factories import partners
from tests.servers import FreshDatabase
from workspace.records.models import Record, RecordValue
from workspace.records.queries import column_of, kind_by_code
from workspace.records.types import Visibility

ADDRESS = "/api/v1/records"
TARGET = 0.8
FLAT = 1.3  # runtime.md 7, growth of p50
PAGE = 50
LONGEST_PAGE = 100
COMPANIES = 100
GROWTH = (1, 10, 100)
REQUESTS = 4
BATCH = 2000
MANY = 10_000_000  # the plan's limit would stop the benchmark


@dataclass(frozen=True, slots=True)
class Holder:
    """A partner with companies, and its token."""

    client: PartnerClient
    token: str

    @property
    def organisation_id(self) -> UUID:
        """Whose companies they are."""
        found: UUID = self.client.acts_in_id
        return found


class _Start:
    """What a WSGI server gives an application to begin its answer with."""

    def __init__(self) -> None:
        self.status = ""

    def __call__(self, status: str, *_given: object) -> Callable[[bytes], None]:
        """Keep the status."""
        self.status = status
        return lambda _body: None


class Caller:
    """Calls one address, in process, through a whole handler.

    Args:
        handler: with the middleware of its project.
        path: with its query.
        token: bearer token; empty for none.
    """

    def __init__(self, handler: WSGIHandler, path: str, token: str) -> None:
        self._handler = handler
        self._environ = RequestFactory().get(path, headers=partners.bearer(token)).environ

    def call(self) -> bytes:
        """Return the body of the answer."""
        start = _Start()
        response = self._handler({**self._environ, "wsgi.input": io.BytesIO()}, start)
        body = b"".join(response)
        response.close()
        assert start.status.startswith(str(HTTPStatus.OK.value)), body
        return body

    def run(self, requests: int) -> None:
        """Call so many times."""
        for _ in range(requests):
            self.call()


def measure(database: FreshDatabase, settings: Settings) -> list[Measurement]:
    """Measure pages of fifty."""
    settings.API_PLANS = {"standard": (MANY, 60), "open": (MANY, 60)}
    ours = WSGIHandler()
    with override_settings(MIDDLEWARE=plain_api.MIDDLEWARE):
        plain = WSGIHandler()
    tables.create(database, PlainRecord)
    holders = {factor: _holder(factor) for factor in GROWTH}
    tables.analyse(database)
    requests = scaled(REQUESTS, least=4)
    callers = _callers(holders, ours=ours, plain=plain)
    times = race(
        {
            name: Contestant(partial(caller.run, requests), partial(_check, caller))
            for name, caller in callers.items()
        },
        laps=8,
    )
    return [*_beside_plain(times, requests), *_growth(times)]


def _callers(
    holders: Mapping[int, Holder], *, ours: WSGIHandler, plain: WSGIHandler
) -> dict[str, Caller]:
    smallest = holders[GROWTH[0]]
    callers = {
        "plain": Caller(plain, f"/open/{smallest.organisation_id}", smallest.token),
        "plain with token": Caller(plain, f"/token/{smallest.organisation_id}", smallest.token),
    }
    first = f"{ADDRESS}?limit={PAGE}"
    for factor, holder in holders.items():
        callers[f"ours {factor}x"] = Caller(ours, first, holder.token)
        address = f"/open/{holder.organisation_id}"
        callers[f"plain {factor}x"] = Caller(plain, address, holder.token)
    largest = holders[GROWTH[-1]]
    callers["ours deep"] = Caller(ours, _deep_address(ours, largest), largest.token)
    return callers


def _deep_address(handler: WSGIHandler, holder: Holder) -> str:
    """Walk to the middle of the largest list and return the address of the page there."""
    cursor = ""
    for _ in range(scaled(COMPANIES * GROWTH[-1]) // (2 * LONGEST_PAGE)):
        address = f"{ADDRESS}?limit={LONGEST_PAGE}{cursor}"
        answer = json.loads(Caller(handler, address, holder.token).call())
        cursor = f"&cursor={answer['next']}"
    return f"{ADDRESS}?limit={PAGE}{cursor}"


def _check(caller: Caller) -> None:
    body = json.loads(caller.call())
    rows = body.get("data") or body["results"]
    assert len(rows) == PAGE
    assert all((row.get("values") or row)["iban"].startswith("DE") for row in rows)


def _beside_plain(times: Mapping[str, Times], requests: int) -> list[Measurement]:
    ours, floor, rival = times["ours 1x"], times["plain"], times["plain with token"]
    return [
        ratio(
            "partner API list of 50 sealed rows / plain DRF list with token",
            rival.wall,
            ours.wall,
            unit="x plain rate",
            at_least=TARGET,
        ),
        ratio(
            "partner API list of 50 sealed rows / plain DRF list without token",
            floor.wall,
            ours.wall,
            unit="x plain rate",
        ),
        ratio(
            "partner API list / plain DRF list with token, processor of this process",
            ours.processor,
            rival.processor,
            unit="x plain",
        ),
        milliseconds(
            "partner API list, processor of this process",
            ours.processor,
            times=requests,
            unit="ms a request",
        ),
        milliseconds(
            "plain DRF list with token, processor of this process",
            rival.processor,
            times=requests,
            unit="ms a request",
        ),
    ]


def _growth(times: Mapping[str, Times]) -> list[Measurement]:
    rows = [
        ratio(
            f"growth of the list, {kind}, {factor}x rows / 1x rows",
            times[f"{kind} {factor}x"].wall,
            times[f"{kind} 1x"].wall,
            unit="x smallest",
            at_most=FLAT if kind == "ours" else None,
        )
        for kind in ("ours", "plain")
        for factor in GROWTH[1:]
    ]
    deep, first = times["ours deep"].wall, times[f"ours {GROWTH[-1]}x"].wall
    rows.append(
        ratio(
            "page in the middle of 100x rows / first page",
            deep,
            first,
            unit="x first page",
            at_most=FLAT,
        )
    )
    return rows


def _holder(factor: int) -> Holder:
    signing = partners.key()
    partner = partners.live(signing, email=f"dev{factor}@borealis.example")
    token = partners.access_token(partner.client(), signing, scope="records:read")
    holder = Holder(partner.client(), token)
    number = scaled(COMPANIES * factor, least=PAGE)
    for first in range(0, number, BATCH):
        _fill(holder, range(first, min(first + BATCH, number)))
    return holder


def _fill(holder: Holder, places: range) -> None:
    kind, owner = kind_by_code("company"), holder.organisation_id
    common = {"organisation_id": owner, "kind_id": kind.id, "visibility": Visibility.OWN}
    made = [Record(owner_client_id=holder.client.pk, **common) for _ in places]
    columns = {field.code: column_of(kind, field) for field in kind.fields}
    values = [
        RecordValue(organisation_id=owner, record_id=record.pk, field=name, **{columns[name]: text})
        for record, place in zip(made, places, strict=True)
        for name, text in _company(place).items()
    ]
    with organisation_scope(owner):
        Record.objects.bulk_create(made)
        RecordValue.objects.bulk_create(values, batch_size=BATCH)
    PlainRecord.objects.bulk_create(
        PlainRecord(
            organisation_id=owner,
            kind=kind.code,
            state=record.state,
            visibility=record.visibility,
            created_at=record.created_at,
            updated_at=record.updated_at,
            **_company(place),
        )
        for record, place in zip(made, places, strict=True)
    )


def _company(place: int) -> dict[str, str]:
    return {
        "legal_name": f"Muster {place} GmbH",
        "country": "DE",
        "account_holder": f"Muster Holding {place}",
        "iban": f"DE89370400{place:012d}",
        "phone": f"+49 30 {place:07d}",
    }

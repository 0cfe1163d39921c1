"""The same business write with and without a journal entry, and with a rival's log.

One write: in an organisation's scope read a row, change two fields, save. The rival reads, changes
and saves the same row in a plain transaction, in a process of its own. Threads have a connection
each, as web workers have, and rows of their own, so that no write waits for a lock.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import pytest
from django.db import connections

from audit import context
from audit import services as audit
from audit.context import Context
from audit.types import Change
from foundation.principals import Principal
from foundation.tenancy import EnableRowSecurity, organisation_scope
from tests.benchmarks import tables
from tests.benchmarks.crew import Crew
from tests.benchmarks.measuring import Contestant, Measurement, Times, race, ratio, scaled
from tests.benchmarks.models import Account
from tests.benchmarks.rivals.child import Rival
from tests.factories import records
from tests.servers import FreshDatabase
from workspace.records import services
from workspace.records.audit_events import RECORD_CHANGED
from workspace.records.services import writing

THREADS = (1, 8)
WRITES = 64
CHANGES = 24
TARGET = 0.75

_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

Write = Callable[[Principal, UUID], None]


@dataclass(slots=True)
class Changed:
    """A record with the version its next change starts from."""

    key: UUID
    version: int = 1


class Silent:
    """Stands for the journal in the floor: nothing is compared and nothing is written."""

    @staticmethod
    def snapshot(row: object) -> object:
        """Copy nothing."""
        return row

    @staticmethod
    def diff(_before: object, _after: object) -> Mapping[str, Change]:
        """Compare nothing."""
        return defaultdict(lambda: Change(clear={}))

    @staticmethod
    def record(*_arguments: object, **_named: object) -> None:
        """Write nothing."""


def of_one_row(database: FreshDatabase) -> list[Measurement]:
    """Measure the write of one row of business data, beside django-auditlog."""
    tables.create(database, Account, steps=[(Account, EnableRowSecurity("Account"))])
    principal = records.member(records.organisation())
    keys = _accounts(records.organisation_of(principal), scaled(WRITES, least=16))
    tables.analyse(database)
    rows: list[Measurement] = []
    with Rival("logged", database) as rival:
        for threads in THREADS:
            rows += _one_row_race(principal, keys, rival, threads=threads)
    return rows


def of_a_record(database: FreshDatabase, monkeypatch: pytest.MonkeyPatch) -> list[Measurement]:
    """Measure the product's own service: a sealed value changed, with its version kept."""
    principal = records.member(records.organisation())
    wanted = scaled(CHANGES, least=16)
    changed = [Changed(records.record(principal).id) for _ in range(wanted)]
    tables.analyse(database)
    rows: list[Measurement] = []
    for threads in THREADS:
        crew = Crew(threads, partial(_change_all, principal), connections.close_all)

        def silent(crew: Crew[Changed] = crew) -> None:
            with monkeypatch.context() as patch:
                patch.setattr(writing, "audit", Silent)
                crew.run(changed)

        def recorded(crew: Crew[Changed] = crew) -> None:
            crew.run(changed)

        contestants = {"unaudited": Contestant(silent), "recorded": Contestant(recorded)}
        times = race(contestants)
        crew.end()
        rows += _kept(f"change of a sealed record, {_writers(threads)}", times)
    return rows


def _one_row_race(
    principal: Principal, keys: Sequence[UUID], rival: Rival, *, threads: int
) -> list[Measurement]:
    crews = {
        name: Crew(threads, partial(_write_all, principal, write), connections.close_all)
        for name, write in (("unaudited", _unaudited), ("recorded", _recorded))
    }
    contestants = {name: Contestant(partial(crew.run, keys)) for name, crew in crews.items()}
    for name, model in (("rival unaudited", "silent"), ("rival audited", "logged")):
        ask = partial(rival.ask, model=model, threads=threads, number=len(keys))
        contestants[name] = Contestant(ask)
    times = race(contestants, laps=5)
    for crew in crews.values():
        crew.end()
    name = f"write of one row, {_writers(threads)}"
    return [
        *_kept(name, times, at_least=TARGET if threads > 1 else None),
        ratio(
            f"{name}, django-auditlog / unaudited of its own",
            times["rival unaudited"].wall,
            times["rival audited"].wall,
            unit="x unaudited rate",
        ),
        ratio(
            f"{name}, recorded / django-auditlog",
            times["rival audited"].wall,
            times["recorded"].wall,
            unit="x rate of rival",
            at_least=1 if threads > 1 else None,
        ),
    ]


def _writers(threads: int) -> str:
    return "one writer" if threads == 1 else f"{threads} writers"


def _kept(
    name: str, times: Mapping[str, Times], *, at_least: float | None = None
) -> list[Measurement]:
    unaudited, recorded = times["unaudited"], times["recorded"]
    return [
        ratio(
            f"{name}, recorded / unaudited",
            unaudited.wall,
            recorded.wall,
            unit="x unaudited rate",
            at_least=at_least,
        ),
        ratio(
            f"{name}, recorded / unaudited, processor of this process",
            recorded.processor,
            unaudited.processor,
            unit="x unaudited",
        ),
    ]


def _accounts(organisation_id: UUID, number: int) -> list[UUID]:
    with organisation_scope(organisation_id):
        made = Account.objects.bulk_create(
            Account(
                organisation_id=organisation_id,
                code=f"A{place:05d}",
                note="As agreed by telephone.",
            )
            for place in range(number)
        )
    return [account.pk for account in made]


def _write_all(principal: Principal, write: Write, keys: Sequence[UUID]) -> None:
    with context.opened(_request_of(principal)):
        for key in keys:
            with organisation_scope(records.organisation_of(principal)):
                write(principal, key)


def _unaudited(_principal: Principal, key: UUID) -> None:
    _change(Account.objects.get(pk=key))


def _recorded(principal: Principal, key: UUID) -> None:
    account = Account.objects.get(pk=key)
    before = audit.snapshot(account)
    _change(account)
    audit.record(
        RECORD_CHANGED,
        principal=principal,
        target=account,
        changes=audit.diff(before, account),
        details={"version": account.balance},
    )


def _change(account: Account) -> None:
    account.balance += 1
    account.note = f"Balance {account.balance} as agreed by telephone."
    account.save(update_fields=["balance", "note"])


def _change_all(principal: Principal, changed: Sequence[Changed]) -> None:
    with context.opened(_request_of(principal)):
        for item in changed:
            values = {"phone": f"+49 30 {1_000_000 + item.version}"}
            with organisation_scope(records.organisation_of(principal)):
                saved = services.change_record(
                    item.key, values, principal=principal, expected_version=item.version
                )
            item.version = saved.version


def _request_of(principal: Principal) -> Context:
    return Context(
        address="192.0.2.77",
        net="192.0.2.0/24",
        how="direct",
        user_agent=_AGENT,
        browser="Firefox",
        method="passphrase+totp",
        channel="web",
        principal=principal,
    )

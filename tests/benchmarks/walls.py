"""The cost of row-level security, and of the transaction that an organisation's scope opens.

The same statements go to two tables of the same rows, one under the policy and one without.
"""

from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID, uuid4

from django.db import connections, transaction

from foundation.tenancy import EnableRowSecurity, organisation_scope
from tests.benchmarks import tables
from tests.benchmarks.measuring import Contestant, Measurement, race, ratio, scaled
from tests.benchmarks.models import Account, OpenAccount
from tests.servers import FreshDatabase

ROWS = 20_000
ORGANISATIONS = 100
QUERIES = 40
PAGE = 50

_COUNT = "SELECT count(*), sum(balance) FROM "

Walled = type[Account] | type[OpenAccount]


def measure(database: FreshDatabase) -> list[Measurement]:
    """Measure both walls on the same rows."""
    steps = [(Account, EnableRowSecurity("Account"))]
    tables.create(database, Account, OpenAccount, steps=steps)
    organisations = [uuid4() for _ in range(ORGANISATIONS)]
    for organisation_id in organisations:
        _fill(organisation_id, scaled(ROWS, least=ORGANISATIONS * PAGE) // ORGANISATIONS)
    tables.analyse(database)
    return [*_row_security(organisations[0]), *_scopes(organisations[0])]


def _row_security(organisation_id: UUID) -> list[Measurement]:
    keys = _keys(organisation_id)

    def by_key(model: Walled) -> None:
        for key in keys:
            model.objects.get(pk=key)

    def page(model: Walled) -> None:
        for _ in keys:
            list(model.objects.order_by("code")[:PAGE])

    def policy_alone(model: Walled) -> None:
        table = model._meta.db_table
        condition = " WHERE organisation_id = %s" if model is OpenAccount else ""
        with connections["default"].cursor() as cursor:
            for _ in keys:
                cursor.execute(f"{_COUNT}{table}{condition}", [organisation_id][: bool(condition)])
                cursor.fetchall()

    queries: dict[str, Callable[[Walled], None]] = {
        "one row by key": by_key,
        "page of 50 rows": page,
        "raw SQL over all rows of the organisation": policy_alone,
    }
    return [_with_and_without(name, query, organisation_id) for name, query in queries.items()]


def _with_and_without(
    name: str, query: Callable[[Walled], None], organisation_id: UUID
) -> Measurement:
    def inside(model: Walled) -> None:
        with organisation_scope(organisation_id):
            query(model)

    contestants = {
        "with": Contestant(partial(inside, Account)),
        "without": Contestant(partial(inside, OpenAccount)),
    }
    times = race(contestants)
    return ratio(
        f"row-level security, {name}, with / without",
        times["with"].wall,
        times["without"].wall,
        unit="x without",
    )


def _scopes(organisation_id: UUID) -> list[Measurement]:
    keys = _keys(organisation_id)
    rows = OpenAccount._base_manager.filter(organisation_id=organisation_id)

    def one(key: UUID) -> None:
        rows.get(pk=key)

    def page(_key: UUID) -> None:
        list(rows.order_by("code")[:PAGE])

    measured = []
    for name, query in (("a query of one row", one), ("a page of 50 rows", page)):
        times = race(
            {
                "autocommit": Contestant(partial(_alone, query, keys)),
                "transaction": Contestant(partial(_in_transaction, query, keys)),
                "scope": Contestant(partial(_in_scope, query, keys, organisation_id)),
            }
        )
        for how, words in (
            ("transaction", "in a transaction"),
            ("scope", "in an organisation's scope"),
        ):
            measured.append(
                ratio(
                    f"{name} {words} / in autocommit",
                    times[how].wall,
                    times["autocommit"].wall,
                    unit="x autocommit",
                )
            )
    return measured


def _alone(query: Callable[[UUID], None], keys: Sequence[UUID]) -> None:
    for key in keys:
        query(key)


def _in_transaction(query: Callable[[UUID], None], keys: Sequence[UUID]) -> None:
    for key in keys:
        with transaction.atomic():
            query(key)


def _in_scope(query: Callable[[UUID], None], keys: Sequence[UUID], organisation_id: UUID) -> None:
    for key in keys:
        with organisation_scope(organisation_id):
            query(key)


def _keys(organisation_id: UUID) -> list[UUID]:
    """Return keys that are in both tables, as many as there are queries."""
    with organisation_scope(organisation_id):
        keys = list(Account.objects.values_list("pk", flat=True))
    number = scaled(QUERIES, least=20)
    return [keys[place % len(keys)] for place in range(number)]


def _fill(organisation_id: UUID, number: int) -> None:
    with organisation_scope(organisation_id):
        walled = Account.objects.bulk_create(
            Account(organisation_id=organisation_id, code=f"A{place:05d}", note="As agreed.")
            for place in range(number)
        )
        OpenAccount.objects.bulk_create(
            OpenAccount(id=row.id, organisation_id=organisation_id, code=row.code, note=row.note)
            for row in walled
        )

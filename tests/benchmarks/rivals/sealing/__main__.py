"""Reads commands as JSON lines, runs them and answers with what they took."""

import json
import sys
from uuid import UUID

import django
from django.core.management import call_command

django.setup()

from django.db import connection, transaction  # noqa: E402  models come after setup

from tests.benchmarks.measuring import timed  # noqa: E402
from tests.benchmarks.rivals.sealing.models import INDEXED, Person  # noqa: E402
from tests.benchmarks.rows import BATCH, COLUMNS, person  # noqa: E402


class People:
    """The table, and the rows that the next insert takes."""

    def __init__(self) -> None:
        self._waiting: list[Person] = []

    def make(self, number: int) -> None:
        """Empty the table and make rows."""
        with connection.cursor() as cursor:
            cursor.execute(f'TRUNCATE "{Person._meta.db_table}"')
        owner = UUID(int=1)
        # Keys in rising order, as ours have: inserts are quicker so.
        self._waiting = [
            Person(id=UUID(int=place + 1), organisation_id=owner, **person(place))
            for place in range(number)
        ]

    def insert(self, number: int) -> None:
        """Insert the waiting rows in one transaction."""
        with transaction.atomic():
            created = Person.objects.bulk_create(self._waiting, batch_size=BATCH)
        assert len(created) == number

    def read(self, number: int) -> None:
        """Read all rows and touch every value."""
        rows = 0
        for rows, row in enumerate(Person.objects.all(), start=1):  # noqa: B007  counted
            for name in COLUMNS:
                getattr(row, name)
        assert rows == number

    def check(self, number: int) -> None:
        """Require that a row has the values it was given."""
        row = Person.objects.get(pk=UUID(int=number))
        assert {name: getattr(row, name) for name in COLUMNS} == person(number - 1)

    def find(self, number: int) -> None:
        """Find rows by their e-mail address, where the package can do that."""
        for place in range(number):
            address = person(place)["email"]
            (found,) = Person.objects.filter(**{INDEXED: address})
            assert getattr(found, INDEXED) == address


def main() -> None:
    """Serve until standard input ends."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    people = People()
    acts = {
        "make": people.make,
        "insert": people.insert,
        "read": people.read,
        "check": people.check,
        "find": people.find,
    }
    for line in sys.stdin:
        command = json.loads(line)
        act, number = acts[command["act"]], command["number"]
        taken = timed(lambda: act(number))  # noqa: B023  called now
        print(json.dumps({"wall": taken.wall, "processor": taken.processor}), flush=True)


if __name__ == "__main__":
    main()

from datetime import date
from decimal import Decimal

from encryption.values import Sealed
from tests.encryption.models import Person
from tests.factories.encryption import person


def test_every_kind_of_value_comes_back_from_the_database():
    values = {
        "name": "Zoë 😀\x00",
        "note": "",
        "data": {"a": [1, None, "x"], "b": True},
        "born": date(1970, 2, 3),
        "balance": Decimal("12.50"),
        "photo": b"\x00\xff",
    }
    saved = person(**values)

    read = Person.objects.get(pk=saved.pk)

    for name, value in values.items():
        assert isinstance(read.__dict__[name], Sealed)
        assert getattr(read, name) == value

"""The people that every contestant stores.

Imports nothing of the product: rivals in processes of their own use it too.
"""

from typing import Final

BATCH: Final = 1000
COLUMNS: Final = ("name", "email", "phone", "iban", "note")

_NOTE = ("Wants to be called in the morning and pays by invoice only. " * 4)[:200]


def person(place: int) -> dict[str, str]:
    """Return the values of one person; each place has its own e-mail address."""
    return {
        "name": f"Anna Kowalska {place:04d}",
        "email": f"person{place:07d}@customer.example",
        "phone": f"+49 30 {place:07d}",
        "iban": f"DE89370400{place:012d}",
        "note": _NOTE,
    }

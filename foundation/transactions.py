"""Whether a database transaction is open, for code that must not run inside one.

A call to an outside system or a mail server inside a transaction would keep that transaction
open while a stranger decides how long it takes.
"""

from typing import ClassVar, cast

from django.db import connections
from django.db.transaction import Atomic

from foundation.errors import DomainError


class OpenTransaction(DomainError):
    """Something was to be sent inside an open database transaction: a fault of the code."""

    code: ClassVar[str] = "open_transaction"
    status: ClassVar[int] = 500


class _Block(Atomic):
    """The part of Django's ``Atomic`` that its type stubs leave out."""

    _from_testcase: bool


def in_transaction() -> bool:
    """Say whether this thread holds a transaction open on any database.

    The transaction that Django's test case wraps around a test does not count: Django marks it
    (``Atomic._from_testcase``) and uses the same mark for its own check of durable blocks. So a
    test sees what the running product would see, without a switch.
    """
    return any(
        not cast("_Block", block)._from_testcase  # noqa: SLF001 - the mark described above
        for connection in connections.all(initialized_only=True)
        for block in connection.atomic_blocks
    )


def refuse_open_transaction() -> None:
    """Raise if this thread holds a transaction open.

    Raises:
        OpenTransaction: it does.
    """
    if in_transaction():
        raise OpenTransaction("Nothing is sent before the transaction has ended.")

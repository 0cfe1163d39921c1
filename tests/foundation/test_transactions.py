import pytest
from django.db import transaction

from foundation.transactions import OpenTransaction, in_transaction, refuse_open_transaction


def test_transaction_of_the_test_itself_does_not_count() -> None:
    assert not in_transaction()
    refuse_open_transaction()


def test_open_transaction_counts_however_deep() -> None:
    with transaction.atomic():
        assert in_transaction()
        with transaction.atomic(), pytest.raises(OpenTransaction):
            refuse_open_transaction()

    assert not in_transaction()

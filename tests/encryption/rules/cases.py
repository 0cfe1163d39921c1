"""Where cases of rules are registered, and what they share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from django.db import models

from tests.encryption.models import Person
from tests.encryption.rules.rules import Rule

CANARY = "canary-4711"


class Given(NamedTuple):
    """What a case may use."""

    folder: Path


Case_ = Callable[[Given], None]
CASES: dict[Rule, Case_] = {}


def case(rule: Rule) -> Callable[[Case_], Case_]:
    """Register the case of a rule."""

    def register(function: Case_) -> Case_:
        assert rule not in CASES, f"{rule} has two cases"
        CASES[rule] = function
        return function

    return register


def read(row: models.Model) -> Person:
    """Return the row as the database has it."""
    return Person.objects.get(pk=row.pk)


@contextmanager
def refused(error: type[Exception], *words: str) -> Iterator[None]:
    """Expect an error that names the field and says why."""
    with pytest.raises(error) as caught:
        yield
    for word in words:
        assert word in str(caught.value)
    assert CANARY not in str(caught.value)

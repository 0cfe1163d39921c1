"""Random journeys of rows: no value is ever lost, mixed up or readable after its erasure."""

import os
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RULE_MARKER, rule, run_state_machine_as_test

from tests.encryption.models import Person
from tests.encryption.rules.cells import write_cell
from tests.encryption.rules.journeys import COUNT, Expected, Journey
from tests.proofs import Tried

JOURNEYS = int(os.environ.get("JOURNEYS", "60"))
STEPS = 20  # with small values: hypothesis cuts longer journeys off, and not always alike
NOTHING = Expected(values={}, owners={})
# The same journeys in each run: a failure can be repeated.
PLAN = settings(
    max_examples=JOURNEYS,
    stateful_step_count=STEPS,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)


@pytest.mark.proof(
    "encryption: random rows that are written, moved, rotated and erased are never mixed up"
)
@pytest.mark.usefixtures("related_models", "own_root_key", "fresh_tables")
def test_random_journeys_never_lose_or_mix_a_value(tried: Tried) -> None:
    COUNT.reset()

    run_state_machine_as_test(Journey, settings=PLAN)

    tried.case(COUNT.values)
    tried.figure(f"{JOURNEYS} journeys, {COUNT.steps} steps, {COUNT.values} values compared")
    names = {step.__name__ for step in vars(Journey).values() if hasattr(step, RULE_MARKER)}
    assert set(COUNT.by_name) >= names


class Careless(Journey):
    """A journey in which now and then the value of one row goes to another one."""

    @rule(first=Journey.rows, second=Journey.rows)
    def mix_up(self, first: UUID, second: UUID) -> None:
        """Write the name of one row into another."""
        if first != second and {first, second} <= set(self.expected):
            row = Person.objects.get(pk=first)
            name = self.expected[second].values["name"]
            if row.subject_id not in self.erased and name != self.expected[first].values["name"]:
                row.name = str(name)
                row.save()


class Forgetful(Journey):
    """A journey in which now and then a stored value is put back that was replaced since."""

    @rule(key=Journey.rows)
    def put_back(self, key: UUID) -> None:
        """Take a value away behind the machine's back."""
        if self.expected.get(key, NOTHING).values.get("note"):
            write_cell(Person, "note", key, None)


@pytest.mark.proof(
    "encryption: random rows that are written, moved, rotated and erased are never mixed up"
)
@pytest.mark.usefixtures("related_models", "own_root_key")
@pytest.mark.parametrize("machine", [Careless, Forgetful])
def test_a_mixed_up_or_lost_value_is_noticed(machine: type[Journey], tried: Tried) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        run_state_machine_as_test(machine, settings=PLAN)

    Person.objects.all().delete()
    tried.case()

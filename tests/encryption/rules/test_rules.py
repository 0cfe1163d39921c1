"""Each rule of sealed fields has a case, and each case a rule."""

from pathlib import Path

import pytest
from django.db import connections

from encryption.errors import KeysUnavailable
from encryption.services import drop_keys
from tests.encryption.models import Supplier
from tests.encryption.rules import masked_cases, refused_cases, values_cases, working_cases
from tests.encryption.rules.cases import CANARY, CASES, Given, read, refused
from tests.encryption.rules.rules import Rule
from tests.factories.encryption import person
from tests.proofs import Tried
from tests.servers import FreshDatabase

MODULES = (values_cases, working_cases, refused_cases, masked_cases)  # they register themselves

ROOT = Path(__file__).resolve().parents[3]
# What needs a committed database has a test of its own.
APART = {Rule.KEYS_AWAY}


@pytest.mark.proof("encryption: every rule of sealed fields holds, and each has a test of its own")
@pytest.mark.usefixtures("related_models")
@pytest.mark.parametrize("rule", CASES, ids=lambda rule: rule.name.lower())
def test_the_rule_holds(rule: Rule, tmp_path: Path, tried: Tried) -> None:
    CASES[rule](Given(folder=tmp_path))
    tried.case()


@pytest.mark.proof("encryption: every rule of sealed fields holds, and each has a test of its own")
def test_a_keys_database_that_is_away_is_told(fresh_tables: FreshDatabase, tried: Tried) -> None:
    assert fresh_tables.servers
    row = person(name=CANARY)
    drop_keys()
    keys = connections["keys"]
    keys.close()
    name, keys.settings_dict["NAME"] = keys.settings_dict["NAME"], "away"

    with refused(KeysUnavailable, "keys database"):
        _ = read(row).name
    with refused(KeysUnavailable, "keys database"):
        person(name=CANARY)

    keys.close()
    keys.settings_dict["NAME"] = name
    assert read(row).name == CANARY  # recovers without a restart
    tried.case()


@pytest.mark.proof("encryption: every rule of sealed fields holds, and each has a test of its own")
def test_no_rule_is_without_a_case_and_no_case_without_a_rule(tried: Tried) -> None:
    assert set(CASES) | APART == set(Rule)
    assert not set(CASES) & APART
    assert len(CASES) + len(APART) == len(Rule)
    tried.case(len(Rule))


def test_the_other_table_has_rules_too() -> None:
    row = Supplier.objects.create(name=CANARY)

    assert Supplier.objects.get(pk=row.pk).name == CANARY


def test_the_documents_list_the_same_rules() -> None:
    page = (ROOT / "docs" / "security" / "cryptography.md").read_text(encoding="utf-8")
    section = page.partition("## Rules of sealed fields\n")[2].partition("\n## ")[0]
    listed = [line[2:] for line in section.splitlines() if line.startswith("* ")]

    assert listed == [rule.value for rule in Rule]

"""Anomaly rules: conditions over entries; upper floors contribute their own (detection.md 1)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.utils.functional import Promise

from audit.cursors import JournalEntry
from audit.events import Severity
from foundation.registry import Registry


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found in an entry and the state before it.

    Attributes:
        rule: code of the rule.
        severity: weight of this case.
        dedupe_key: cases with the same key within ten minutes are one alert.
        subject_id: the person attacked, if known.
        facts: figures that explain it; plain values, free of personal data.
        tell_person: whether that person gets a mail too.
    """

    rule: str
    severity: Severity
    dedupe_key: str
    subject_id: UUID | None = None
    facts: Mapping[str, str | int] = field(default_factory=dict)
    tell_person: bool = False


@dataclass(frozen=True, slots=True)
class AnomalyRule:
    """One condition.

    Attributes:
        code: for example ``D01``, for ever.
        title: name in words.
        explanation: what it means and what to do first, for whoever gets the alert.
        types: codes of the entries it looks at.
        evaluate: says what it finds in one entry; state is what the tables hold up to that entry.
    """

    code: str
    title: str | Promise
    explanation: str | Promise
    types: frozenset[str]
    evaluate: Callable[[JournalEntry], Finding | None]


anomaly_rules: Registry[AnomalyRule] = Registry("anomaly rules", key=lambda rule: rule.code)


def title_of(code: str) -> str:
    """Return the name of a rule; the code itself where the rule is gone."""
    rule = anomaly_rules.find(code)
    return code if rule is None else str(rule.title)


def explanation_of(code: str) -> str:
    """Return what a rule means; empty where the rule is gone."""
    rule = anomaly_rules.find(code)
    return "" if rule is None else str(rule.explanation)

"""Rule D19: the journal or the alerts themselves are not healthy; raised by who finds it."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from audit.anomaly.rules import AnomalyRule, Finding
from audit.cursors import JournalEntry


def found_elsewhere(_entry: JournalEntry) -> Finding | None:
    """Find nothing in entries: sweeper and sealer raise this rule themselves."""
    return None


JOURNAL_AND_ALERTS: Final = AnomalyRule(
    code="D19",
    title=_("Journal or alerts are not healthy"),
    explanation=_(
        "A part that watches over the others failed. Open the health page; what is red there comes "
        "first."
    ),
    types=frozenset(),
    evaluate=found_elsewhere,
)

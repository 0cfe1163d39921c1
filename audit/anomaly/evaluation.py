"""The journal reader that runs the rules.

Tries are stored, rules asked, alerts raised and the cursor moved in one transaction: a crash
neither loses nor doubles an alert.
"""

from collections.abc import Sequence
from typing import Final

from audit.alerts.services import Occasion, raise_alert
from audit.anomaly import attempts
from audit.anomaly.rules import anomaly_rules
from audit.cursors import JournalEntry
from audit.readers import Reader


def evaluate(entries: Sequence[JournalEntry]) -> None:
    """Ask every rule about every entry it looks at, in order."""
    for entry in entries:
        attempts.store([entry])
        for rule in anomaly_rules:
            if entry.type not in rule.types:
                continue
            finding = rule.evaluate(entry)
            if finding is not None:
                raise_alert(finding, occasion=occasion_of(entry))


def occasion_of(entry: JournalEntry) -> Occasion:
    """Return the place and time of an entry, as alerts keep them."""
    return Occasion(
        event_id=entry.event_id,
        occurred_at=entry.occurred_at,
        organisation_id=entry.organisation_id,
        net=entry.net or "",
    )


READER: Final = Reader(name="anomaly", react=evaluate)

"""Tries to sign in, taken from entries and counted by the rules.

An account is counted by the subject id where the identifier is somebody's, else by the keyed digest
of the identifier: a rule never tells the two apart to whoever guesses.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from audit.cursors import JournalEntry
from audit.models import DetectionAttempt
from audit.types import PERSON

SIGN_IN_FAILED: Final = "accounts.sign_in.failed"
SIGN_IN_REFUSED: Final = "accounts.sign_in.refused"
SIGN_IN_SUCCEEDED: Final = "accounts.sign_in.succeeded"
FAILURES: Final = frozenset({SIGN_IN_FAILED, SIGN_IN_REFUSED})
TYPES: Final = FAILURES | {SIGN_IN_SUCCEEDED}

KEPT: Final = timedelta(days=30)


def store(entries: Sequence[JournalEntry]) -> None:
    """Keep the tries among entries; an entry that was kept before is left as it is."""
    tries = [_attempt(entry) for entry in entries if entry.type in TYPES]
    DetectionAttempt.objects.bulk_create(
        [attempt for attempt in tries if attempt.account], ignore_conflicts=True
    )


def account_of(entry: JournalEntry) -> str:
    """Return the key by which the account of a try is counted; empty where there is none."""
    subject = subject_of(entry)
    if subject is not None:
        return str(subject)
    identifier = entry.detail("identifier")
    return identifier[:64] if isinstance(identifier, str) else ""


def subject_of(entry: JournalEntry) -> UUID | None:
    """Return the person whose account a try is about, if it is somebody's."""
    if entry.target_type == PERSON and entry.target_id:
        return UUID(entry.target_id)
    return entry.actor_id if entry.actor_type == "user" else None


def failures_before(entry: JournalEntry, *, within: timedelta) -> int:
    """Count failures on the account up to and with an entry, since the last success."""
    since = max(entry.occurred_at - within, _last_success(entry) or entry.occurred_at - within)
    return _of_account(entry).filter(succeeded=False, occurred_at__gt=since).count()


def nets_of_failures(entry: JournalEntry, *, within: timedelta) -> int:
    """Count the networks these failures came from."""
    failed = _of_account(entry).filter(succeeded=False, occurred_at__gt=entry.occurred_at - within)
    return failed.values("net").distinct().count()


def is_known_net(entry: JournalEntry) -> bool:
    """Say whether the account was signed in to from the entry's network before."""
    earlier = _of_account(entry).filter(succeeded=True).exclude(event_id=entry.event_id)
    return bool(entry.net) and earlier.filter(net=entry.net).exists()


def forget_old(now: datetime) -> int:
    """Delete tries past their time; return how many."""
    deleted, _ = DetectionAttempt.objects.filter(occurred_at__lt=now - KEPT).delete()
    return deleted


def _attempt(entry: JournalEntry) -> DetectionAttempt:
    request = entry.content.get("request")
    browser = request.get("browser", "") if isinstance(request, dict) else ""
    return DetectionAttempt(
        event_id=entry.event_id,
        occurred_at=entry.occurred_at,
        account=account_of(entry),
        subject_id=subject_of(entry),
        net=entry.net or "",
        succeeded=entry.type == SIGN_IN_SUCCEEDED,
        browser=str(browser)[:40],
    )


def _of_account(entry: JournalEntry) -> QuerySet[DetectionAttempt]:
    return DetectionAttempt.objects.filter(
        account=account_of(entry), occurred_at__lte=entry.occurred_at
    )


def _last_success(entry: JournalEntry) -> datetime | None:
    earlier = _of_account(entry).filter(succeeded=True, occurred_at__lt=entry.occurred_at)
    return earlier.order_by("-occurred_at").values_list("occurred_at", flat=True).first()

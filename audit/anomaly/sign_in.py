"""Rules D01 and D06: guessing at one account, and a success after it."""

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from audit.anomaly import attempts
from audit.anomaly.rules import AnomalyRule, Finding
from audit.cursors import JournalEntry
from audit.events import Severity

AFTER_ATTACK: Final = timedelta(hours=3)


def guessing(entry: JournalEntry) -> Finding | None:
    """D01: at least N failures on one account within the window, from any address.

    A success in between starts the count anew.
    """
    window = timedelta(seconds=settings.DETECTION_D01_WINDOW_SECONDS)
    failures = attempts.failures_before(entry, within=window)
    if failures < settings.DETECTION_D01_FAILURES:
        return None
    return Finding(
        rule=BRUTE_FORCE.code,
        severity=Severity.MEDIUM,
        dedupe_key=f"D01:{attempts.account_of(entry)}",
        subject_id=attempts.subject_of(entry),
        facts={
            "failures": failures,
            "minutes": int(window.total_seconds()) // 60,
            "networks": attempts.nets_of_failures(entry, within=window),
        },
        tell_person=True,
    )


def success_after_guessing(entry: JournalEntry) -> Finding | None:
    """D06: a success within three hours of as many failures; critical from an unknown network.

    From a network the account was signed in from before it is a forgotten passphrase: low.
    """
    failures = attempts.failures_before(entry, within=AFTER_ATTACK)
    if failures < settings.DETECTION_D06_FAILURES:
        return None
    known = attempts.is_known_net(entry)
    return Finding(
        rule=SUCCESS_AFTER_ATTACK.code,
        severity=Severity.LOW if known else Severity.CRITICAL,
        dedupe_key=f"D06:{attempts.account_of(entry)}",
        subject_id=attempts.subject_of(entry),
        facts={"failures": failures, "known_network": "yes" if known else "no"},
        tell_person=not known,
    )


BRUTE_FORCE: Final = AnomalyRule(
    code="D01",
    title=_("Repeated failed sign-ins on one account"),
    explanation=_(
        "Somebody tried several passphrases on one account. Ask the person whether it was them; "
        "if not, the passphrase was not found, and the lock holds further tries back."
    ),
    types=attempts.FAILURES,
    evaluate=guessing,
)
SUCCESS_AFTER_ATTACK: Final = AnomalyRule(
    code="D06",
    title=_("Sign-in after repeated failures"),
    explanation=_(
        "Somebody signed in after several failed tries. From a network the account does not know, "
        "take it for stolen until the person says otherwise: end its sessions first, then ask."
    ),
    types=frozenset({attempts.SIGN_IN_SUCCEEDED}),
    evaluate=success_after_guessing,
)

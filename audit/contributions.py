"""What the journal contributes to pages, loops, readers, rules and health."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from audit import health, housekeeping, reading
from audit.alerts import delivery
from audit.anomaly import evaluation, sign_in
from audit.anomaly.health import JOURNAL_AND_ALERTS
from audit.permissions import READ_ALERTS, READ_ENTRIES
from foundation.contracts.health import HealthCheck
from foundation.contracts.loops import Loop
from foundation.web.navigation import NavigationItem

READERS: Final = (evaluation.READER,)

RULES: Final = (sign_in.BRUTE_FORCE, sign_in.SUCCESS_AFTER_ATTACK, JOURNAL_AND_ALERTS)

LOOPS: Final = (
    Loop(name="journal.readers", step=reading.run_readers, interval_seconds=0.5),
    Loop(name="alerts.sweeper", step=delivery.sweep, interval_seconds=0.5),
    Loop(name="journal.housekeeping", step=housekeeping.step, interval_seconds=3600),
)

HEALTH: Final = (
    HealthCheck(name="journal", run=health.journal),
    HealthCheck(name="journal readers", run=health.readers),
    HealthCheck(name="alerts", run=health.alerts),
)

_GROUP: Final = _("Security")

NAVIGATION: Final = (
    NavigationItem(
        key="audit.alerts",
        label=_("Alerts"),
        url_name="audit:alerts",
        icon="shield-alert",
        permission=READ_ALERTS.code,
        order=610,
        group=_GROUP,
    ),
    NavigationItem(
        key="audit.log",
        label=_("Journal"),
        url_name="audit:log",
        icon="clipboard-list",
        permission=READ_ENTRIES.code,
        order=620,
        group=_GROUP,
    ),
    NavigationItem(
        key="audit.history",
        label=_("Security history"),
        url_name="audit:history",
        icon="history",
        order=85,
        group=_("You"),
    ),
)

"""Health of journal and alerts: what is wrong and what cures it."""

from datetime import timedelta
from typing import Final

from django.db import connections
from django.utils.translation import gettext as _

from audit.alerts import channels
from audit.cursors import horizon_lag_seconds
from audit.models import AlertDelivery, Cursor
from audit.models.alerts import DeliveryState
from audit.models.entries import READ_ALIAS
from foundation import clock
from foundation.contracts.health import HealthAnswer, HealthState

LAG_SECONDS: Final = 10.0
LATE: Final = timedelta(minutes=1)
DEAD_SHOWN: Final = timedelta(days=7)

_PARTITIONS: Final = """
    SELECT pg_relation_size('audit_event_default') > 0,
           to_regclass('audit_event_' || to_char(
               clock_timestamp() AT TIME ZONE 'UTC' + interval '1 month', 'YYYYMM')) IS NULL
"""


def journal() -> HealthAnswer:
    """Check the partitions and the horizon of the journal."""
    with connections[READ_ALIAS].cursor() as cursor:
        cursor.execute(_PARTITIONS)
        default_used, month_missing = cursor.fetchone()
    if default_used:
        return _red(
            _("Entries lie outside their month."), _("Call the maintainers; do not delete.")
        )
    if month_missing:
        return _red(_("Next month has no partition."), _("Start run_loops; it makes partitions."))
    lag = horizon_lag_seconds()
    if lag > LAG_SECONDS:
        return HealthAnswer(
            HealthState.AMBER,
            _("Readers are %(seconds)d s behind.") % {"seconds": int(lag)},
            _("End the oldest open transaction (pg_stat_activity)."),
        )
    return HealthAnswer(HealthState.GREEN, _("Entries are written and readable in order."))


def readers() -> HealthAnswer:
    """Check that no reader is stuck at an entry."""
    stuck = Cursor.objects.filter(failures__gt=0).order_by("reader").first()
    if stuck is None:
        return HealthAnswer(HealthState.GREEN, _("All readers follow the journal."))
    return _red(
        _("Reader %(name)s fails: %(error)s.") % {"name": stuck.reader, "error": stuck.last_error},
        _("Read the log of run_loops; the reader goes on by itself once the cause is gone."),
    )


def alerts() -> HealthAnswer:
    """Check that alerts have a way out and take it."""
    if not channels.operator_addresses():
        return _red(
            _("Nobody is told about alerts."), _("Set the addresses on the page Alert channel.")
        )
    now = clock.real_now()
    dead = AlertDelivery.objects.filter(state=DeliveryState.DEAD, created_at__gt=now - DEAD_SHOWN)
    if dead.exists():
        return _red(_("Alerts could not be sent."), _("Check mail server and addresses."))
    if AlertDelivery.objects.filter(state=DeliveryState.DUE, created_at__lt=now - LATE).exists():
        return HealthAnswer(
            HealthState.AMBER, _("Alerts wait to be sent."), _("Check worker and mail server.")
        )
    return HealthAnswer(HealthState.GREEN, _("Alerts are sent."))


def _red(detail: str, cure: str) -> HealthAnswer:
    return HealthAnswer(HealthState.RED, detail, cure)

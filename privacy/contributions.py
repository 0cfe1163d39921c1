"""What privacy contributes to pages, loops and stores."""

from django.utils.translation import gettext_lazy as _

from foundation.contracts.loops import Loop
from foundation.contracts.personal_data import PersonalDataStore
from foundation.web.navigation import NavigationItem
from privacy.services import erasure, exports

NAVIGATION = (
    NavigationItem(
        key="privacy",
        label=_("My data"),
        url_name="privacy:overview",
        icon="shield-check",
        order=80,
    ),
)

LOOPS = (
    Loop(name="privacy.exports", step=exports.sweep, interval_seconds=10),
    Loop(name="privacy.erasures", step=erasure.sweep, interval_seconds=5),
)

STORES = (
    PersonalDataStore(
        label="privacy.cache",
        holds="sessions, counters and used code numbers in Valkey, by digest or id",
        longest_life="12 hours",
    ),
    PersonalDataStore(
        label="privacy.broker",
        holds="task names and ids, never content",
        longest_life="until the task is done",
    ),
    PersonalDataStore(
        label="privacy.mail",
        holds="mails on their way through the operator's mail server",
        longest_life="set by the operator's mail server",
    ),
    PersonalDataStore(
        label="privacy.logs",
        holds="request ids, routes and error classes, no personal data",
        longest_life="set by the operator's log rotation",
    ),
)

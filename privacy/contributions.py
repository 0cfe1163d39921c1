"""What privacy contributes to pages, loops and stores."""

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from foundation.contracts.loops import Loop
from foundation.contracts.personal_data import PersonalDataStore
from foundation.principals import Principal
from foundation.web.cards import Card, CardContent
from foundation.web.navigation import NavigationItem
from privacy import queries
from privacy.models import ErasurePlan, SubjectRequest
from privacy.models.subject_request import RequestKind, RequestState
from privacy.services import completions, erasure, exports


def card(principal: Principal) -> CardContent | None:
    """Say that an erasure is planned or a copy waits; stay away where neither is so."""
    waiting = {request.kind: request for request in queries.open_requests_of(principal)}
    erasure_asked = waiting.get(RequestKind.ERASURE)
    if erasure_asked is not None:
        return _of_erasure(erasure_asked.erasure_plan)
    copy = waiting.get(RequestKind.ACCESS)
    if copy is None or copy.state != RequestState.READY:
        return None
    return _of_copy(copy)


def _of_erasure(plan: ErasurePlan) -> CardContent:
    return CardContent(
        text=gettext("Your data will be erased. It begins on %(at)s (UTC).")
        % {"at": date_format(plan.runs_at, "DATETIME_FORMAT")},
        href=reverse("privacy:overview"),
        action=gettext("See or cancel it"),
        tone="warn",
    )


def _of_copy(request: SubjectRequest) -> CardContent:
    return CardContent(
        text=gettext("The copy of your data is ready."),
        href=reverse("privacy:request", args=[request.pk]),
        action=gettext("Go to the copy"),
        tone="good",
    )


NAVIGATION = (
    NavigationItem(
        key="privacy",
        label=_("My data"),
        url_name="privacy:overview",
        icon="shield-check",
        order=80,
        group=_("You"),
    ),
)

CARDS = (Card(key="privacy", title=_("My data"), render=card, order=80, icon="shield-check"),)

LOOPS = (
    Loop(name="privacy.exports", step=exports.sweep, interval_seconds=10),
    Loop(name="privacy.erasures", step=erasure.sweep, interval_seconds=5),
    Loop(name="privacy.completions", step=completions.sweep, interval_seconds=60),
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

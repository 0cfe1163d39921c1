"""Subject requests: received, worked on, closed."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import record
from foundation import clock
from foundation.deferred import defer
from foundation.principals import Principal
from privacy.audit_events import REQUEST_CLOSED, REQUEST_RECEIVED
from privacy.errors import RequestRunning
from privacy.models import ErasurePlan, RequestStep, SubjectRequest
from privacy.models.erasure import PlanState
from privacy.models.subject_request import OPEN_STATES, RequestKind, RequestState
from privacy.services.clocks import one_month_after

# The only transitions there are (privacy.md 3).
TRANSITIONS: dict[str, frozenset[str]] = {
    RequestState.RECEIVED: frozenset({RequestState.OPEN, RequestState.WITHDRAWN}),
    RequestState.OPEN: frozenset({RequestState.READY, RequestState.CLOSED, RequestState.WITHDRAWN}),
    RequestState.READY: frozenset({RequestState.CLOSED, RequestState.LAPSED}),
}
ENDED = frozenset(RequestState) - frozenset(OPEN_STATES)
GONE = (PlanState.RUNNING, PlanState.ERASED_LIVE, PlanState.COMPLETE)


def receive(user: User, *, kind: RequestKind, principal: Principal) -> SubjectRequest:
    """Open a request with its deadline of one calendar month.

    Raises:
        RequestRunning: one of this kind is open already, or the person is being erased.
    """
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        _refuse_second(user, kind)
        request = SubjectRequest.objects.create(
            user_id=user.pk,
            subject_id=user.subject_id,
            kind=kind,
            language=user.language,
            due_on=one_month_after(clock.now().date()),
            enqueued_at=clock.real_now(),
        )
        RequestStep.objects.create(request=request, state=request.state)
        record(
            REQUEST_RECEIVED,
            principal=principal,
            target=request,
            about=user.subject_id,
            details={"kind": kind.value},
        )
        return request


def receive_access(user: User, *, principal: Principal) -> SubjectRequest:
    """Open an access request and have its archive made.

    Raises:
        RequestRunning: one is open already.
    """
    with transaction.atomic():
        request = receive(user, kind=RequestKind.ACCESS, principal=principal)
        defer("privacy.run_export", request_id=request.pk)
        return request


def move(request: SubjectRequest, *, to: RequestState) -> None:
    """Move a request to its next state; call inside a transaction that locked its row.

    Raises:
        ValueError: there is no such transition, a mistake in our code.
    """
    if to not in TRANSITIONS.get(request.state, frozenset()):
        raise ValueError(f"no way from {request.state} to {to}")
    request.state = to
    request.closed_at = clock.now() if to in ENDED else None
    request.save(update_fields=["state", "closed_at"])
    RequestStep.objects.create(request=request, state=to)


def close(request: SubjectRequest, *, principal: Principal) -> None:
    """Close a request that was answered."""
    with transaction.atomic():
        move(request, to=RequestState.CLOSED)
        # Of an erased person nothing is said any more, not even by the id.
        about = None if request.kind == RequestKind.ERASURE else request.subject_id
        record(REQUEST_CLOSED, principal=principal, target=request, about=about)


def _refuse_second(user: User, kind: RequestKind) -> None:
    own = SubjectRequest.objects.filter(user_id=user.pk)
    if own.filter(kind=kind, state__in=OPEN_STATES).exists():
        raise RequestRunning(_("A request of this kind is already open."))
    if ErasurePlan.objects.filter(request__in=own, state__in=GONE).exists():
        raise RequestRunning(_("Your data are being erased."))

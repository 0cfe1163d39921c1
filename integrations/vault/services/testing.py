"""Test a credential: a row says what is due, a worker makes the call, the page shows the result."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from encryption.errors import Erased, KeysUnavailable, Unreadable
from foundation import clock
from foundation.deferred import defer
from foundation.errors import Denied, DomainError
from foundation.principals import Principal, system
from foundation.tenancy import organisation_scope
from integrations.vault.errors import CredentialNotFound, NotUsable
from integrations.vault.models import Credential, HealthResult
from integrations.vault.permissions import MANAGE
from integrations.vault.queries import result_view, visible_credential
from integrations.vault.services.sessions import session
from integrations.vault.types import USABLE, CredentialState, ResultState, ResultView

TASK = "integrations.vault.test_credential"
PURPOSE = "test"
CLAIM_LASTS = timedelta(seconds=45)
HINT_LOST_AFTER = timedelta(seconds=10)
GIVEN_UP_AFTER = timedelta(minutes=3)
ATTEMPTS = 2
SWEPT_AT_ONCE = 100
STAFF = "staff"
REFUSED_BY_OTHER_SIDE = frozenset({401, 403})


@transaction.atomic
def request_test(credential_id: UUID, *, principal: Principal) -> UUID:
    """Ask for a test of a credential and return the id of its result.

    Raises:
        CredentialNotFound: there is none, or not for this principal.
        Denied: the principal may not manage credentials.
        NotUsable: it is disabled or destroyed.
    """
    credential = visible_credential(credential_id, principal=principal)
    if not principal.may(MANAGE.code):
        raise Denied(_("You do not have the right to manage credentials."))
    if credential.state not in USABLE:
        raise NotUsable
    result = HealthResult(
        organisation_id=credential.organisation_id,
        credential_id=credential.pk,
        requested_by=principal.subject_id,
    )
    result.save(force_insert=True)
    _hint(result)
    return result.pk


@transaction.atomic
def result_of_test(credential_id: UUID, result_id: UUID, *, principal: Principal) -> ResultView:
    """Return where a test is; who looks need not wait for the sweep.

    Raises:
        CredentialNotFound: no such test, or not for this principal.
    """
    visible_credential(credential_id, principal=principal)
    result = HealthResult.objects.filter(pk=result_id, credential_id=credential_id).first()
    if result is None:
        raise CredentialNotFound
    return result_view(result if result_view(result).is_finished else _mended(result_id))


def sweep() -> bool:
    """Go on with every test that no worker finishes; say whether more are waiting.

    A test that nobody took is told to the workers again and given up after minutes; one whose
    worker died is told once more, and given up when its second worker dies too.
    """
    # The role of staff alone reads over the organisations; each row is changed in its own scope.
    moment = clock.now()
    rows = HealthResult._base_manager.using(STAFF)  # noqa: SLF001  Django's
    lost = Q(state=ResultState.QUEUED, sent_at__lt=moment - HINT_LOST_AFTER)
    died = Q(state=ResultState.RUNNING, claimed_until__lt=moment)
    found = rows.filter(lost | died, finished_at__isnull=True).order_by("sent_at")
    stuck = list(found.values_list("organisation_id", "pk")[:SWEPT_AT_ONCE])
    for organisation_id, result_id in stuck:
        with organisation_scope(organisation_id):
            _mended(result_id)
    return len(stuck) == SWEPT_AT_ONCE


def run_test(organisation_id: UUID, result_id: UUID) -> None:
    """Carry out a test that is due; a second worker with the same row does nothing."""
    with organisation_scope(organisation_id):
        result = _claimed(result_id)
    if result is None:
        return
    status, elapsed_ms, code = None, None, ""
    try:
        principal = replace(
            system(TASK, organisation_id=organisation_id), on_behalf_of=result.requested_by
        )
        with session(
            organisation_id, result.credential_id, purpose=PURPOSE, principal=principal
        ) as calls:
            answer = calls.get(result.credential.probe_url)
            status, elapsed_ms = answer.status, answer.elapsed_ms
            code = "" if answer.is_success else "vault.answer_refused"
    except (DomainError, Erased, KeysUnavailable, Unreadable) as error:
        code = error.reason_code
    with organisation_scope(organisation_id):
        _finish(result, status=status, elapsed_ms=elapsed_ms, code=code)


def _mended(result_id: UUID) -> HealthResult:
    """Return a test, told to workers again or given up where no worker has it."""
    result = HealthResult.objects.select_for_update().get(pk=result_id)
    moment = clock.now()
    if result.state == ResultState.RUNNING:
        return _taken_back(result, moment)
    if result.state != ResultState.QUEUED:
        return result
    if moment - (result.claimed_until or result.requested_at) > GIVEN_UP_AFTER:
        return _given_up(result, "vault.no_worker", moment)
    if moment - result.sent_at > HINT_LOST_AFTER:
        return _queued_again(result, moment)
    return result


def _taken_back(result: HealthResult, moment: datetime) -> HealthResult:
    """Take a test from a worker whose claim ran out: it died."""
    if result.claimed_until is not None and result.claimed_until >= moment:
        return result
    if result.attempts >= ATTEMPTS:
        return _given_up(result, "vault.worker_died", moment)
    result.claimed_until = moment
    return _queued_again(result, moment)


def _queued_again(result: HealthResult, moment: datetime) -> HealthResult:
    result.state, result.sent_at = ResultState.QUEUED, moment
    result.save(update_fields=["state", "sent_at", "claimed_until"])
    _hint(result)
    return result


def _given_up(result: HealthResult, code: str, moment: datetime) -> HealthResult:
    result.state, result.code, result.finished_at = ResultState.FAILED, code, moment
    result.save(update_fields=["state", "code", "finished_at"])
    return result


def _hint(result: HealthResult) -> None:
    defer(TASK, organisation_id=result.organisation_id, result_id=result.pk)


def _claimed(result_id: UUID) -> HealthResult | None:
    moment = clock.now()
    due = Q(state=ResultState.QUEUED) | Q(state=ResultState.RUNNING, claimed_until__lt=moment)
    claimed = HealthResult.objects.filter(due, pk=result_id, attempts__lt=ATTEMPTS).update(
        state=ResultState.RUNNING,
        claimed_until=moment + CLAIM_LASTS,
        attempts=F("attempts") + 1,
    )
    if claimed != 1:
        return None
    return HealthResult.objects.select_related("credential").get(pk=result_id)


def _finish(result: HealthResult, *, status: int | None, elapsed_ms: int | None, code: str) -> None:
    """Write the verdict, unless the test was taken back meanwhile and is another worker's."""
    ours = HealthResult.objects.filter(
        pk=result.pk, state=ResultState.RUNNING, attempts=result.attempts
    )
    finished = ours.update(
        state=ResultState.FAILED if code else ResultState.PASSED,
        status=status,
        elapsed_ms=elapsed_ms,
        code=code,
        finished_at=clock.now(),
    )
    if not finished:
        return
    usable = Credential.objects.filter(pk=result.credential_id, state__in=sorted(USABLE))
    if not code:
        usable.update(state=CredentialState.ACTIVE)
    elif status in REFUSED_BY_OTHER_SIDE:
        usable.update(state=CredentialState.FAILING)

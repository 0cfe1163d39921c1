"""Test a credential: a row says what is due, a worker makes the call, the page shows the result."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
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
    """Return where a test is.

    Who looks also sweeps: a hint that got lost is sent again, and a test that no worker took for
    minutes is given up.

    Raises:
        CredentialNotFound: no such test, or not for this principal.
    """
    visible_credential(credential_id, principal=principal)
    result = HealthResult.objects.filter(pk=result_id, credential_id=credential_id).first()
    if result is None:
        raise CredentialNotFound
    if result_view(result).is_finished:
        return result_view(result)
    moment = clock.now()
    if moment - result.requested_at > GIVEN_UP_AFTER:
        result.state, result.code, result.finished_at = (
            ResultState.FAILED,
            "vault.no_worker",
            moment,
        )
        result.save(update_fields=["state", "code", "finished_at"])
    elif moment - result.sent_at > HINT_LOST_AFTER:
        result.sent_at = moment
        result.save(update_fields=["sent_at"])
        _hint(result)
    return result_view(result)


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


def _hint(result: HealthResult) -> None:
    defer(TASK, organisation_id=result.organisation_id, result_id=result.pk)


def _claimed(result_id: UUID) -> HealthResult | None:
    moment = clock.now()
    due = Q(state=ResultState.QUEUED) | Q(state=ResultState.RUNNING, claimed_until__lt=moment)
    claimed = HealthResult.objects.filter(due, pk=result_id).update(
        state=ResultState.RUNNING, claimed_until=moment + CLAIM_LASTS
    )
    if claimed != 1:
        return None
    return HealthResult.objects.select_related("credential").get(pk=result_id)


def _finish(result: HealthResult, *, status: int | None, elapsed_ms: int | None, code: str) -> None:
    HealthResult.objects.filter(pk=result.pk, state=ResultState.RUNNING).update(
        state=ResultState.FAILED if code else ResultState.PASSED,
        status=status,
        elapsed_ms=elapsed_ms,
        code=code,
        finished_at=clock.now(),
    )
    usable = Credential.objects.filter(pk=result.credential_id, state__in=sorted(USABLE))
    if not code:
        usable.update(state=CredentialState.ACTIVE)
    elif status in REFUSED_BY_OTHER_SIDE:
        usable.update(state=CredentialState.FAILING)

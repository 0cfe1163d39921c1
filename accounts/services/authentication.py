"""Sign-in on the record: successes, failures, refusals, sign-out."""

from collections.abc import Mapping

from django.http import HttpRequest

from accounts import factors, principal, queries
from accounts.audit_events import (
    FACTOR_FAILED,
    FACTOR_USED,
    RECOVERY_CODE_USED,
    SIGN_IN_FAILED,
    SIGN_IN_REFUSED,
    SIGN_IN_SUCCEEDED,
    SIGNED_OUT,
    STEP_UP_ASKED,
)
from accounts.factors import Proof
from accounts.models import User
from accounts.services import notices, sessions
from accounts.types import NoticeKind, SessionEnd
from audit import services as audit
from foundation.principals import VISITOR

PASSWORD = "password"  # noqa: S105  the name of a method
CLIENT = "client"


def record_failure(request: HttpRequest, credentials: Mapping[str, object]) -> None:
    """Write a failed attempt into the journal; it stays there whatever happens to the request.

    Failures of partner clients are recorded by their own package.
    """
    method = str(credentials.get("method", PASSWORD))
    if method == CLIENT:
        return
    identifier = str(credentials.get("email") or credentials.get("username") or "")
    person = queries.user_by_email(identifier) if identifier else None
    step_up = bool(credentials.get("step_up", False))
    if method != PASSWORD:
        _record_code(person, method, step_up=step_up)
    if not step_up:
        _record_sign_in(request, person, identifier, method)


def record_success(request: HttpRequest, user: User, *, method: str) -> None:
    """Write a completed sign-in."""
    tag = principal.bare(user, tag=_tag_of(request))
    audit.record(
        SIGN_IN_SUCCEEDED,
        principal=tag,
        target=user,
        organisation=user.home_organisation_id,
        details={"method": method, "identifier": audit.identifier_digest(user.email)},
    )


def record_proof(request: HttpRequest, user: User, proof: Proof, *, step_up: bool) -> None:
    """Write the use of a factor; a used recovery code is told to its owner."""
    actor = principal.bare(user, tag=_tag_of(request))
    audit.record(
        FACTOR_USED,
        principal=actor,
        target=user,
        details={"kind": proof.kind, "step_up": step_up},
    )
    if step_up:
        audit.record(STEP_UP_ASKED, principal=actor, target=user)
    if proof.left >= 0:
        audit.record(RECOVERY_CODE_USED, principal=actor, target=user, details={"left": proof.left})
        notices.tell(user, NoticeKind.RECOVERY_CODE_USED)


def sign_out(request: HttpRequest, user: User) -> None:
    """Note that a person signed out; the caller flushes the session."""
    sessions.close_current(request, SessionEnd.SIGNED_OUT)
    audit.record(SIGNED_OUT, principal=principal.bare(user, tag=_tag_of(request)), target=user)


def needs_recovery_codes(user: User) -> bool:
    """Say whether a person still has to take the recovery codes."""
    return not factors.has_confirmed_recovery(user.pk)


def _record_code(person: User | None, method: str, *, step_up: bool) -> None:
    audit.record(
        FACTOR_FAILED,
        principal=VISITOR if person is None else principal.bare(person),
        target=person,
        outcome="failure",
        details={"kind": method, "why": "wrong_code", "step_up": step_up},
    )


def _record_sign_in(
    request: HttpRequest, person: User | None, identifier: str, method: str
) -> None:
    locked = bool(getattr(request, "axes_locked_out", False))
    refused = locked and not _was_checked(request)
    audit.record(
        SIGN_IN_REFUSED if refused else SIGN_IN_FAILED,
        principal=VISITOR,
        target=person,
        outcome="denied" if refused else "failure",
        details={
            "method": method,
            "identifier": audit.identifier_digest(identifier),
            "identifier_length": len(identifier),
            "why": "locked" if locked else "wrong",
        },
    )


def _was_checked(request: HttpRequest) -> bool:
    """Say whether this failure was checked and brought the lock, instead of being refused."""
    return getattr(request, "axes_failures_since_start", None) is not None


def _tag_of(request: HttpRequest) -> bytes | None:
    tag = request.session.get(principal.TAG_KEY)
    return bytes.fromhex(tag) if isinstance(tag, str) else None

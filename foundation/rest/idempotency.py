"""Carry out a creating request once, however often it is sent.

The claim is a row of its own, committed before the work starts; unique in (client, key), so of
two requests at the same moment one gets it. The answer is written in the transaction of the work:
both are there or neither. A claim whose process died is taken over after a minute; the old
process, should it still live, finds its claim gone and rolls back.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from uuid import UUID, uuid4

import orjson
from django.db import transaction
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from foundation import clock
from foundation.errors import Conflict
from foundation.identifiers import uuid7
from foundation.net import client_ip
from foundation.principals import Principal
from foundation.rest.models import IdempotencyRecord
from foundation.rest.problems import parameter_error
from foundation.rest.renderers import dump

HEADER = "Idempotency-Key"
KEPT_FOR = timedelta(hours=24)
CLAIM_LASTS = timedelta(seconds=60)
MAX_KEY_CHARACTERS = 255
MAX_ANSWER_BYTES = 4096
KEPT_HEADERS = ("ETag", "Location")
SWEEP_ROWS = 500

Handler = TypeVar("Handler", bound=Callable[..., Response])


class KeyReused(Conflict):
    """The key was used for another request."""

    code = "idempotency_key_reused"


class StillRunning(Conflict):
    """The first request under this key is not answered yet."""

    code = "idempotency_in_progress"
    retry_after_seconds = 1


class ClaimLost(Conflict):
    """Another request took the key over while this one took too long."""

    code = "idempotency_in_progress"
    retry_after_seconds = 1


@dataclass(frozen=True, slots=True)
class IdempotentHandler:
    """Mark on a handler: it creates something.

    Attributes:
        once: top-level members of the answer that are shown once and never stored (secrets).
    """

    once: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to carry out one request."""

    record_id: UUID
    token: UUID
    mark: IdempotentHandler

    def keep(self, response: Response) -> None:
        """Store the answer, in the transaction of the work.

        Raises:
            ClaimLost: another request has the claim now; the caller's transaction rolls back.
        """
        body = _storable(response.data, self.mark.once)
        kept = IdempotencyRecord.objects.filter(id=self.record_id, claim=self.token).update(
            answered_at=clock.now(),
            answer_status=response.status_code,
            answer_headers={name: response[name] for name in KEPT_HEADERS if name in response},
            answer_body=body,
        )
        if kept != 1:
            raise ClaimLost(_("The request took too long. Please send it again."))

    def release(self) -> None:
        """Give the key back after a refusal, so that the corrected request may use it."""
        IdempotencyRecord.objects.filter(
            id=self.record_id, claim=self.token, answered_at__isnull=True
        ).delete()


def idempotent(*, once: tuple[str, ...] = ()) -> Callable[[Handler], Handler]:
    """Mark a creating ``post`` method: it needs an idempotency key and runs once per key.

    The answer must be thin: id, state, ETag. Members named in ``once`` are left out of the
    stored answer, because no secret is shown twice.
    """

    def decorate(handler: Handler) -> Handler:
        handler.idempotent = IdempotentHandler(once=once)  # type: ignore[attr-defined]  # a mark
        return handler

    return decorate


def mark_of(handler: object) -> IdempotentHandler | None:
    """Return the mark of a handler, if it has one."""
    found = getattr(handler, "idempotent", None)
    return found if isinstance(found, IdempotentHandler) else None


def claim(
    request: Request, *, principal: Principal | None, mark: IdempotentHandler
) -> Claim | Response:
    """Claim the key of a request, or give the answer it had before.

    Raises:
        Invalid: the key is missing or malformed.
        KeyReused: it was used for another request.
        StillRunning: the first request is not answered yet.
    """
    owner = _digest(_owner(request, principal))
    key = _digest(_key(request))
    fresh = _new_record(owner, key, _request_digest(request))
    with transaction.atomic():
        IdempotencyRecord.objects.bulk_create([fresh], ignore_conflicts=True)
        found = IdempotencyRecord.objects.select_for_update().get(
            owner_digest=owner, key_digest=key
        )
        if found.pk == fresh.pk:
            return Claim(record_id=fresh.pk, token=fresh.claim, mark=mark)
        return _decide(found, fresh, mark)


def sweep() -> bool:
    """Delete ended records, some hundred at a time; say whether more are waiting."""
    ended = IdempotencyRecord.objects.filter(expires_at__lt=clock.now())
    ids = list(ended.order_by("expires_at").values_list("id", flat=True)[:SWEEP_ROWS])
    IdempotencyRecord.objects.filter(id__in=ids).delete()
    return len(ids) == SWEEP_ROWS


def _owner(request: Request, principal: Principal | None) -> str:
    if principal is not None:
        return f"{principal.kind}:{principal.id}"
    return f"net:{client_ip(request._request).net}"  # noqa: SLF001 - DRF's name for Django's request


def _key(request: Request) -> str:
    # The draft (draft-ietf-httpapi-idempotency-key-header) writes a string in quotes; most
    # clients send it bare. Both mean the same key.
    key = str(request.headers.get(HEADER, "")).strip().strip('"')
    if not key:
        raise parameter_error(
            HEADER,
            code="idempotency_key_missing",
            detail=_("Send a header Idempotency-Key with a random value, new for each act."),
        )
    if len(key) > MAX_KEY_CHARACTERS or not (key.isascii() and key.isprintable()):
        raise parameter_error(
            HEADER,
            code="idempotency_key_invalid",
            detail=_("The key has at most 255 printable ASCII characters."),
        )
    return key


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _request_digest(request: Request) -> bytes:
    plain = request._request  # noqa: SLF001 - as above
    digest = hashlib.sha256(f"{plain.method} {plain.get_full_path()}\n".encode())
    digest.update(plain.body)
    return digest.digest()


def _new_record(owner: bytes, key: bytes, request_digest: bytes) -> IdempotencyRecord:
    now = clock.now()
    return IdempotencyRecord(
        id=uuid7(),
        owner_digest=owner,
        key_digest=key,
        request_digest=request_digest,
        claim=uuid4(),
        claimed_at=now,
        expires_at=now + KEPT_FOR,
    )


def _decide(
    found: IdempotencyRecord, fresh: IdempotencyRecord, mark: IdempotentHandler
) -> Claim | Response:
    if found.expires_at <= fresh.claimed_at:
        return _take_over(found, fresh, mark)
    if bytes(found.request_digest) != fresh.request_digest:
        raise KeyReused(_("This idempotency key was used for another request."))
    if found.answered_at is not None:
        return _replay(found)
    if found.claimed_at <= fresh.claimed_at - CLAIM_LASTS:
        return _take_over(found, fresh, mark)
    raise StillRunning(_("The first request with this key is still running."))


def _take_over(
    found: IdempotencyRecord, fresh: IdempotencyRecord, mark: IdempotentHandler
) -> Claim:
    fresh.pk = found.pk
    fresh.save(force_update=True)
    return Claim(record_id=found.pk, token=fresh.claim, mark=mark)


def _replay(found: IdempotencyRecord) -> Response:
    data: object = orjson.loads(found.answer_body) if found.answer_body else None
    headers = {str(name): str(value) for name, value in found.answer_headers.items()}
    headers["Idempotency-Replayed"] = "true"
    return Response(data, status=found.answer_status, headers=headers)


def _storable(data: object, once: tuple[str, ...]) -> str:
    if data is None:
        return ""
    kept = (
        {name: value for name, value in data.items() if name not in once}
        if isinstance(data, Mapping)
        else data
    )
    body = dump(kept)
    if len(body) > MAX_ANSWER_BYTES:
        raise ValueError("the answer of a creating request is thin: id, state, ETag")
    return body.decode()

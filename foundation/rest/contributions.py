"""What the API plumbing declares to the registries of other engines."""

from foundation.contracts.loops import Loop
from foundation.contracts.personal_data import FieldClass, PersonalDataSource
from foundation.rest.idempotency import sweep

IDEMPOTENCY_SWEEP = Loop(name="rest.idempotency_sweep", step=sweep, interval_seconds=600.0)

IDEMPOTENCY_RECORDS = PersonalDataSource(
    label="rest.idempotency_record",
    model="rest.IdempotencyRecord",
    fields={
        "id": FieldClass.NONE,
        "owner_digest": FieldClass.NONE,
        "key_digest": FieldClass.NONE,
        "request_digest": FieldClass.NONE,
        "claim": FieldClass.NONE,
        "claimed_at": FieldClass.NONE,
        "expires_at": FieldClass.NONE,
        "answered_at": FieldClass.NONE,
        "answer_status": FieldClass.NONE,
        "answer_headers": FieldClass.NONE,
        "answer_body": FieldClass.NONE,
    },
    retention="24 hours, then deleted",
    reasons={
        "owner_digest": "SHA-256 of a client's row id, or of the caller's net where none is known",
        "key_digest": "SHA-256 of a random value of the client",
        "request_digest": "SHA-256 of the request",
        "answer_headers": "ETag and Location of the created object",
        "answer_body": "id, state and ETag of the created object; larger answers are refused",
    },
)

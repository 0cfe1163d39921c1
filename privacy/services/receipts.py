"""Receipts: signed proof of an erasure, found by a secret address, checked without the portal."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from encryption.services import mac, public_key, sign
from foundation import clock
from privacy.models import ErasureItem, ErasurePlan, Receipt

PURPOSE = "receipt"
ADDRESS_PURPOSE = "privacy.receipt_address"
NOTE = (
    "Destroying keys makes values unreadable; backups stay readable for holders of an old "
    "key-store backup until its key epoch is destroyed."
)


def token_of(plan_id: UUID) -> str:
    """Return the secret part of a receipt's address, the same whenever a mail is sent again.

    It is a keyed MAC over the plan's id: only the portal can make it, and nothing of it is stored.
    """
    return urlsafe_b64encode(mac(ADDRESS_PURPOSE, plan_id.bytes)).decode().rstrip("=")


def digest(token: str) -> bytes:
    """Return what is stored of a receipt's secret address."""
    return sha256(token.encode()).digest()


def address_of(plan: ErasurePlan) -> str:
    """Return the whole secret address of a receipt."""
    return f"{settings.BASE_URL}{reverse('privacy:receipt', args=[token_of(plan.pk)])}"


def write(plan: ErasurePlan, items: Sequence[ErasureItem]) -> Receipt:
    """Write and sign the receipt of an erasure; it names no person."""
    body = _text(
        {
            "receipt": str(plan.pk),
            "language": plan.request.language,
            "unreadable_in_live_system_at": clock.now().isoformat(),
            "unreadable_in_every_copy_at": None,
            "key_epoch": plan.key_epoch,
            "sources": [_line(item) for item in items],
            "note": NOTE,
        }
    )
    signature = sign(PURPOSE, body.encode())
    return Receipt.objects.create(
        plan=plan, body=body, signature=signature.value, key_id=signature.key_id
    )


def complete(receipt: Receipt, *, at: datetime) -> None:
    """Sign the receipt again with its second date; one that was fetched before stays valid."""
    body = json.loads(receipt.body) | {"unreadable_in_every_copy_at": at.isoformat()}
    receipt.body = _text(body)
    signature = sign(PURPOSE, receipt.body.encode())
    receipt.signature, receipt.key_id = signature.value, signature.key_id
    receipt.save(update_fields=["body", "signature", "key_id"])


def file_of(receipt: Receipt) -> bytes:
    """Return a receipt with its signature and public key, to be checked without the portal."""
    key_id = bytes(receipt.key_id)
    return json.dumps(
        {
            "body": receipt.body,
            "signature": bytes(receipt.signature).hex(),
            "key_id": key_id.hex(),
            "public_key": public_key(PURPOSE, key_id=key_id).hex(),
            "algorithm": "Ed25519 over the UTF-8 bytes of body",
        },
        indent=2,
        ensure_ascii=False,
    ).encode()


def _text(body: Mapping[str, object]) -> str:
    return json.dumps(body, sort_keys=True, ensure_ascii=False)


def _line(item: ErasureItem) -> dict[str, object]:
    return {
        "label": item.label,
        "title": item.title,
        "deleted": item.deleted,
        "shredded": item.shredded,
        "kept": item.kept,
        "reason": item.reason,
    }

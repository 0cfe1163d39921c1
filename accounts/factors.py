"""What a person holds: TOTP and recovery codes, each code good for one use (identity.md 2).

allauth keeps the rows; the checks are ours. Its own memory of used TOTP codes is a cache entry of
30 seconds, shorter than the 90 seconds a tolerance of one step accepts (trap A), and it keeps
recovery codes decryptable (trap N).
"""

import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID

from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, generate_totp_secret, hotp_value
from argon2.low_level import Type, hash_secret_raw
from django.db import transaction

from encryption import services as keys
from foundation import clock

PURPOSE = "accounts.authenticator"
CODES = 10
SALT_BYTES = 16
HASH_BYTES = 32
MAX_CODE_CHARACTERS = 20


@dataclass(frozen=True, slots=True)
class Proof:
    """What a right code proved.

    Attributes:
        kind: ``totp`` or ``recovery_codes``.
        left: recovery codes left; -1 for TOTP.
    """

    kind: str
    left: int = -1


def seal(secret: str) -> str:
    """Seal a secret for a column or a session that knows no owner (trap L)."""
    return keys.seal_text(PURPOSE, secret)


def reveal(token: str) -> str:
    """Open what ``seal`` made."""
    return keys.reveal_text(PURPOSE, token)


def new_totp_secret() -> str:
    """Return a new secret of 160 bits in base32."""
    return str(generate_totp_secret())


def totp_code(secret: str, *, counter: int | None = None) -> str:
    """Return the code of a secret, now or at a counter; for demo pages and tests."""
    return str(format_hotp_value(hotp_value(secret, _now() if counter is None else counter)))


def owns_strong(user_id: UUID) -> bool:
    """Say whether a person holds a strong factor."""
    strong = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    return bool(Authenticator.objects.filter(user_id=user_id, type__in=strong).exists())


def has_confirmed_recovery(user_id: UUID) -> bool:
    """Say whether a person has a set of recovery codes and has shown to hold it."""
    confirmed = Authenticator.objects.filter(
        user_id=user_id,
        type=Authenticator.Type.RECOVERY_CODES,
        data__has_key="confirmed_at",
    )
    return bool(confirmed.exists())


@transaction.atomic
def add_totp(user_id: UUID, *, secret: str, code: str) -> bool:
    """Store a TOTP secret if a code proves that the person's authenticator holds it.

    The code counts as used at once: it does not sign in a second time.
    """
    counter = _matching_counter(secret, code, after=-1)
    if counter is None:
        return False
    Authenticator.objects.update_or_create(
        user_id=user_id,
        type=Authenticator.Type.TOTP,
        defaults={"data": {"secret": seal(secret), "last_t": counter}},
    )
    return True


@transaction.atomic
def check(user_id: UUID, code: str) -> Proof | None:
    """Use up a code: TOTP first, then a recovery code of a confirmed set."""
    plain = "".join(code.split())[:MAX_CODE_CHARACTERS]
    if len(plain) == app_settings.TOTP_DIGITS:
        return _check_totp(user_id, plain)
    return _use_recovery_code(user_id, plain)


@transaction.atomic
def make_recovery_codes(user_id: UUID) -> tuple[str, ...]:
    """Replace the set of recovery codes; the new codes are returned once and kept as hashes."""
    digits = app_settings.RECOVERY_CODE_DIGITS
    codes = tuple(f"{secrets.randbelow(10**digits):0{digits}}" for _ in range(CODES))
    salt = secrets.token_bytes(SALT_BYTES)
    hashes = [seal(_recovery_hash(code, salt)) for code in codes]
    Authenticator.objects.update_or_create(
        user_id=user_id,
        type=Authenticator.Type.RECOVERY_CODES,
        defaults={
            "data": {
                "viewed_at": clock.now().timestamp(),
                "salt": salt.hex(),
                "migrated_codes": hashes,
            }
        },
    )
    return codes


@transaction.atomic
def confirm_recovery_codes(user_id: UUID, code: str) -> bool:
    """Let the set open doors once the person has typed one of its codes, which stays good."""
    row = _locked(user_id, Authenticator.Type.RECOVERY_CODES)
    if row is None or _position(row, "".join(code.split())) is None:
        return False
    row.data["confirmed_at"] = clock.now().timestamp()
    row.save(update_fields=["data"])
    return True


def recovery_codes_left(user_id: UUID) -> int:
    """Return how many recovery codes are unused."""
    row = Authenticator.objects.filter(
        user_id=user_id, type=Authenticator.Type.RECOVERY_CODES
    ).first()
    return len(row.data.get("migrated_codes", ())) if row else 0


def _check_totp(user_id: UUID, code: str) -> Proof | None:
    row = _locked(user_id, Authenticator.Type.TOTP)
    if row is None:
        return None
    last = int(row.data.get("last_t", -1))
    counter = _matching_counter(reveal(row.data["secret"]), code, after=last)
    if counter is None:
        return None
    row.data["last_t"] = counter
    row.last_used_at = clock.now()
    row.save(update_fields=["data", "last_used_at"])
    return Proof(kind=Authenticator.Type.TOTP.value)


def _matching_counter(secret: str, code: str, *, after: int) -> int | None:
    """Return the counter whose code it is, among those not used and not before a used one."""
    wanted = "".join(code.split())
    tolerance = app_settings.TOTP_TOLERANCE
    for counter in range(_now() - tolerance, _now() + tolerance + 1):
        expected = totp_code(secret, counter=counter)
        if counter > after and hmac.compare_digest(expected.encode(), wanted.encode()):
            return counter
    return None


def _use_recovery_code(user_id: UUID, code: str) -> Proof | None:
    row = _locked(user_id, Authenticator.Type.RECOVERY_CODES)
    if row is None or "confirmed_at" not in row.data:
        return None
    position = _position(row, code)
    if position is None:
        return None
    row.data["migrated_codes"].pop(position)
    row.last_used_at = clock.now()
    row.save(update_fields=["data", "last_used_at"])
    return Proof(kind=row.type, left=len(row.data["migrated_codes"]))


def _position(row: Authenticator, code: str) -> int | None:
    if len(code) != app_settings.RECOVERY_CODE_DIGITS or "salt" not in row.data:
        return None
    wanted = _recovery_hash(code, bytes.fromhex(row.data["salt"]))
    found = None
    for position, token in enumerate(row.data["migrated_codes"]):
        if hmac.compare_digest(reveal(token), wanted):
            found = position
    return found


def _recovery_hash(code: str, salt: bytes) -> str:
    return hash_secret_raw(
        secret=code.encode(errors="replace"),
        salt=salt,
        time_cost=2,
        memory_cost=19_456,
        parallelism=1,
        hash_len=HASH_BYTES,
        type=Type.ID,
    ).hex()


def _locked(user_id: UUID, kind: str) -> Authenticator | None:
    return Authenticator.objects.select_for_update().filter(user_id=user_id, type=kind).first()


def _now() -> int:
    return int(clock.now().timestamp() // app_settings.TOTP_PERIOD)

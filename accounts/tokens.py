"""Secrets of links: made here, sent once, kept as their hash alone."""

import hashlib
import secrets

TOKEN_BYTES = 32
MAX_TOKEN_CHARACTERS = 100


def new_token() -> str:
    """Return a new secret of 256 random bits, fit for an address."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_of(token: str) -> bytes:
    """Return what the database keeps: 256 random bits need no slow hash."""
    return hashlib.sha256(token[:MAX_TOKEN_CHARACTERS].encode(errors="replace")).digest()

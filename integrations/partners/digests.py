"""What is stored of random values: their digest, so that the tables open nothing."""

import hashlib


def digest_of(value: str) -> str:
    """Return SHA-256 in hex, as the OAuth2 library computes it for its tokens.

    Random values of 128 bits and more need no slow hash. Any text has one, lone surrogates too:
    a request may hold them, and then the value is simply not found.
    """
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()

"""Normal forms that blind indexes compare; a change is a new version and a rebuild."""

import unicodedata
from typing import Final

VERSION: Final = 1


def normalise_text(value: str) -> bytes:
    """Return text in NFKC, case-folded, without outer space.

    Look-alikes of other scripts stay different: they are different people.
    """
    if value.isascii():
        return value.lower().strip().encode()
    folded = unicodedata.normalize("NFKC", value).casefold()
    return unicodedata.normalize("NFKC", folded).strip().encode("utf-8", "surrogatepass")


def normalise_email(value: str) -> bytes:
    """Return an address like text, with its domain in ASCII (IDNA)."""
    local, at, domain = normalise_text(value).decode("utf-8", "surrogatepass").rpartition("@")
    return f"{local}{at}{_ascii(domain)}".encode("utf-8", "surrogatepass")


def _ascii(domain: str) -> str:
    if domain.isascii():
        return domain  # IDNA changes nothing in it
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain

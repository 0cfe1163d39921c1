"""The texts a partner accepts. A text is never edited: a change is a file of the next version."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Final

from integrations.partners.types import Terms

_FOLDER: Final = Path(__file__).parent / "terms"
_CURRENT: Final = (("api-terms", "1"), ("data-processing", "1"))


@lru_cache(maxsize=1)
def current_terms() -> tuple[Terms, ...]:
    """Return the texts in force with version and digest."""
    return tuple(_read(code, version) for code, version in _CURRENT)


def digests() -> dict[str, str]:
    """Return code and digest of each text in force."""
    return {terms.code: terms.digest for terms in current_terms()}


def _read(code: str, version: str) -> Terms:
    content = (_FOLDER / f"{code}-{version}.txt").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return Terms(code=code, version=version, digest=digest, text=content.decode())

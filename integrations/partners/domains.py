"""Mail domains: which one an address belongs to, and which ones prove nothing."""

from pathlib import Path
from typing import Final

from encryption.normalisation import normalise_email

# Domains where anybody can have an address, so that one of theirs speaks for no organisation.
PUBLIC_PROVIDERS: Final = frozenset(
    Path(__file__).with_name("public_mail_domains.txt").read_text(encoding="ascii").split()
)


def domain_of(email: str) -> str:
    """Return the domain of an address in ASCII, lower case."""
    return normalise_email(email).decode("utf-8", "replace").rpartition("@")[2].rstrip(".")


def speaks_for_organisation(domain: str) -> bool:
    """Say whether an address of a domain proves that one belongs to its organisation."""
    parts = domain.split(".")
    parents = {".".join(parts[start:]) for start in range(len(parts))}
    return len(parts) > 1 and not parents & PUBLIC_PROVIDERS

"""Branding: how this installation names itself, and whom its pages point to."""

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Branding:
    """The operator's own words.

    Attributes:
        name: name of the portal, in titles, navigation and mails.
        contact: e-mail address for questions; empty shows none.
        imprint_url: who runs the portal; empty shows no link.
        privacy_url: the operator's privacy notice; empty shows no link.
    """

    name: str
    contact: str
    imprint_url: str
    privacy_url: str


def branding() -> Branding:
    """Return the branding of this installation, read from the settings."""
    return Branding(
        name=getattr(settings, "PRODUCT_NAME", "Gatehouse"),
        contact=getattr(settings, "CONTACT_EMAIL", ""),
        imprint_url=getattr(settings, "IMPRINT_URL", ""),
        privacy_url=getattr(settings, "PRIVACY_URL", ""),
    )

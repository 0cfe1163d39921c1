"""Mail domains: which one an address belongs to, and which ones prove nothing."""

from typing import Final

from encryption.normalisation import normalise_email

MAX_CHARACTERS: Final = 255

# Domains where anybody can have an address, so that one of theirs speaks for no organisation.
PUBLIC_PROVIDERS: Final = frozenset(
    ["126.com", "163.com", "aol.com", "bluewin.ch", "bigpond.com", "btinternet.com", "comcast.net", "duck.com", "email.cz", "fastmail.com", "fastmail.fm", "free.fr", "freenet.de", "gmail.com", "gmx.at", "gmx.ch", "gmx.com", "gmx.de", "gmx.fr", "gmx.net", "googlemail.com", "hey.com", "hotmail.co.uk", "hotmail.com", "hotmail.de", "hotmail.fr", "hushmail.com", "icloud.com", "inbox.lv", "interia.pl", "laposte.net", "libero.it", "live.com", "live.de", "live.fr", "mac.com", "mail.com", "mail.de", "mail.ru", "mailbox.org", "mailinator.com", "me.com", "msn.com", "naver.com", "o2.pl", "onet.pl", "op.pl", "orange.fr", "outlook.com", "outlook.de", "outlook.fr", "poczta.onet.pl", "pm.me", "posteo.de", "proton.me", "protonmail.com", "qq.com", "rambler.ru", "rediffmail.com", "rocketmail.com", "seznam.cz", "sfr.fr", "sina.com", "t-online.de", "tlen.pl", "tuta.com", "tutanota.com", "vp.pl", "wanadoo.fr", "web.de", "wp.pl", "yahoo.co.uk", "yahoo.com", "yahoo.de", "yahoo.fr", "yandex.com", "yandex.ru", "ymail.com", "zoho.com", "zohomail.com"]
)


def domain_of(email: str) -> str:
    """Return the domain of an address in ASCII, lower case."""
    return normalise_email(email).decode("utf-8", "replace").rpartition("@")[2].rstrip(".")


def speaks_for_organisation(domain: str) -> bool:
    """Say whether an address of a domain proves that one belongs to its organisation."""
    parts = domain.split(".")
    parents = {".".join(parts[start:]) for start in range(len(parts))}
    return len(parts) > 1 and not parents & PUBLIC_PROVIDERS

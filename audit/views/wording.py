"""Entries in words, as all pages of the journal show them."""

from typing import Final

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from audit.events import Severity, audit_event_types
from audit.models.entries import Entry
from foundation.web.tables import Value

_BADGES: Final = {"success": "good", "failure": "warn", "denied": "bad"}
_SEVERITY_BADGES: Final = {1: "neutral", 2: "neutral", 3: "info", 4: "warn", 5: "bad"}


def sentence(code: str) -> str:
    """Return what happened; the code where its type is gone."""
    event_type = audit_event_types.find(code)
    return code if event_type is None else str(event_type.sentence)


def outcome(text: str) -> Value:
    """Return an outcome as a badge."""
    words = {"success": _("success"), "failure": _("failure"), "denied": _("denied")}
    return Value(words.get(text, text), badge=_BADGES.get(text, "neutral"))


def severity(level: int) -> Value:
    """Return a severity as a badge."""
    words = {
        Severity.INFO: pgettext("severity", "info"),
        Severity.LOW: pgettext("severity", "low"),
        Severity.MEDIUM: pgettext("severity", "medium"),
        Severity.HIGH: pgettext("severity", "high"),
        Severity.CRITICAL: pgettext("severity", "critical"),
    }
    return Value(words[Severity(level)], badge=_SEVERITY_BADGES[level])


def moment(entry: Entry) -> str:
    """Return an entry's time to the second, UTC."""
    return f"{date_format(entry.occurred_at, 'DATE_FORMAT')} {entry.occurred_at:%H:%M:%S}"


def actor(entry: Entry) -> str:
    """Return who acted, without a name: names are sealed."""
    name = part(entry, "actor").get("name")
    if isinstance(name, str):
        return name
    kinds = {
        "user": _("person"),
        "integration": _("partner client"),
        "visitor": _("visitor, not signed in"),
        "system": _("the portal itself"),
        "db": _("database client"),
    }
    known = kinds.get(entry.actor_type, entry.actor_type)
    return known if entry.actor_id is None else f"{known} {short(entry.actor_id)}"


def short(value: object) -> str:
    """Return the end of an id, which tells ids of one time apart."""
    return f"…{str(value)[-8:]}"


def part(entry: Entry, name: str) -> dict[str, object]:
    """Return a part of the body; empty where there is none."""
    found = entry.content.get(name)
    return found if isinstance(found, dict) else {}

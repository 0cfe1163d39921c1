"""Entries in words, as all pages of the journal show them."""

from typing import Final

from django.apps import apps
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
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


def with_code(words: str, code: object) -> SafeString:
    """Return words and, small beside them, the code that auditors look for."""
    return format_html('{} <small class="muted"><code>{}</code></small>', words, code)


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
    kinds = {
        "user": _("person"),
        "integration": _("partner client"),
        "visitor": _("visitor, not signed in"),
        "system": _("the portal itself"),
        "db": _("database client"),
    }
    known = kinds.get(entry.actor_type, entry.actor_type)
    return known if entry.actor_id is None else f"{known} {short(entry.actor_id)}"


def actor_code(entry: Entry) -> str:
    """Return the loop, task or command that acted, else the kind of actor and its whole id."""
    name = part(entry, "actor").get("name")
    if isinstance(name, str):
        return name
    return " ".join(str(found) for found in (entry.actor_type, entry.actor_id) if found)


def target(entry: Entry) -> str:
    """Return what it was done to: the kind in words and the end of the id."""
    if not entry.target_id:
        return ""
    return f"{_target_kind(str(entry.target_type))} {short(entry.target_id)}"


def target_code(entry: Entry) -> str:
    """Return the name under which the journal keeps what it was done to."""
    return f"{entry.target_type} {entry.target_id}" if entry.target_id else ""


def short(value: object) -> str:
    """Return the end of an id, which tells ids of one time apart."""
    return f"…{str(value)[-8:]}"


def part(entry: Entry, name: str) -> dict[str, object]:
    """Return a part of the body; empty where there is none."""
    found = entry.content.get(name)
    return found if isinstance(found, dict) else {}


def _target_kind(code: str) -> str:
    words = {
        "person": _("person"),
        "accounts.organisation": _("organisation"),
        "audit.alert": _("alert"),
        "audit.alert_channel": _("alert channel"),
        "audit.day": _("day of the journal"),
        "audit.entry": _("journal entry"),
        "privacy.erasureplan": _("planned erasure"),
        "privacy.subjectrequest": _("request about personal data"),
        "records.record": _("record"),
        "vault.credential": _("credential"),
    }
    return words.get(code) or _name_of_model(code)


def _name_of_model(code: str) -> str:
    try:
        return str(apps.get_model(code)._meta.verbose_name)  # noqa: SLF001  Django's model API
    except (LookupError, ValueError):  # a table that is gone, or never was one
        return code

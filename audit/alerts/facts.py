"""Figures of an alert in words, for the case and for mails."""

from django.utils.translation import gettext as _

from audit.models import Alert


def facts_of(alert: Alert) -> list[tuple[str, object]]:
    """Return what explains an alert, in the language of the reader."""
    words = {
        "failures": _("Failed tries"),
        "minutes": _("Within minutes"),
        "networks": _("From networks"),
        "known_network": _("Network known to the account"),
    }
    answers = {"yes": _("yes"), "no": _("no")}
    explained = [
        (words.get(name, name), answers.get(str(value), value))
        for name, value in alert.facts.items()
    ]
    return [
        (_("Times"), alert.count),
        (_("First (UTC)"), alert.first_at.isoformat(sep=" ", timespec="seconds")),
        (_("Last (UTC)"), alert.last_at.isoformat(sep=" ", timespec="seconds")),
        (_("Network"), alert.net),
        *explained,
    ]

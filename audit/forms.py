"""Shapes of input on the pages of journal and alerts."""

import ipaddress
from typing import ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from audit.events import Outcome
from audit.models.alerts import Verdict
from audit.queries import LogFilter
from foundation.web.forms import PortalForm

_ANY = ("", _("any"))


class LogForm(PortalForm):
    """Filters of the log; each may stay empty."""

    type = forms.CharField(
        label=_("Kind of event"),
        help_text=_("Its name or how the name begins. Example: accounts.sign_in"),
        max_length=80,
        required=False,
    )
    outcome = forms.ChoiceField(
        label=_("Outcome"),
        choices=[
            _ANY,
            (Outcome.SUCCESS.value, _("success")),
            (Outcome.FAILURE.value, _("failure")),
            (Outcome.DENIED.value, _("denied")),
        ],
        required=False,
    )
    since = forms.DateTimeField(
        label=_("From"),
        help_text=_("UTC. Example: 2026-03-01 08:00"),
        required=False,
    )
    until = forms.DateTimeField(
        label=_("Before"),
        help_text=_("UTC. Example: 2026-03-02 08:00"),
        required=False,
    )
    net = forms.CharField(
        label=_("Network"),
        help_text=_("As entries show it. Example: 203.0.113.0/24"),
        max_length=50,
        required=False,
    )
    actor = forms.UUIDField(widget=forms.HiddenInput, required=False)
    target = forms.CharField(widget=forms.HiddenInput, max_length=100, required=False)
    request = forms.UUIDField(widget=forms.HiddenInput, required=False)
    credential = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def clean_net(self) -> str:
        """Accept a network as entries hold it."""
        text = str(self.cleaned_data["net"]).strip()
        if not text:
            return ""
        try:
            return str(ipaddress.ip_network(text, strict=False))
        except ValueError as error:
            raise ValidationError(_("Write a network like 203.0.113.0/24.")) from error

    def narrowed(self) -> LogFilter:
        """Return the filter of a valid form; an invalid one narrows by what is valid."""
        given = getattr(self, "cleaned_data", {})
        return LogFilter(**{name: value for name, value in given.items() if value})


class ReasonForm(PortalForm):
    """Why something is opened."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("It stays in the journal. Write no names. Example: case 2026-17"),
        max_length=500,
        min_length=5,
    )


class CloseForm(PortalForm):
    """How a case ends."""

    verdict = forms.ChoiceField(
        label=_("It was"),
        choices=[choice for choice in Verdict.choices if choice[0]],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("It stays in the journal. Write no names. Example: confirmed by phone"),
        max_length=500,
        min_length=5,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ChannelForm(PortalForm):
    """Where alerts go."""

    autocomplete: ClassVar[dict[str, str]] = {"addresses": "off"}

    addresses = forms.CharField(
        label=_("E-mail addresses"),
        help_text=_("One on each line, 20 at most. Example: security@example.com"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def lines(self) -> list[str]:
        """Return the addresses."""
        return str(self.cleaned_data["addresses"]).split()

"""Forms of the partners' pages."""

from uuid import UUID, uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from foundation.identifiers import parse_uuid
from foundation.web.forms import PortalForm


class AcceptTermsForm(PortalForm):
    """Both texts, each accepted on its own; the digests name what was shown."""

    api_terms = forms.BooleanField(
        label=_("I accept the terms for the use of the partner API for my organisation."),
        error_messages={"required": _("Tick this box, or leave the page: nothing happens then.")},
    )
    data_processing = forms.BooleanField(
        label=_("I accept the agreement on the processing of personal data for it."),
        error_messages={"required": _("Tick this box, or leave the page: nothing happens then.")},
    )
    api_terms_digest = forms.CharField(max_length=64, widget=forms.HiddenInput)
    data_processing_digest = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def digests(self) -> dict[str, str]:
        """Return code and digest of the texts that were shown."""
        return {
            "api-terms": str(self.cleaned_data["api_terms_digest"]),
            "data-processing": str(self.cleaned_data["data_processing_digest"]),
        }


class MakeSecretForm(PortalForm):
    """A form that makes one secret, however often it is sent."""

    form_id = forms.CharField(max_length=36, widget=forms.HiddenInput, initial=uuid4)

    def clean_form_id(self) -> UUID:
        """Return the id of the form.

        Raises:
            ValidationError: it is none; somebody wrote the form by hand.
        """
        found = parse_uuid(str(self.cleaned_data["form_id"]))
        if found is None:
            raise ValidationError(_("Open the page again and use its button."))
        return found


class ConfirmForm(PortalForm):
    """A page with one button."""


class DecisionForm(forms.Form):
    """Why staff decide so; the partner reads the ground of a refusal."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One or two sentences, without personal data. Kept in the journal."),
    )

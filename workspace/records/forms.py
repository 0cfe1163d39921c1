"""Forms of records: one field per field of the kind, and the form of who sees a record."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundation.web.forms import PortalForm, SecretField
from workspace.records.types import FieldSpec, KindSpec, RecordView, ValueType, Visibility

VERSION = "record_version"
_INPUT_TYPES = {ValueType.EMAIL: "email", ValueType.PHONE: "tel"}


class RecordForm(PortalForm):
    """Values of one record; the service reads and judges them.

    Args:
        kind: whose fields are asked.
        version: version the change starts from; None for a new record.
    """

    def __init__(
        self,
        data: Mapping[str, object] | None = None,
        *,
        kind: KindSpec,
        version: int | None = None,
        initial: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.kind = kind
        for field in kind.fields:
            self.fields[field.code] = _form_field(field, is_change=version is not None)
        if version is not None:
            self.fields[VERSION] = forms.IntegerField(
                widget=forms.HiddenInput, initial=version, min_value=1
            )

    @property
    def values(self) -> dict[str, str]:
        """The texts by field code; an empty protected field means that its value stays."""
        return {
            field.code: text
            for field in self.kind.fields
            if (text := self.cleaned_data.get(field.code, "")) or not field.is_hidden
        }

    @property
    def version(self) -> int:
        """The version the change starts from."""
        return int(self.cleaned_data[VERSION])


class VisibilityForm(PortalForm):
    """Who sees a record.

    Args:
        people: names of colleagues by user id.
        record: the record as it stands.
    """

    visibility = forms.ChoiceField(
        label=gettext_lazy("Who sees this record"),
        widget=forms.RadioSelect,
        choices=Visibility.choices,
        help_text=gettext_lazy(
            "Key users see every record except confidential ones. The change takes effect at once."
        ),
    )
    people = forms.MultipleChoiceField(
        label=gettext_lazy("Named people"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("For “Named colleagues” and “Only owner and a named group”."),
    )
    ends_on = forms.DateField(
        label=gettext_lazy("Shared until"),
        required=False,
        help_text=gettext_lazy(
            "Last day on which the named colleagues see it, for example 2026-12-31. "
            "Empty: until you change it."
        ),
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def __init__(
        self,
        data: Mapping[str, object] | None = None,
        *,
        people: Mapping[UUID, str],
        record: RecordView,
        named: tuple[UUID, ...] = (),
    ) -> None:
        super().__init__(
            data,
            initial={
                "visibility": record.visibility.value,
                "people": [str(user_id) for user_id in named],
            },
        )
        field = self.fields["people"]
        if isinstance(field, forms.MultipleChoiceField):
            field.choices = [(str(user_id), name) for user_id, name in people.items()]
        self.fields[VERSION] = forms.IntegerField(
            widget=forms.HiddenInput, initial=record.version, min_value=1
        )

    @property
    def wanted(self) -> Visibility:
        """The chosen mode."""
        return Visibility(self.cleaned_data["visibility"])

    @property
    def named(self) -> tuple[UUID, ...]:
        """The chosen people."""
        return tuple(UUID(text) for text in self.cleaned_data["people"])

    @property
    def last_day(self) -> date | None:
        """The last day of sharing, if one was given."""
        found: date | None = self.cleaned_data["ends_on"]
        return found

    @property
    def version(self) -> int:
        """The version the change starts from."""
        return int(self.cleaned_data[VERSION])


class ReasonForm(PortalForm):
    """Why a protected value is revealed."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        help_text=gettext_lazy(
            "In your own words, without names, for example “Device must be opened for repair”. "
            "It is kept with the entry of this look."
        ),
    )


class FilterForm(PortalForm):
    """What a list is narrowed to; all of it stands in the address."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), required=False)
    visibility = forms.ChoiceField(
        label=gettext_lazy("Who sees it"),
        required=False,
        choices=[("", gettext_lazy("All")), *Visibility.choices],
    )
    owner = forms.ChoiceField(
        label=gettext_lazy("Owner"),
        required=False,
        choices=[("", gettext_lazy("All")), ("me", gettext_lazy("My own records"))],
    )

    def __init__(self, data: Mapping[str, object], *, kinds: tuple[KindSpec, ...]) -> None:
        super().__init__(data)
        field = self.fields["kind"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [("", _("All")), *((kind.code, _(kind.label)) for kind in kinds)]


class LookUpForm(PortalForm):
    """An exact look-up; sent by POST, so that the number stands in no address and no log."""

    iban = forms.CharField(
        label=gettext_lazy("IBAN"),
        max_length=42,
        help_text=gettext_lazy("The whole number, for example DE89 3704 0044 0532 0130 00."),
    )


def _form_field(field: FieldSpec, *, is_change: bool) -> forms.Field:
    label, help_text = _(field.label), _(field.help_text)
    if field.is_hidden:
        kept = _("Leave it empty to keep the present value.") if is_change else ""
        return SecretField(
            label=label,
            help_text=f"{help_text} {kept}".strip(),
            required=False,
            max_length=field.max_length,
        )
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=field.is_required,
        max_length=field.max_length,
        widget=_widget(field),
    )


def _widget(field: FieldSpec) -> forms.Widget:
    if field.value_type == ValueType.LONG_TEXT:
        return forms.Textarea(attrs={"rows": 4})
    return forms.TextInput(attrs={"type": _INPUT_TYPES.get(field.value_type, "text")})

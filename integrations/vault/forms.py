"""Forms of the vault: the key is typed once and never sent back."""

from collections.abc import Mapping
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from foundation.web.forms import PortalForm, SecretField
from integrations.vault.types import NewApiKey

VERSION = "replaces"


class SecretForm(PortalForm):
    """Header and key."""

    header = forms.CharField(
        label=_("Header"),
        max_length=100,
        initial="Authorization",
        help_text=_(
            "Name of the header that carries the key, as the other system says, "
            "for example Authorization or X-Api-Key."
        ),
    )
    key = SecretField(
        label=_("Key"),
        help_text=_(
            "Exactly what stands after the header's colon, for example “Bearer abc…”. "
            "At least 8 characters. It is sealed at once and shown to nobody again."
        ),
    )


class ApiKeyForm(SecretForm):
    """A new API key.

    Args:
        people: names of those who can be in charge, by user id.
    """

    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        help_text=_("How you call it, for example “ERP, read orders”."),
    )
    purpose = forms.CharField(
        label=_("Purpose"),
        max_length=200,
        help_text=_("Why Gatehouse needs it, for example “show order states to customers”."),
    )
    hosts = forms.CharField(
        label=_("Allowed hosts"),
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "Host names the key may be sent to, one a line, for example api.example.com. "
            "They cannot be changed later: store the key anew."
        ),
    )
    probe_url = forms.CharField(
        label=_("Test address"),
        max_length=500,
        help_text=_(
            "An address that answers only with a good key and changes nothing, "
            "for example https://api.example.com/me."
        ),
    )
    owner = forms.ChoiceField(
        label=_("Person in charge"),
        help_text=_("Whom others ask about this credential."),
    )

    field_order = ("name", "purpose", "hosts", "probe_url", "header", "key", "owner")

    def __init__(
        self,
        data: Mapping[str, object] | None = None,
        *,
        people: Mapping[UUID, str],
        chosen: UUID | None = None,
    ) -> None:
        super().__init__(data, initial={"owner": str(chosen or "")})
        field = self.fields["owner"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [(str(user_id), name) for user_id, name in people.items()]

    @property
    def new_key(self) -> NewApiKey:
        """What the service needs."""
        given = self.cleaned_data
        return NewApiKey(
            name=given["name"],
            purpose=given["purpose"],
            header=given["header"],
            key=given["key"],
            hosts=tuple(line for line in given["hosts"].split() if line),
            probe_url=given["probe_url"],
            owner_id=UUID(given["owner"]),
        )


class ReplaceForm(SecretForm):
    """A new key in place of the present one."""

    replaces = forms.IntegerField(widget=forms.HiddenInput, min_value=1)


class DestroyForm(PortalForm):
    """The name typed once more, so that nothing is destroyed by a slip."""

    name = forms.CharField(
        label=_("Name of the credential"),
        max_length=120,
        help_text=_("Type the name as it stands in the heading."),
    )

    def __init__(self, data: Mapping[str, object] | None = None, *, expected: str) -> None:
        super().__init__(data)
        self.expected = expected

    def clean_name(self) -> str:
        """Compare the typed name with the real one."""
        name = str(self.cleaned_data["name"]).strip()
        if name != self.expected:
            raise forms.ValidationError(_("This is not the name of this credential."))
        return name

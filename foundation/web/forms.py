"""Forms as pages show them: limits, ``autocomplete`` tokens, 422 on errors."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar

from django import forms
from django.core.validators import MaxLengthValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from foundation.errors import FieldError, Invalid

DEFAULT_MAX_LENGTH = 1_000
"""Limit of a text field that names none: nobody can send a name of a megabyte."""


class PortalForm(forms.Form):
    """Base of all forms; rendered by ``{% component "form" form=form %}``.

    Attributes:
        autocomplete: token of HTML's autofill for each field (WCAG 2.2, 1.3.5); others get
            ``off``, which never blocks paste or password managers.
    """

    autocomplete: ClassVar[Mapping[str, str]] = {}

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's own signature
        prepare(self)


class SecretField(forms.CharField):
    """A secret to be typed or pasted: never sent back to the browser, never stripped."""

    def __init__(self, *, max_length: int = 4_096, **kwargs: object) -> None:
        kwargs.setdefault("widget", forms.PasswordInput(render_value=False))
        super().__init__(max_length=max_length, strip=False, **kwargs)  # type: ignore[arg-type]


def prepare(form: forms.BaseForm) -> None:
    """Give the fields of any form their limits and tokens, libraries' forms included."""
    tokens: Mapping[str, str] = getattr(form, "autocomplete", {})
    for name, field in form.fields.items():
        _limit(field)
        if name in tokens:
            field.widget.attrs["autocomplete"] = tokens[name]
        elif isinstance(field.widget, forms.TextInput | forms.Textarea):
            field.widget.attrs.setdefault("autocomplete", "off")


def add_errors(form: forms.BaseForm, error: Invalid) -> None:
    """Put the field errors of a service beside the fields of the form that was sent."""
    for found in error.errors:
        form.add_error(_field_name(form, found), found.detail)
    if not error.errors:
        form.add_error(None, error.message)


def render_form(
    request: HttpRequest,
    template: str,
    form: forms.BaseForm,
    context: Mapping[str, object] | None = None,
) -> HttpResponse:
    """Answer with a page that holds a form: 422 if it has errors, else 200."""
    wrong = form.is_bound and bool(form.errors)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
    return render(request, template, {"form": form, **(context or {})}, status=status)


def _limit(field: forms.Field) -> None:
    if isinstance(field, forms.CharField) and field.max_length is None:
        field.max_length = DEFAULT_MAX_LENGTH
        field.validators.append(MaxLengthValidator(DEFAULT_MAX_LENGTH))
        field.widget.attrs.setdefault("maxlength", str(DEFAULT_MAX_LENGTH))


def _field_name(form: forms.BaseForm, error: FieldError) -> str | None:
    name = error.pointer.strip("/").split("/", 1)[0]
    return name if name in form.fields else None

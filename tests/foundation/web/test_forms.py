import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory

from foundation.errors import FieldError, Invalid
from foundation.web.forms import PortalForm, SecretField, add_errors, render_form
from tests.foundation.web.test_ui import render


class Endpoint(PortalForm):
    """A form with one field of each kind."""

    autocomplete = {"name": "organization"}

    name = forms.CharField(label="Name", help_text="As in the contract.")
    note = forms.CharField(label="Note", required=False)
    key = SecretField(label="Key")
    mode = forms.ChoiceField(label="Mode", widget=forms.RadioSelect, choices=[("a", "A")])


def shown(form: forms.Form) -> str:
    return render('{% component "form" form=form submit="Send" %}{% endcomponent %}', form=form)


def test_a_field_is_tied_to_its_label_and_help() -> None:
    page = shown(Endpoint())

    assert '<label for="id_name">Name</label>' in page
    assert 'aria-describedby="id_name_helptext"' in page
    assert 'id="id_name_helptext"' in page
    assert 'autocomplete="organization"' in page


def test_optional_fields_say_so_in_words() -> None:
    assert shown(Endpoint()).count("(optional)") == 1


def test_errors_stand_at_their_field_and_in_a_focused_summary() -> None:
    page = shown(Endpoint({"name": ""}))

    assert 'aria-invalid="true"' in page
    assert 'aria-describedby="id_name_helptext id_name_error"' in page
    assert 'id="id_name_error"' in page
    assert '<a href="#id_name">Name: ' in page
    assert '<a href="#id_mode_group">Mode: ' in page
    assert 'id="id_mode_group" tabindex="-1"' in page
    assert "autofocus" in page


def test_a_form_with_errors_answers_422_and_keeps_all_input_but_secrets(rf: RequestFactory) -> None:
    form = Endpoint({"name": "Berlin", "key": "sk_live_planted"})

    response = render_form(rf.post("/"), "web/contact.html", form)

    assert response.status_code == 422
    page = shown(form)
    assert 'value="Berlin"' in page
    assert "sk_live_planted" not in page


def test_a_new_form_answers_200(rf: RequestFactory) -> None:
    assert render_form(rf.get("/"), "web/contact.html", Endpoint()).status_code == 200


def test_a_text_field_without_a_limit_gets_one() -> None:
    form = Endpoint({"name": "x" * 1_000_000, "key": "k", "mode": "a"})

    assert "name" in form.errors
    assert 'maxlength="1000"' in shown(Endpoint())


def test_a_secret_keeps_its_spaces() -> None:
    form = Endpoint({"name": "a", "key": " s p ", "mode": "a"})

    assert form.is_valid()
    assert form.cleaned_data["key"] == " s p "


def test_nul_bytes_are_refused_in_words() -> None:
    form = Endpoint({"name": "a\x00b", "key": "k", "mode": "a"})

    assert form.errors["name"] == ["Null characters are not allowed."]


@pytest.mark.parametrize(("pointer", "field"), [("/name", "name"), ("/other/0", "__all__")])
def test_errors_of_a_service_come_to_their_field(pointer: str, field: str) -> None:
    form = Endpoint({"name": "a", "key": "k", "mode": "a"})
    form.is_valid()

    add_errors(form, Invalid(errors=(FieldError(pointer, "taken", "This is taken."),)))

    assert form.errors[field] == ["This is taken."]


def test_a_refusal_without_fields_stands_above_all() -> None:
    form = Endpoint({"name": "a", "key": "k", "mode": "a"})
    form.is_valid()

    add_errors(form, Invalid("Not now."))

    assert "<li>Not now.</li>" in shown(form)


def test_a_form_with_a_file_is_sent_in_parts() -> None:
    class Upload(PortalForm):
        file = forms.FileField(label="File")

    form = Upload(files={"file": SimpleUploadedFile("a.txt", b"a")})

    assert 'enctype="multipart/form-data"' in shown(form)

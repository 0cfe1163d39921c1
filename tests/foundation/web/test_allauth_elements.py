import re
from pathlib import Path

import pytest
from django import forms
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

ELEMENTS = Path(settings.BASE_DIR) / "templates/allauth/elements"


class Login(forms.Form):
    """A form as the library makes them."""

    login = forms.EmailField(label="E-mail", help_text="As invited.")


def element(name: str, **attrs: object) -> str:
    slots = {
        "default": [mark_safe("<i>content</i>")],
        "body": [mark_safe("<i>content</i>")],
        "label": ["Code"],
        "message": [mark_safe("<i>content</i>")],
        "title": ["Title"],
        "help_text": ["Help"],
        "summary": ["Summary"],
    }
    context = {"slots": slots, "attrs": {"id": "f", "tags": [], **attrs}}
    return render_to_string(f"allauth/elements/{name}.html", context)


@pytest.mark.parametrize("name", sorted(path.stem for path in ELEMENTS.glob("*.html")))
def test_every_element_is_drawn_without_double_escaping(name: str) -> None:
    shown = element(name, form=Login(), src="/x.png", type="text")

    assert "&lt;i&gt;" not in shown
    assert shown.strip()


@pytest.mark.parametrize(
    ("tags", "kind"),
    [(["danger"], "danger"), (["cancel"], "quiet"), (["outline"], "secondary"), ([], "primary")],
)
def test_a_button_has_the_weight_of_its_tags(tags: list[str], kind: str) -> None:
    assert f"is-{kind}" in element("button", tags=tags, type="submit")


def test_fields_of_the_library_are_ours() -> None:
    shown = element("fields", form=Login())

    assert '<label for="id_login">E-mail</label>' in shown
    assert re.search(r'aria-describedby="id_login_helptext"', shown)


def test_errors_of_the_library_come_in_a_summary() -> None:
    assert "error-summary" in element("form", form=Login({"login": "x"}), method="post")


@pytest.mark.parametrize("kind", ["text", "textarea", "checkbox", "radio"])
def test_a_plain_field_is_labelled(kind: str) -> None:
    shown = element("field", type=kind, errors=["Wrong code."])

    assert '<label for="f">Code</label>' in shown
    assert "Wrong code." in shown

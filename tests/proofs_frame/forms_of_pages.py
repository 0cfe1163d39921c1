"""Reads the forms of a page as a browser does, and fills them as a person would."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import quote_plus

from django import forms

from tests.architecture.source import PACKAGES

# What a browser sends by itself: no person fills it in.
NOT_FILLED = frozenset({"csrfmiddlewaretoken"})
BUTTONS = frozenset({"submit", "button", "reset", "image"})
EXAMPLES: Mapping[str, str] = {
    "email": "somebody@example.test",
    "password": "correct horse battery staple of forms",
    "date": "2030-12-31",
    "number": "1",
    "url": "https://api.example.com/me",
    "tel": "+49 30 1234567",
}
# For fields whose type says too little.
EXAMPLES_BY_NAME: Mapping[str, str] = {
    "iban": "DE89370400440532013000",
    "country": "DE",
    "addresses": "security@example.test",
    "hosts": "api.example.com",
    "probe_url": "https://api.example.com/me",
}


@dataclass(slots=True)
class Form:
    """One form of a page.

    Attributes:
        action: where it is sent; empty for the page's own address.
        method: upper case.
        values: what would be sent, by name of the field.
    """

    action: str = ""
    method: str = "GET"
    values: dict[str, str] = field(default_factory=dict)

    def body(self, changes: Mapping[str, str] | None = None) -> bytes:
        """Return the form as it is sent; a lone surrogate travels as the bytes of its code."""
        values = {**self.values, **(changes or {})}
        return "&".join(f"{_coded(name)}={_coded(text)}" for name, text in values.items()).encode()


def forms_of(page: str) -> list[Form]:
    """Return the forms of a page that have something to fill in."""
    reader = _Reader()
    reader.feed(page)
    return [form for form in reader.forms if form.values]


def form_classes(root: type[forms.BaseForm] = forms.BaseForm) -> Iterator[type[forms.BaseForm]]:
    """Give every form class of the product."""
    for found in root.__subclasses__():
        if found.__module__.split(".")[0] in PACKAGES:
            yield found
        yield from form_classes(found)


def _coded(text: str) -> str:
    return quote_plus(text.encode("utf-8", "surrogatepass"))


class _Reader(HTMLParser):
    """Collects forms with a good value in each field."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take forms and fields."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given.get("action", ""), given.get("method", "get").upper())
            self.forms.append(self._open)
        elif self._open is not None and tag in {"input", "textarea", "select", "option"}:
            self._take(self._open, tag, given)

    def handle_endtag(self, tag: str) -> None:
        """Close forms and selections."""
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = ""

    def _take(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name, kind = given.get("name", ""), given.get("type", "text")
        if tag == "option":
            if self._select and not form.values[self._select]:
                form.values[self._select] = given.get("value", "")
            return
        if not name or name in NOT_FILLED or kind in BUTTONS:
            return
        if tag == "select":
            self._select = name
            form.values[name] = ""
        elif kind in {"radio", "checkbox"}:
            form.values.setdefault(name, given.get("value", "on"))
        else:
            example = EXAMPLES_BY_NAME.get(name) or EXAMPLES.get(kind, "Some text")
            form.values[name] = given.get("value") or example

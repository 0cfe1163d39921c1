import pytest
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template import engines
from pytest_django import Settings

from foundation import mail
from foundation.mail import MailNotSent, MailRefused
from foundation.transactions import OpenTransaction

LAYOUT = "{% block body %}{% endblock %}\n--\n{{ brand.name }}"
TEXT = """{% extends "layouts/email.txt" %}{% load i18n %}
{% block subject %}{% translate "Yes" %}: {{ name }}{% endblock %}
{% block body %}Dear {{ name }},
{{ base_url }}/x{% endblock %}"""
HTML = """{% load i18n %}<p>{% translate "Yes" %} {{ name }}</p>"""


@pytest.fixture(autouse=True)
def templates(settings: Settings) -> None:
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "NAME": "django",
            "OPTIONS": {
                "loaders": [
                    (
                        "django.template.loaders.locmem.Loader",
                        {
                            "layouts/email.txt": LAYOUT,
                            "emails/test/note.txt": TEXT,
                            "emails/test/note.html": HTML,
                        },
                    )
                ]
            },
        }
    ]
    assert engines["django"]


def send(*to: str, name: str = "A & B", language: str = "en") -> tuple[str, ...]:
    return mail.send(template="test/note", to=to, language=language, context={"name": name})


def test_mail_is_rendered_as_text_and_html(mailoutbox: list[EmailMultiAlternatives]) -> None:
    ids = send("alice@example.test")

    sent = mailoutbox[0]
    assert sent.subject == "Yes: A & B"
    assert sent.body == "Dear A & B,\nhttp://localhost:8000/x\n--\nGatehouse\n"
    assert str(sent.alternatives[0][0]) == "<p>Yes A &amp; B</p>"
    assert sent.extra_headers["Message-ID"] == ids[0]
    assert sent.extra_headers["Auto-Submitted"] == "auto-generated"


def test_mail_speaks_the_language_of_its_reader(mailoutbox: list[EmailMultiAlternatives]) -> None:
    send("alice@example.test", language="de")

    assert mailoutbox[0].subject == "Ja: A & B"


def test_recipients_do_not_see_each_other(mailoutbox: list[EmailMultiAlternatives]) -> None:
    ids = send("alice@example.test", "bob@example.test")

    assert [one.to for one in mailoutbox] == [["alice@example.test"], ["bob@example.test"]]
    assert len(set(ids)) == 2


@pytest.mark.parametrize(
    "name", ["x\r\nBcc: eve@example.test", "x\ny", "x\u2028y", "x\x00", "x" * 250]
)
def test_value_cannot_add_a_header_through_the_subject(
    name: str, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    with pytest.raises(MailRefused) as refusal:
        send("alice@example.test", name=name)

    assert refusal.value.reason_code == "mail.refused"
    assert not mailoutbox


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a@example.test\nBcc: eve@example.test",
        "a@example.test, eve@example.test",
        "Eve <eve@example.test>",
        "a@example.test\x00",
    ],
)
def test_text_that_is_no_single_address_gets_no_mail(
    address: str, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    with pytest.raises(MailRefused):
        send("alice@example.test", address)

    assert not mailoutbox


def test_mail_inside_a_transaction_is_refused(mailoutbox: list[EmailMultiAlternatives]) -> None:
    with transaction.atomic(), pytest.raises(OpenTransaction):
        send("alice@example.test")

    assert not mailoutbox
    send("alice@example.test")
    assert len(mailoutbox) == 1


def test_server_that_is_away_is_reported_for_the_task_to_try_again(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    with pytest.raises(MailNotSent) as failure:
        send("alice@example.test")

    assert failure.value.status == 503


def test_template_without_subject_is_a_fault_of_the_template(settings: Settings) -> None:
    loaders = settings.TEMPLATES[0]["OPTIONS"]["loaders"]
    loaders[0][1]["emails/test/bare.txt"] = "text"

    with pytest.raises(LookupError):
        mail.send(template="test/bare", to=["a@example.test"], language="en", context={})

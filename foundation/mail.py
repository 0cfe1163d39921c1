"""Send mail from templates, in the language of the person who reads it.

A mail has two templates: ``templates/emails/<name>.txt`` extends ``layouts/email.txt`` and fills
the blocks ``subject`` and ``body``; ``templates/emails/<name>.html`` extends
``layouts/email.html``. Each recipient gets a message of their own, so
that none sees the addresses of the others. It is called from tasks or after a commit.
"""

import re
import smtplib
from collections.abc import Mapping, Sequence
from email.utils import formataddr, parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.validators import validate_email
from django.template import Context, Template
from django.template.backends.django import Template as BackendTemplate
from django.template.loader import get_template
from django.template.loader_tags import BlockNode
from django.utils import translation

from foundation.errors import Invalid, Unavailable
from foundation.identifiers import uuid7
from foundation.transactions import refuse_open_transaction

MAX_SUBJECT_CHARACTERS = 200

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class MailRefused(Invalid):
    """A subject or an address holds what does not belong into a header."""

    code = "mail.refused"


class MailNotSent(Unavailable):
    """The mail server did not take a message; the task tries again."""

    code = "mail.not_sent"


def send(
    *, template: str, to: Sequence[str], language: str, context: Mapping[str, object]
) -> tuple[str, ...]:
    """Render a mail and hand it to the mail server, once per recipient.

    Args:
        template: name under ``templates/emails/`` without suffix, ``accounts/invitation``.
        to: addresses.
        language: language of the reader, one of ``LANGUAGES``.
        context: values of the templates; ``brand`` and ``base_url`` are added.

    Returns:
        The message ids, in the order of the recipients.

    Raises:
        MailRefused: an address is none, or subject or address hold control characters.
        MailNotSent: the server does not answer or refuses.
        OpenTransaction: a database transaction is open.
    """
    refuse_open_transaction()
    for address in to:
        _check_address(address)
    with translation.override(language):
        subject, text, html = _rendered(template, {**_shared(language), **context})
    messages = [_message(address, subject, text, html) for address in to]
    try:
        get_connection(fail_silently=False).send_messages(messages)
    except (smtplib.SMTPException, OSError) as error:
        raise MailNotSent("The mail server did not take the message.") from error
    return tuple(str(message.extra_headers["Message-ID"]) for message in messages)


def _check_address(address: str) -> None:
    try:
        validate_email(address)
    except ValidationError as error:
        raise MailRefused("That is no e-mail address.") from error
    if _CONTROL.search(address):
        raise MailRefused("That is no e-mail address.")


def _shared(language: str) -> dict[str, object]:
    return {
        "base_url": settings.BASE_URL,
        "brand": {
            "name": settings.PRODUCT_NAME,
            "contact": getattr(settings, "CONTACT_EMAIL", ""),
        },
        "language": language,
    }


def _rendered(name: str, values: Mapping[str, object]) -> tuple[str, str, str]:
    plain = _template(f"emails/{name}.txt")
    subject = _block(plain, "subject", values).strip()
    if not subject or len(subject) > MAX_SUBJECT_CHARACTERS or _CONTROL.search(subject):
        raise MailRefused("A subject is one line of at most 200 characters.")
    # Plain text is not HTML: an ampersand in a name stays one.
    text = plain.render(Context(dict(values), autoescape=False)).strip() + "\n"
    html = _template(f"emails/{name}.html").render(Context({**values, "subject": subject}))
    return subject, text, html


def _template(path: str) -> Template:
    template = get_template(path, using="django")
    if not isinstance(template, BackendTemplate):
        raise TypeError(f"{path} is no Django template")
    return template.template


def _block(template: Template, name: str, values: Mapping[str, object]) -> str:
    for block in template.nodelist.get_nodes_by_type(BlockNode):
        if isinstance(block, BlockNode) and block.name == name:
            context = Context(dict(values), autoescape=False)
            with context.render_context.push_state(template), context.bind_template(template):
                return block.render(context)
    raise LookupError(f"{template.name} has no block {name}")


def _message(address: str, subject: str, text: str, html: str) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(
        subject=subject,
        body=text,
        from_email=formataddr(parseaddr(settings.DEFAULT_FROM_EMAIL)),
        to=[address],
        headers={
            "Message-ID": f"<{uuid7()}@{urlsplit(settings.BASE_URL).hostname or 'localhost'}>",
            "Auto-Submitted": "auto-generated",  # RFC 3834: nobody's holiday note answers it
            "X-Auto-Response-Suppress": "All",
        },
    )
    message.attach_alternative(html, "text/html")
    return message

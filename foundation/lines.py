"""Texts of one line: names that stand in mails, subjects and lists.

A line break in a name writes paragraphs of its own into a mail that the portal sends; a mark that
turns the direction of writing shows a name that is none.
"""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# C0 and C1 controls, line and paragraph separator, bidirectional embeddings and isolates.
_REFUSED = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def is_one_line(text: str) -> bool:
    """Say whether a text is one line that reads as it is written."""
    return not _REFUSED.search(text)


def check_one_line(text: str) -> None:
    """Refuse a text that is not one line, as a validator of form fields.

    Raises:
        ValidationError: it is not.
    """
    if not is_one_line(text):
        raise ValidationError(_("Enter a text of one line."), code="not_one_line")

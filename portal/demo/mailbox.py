"""The mail that the demo has sent: files of the mail sink in the data folder."""

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings

NEWEST = 50


@dataclass(frozen=True, slots=True)
class SentMail:
    """One mail.

    Attributes:
        name: file name, used in the address of its page.
        to: recipient.
        subject: subject line.
        date: as the mail says it.
        text: plain text part.
    """

    name: str
    to: str
    subject: str
    date: str
    text: str


def newest() -> list[SentMail]:
    """Return the newest mails first."""
    folder = Path(settings.DATA_DIR) / "mail"
    files = sorted(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [_read(path) for path in files[:NEWEST]]


def _read(path: Path) -> SentMail:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    body = message.get_body(("plain",)) if isinstance(message, EmailMessage) else None
    return SentMail(
        name=path.stem,
        to=str(message["To"]),
        subject=str(message["Subject"]),
        date=str(message["Date"]),
        text="" if body is None else str(body.get_content()),
    )

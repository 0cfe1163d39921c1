"""Mails of privacy; they hold no personal data but the address they go to."""

from uuid import UUID

from django.conf import settings
from django.urls import reverse

from foundation.contracts.people import person_directory
from foundation.mail import send
from privacy.models import SubjectRequest


def tell_ready(request_id: UUID) -> None:
    """Say that the copy can be fetched."""
    request = SubjectRequest.objects.get(pk=request_id)
    contact = person_directory.implementation.notice_addresses(request.subject_id)
    send(
        template="privacy/archive_ready",
        to=list(contact.addresses),
        language=contact.language,
        context={
            "action_url": f"{settings.BASE_URL}{reverse('privacy:request', args=[request.pk])}",
            "expires_at": request.archive.expires_at,
        },
    )

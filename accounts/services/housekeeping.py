"""What has reached the end of its retention is deleted (the figures of ``personal_data``)."""

from datetime import timedelta

from allauth.account.models import EmailAddress
from axes.models import AccessAttempt
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db.models import Q

from accounts.models import Invitation, OneTimeLink, SecurityNotice, UserSession
from foundation import clock

ATTEMPTS = timedelta(hours=24)
ENDED_SESSIONS = timedelta(days=30)
LINKS = timedelta(days=30)
ADMIN_LOG = timedelta(days=30)
NOTICES = timedelta(days=365)
INVITATIONS = timedelta(days=365)
UNVERIFIED = timedelta(days=7)


def prune() -> int:
    """Delete what is past its time and return how many rows that were."""
    now = clock.now()
    past = (
        AccessAttempt.objects.filter(attempt_time__lt=now - ATTEMPTS),
        Session.objects.filter(expire_date__lt=now),
        UserSession.objects.filter(
            Q(ended_at__lt=now - ENDED_SESSIONS)
            | Q(ended_at__isnull=True, last_seen_at__lt=now - ENDED_SESSIONS)
        ),
        OneTimeLink.objects.filter(created_at__lt=now - LINKS),
        LogEntry.objects.filter(action_time__lt=now - ADMIN_LOG),
        SecurityNotice.objects.filter(created_at__lt=now - NOTICES),
        Invitation.objects.filter(created_at__lt=now - INVITATIONS),
        EmailAddress.objects.filter(verified=False, user__created_at__lt=now - UNVERIFIED),
    )
    return sum(rows.delete()[0] for rows in past)

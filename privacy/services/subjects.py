"""The person behind a request, as sources of personal data ask for people."""

from accounts.models import Membership, User
from foundation.contracts.personal_data import DataSubject


def subject_of(user: User) -> DataSubject:
    """Return the person with all organisations of which they are or were a member."""
    organisations = Membership.objects.filter(user=user).order_by("organisation_id")
    return DataSubject(
        user_id=user.pk,
        subject_id=user.subject_id,
        email=user.email,
        organisation_ids=tuple(organisations.values_list("organisation_id", flat=True).distinct()),
    )

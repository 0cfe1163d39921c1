"""What Django's permission questions are answered with: memberships that count now."""

from uuid import UUID

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model

from accounts import queries


class MembershipBackend(BaseBackend):
    """Answers ``has_perm`` for an object by the person's memberships in its organisation."""

    def has_perm(
        self,
        user_obj: AbstractBaseUser | AnonymousUser,
        perm: str,
        obj: Model | None = None,
    ) -> bool:
        """Say whether a person may do something with an object.

        Without an object the answer is always no: guardian asks the global question first and
        would take a yes for "all rows" (identity.md 6).
        """
        organisation_id = getattr(obj, "organisation_id", None)
        if obj is None or not isinstance(organisation_id, UUID):
            return False
        if user_obj.pk is None or not user_obj.is_active:
            return False
        return any(
            perm in queries.permission_codes(standing)
            for standing in queries.standings_of(user_obj.pk)
            if standing.organisation.pk == organisation_id
        )

"""What a person sees of the own requests."""

from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from accounts import queries as people
from accounts.models import Membership, Organisation
from foundation.principals import Principal
from privacy.errors import RequestNotFound
from privacy.models import ErasurePlan, Purpose, SubjectRequest
from privacy.models.erasure import PlanState
from privacy.models.subject_request import OPEN_STATES, RequestKind

LEADING = ("administrator", "key_user")


def requests_of(principal: Principal) -> QuerySet[SubjectRequest]:
    """Return the person's requests, newest first."""
    if principal.id is None:
        return SubjectRequest.objects.none()
    return SubjectRequest.objects.filter(user_id=principal.id)


def request_of(principal: Principal, *, request_id: UUID) -> SubjectRequest:
    """Return one request of the person.

    Raises:
        RequestNotFound: there is none of this person under the id.
    """
    found = requests_of(principal).filter(pk=request_id).select_related("archive").first()
    if found is None:
        raise RequestNotFound(_("There is no such request."))
    return found


def open_requests_of(principal: Principal) -> QuerySet[SubjectRequest]:
    """Return the person's requests that are still to be answered, one of a kind at most."""
    return requests_of(principal).filter(state__in=OPEN_STATES).select_related("erasure_plan")


def open_copy_of(principal: Principal) -> SubjectRequest | None:
    """Return the person's request for a copy that is still open, if there is one."""
    return open_requests_of(principal).filter(kind=RequestKind.ACCESS).first()


def planned_erasure_of(principal: Principal) -> ErasurePlan | None:
    """Return the erasure that is planned for the person, if there is one."""
    planned = ErasurePlan.objects.filter(state=PlanState.SCHEDULED)
    return planned.filter(request__in=requests_of(principal)).first()


def plan_by_receipt(digest: bytes) -> ErasurePlan | None:
    """Return the erasure whose receipt has this secret address."""
    return ErasurePlan.objects.filter(receipt_digest=digest).select_related("receipt").first()


def purposes() -> dict[str, Purpose]:
    """Return all purposes by code."""
    return {purpose.code: purpose for purpose in Purpose.objects.all()}


def led_alone_by(user_id: UUID) -> list[Organisation]:
    """Return the organisations that nobody would lead any more without the person."""
    leading = Membership.objects.filter(people.valid_now(), role__code__in=LEADING)
    others = leading.filter(organisation_id=OuterRef("pk"), user__is_active=True)
    return list(
        Organisation.objects.filter(pk__in=leading.filter(user_id=user_id).values("organisation"))
        .exclude(Exists(others.exclude(user_id=user_id)))
        .order_by("sort_key", "pk")
    )

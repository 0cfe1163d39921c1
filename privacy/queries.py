"""What a person sees of the own requests."""

from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from foundation.principals import Principal
from privacy.errors import RequestNotFound
from privacy.models import ErasurePlan, SubjectRequest
from privacy.models.erasure import PlanState


def requests_of(principal: Principal) -> QuerySet[SubjectRequest]:
    """Return the person's requests, newest first."""
    if principal.id is None:
        return SubjectRequest.objects.none()
    return SubjectRequest.objects.filter(user_id=principal.id).select_related("erasure_plan")


def request_of(principal: Principal, *, request_id: UUID) -> SubjectRequest:
    """Return one request of the person.

    Raises:
        RequestNotFound: there is none of this person under the id.
    """
    found = requests_of(principal).filter(pk=request_id).first()
    if found is None:
        raise RequestNotFound(_("There is no such request."))
    return found


def planned_erasure_of(principal: Principal) -> ErasurePlan | None:
    """Return the erasure that is planned for the person, if there is one."""
    planned = ErasurePlan.objects.filter(state=PlanState.SCHEDULED)
    return planned.filter(request__in=requests_of(principal)).first()


def plan_by_receipt(digest: bytes) -> ErasurePlan | None:
    """Return the erasure whose receipt has this secret address."""
    return ErasurePlan.objects.filter(receipt_digest=digest).select_related("receipt").first()

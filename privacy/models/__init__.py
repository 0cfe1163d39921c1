"""Tables of privacy."""

from privacy.models.erasure import ErasureItem, ErasurePlan, Receipt
from privacy.models.purpose import Purpose
from privacy.models.subject_request import Archive, RequestStep, SubjectRequest

__all__ = [
    "Archive",
    "ErasureItem",
    "ErasurePlan",
    "Purpose",
    "Receipt",
    "RequestStep",
    "SubjectRequest",
]

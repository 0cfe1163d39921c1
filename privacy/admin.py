"""Staff pages of privacy: requests and their clocks, read-only."""

from django.contrib import admin

from foundation.access.model_admin import GuardedModelAdmin
from privacy.models import SubjectRequest


@admin.register(SubjectRequest)
class SubjectRequestAdmin(GuardedModelAdmin[SubjectRequest]):
    """Requests with days left."""

    view_permission = "privacy.request.read"
    list_display = ("id", "kind", "state", "received_at", "due_on", "closed_at")
    list_filter = ("kind", "state")

"""Base of every admin class: Django's questions are answered by our permissions.

``has_*_permission`` ask the registry permission for the operator's organisation (identity.md 6).
Most models are read-only in the admin; saves call services.
"""

from typing import ClassVar, Generic, TypeVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import URLPattern

from foundation.access.guards import principal_of

Row = TypeVar("Row", bound=Model)


class GuardedModelAdmin(admin.ModelAdmin[Row], Generic[Row]):
    """Admin class whose rights are permission codes.

    Attributes:
        view_permission: code that lets staff look.
        change_permission: code that lets staff change; empty means read-only.
        may_add: whether rows are added here.
        may_delete: whether rows are deleted here.
    """

    view_on_site = False  # models of libraries bring addresses that the portal does not have
    view_permission: ClassVar[str] = ""
    change_permission: ClassVar[str] = ""
    may_add: ClassVar[bool] = False
    may_delete: ClassVar[bool] = False

    def get_urls(self) -> list[URLPattern]:
        """Have no address for what nobody may do here, nor Django's old short one for a row."""
        prefix = f"{self.opts.app_label}_{self.opts.model_name}_"
        closed = {None, *(f"{prefix}{act}" for act in self._closed_acts())}
        return [address for address in super().get_urls() if address.name not in closed]

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the app to those who may look at the model."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:  # noqa: ARG002
        """Ask for the view or the change permission."""
        return self._staff_may(request, self.view_permission) or self._may_change(request)

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:  # noqa: ARG002
        """Ask for the change permission."""
        return self._may_change(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Ask for the change permission where rows are added here."""
        return self.may_add and self._may_change(request)

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:  # noqa: ARG002
        """Ask for the change permission where rows are deleted here."""
        return self.may_delete and self._may_change(request)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Let addresses narrow a list by its declared filters alone.

        Django takes any column of the model itself: ``?password__startswith=`` would read a hash
        letter by letter, and a digest likewise.
        """
        declared = {found for found in self.list_filter if isinstance(found, str)}
        is_declared = any(f"{lookup}__".startswith(f"{name}__") for name in declared)
        return is_declared and super().lookup_allowed(lookup, value, request)

    def _closed_acts(self) -> set[str]:
        base, own = GuardedModelAdmin, type(self)
        closed = set()
        if not self.may_add and own.has_add_permission is base.has_add_permission:
            closed.add("add")
        if not self.may_delete and own.has_delete_permission is base.has_delete_permission:
            closed.add("delete")
        return closed

    def _may_change(self, request: HttpRequest) -> bool:
        return bool(self.change_permission) and self._staff_may(request, self.change_permission)

    def _staff_may(self, request: HttpRequest, permission: str) -> bool:
        principal = principal_of(request)
        return principal.is_staff and principal.may(permission)

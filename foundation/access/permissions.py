"""Permissions: one thing one may do, registered by the app that owns it."""

from dataclasses import dataclass

from django.utils.functional import Promise

from foundation.registry import Registry


@dataclass(frozen=True, slots=True)
class Permission:
    """A right that a role can hold.

    Attributes:
        code: noun and verb, for example ``workspace.record.read``.
        label: what it lets one do, for the role editor.
        high: weighs heavily in wrong hands; the role editor marks it.
        staff_only: only the operator's roles may hold it.
    """

    code: str
    label: str | Promise
    high: bool = False
    staff_only: bool = False


permissions: Registry[Permission] = Registry("permissions", key=lambda item: item.code)

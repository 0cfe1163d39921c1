"""OAuth2 scopes: what a token may do, named once by the app that offers it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from foundation.registry import Registry

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class Scope:
    """One scope.

    Attributes:
        code: ``records:read``; public and frozen.
        label: what it allows, in words for the consent page.
    """

    code: str
    label: "StrOrPromise"


scopes: Registry[Scope] = Registry("API scopes", key=lambda scope: scope.code)

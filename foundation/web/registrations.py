"""What the web part contributes to the registries."""

from foundation.access.permissions import permissions
from foundation.web import related
from foundation.web.gallery import SEE_COMPONENTS

__all__ = ["related"]  # its registry is there before the start freezes all, though empty

permissions.register(SEE_COMPONENTS)

"""What the web part contributes to the registries."""

from foundation.access.permissions import permissions
from foundation.web.gallery import SEE_COMPONENTS

permissions.register(SEE_COMPONENTS)

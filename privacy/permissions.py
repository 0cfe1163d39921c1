"""Permissions of privacy."""

from django.utils.translation import gettext_lazy as _

from foundation.access.permissions import Permission

READ_REQUESTS = Permission("privacy.request.read", _("See the requests of people about their data"))

ALL = (READ_REQUESTS,)

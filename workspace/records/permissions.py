"""Permissions of records."""

from django.utils.translation import gettext_lazy as _

from foundation.access.permissions import Permission

READ = Permission("workspace.record.read", _("See records that are shared with one"))
READ_ALL = Permission(
    "workspace.record.read_all",
    _("See all records of the organisation except confidential ones (key user)"),
    high=True,
)
WRITE = Permission("workspace.record.write", _("Create and change records"))
SHARE = Permission("workspace.record.share", _("Change who sees a record"))
REVEAL = Permission(
    "workspace.record.reveal", _("Reveal secret and special values of records"), high=True
)

ALL = (READ, READ_ALL, WRITE, SHARE, REVEAL)

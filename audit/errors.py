"""Errors of the journal's pages."""

from foundation.errors import Denied


class ReasonMissing(Denied):
    """The act needs a reason in the actor's own words."""

    code = "audit.reason_missing"


class PurposeMissing(Denied):
    """The act needs a purpose of processing."""

    code = "audit.purpose_missing"

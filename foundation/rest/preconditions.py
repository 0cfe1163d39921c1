"""Versions of objects on the wire: strong ETags, 304, 412 and 428 (RFC 9110, 13; RFC 6585)."""

import hashlib
import re

from django.utils.translation import gettext as _
from rest_framework.request import Request

from foundation.errors import DomainError
from foundation.rest.renderers import dump

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')


class PreconditionRequired(DomainError):
    """A change came without ``If-Match``."""

    code = "precondition_required"
    status = 428


class PreconditionFailed(DomainError):
    """``If-Match`` names a version that is not the present one."""

    code = "precondition_failed"
    status = 412


def etag_of(*parts: object) -> str:
    """Make a strong ETag over a version and whatever else shapes the answer (visible fields)."""
    return f'"{hashlib.sha256(dump(parts)).hexdigest()[:32]}"'


def is_unchanged(request: Request, etag: str) -> bool:
    """Say whether ``If-None-Match`` holds the tag, so that 304 is the answer."""
    header = str(request.headers.get("If-None-Match", ""))
    return header.strip() == "*" or etag in _opaque_tags(header, weak=True)


def require_header(request: Request) -> None:
    """Refuse a change without ``If-Match``; a star names no version and does not count.

    Raises:
        PreconditionRequired: it is missing.
    """
    header = str(request.headers.get("If-Match", "")).strip()
    if header in {"", "*"}:
        raise PreconditionRequired(
            _("Send the ETag of the object you read as the header If-Match.")
        )


def require_match(request: Request, etag: str) -> None:
    """Refuse a change that starts from another version than the present one.

    Raises:
        PreconditionRequired: ``If-Match`` is missing.
        PreconditionFailed: it names another version.
    """
    require_header(request)
    if etag not in _opaque_tags(str(request.headers.get("If-Match", "")), weak=False):
        raise PreconditionFailed(_("The object has changed since you read it."))


def _opaque_tags(header: str, *, weak: bool) -> set[str]:
    return {f'"{tag}"' for mark, tag in _TAG.findall(header) if weak or not mark}

"""Problem types (RFC 9457): each kind of failure has a stable address with a page about it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from foundation.registry import Registry

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of failure.

    Attributes:
        code: last part of the address; frozen.
        status: HTTP status it comes with.
        title: short name in words.
        meaning: what happened.
        cure: what the developer of a client does about it.
    """

    code: str
    status: int
    title: "StrOrPromise"
    meaning: "StrOrPromise"
    cure: "StrOrPromise"


problem_types: Registry[ProblemType] = Registry("problem types", key=lambda item: item.code)

problem_types.register(
    ProblemType(
        "invalid",
        400,
        _("The request is not valid"),
        _("A member of the body, a parameter or a header is missing, unknown or wrong."),
        _("Read “errors”: each entry points at one place and says what would be right."),
    ),
    ProblemType(
        "not_authenticated",
        401,
        _("No valid token"),
        _("The request has no token, or its token is wrong, used up, ended or revoked."),
        _("Get a new access token and send it as “Authorization: Bearer …”."),
    ),
    ProblemType(
        "denied",
        403,
        _("Not allowed"),
        _("The token is valid, but not for this act."),
        _("Look at “detail”. Rights are changed by the organisation or by the operator."),
    ),
    ProblemType(
        "scope_missing",
        403,
        _("The token lacks a scope"),
        _("The act needs a scope that this token does not carry. “detail” names it."),
        _("Ask for a token with that scope. If it is refused, have it granted to the client."),
    ),
    ProblemType(
        "not_found",
        404,
        _("Not found"),
        _("There is no such address or object, or it belongs to somebody else."),
        _("Check the address. Objects that you may not see look exactly like missing ones."),
    ),
    ProblemType(
        "method_not_allowed",
        405,
        _("Method not allowed"),
        _("The address exists, but not for this method."),
        _("The header “Allow” lists the methods that work."),
    ),
    ProblemType(
        "not_acceptable",
        406,
        _("No such format"),
        _("The header “Accept” asks for a format that is not offered."),
        _("Ask for “application/json”."),
    ),
    ProblemType(
        "conflict",
        409,
        _("Conflict with the present state"),
        _("The act does not fit the state of the object."),
        _("Read the object again and decide anew."),
    ),
    ProblemType(
        "idempotency_key_reused",
        409,
        _("Idempotency key used for another request"),
        _("The same “Idempotency-Key” was sent before with another address or body."),
        _("Use a new key for each new act, and the same key only to repeat one unchanged."),
    ),
    ProblemType(
        "idempotency_in_progress",
        409,
        _("The first request is still running"),
        _("A request with the same “Idempotency-Key” has not been answered yet."),
        _("Wait as long as “Retry-After” says and send the same request again."),
    ),
    ProblemType(
        "gone",
        410,
        _("Gone"),
        _("The object existed and was removed for good."),
        _("Forget the address."),
    ),
    ProblemType(
        "precondition_failed",
        412,
        _("The object has changed"),
        _("Since you read the object, somebody changed it: “If-Match” names an old version."),
        _("Read the object again, apply your change to it, send the new “ETag”."),
    ),
    ProblemType(
        "body_too_large",
        413,
        _("The body is too large"),
        _("A body may have 1 MiB at most."),
        _("Send less at once."),
    ),
    ProblemType(
        "unsupported_media_type",
        415,
        _("The body is in another format"),
        _("Bodies are JSON in UTF-8."),
        _("Send “Content-Type: application/json”."),
    ),
    ProblemType(
        "precondition_required",
        428,
        _("The version is missing"),
        _("A change needs the version it starts from, so that no other change gets lost."),
        _("Read the object, and send its “ETag” as “If-Match” with the change."),
    ),
    ProblemType(
        "too_many",
        429,
        _("Too many requests"),
        _("The limit of your plan is reached."),
        _("Wait as long as “Retry-After” says. “RateLimit” tells what is left, at any time."),
    ),
    ProblemType(
        "internal",
        500,
        _("Our mistake"),
        _("Something failed on our side. Nothing of your request was kept."),
        _("Try again later. If it stays, report the “request_id”."),
    ),
    ProblemType(
        "unavailable",
        503,
        _("Not available just now"),
        _("A server that is needed does not answer."),
        _("Try again after “Retry-After” seconds, with the same “Idempotency-Key”."),
    ),
)

# Which type stands for a status that Django or a library answered by itself.
BY_STATUS = {
    400: "invalid",
    401: "not_authenticated",
    403: "denied",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    410: "gone",
    412: "precondition_failed",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "invalid",
    428: "precondition_required",
    429: "too_many",
    500: "internal",
    502: "unavailable",
    503: "unavailable",
    504: "unavailable",
}


def type_for(code: str, status: int) -> ProblemType:
    """Return the type of a failure: its own if it has one, else that of its status."""
    known = problem_types.find(code)
    if known is not None:
        return known
    fallback = "invalid" if status < 500 else "internal"  # noqa: PLR2004 - RFC 9110, 15.6
    return problem_types.get(BY_STATUS.get(status, fallback))

"""Base of every API view: who asks, what for, in whose data, and how it is answered.

Order of a request: body read and limited, token to principal, method, scopes, throttle, declared
parameters, ``If-Match`` present, idempotency key claimed; then ``organisation_scope`` is opened
and the handler runs. The answer is rendered inside the scope, so that nothing is read after it.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, ClassVar, cast

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.schemas.inspectors import ViewInspector
from rest_framework.views import APIView

from foundation.access.guards import Guard
from foundation.principals import VISITOR, Principal
from foundation.rest import idempotency, preconditions, throttling
from foundation.rest.listing import AnyModel, Listing, Page, Row, page_of, refuse_unknown
from foundation.rest.parsers import Malformed, StrictJsonParser
from foundation.rest.permissions import TokenHasScopes
from foundation.rest.renderers import FastJsonRenderer
from foundation.rest.schema import ApiSchema
from foundation.tenancy import organisation_scope

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.views import AsView, GenericView

CHANGING = frozenset({"PATCH", "DELETE"})
SAFE = frozenset({"GET", "HEAD"})


class ApiView(APIView):
    """A view of the partner API.

    Attributes:
        required_scopes: scopes of a token, for all methods or by method; mandatory, unless
        open_reason: says why everybody may come without a token.
        listing: declared filters and orders of a list.
        query_parameters: further parameters it takes.
        opens_scope: False where the handler opens ``organisation_scope`` itself, because it
            calls an outside system before or after it.
        needs_if_match: False where PATCH or DELETE change nothing that has a version.
    """

    required_scopes: ClassVar[tuple[str, ...] | Mapping[str, tuple[str, ...]]] = ()
    open_reason: ClassVar[str] = ""
    listing: ClassVar[Listing | None] = None
    query_parameters: ClassVar[frozenset[str]] = frozenset()
    opens_scope: ClassVar[bool] = True
    needs_if_match: ClassVar[bool] = True

    parser_classes = (StrictJsonParser,)
    renderer_classes = (FastJsonRenderer,)
    permission_classes = (TokenHasScopes,)
    metadata_class = None
    schema: ViewInspector = ApiSchema()
    http_method_names = ["get", "post", "patch", "delete", "head"]

    guard: ClassVar[Guard]
    standing: throttling.Standing | None = None
    _has_matched = False

    def __init_subclass__(cls) -> None:
        """Name the guard in the terms of pages, for the test that looks for views without one."""
        super().__init_subclass__()
        if cls.required_scopes or cls.open_reason:
            cls.guard = Guard(open_reason=cls.open_reason)

    @classmethod
    def as_view(cls, **initkwargs: object) -> "AsView[GenericView]":
        """Make the view function.

        Raises:
            ImproperlyConfigured: the class names neither scopes nor a reason to be open.
        """
        if bool(cls.required_scopes) == bool(cls.open_reason):
            raise ImproperlyConfigured(
                f"{cls.__qualname__} names either required_scopes or open_reason"
            )
        return super().as_view(**initkwargs)

    @property
    def principal(self) -> Principal:
        """Who asks; a visitor where the view is open and nobody is known."""
        return self._known_principal or VISITOR

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """Answer a request in the order described above."""
        self.args = args
        self.kwargs = kwargs
        self.request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        try:
            self.initial(self.request, *args, **kwargs)
            self.response = self._answered()
        except Exception as error:  # noqa: BLE001 - the one edge; unknown ones are raised again
            self.response = self._finished(self.handle_exception(error))
        return self.response

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Check everything that can be checked before the handler."""
        body = request._request.body  # noqa: SLF001 - read once here, limited by Django's setting
        super().initial(request, *args, **kwargs)
        known = self.query_parameters | (self.listing.parameters if self.listing else frozenset())
        refuse_unknown(request.query_params, known)
        if request.method in CHANGING and self.needs_if_match:
            preconditions.require_header(request)
        if request.method == "PATCH" and not body:
            raise Malformed(_("A change needs a body: a JSON object with what is to change."))

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Return who reads the token; nobody where the view is open to all."""
        return [] if self.open_reason else super().get_authenticators()

    def perform_authentication(self, request: Request) -> None:
        """Find out who asks, and tell the rest of the request."""
        super().perform_authentication(request)
        if self._known_principal is not None:
            request._request.principal = self._known_principal  # type: ignore[attr-defined]  # noqa: SLF001

    def check_permissions(self, request: Request) -> None:
        """Refuse a method the view does not have, then ask for the scopes of the one it has.

        Nobody learns the methods who may not come at all: without a token it is 401 alike.

        Raises:
            MethodNotAllowed: 405, with the header ``Allow``.
        """
        may_come = bool(self.open_reason) or self._known_principal is not None
        if may_come and self._handler() == self.http_method_not_allowed:
            self.check_throttles(request)  # a refusal counts like any other call
            raise MethodNotAllowed(request.method or "")
        super().check_permissions(request)

    def check_throttles(self, request: Request) -> None:
        """Count the request.

        Raises:
            LimitReached: the plan is used up.
            CounterUnavailable: the counter does not answer.
        """
        self.standing = throttling.count(request._request, self._known_principal)  # noqa: SLF001
        throttling.refuse_if_over(self.standing)

    def page(self, queryset: "QuerySet[AnyModel, Row]") -> Page[Row]:
        """Read the page that the request asks for."""
        if self.listing is None:
            raise ImproperlyConfigured(f"{type(self).__qualname__} declares no listing")
        return page_of(
            queryset,
            listing=self.listing,
            parameters=self.request.query_params,
            principal=self.principal,
        )

    def versioned(self, data: object, *, etag: str, status: int = 200) -> Response:
        """Answer with an object and its ETag, or 304 if the client has that version."""
        headers = {"ETag": etag}
        if self.request.method in SAFE and preconditions.is_unchanged(self.request, etag):
            return Response(status=304, headers=headers)
        return Response(data, status=status, headers=headers)

    def require_match(self, etag: str) -> None:
        """Refuse a change that starts from another version; every PATCH and DELETE calls it.

        Raises:
            PreconditionFailed: 412.
        """
        preconditions.require_match(self.request, etag)
        self._has_matched = True

    @property
    def _known_principal(self) -> Principal | None:
        user = self.request.user
        return user if isinstance(user, Principal) and user.is_authenticated else None

    def _answered(self) -> Response:
        handler = self._handler()
        mark = idempotency.mark_of(handler)
        if mark is None:
            with self._scope():
                return self._run(handler, None)
        claimed = idempotency.claim(self.request, principal=self._known_principal, mark=mark)
        if isinstance(claimed, Response):
            return self._finished(claimed)
        try:
            with self._scope():
                return self._run(handler, claimed)
        except BaseException:
            claimed.release()
            raise

    def _handler(self) -> Callable[..., Response]:
        method = (self.request.method or "").lower()
        if method not in self.http_method_names:
            return self.http_method_not_allowed
        return cast("Callable[..., Response]", getattr(self, method, self.http_method_not_allowed))

    def _scope(self) -> AbstractContextManager[None]:
        organisation_id = self.principal.organisation_id
        if not self.opens_scope or (organisation_id is None and self.request.method in SAFE):
            return nullcontext()
        if organisation_id is None:
            return cast("AbstractContextManager[None]", transaction.atomic())
        return organisation_scope(organisation_id)

    def _run(self, handler: Callable[..., Response], claimed: idempotency.Claim | None) -> Response:
        response = handler(self.request, *self.args, **self.kwargs)
        if self.request.method in CHANGING and self.needs_if_match and not self._has_matched:
            raise ImproperlyConfigured(f"{type(self).__qualname__} changed without require_match")
        if claimed is not None:
            claimed.keep(response)
        return self._finished(response)

    def _finished(self, response: Response) -> Response:
        finished = self.finalize_response(self.request, response, *self.args, **self.kwargs)
        finished.setdefault("Cache-Control", "private, no-cache")
        if self.standing is not None:
            for name, value in self.standing.headers.items():
                finished[name] = value
        return cast("Response", finished.render())

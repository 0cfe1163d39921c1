"""A small API of the tests: every feature of the base view once, and addresses for it."""

from typing import ClassVar
from uuid import UUID

from django.http import Http404
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.errors import Conflict, FieldError, Invalid, NotFound, Unavailable
from foundation.identifiers import uuid7
from foundation.principals import ActorType, Principal
from foundation.rest.authentication import BearerAuthentication
from foundation.rest.document import OpenApiDocument
from foundation.rest.idempotency import idempotent
from foundation.rest.listing import Filter, Listing, identifier, moment
from foundation.rest.models import IdempotencyRecord
from foundation.rest.preconditions import etag_of
from foundation.rest.serializers import StrictSerializer
from foundation.rest.views import ApiView
from foundation.tenancy import current_organisation

ORGANISATION = UUID(int=7)
FOREIGN = UUID(int=8)


def partner(number: int, *scopes: str, organisation: UUID = ORGANISATION) -> Principal:
    """Describe a partner client."""
    return Principal(
        kind=ActorType.INTEGRATION,
        id=UUID(int=number),
        organisation_id=organisation,
        scopes=frozenset(scopes),
    )


TOKENS = {
    "paul": partner(1, "sample:read", "sample:write"),
    "reader": partner(2, "sample:read"),
    "foreign": partner(3, "sample:read", "sample:write", organisation=FOREIGN),
}


class SampleAuth(BearerAuthentication):
    """Knows the tokens above."""

    def principal_of_token(self, token: str, request: Request) -> Principal | None:  # noqa: ARG002
        """Return whose token it is."""
        return TOKENS.get(token)


class Address(StrictSerializer):
    """A nested object."""

    town = serializers.CharField(max_length=20)


class Sample(StrictSerializer):
    """The object of the sample API."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(max_length=20)
    amount = serializers.IntegerField(required=False, min_value=0)
    address = Address(required=False)
    tags = serializers.ListField(child=serializers.CharField(max_length=5), required=False)
    parts = Address(many=True, required=False)


class SampleView(ApiView):
    """What all views below share."""

    authentication_classes = (SampleAuth,)


class Samples(SampleView):
    """Lists and creates."""

    required_scopes: ClassVar[dict[str, tuple[str, ...]]] = {
        "GET": ("sample:read",),
        "POST": ("sample:write",),
    }
    listing = Listing(
        filters={
            "status": Filter("answer_status", choices=("201", "409")),
            "claimed_at.gte": Filter("claimed_at__gte", moment),
            "claim": Filter("claim", identifier),
        },
        sorts={"claimed_at": "claimed_at", "status": "answer_status"},
        default_sort="-claimed_at",
    )
    created: ClassVar[list[object]] = []

    @extend_schema(responses=Sample(many=True))
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """List rows as plain values."""
        rows = IdempotencyRecord.objects.filter(answer_body="listed")
        page = self.page(rows.values("id", "claimed_at", "answer_status"))
        return Response(page.body(lambda row: {"id": row["id"], "status": row["answer_status"]}))

    @idempotent(once=("secret",))
    def post(self, request: Request) -> Response:
        """Create."""
        given = Sample(data=request.data)
        given.is_valid(raise_exception=True)
        if given.validated_data["name"] == "refuse":
            raise Conflict("Not now.", code="sample.not_now")
        self.created.append(current_organisation())
        new_id = uuid7()
        response = Response({"id": new_id, "secret": "shown once"}, status=201)
        response["ETag"] = etag_of(new_id, 1)
        response["Location"] = f"/api/v1/samples/{new_id}"
        return response


class OneSample(SampleView):
    """Reads and changes."""

    required_scopes = ("sample:read",)
    version: ClassVar[int] = 1

    def get(self, request: Request, number: int) -> Response:  # noqa: ARG002
        """Read."""
        if number > 1:
            raise NotFound("There is no such sample.", code="sample.not_visible")
        scope = current_organisation()
        body = {"number": number, "organisation": scope, "version": self.version}
        return self.versioned(body, etag=etag_of(number, self.version))

    def patch(self, request: Request, number: int) -> Response:  # noqa: ARG002
        """Change."""
        self.require_match(etag_of(number, self.version))
        type(self).version += 1
        return self.versioned({"number": number}, etag=etag_of(number, self.version))

    def delete(self, request: Request, number: int) -> Response:  # noqa: ARG002
        """Forget to check the version: a fault of the code that must show."""
        return Response(status=204)


class Failures(SampleView):
    """Fails in the way the address says."""

    open_reason = "a test of failures"

    def get(self, request: Request, kind: str) -> Response:  # noqa: ARG002
        """Raise."""
        failures: dict[str, Exception] = {
            "conflict": Conflict("It moved.", code="sample.moved"),
            "invalid": Invalid("Wrong.", errors=(FieldError("/a~1b", "wrong", "Mend it."),)),
            "unavailable": Unavailable("Away.", retry_after=7),
            "http404": Http404("secret words"),
            "bug": RuntimeError("secret words of a bug"),
        }
        raise failures[kind]

    def post(self, request: Request, kind: str) -> Response:
        """Echo the body."""
        return Response({"kind": kind, "body": request.data})


urlpatterns = [
    path("api/v1/samples", Samples.as_view(), name="samples"),
    path("api/v1/samples/<int:number>", OneSample.as_view(), name="sample"),
    path("api/v1/failures/<str:kind>", Failures.as_view(), name="failures"),
    path("api/v1/openapi.json", OpenApiDocument.as_view(), name="openapi"),
]

"""The floor of the partner API: the same companies as plain Django REST framework serves them.

Ordinary project: DRF's ModelSerializer, pagination by cursor and JSON renderer, Django's default
middleware; without a token, and with one checked by django-oauth-toolkit.
"""

from collections.abc import Callable
from typing import ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path
from oauth2_provider.contrib.rest_framework.authentication import OAuth2Authentication
from oauth2_provider.contrib.rest_framework.permissions import TokenHasScope
from rest_framework.generics import ListAPIView
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.serializers import ModelSerializer

from tests.benchmarks.models import PlainRecord

MIDDLEWARE = [
    "tests.benchmarks.plain_api.UsePlainUrls",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]


class UsePlainUrls:
    """Sends a request to the addresses of this module."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on."""
        request.urlconf = __name__
        return self.get_response(request)


class PlainSerializer(ModelSerializer[PlainRecord]):
    """All columns that the partner API shows."""

    class Meta:
        model = PlainRecord
        fields = (
            "id",
            "kind",
            "state",
            "visibility",
            "version",
            "created_at",
            "updated_at",
            "legal_name",
            "country",
            "account_holder",
            "iban",
            "phone",
        )


class Pages(CursorPagination):
    """Pages of fifty by keyset, as ours."""

    page_size = 50
    ordering = ("-updated_at", "-id")


class PlainList(ListAPIView[PlainRecord]):
    """Pages of one organisation's companies."""

    renderer_classes = (JSONRenderer,)
    pagination_class = Pages
    serializer_class = PlainSerializer

    def get_queryset(self) -> QuerySet[PlainRecord]:
        """Return the records of the organisation in the address."""
        return PlainRecord.objects.filter(organisation_id=self.kwargs["organisation_id"])


class OpenList(PlainList):
    """The list without a token."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class TokenList(PlainList):
    """The list with a token."""

    authentication_classes = (OAuth2Authentication,)
    permission_classes = (TokenHasScope,)
    required_scopes: ClassVar = ["records:read"]


urlpatterns = [
    path("open/<uuid:organisation_id>", OpenList.as_view()),
    path("token/<uuid:organisation_id>", TokenList.as_view()),
]

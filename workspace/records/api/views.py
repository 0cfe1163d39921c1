"""``/api/v1/records``: create, list, read and change an organisation's own records."""

from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.rest.idempotency import idempotent
from foundation.rest.listing import Filter, Listing, moment
from foundation.rest.preconditions import PreconditionFailed, etag_of
from foundation.rest.views import ApiView
from workspace.records import services
from workspace.records.api.serializers import (
    NewRecord,
    RecordBody,
    RecordChange,
    RecordPage,
    SavedRecord,
)
from workspace.records.errors import StaleVersion
from workspace.records.queries import READ_SCOPE, WRITE_SCOPE, kind_by_id, visible_record
from workspace.records.services import Saved
from workspace.records.types import KindSpec, RecordFilter, RecordView

PURPOSE = "operation"
COLUMNS = ("id", "kind_id", "state", "visibility", "version", "created_at", "updated_at")

Row = Mapping[str, object]


class RecordsView(ApiView):
    """All records a client may see, and new ones."""

    required_scopes: ClassVar = {"GET": (READ_SCOPE,), "POST": (WRITE_SCOPE,)}
    listing = Listing(
        filters={
            "kind": Filter("kind__code", describe="Code of a kind, for example company."),
            "updated_at.gte": Filter("updated_at__gte", read=moment, describe="RFC 3339 time."),
            "updated_at.lt": Filter("updated_at__lt", read=moment, describe="RFC 3339 time."),
        },
        sorts={"updated_at": "updated_at", "created_at": "created_at"},
        default_sort="-updated_at",
    )

    @extend_schema(operation_id="listRecords", responses=RecordPage)
    def get(self, request: Request) -> Response:  # noqa: ARG002  shape of a handler
        """List records: those the client made and those the whole organisation sees."""
        visible = services.list_records(principal=self.principal, narrowed=RecordFilter())
        page = self.page(visible.values(*COLUMNS))
        values = services.shown_values(page.rows, principal=self.principal, purpose=PURPOSE)
        return Response(page.body(lambda row: _listed(row, values)))

    @extend_schema(operation_id="createRecord", request=NewRecord, responses={201: SavedRecord})
    @idempotent()
    def post(self, request: Request) -> Response:
        """Create a record; the client owns it, and key users of the organisation see it."""
        given = NewRecord(data=request.data)
        given.is_valid(raise_exception=True)
        saved = services.create_record(
            given.validated_data["kind"], given.validated_data["values"], principal=self.principal
        )
        record = visible_record(saved.id, principal=self.principal)
        headers = {
            "ETag": _etag(saved.id, saved.version, kind_by_id(record.kind_id)),
            "Location": f"{request.path}/{saved.id}",
        }
        return Response(_thin(saved), status=status.HTTP_201_CREATED, headers=headers)


class OneRecordView(ApiView):
    """One record."""

    required_scopes: ClassVar = {"GET": (READ_SCOPE,), "PATCH": (WRITE_SCOPE,)}

    @extend_schema(operation_id="readRecord", responses=RecordBody)
    def get(self, request: Request, record_id: UUID) -> Response:  # noqa: ARG002
        """Read a record; values of protected classes are left out."""
        view = services.read_record(record_id, principal=self.principal, purpose=PURPOSE)
        return self.versioned(_body(view), etag=_etag(view.id, view.version, view.kind))

    @extend_schema(operation_id="changeRecord", request=RecordChange, responses=SavedRecord)
    def patch(self, request: Request, record_id: UUID) -> Response:
        """Change values of a record, starting from the version named by ``If-Match``."""
        record = visible_record(record_id, principal=self.principal)
        kind = kind_by_id(record.kind_id)
        self.require_match(_etag(record.pk, record.version, kind))
        given = RecordChange(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            saved = services.change_record(
                record_id,
                given.validated_data["values"],
                principal=self.principal,
                expected_version=record.version,
            )
        except StaleVersion as stale:  # changed between our look and our lock
            raise PreconditionFailed(_("The object has changed since you read it.")) from stale
        return self.versioned(_thin(saved), etag=_etag(saved.id, saved.version, kind))


def _etag(record_id: UUID, version: int, kind: KindSpec) -> str:
    shown = [field.code for field in kind.fields if not field.is_hidden]
    return etag_of(str(record_id), version, shown)


def _thin(saved: Saved) -> dict[str, object]:
    return {"id": str(saved.id), "state": saved.state.value, "version": saved.version}


def _body(view: RecordView) -> dict[str, object]:
    return {
        "id": view.id,
        "kind": view.kind.code,
        "state": view.state.value,
        "visibility": view.visibility.value,
        "version": view.version,
        "created_at": view.created_at,
        "updated_at": view.updated_at,
        "values": view.values,
    }


def _listed(row: Row, values: Mapping[UUID, Mapping[str, str]]) -> dict[str, object]:
    kind_id, record_id = row["kind_id"], row["id"]
    kind = kind_by_id(kind_id) if isinstance(kind_id, UUID) else None
    return {
        "id": record_id,
        "kind": kind.code if kind else "",
        "state": row["state"],
        "visibility": row["visibility"],
        "version": row["version"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "values": values.get(record_id, {}) if isinstance(record_id, UUID) else {},
    }

"""Addresses of the API of records, under ``/api/v1/``."""

from django.urls import path

from workspace.records.api.views import OneRecordView, RecordsView

urlpatterns = [
    path("records", RecordsView.as_view(), name="api_records"),
    path("records/<uuid:record_id>", OneRecordView.as_view(), name="api_record"),
]

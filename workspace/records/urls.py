"""Addresses of records."""

from django.urls import path

from workspace.records import sharing_views, views

app_name = "records"

urlpatterns = [
    path("", views.record_list, name="list"),
    path("look-up/", views.look_up, name="look_up"),
    path("new/", views.choose_kind, name="choose_kind"),
    path("new/<slug:kind_code>/", views.create, name="create"),
    path("<uuid:record_id>/", views.detail, name="detail"),
    path("<uuid:record_id>/edit/", views.edit, name="edit"),
    path("<uuid:record_id>/reveal/<slug:field_code>/", views.reveal, name="reveal"),
    path("<uuid:record_id>/visibility/", sharing_views.visibility, name="visibility"),
    path("<uuid:record_id>/visibility/organisation/", sharing_views.widen, name="widen"),
    path("<uuid:record_id>/history/", views.history, name="history"),
]

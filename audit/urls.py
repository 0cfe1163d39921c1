"""Addresses of the journal's pages."""

from django.urls import path

from audit.views import alerts, history, log

app_name = "audit"

urlpatterns = [
    path("journal/", log.log, name="log"),
    path("journal/<uuid:event_id>/", log.entry_page, name="entry"),
    path("journal/<uuid:event_id>/reveal/", log.reveal_page, name="reveal"),
    path("account/history/", history.history, name="history"),
    path("alerts/", alerts.alert_list, name="alerts"),
    path("alerts/channel/", alerts.channel, name="channel"),
    path("alerts/<uuid:alert_id>/", alerts.alert_page, name="alert"),
    path("alerts/<uuid:alert_id>/take/", alerts.take, name="take_alert"),
    path("alerts/<uuid:alert_id>/close/", alerts.close, name="close_alert"),
]

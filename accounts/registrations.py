"""All that accounts contributes, in one list."""

from django.utils.translation import gettext_lazy as _

from accounts import audit_events, permissions, personal_data, tasks
from accounts.assurance import SessionStepUp
from accounts.contributions import Directory, Organisations, Preferences
from audit.events import audit_event_types
from foundation.access.permissions import permissions as permission_registry
from foundation.contracts.loops import Loop, loops
from foundation.contracts.organisations import organisation_directory
from foundation.contracts.people import person_directory
from foundation.contracts.personal_data import personal_data as personal_data_registry
from foundation.contracts.preferences import preferences_port
from foundation.contracts.step_up import step_up_port
from foundation.web.navigation import NavigationItem, navigation

permission_registry.register(*permissions.ALL)
audit_event_types.register(*audit_events.ALL)
personal_data_registry.register(*personal_data.SOURCES)
step_up_port.provide(SessionStepUp())
preferences_port.provide(Preferences())
person_directory.provide(Directory())
organisation_directory.provide(Organisations())
loops.register(
    Loop(name="accounts.mail_sweep", step=tasks.sweep, interval_seconds=30),
    Loop(name="accounts.housekeeping", step=tasks.prune, interval_seconds=3600),
)
navigation.register(
    NavigationItem(
        key="members",
        label=_("Members"),
        url_name="member_list",
        icon="users",
        permission=permissions.READ_USERS,
        order=60,
    ),
    NavigationItem(
        key="profile", label=_("Profile"), url_name="profile", icon="user", order=80, group=_("You")
    ),
    NavigationItem(
        key="sessions",
        label=_("Sessions"),
        url_name="session_list",
        icon="monitor",
        order=81,
        group=_("You"),
    ),
    NavigationItem(
        key="administration",
        label=_("Administration"),
        url_name="admin:index",
        icon="settings",
        order=95,
        staff_only=True,
    ),
)

"""People, organisations, memberships, roles, invitations and sessions."""

from accounts.models.invitation import Invitation, OneTimeLink
from accounts.models.membership import Membership
from accounts.models.organisation import Organisation, Team, TeamMember
from accounts.models.role import Role, RolePermission, RoleVersion
from accounts.models.session import SecurityNotice, UserSession
from accounts.models.session_factor import SessionFactor
from accounts.models.user import NotificationAddress, User

__all__ = [
    "Invitation",
    "Membership",
    "NotificationAddress",
    "OneTimeLink",
    "Organisation",
    "Role",
    "RolePermission",
    "RoleVersion",
    "SecurityNotice",
    "SessionFactor",
    "Team",
    "TeamMember",
    "User",
    "UserSession",
]

"""What accounts and the sign-in libraries hold about people (identity.md 7, privacy.md 1)."""

from accounts.personal_data.declaring import Rows
from accounts.personal_data.libraries import LIBRARIES
from accounts.personal_data.own import ACCOUNT

__all__ = ["ACCOUNT", "LIBRARIES", "SOURCES", "Rows"]

SOURCES = (*ACCOUNT, *LIBRARIES)

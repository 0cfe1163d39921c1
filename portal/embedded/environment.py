"""Lets ``manage.py`` commands find the embedded servers of a running installation."""

import os
from pathlib import Path

from portal.embedded.folder import default_path
from portal.embedded.installation import running_servers
from portal.embedded.urls import OF_COMMANDS


def provide(checkout: Path) -> None:
    """Set the addresses of the embedded servers, unless the operator gave addresses of his own.

    The data folder is ``DATA_DIR`` or the default one; nothing happens when it does not exist.
    """
    if "DATABASE_URL" in os.environ:
        return
    path = Path(os.environ.get("DATA_DIR") or default_path(checkout))
    servers = running_servers(path)
    if servers is None:
        return
    found = servers.environment(OF_COMMANDS) | servers.valkey_environment()
    found |= {"DATA_DIR": str(path), "SECRET_KEY": servers.secrets["SECRET_KEY"]}
    for name, value in found.items():
        os.environ.setdefault(name, value)

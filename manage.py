#!/usr/bin/env python
"""Django's command line for Gatehouse."""

import os
import sys
from pathlib import Path

from django.core.management import execute_from_command_line

from foundation.environment import SettingMissing
from portal.embedded.environment import provide
from portal.embedded.errors import EmbeddedError
from portal.embedded.external import main as prepare_database
from portal.supervision.start import main as serve

WITHOUT_SETTINGS = {"serve": serve, "prepare_database": prepare_database}


def main() -> None:
    """Run a command; those that need no settings before Django is set up, the others after."""
    command = WITHOUT_SETTINGS.get(sys.argv[1] if len(sys.argv) > 1 else "")
    if command is not None:
        sys.exit(command(sys.argv[2:]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    try:
        provide(Path(__file__).resolve().parent)
        execute_from_command_line(sys.argv)
    except (EmbeddedError, SettingMissing) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

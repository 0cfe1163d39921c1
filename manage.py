#!/usr/bin/env python
"""Django's command line for Gatehouse."""

import os
import sys
from pathlib import Path

from django.core.management import execute_from_command_line

from portal.embedded.environment import provide
from portal.embedded.errors import EmbeddedError
from portal.supervision.start import main as serve


def main() -> None:
    """Run a command; ``serve`` before Django is set up, the others after."""
    if sys.argv[1:2] == ["serve"]:
        sys.exit(serve(sys.argv[2:]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    try:
        provide(Path(__file__).resolve().parent)
    except EmbeddedError as error:
        sys.exit(str(error))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

"""All settings, read once at start; each module holds one subject."""

import django_stubs_ext

from portal.settings.celery import *  # noqa: F403  Django reads settings from one namespace
from portal.settings.database import *  # noqa: F403
from portal.settings.detection import *  # noqa: F403
from portal.settings.django import *  # noqa: F403
from portal.settings.identity import *  # noqa: F403
from portal.settings.observability import *  # noqa: F403
from portal.settings.security import *  # noqa: F403
from portal.settings.storage import *  # noqa: F403

django_stubs_ext.monkeypatch()

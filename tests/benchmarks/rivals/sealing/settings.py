"""A plain Django project with one package for sealed fields, named by ``RIVAL``."""

import os

RIVAL = os.environ["RIVAL"]
SECRET_KEY = "of a benchmark"
FIELD_ENCRYPTION_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="  # encrypted-model-fields
FIELD_ENCRYPTION_KEYS = ["30" * 32]  # searchable-encrypted-fields
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "tests.benchmarks.rivals.sealing",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["PGHOST"],
        "NAME": os.environ["PGDATABASE"],
        "USER": os.environ["PGUSER"],
        "PASSWORD": os.environ["PGPASSWORD"],
        "CONN_MAX_AGE": None,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

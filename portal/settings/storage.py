"""Cache and static files."""

from portal.settings.celery import VALKEY_URL

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": VALKEY_URL,
        "TIMEOUT": 300,
        "KEY_PREFIX": "gatehouse",
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 1},
    }
}

STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True  # files are served from the packages that own them
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 3600

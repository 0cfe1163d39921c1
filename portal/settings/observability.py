"""Logging: JSON lines on standard output, without personal data."""

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "foundation.observability.JsonFormatter"}},
    "filters": {
        "answers_to_probes": {
            "()": "foundation.observability.AnswersToProbes",
            "paths": ["/health/ready", "/health/startup"],
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "django.request": {"filters": ["answers_to_probes"]},
        "django.security.DisallowedHost": {"level": "ERROR"},
    },
}

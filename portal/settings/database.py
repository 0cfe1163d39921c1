"""Databases: one alias per role, present only where its address is given (runtime.md 1)."""

from urllib.parse import parse_qsl, unquote, urlsplit

from foundation import environment

CONNECTION_SECONDS = 600

_ALIASES = {
    "default": "DATABASE_URL",
    "journal": "DATABASE_URL",
    "journal_read": "JOURNAL_READ_DATABASE_URL",
    "staff": "STAFF_DATABASE_URL",
    "vault": "VAULT_DATABASE_URL",
    "sealer": "SEALER_DATABASE_URL",
    "keys": "KEYS_DATABASE_URL",
    "keys_vault": "KEYS_VAULT_DATABASE_URL",
}
_PREPARE = environment.flag("DATABASE_PREPARE", default=True)
_REQUIRED = {"default", "journal", "keys"}


def _connection(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    host = query.pop("host", "") or unquote(parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": CONNECTION_SECONDS,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
        "OPTIONS": {
            "connect_timeout": 3,
            # Django prepares nothing by itself; foundation.prepared does, where this is a number.
            "prepare_threshold": 5 if _PREPARE else None,
            **query,
        },
    }


def _databases() -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for alias, name in _ALIASES.items():
        database = "gatehouse_keys" if alias.startswith("keys") else "gatehouse"
        example = f"postgresql://role:password@host/{database}"
        url = environment.secret(name, default=None if alias in _REQUIRED else "", example=example)
        if url:
            found[alias] = _connection(url)
    return found


DATABASES = _databases()
DATABASE_ROUTERS = ["encryption.router.KeysRouter"]

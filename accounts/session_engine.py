"""Sessions whose cookie is a secret that no table and no cache holds (identity.md 7).

The cookie carries 256 random bits. The key under which the session is stored is a digest of
them, so a copy of the session table, of the cache or of ``UserSession`` signs nobody in.
"""

import base64
import hashlib
import logging
import secrets
from collections.abc import Callable
from typing import TypeVar

from django.contrib.sessions.backends.cached_db import SessionStore as CachedStore
from django.contrib.sessions.backends.db import SessionStore as TableStore
from django.core.cache.backends.base import BaseCache
from redis.exceptions import RedisError

SECRET_BYTES = 32
KEY_CHARACTERS = 40
CACHE_SECONDS = 300
"""Life of a cached copy: bounds how long an ended session could outlive an outage of the cache."""

Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)


def key_of(secret: str) -> str:
    """Return the key that a cookie's secret stands for."""
    digest = hashlib.sha256(secret.encode(errors="replace")).digest()
    return base64.urlsafe_b64encode(digest).decode()[:KEY_CHARACTERS]


class SessionStore(CachedStore):
    """A session in the table, with a short-lived copy in the cache, which may be away."""

    secret: str | None = None
    _cache: BaseCache  # set by Django's class
    _session: dict[str, object]

    def load(self) -> dict[str, object]:
        """Return the data, from the cache or from the table."""
        cached = self._try(lambda: self._cache.get(self.cache_key))
        if cached is not None:
            return dict(cached)
        data = dict(TableStore.load(self))
        if data:
            self._try(lambda: self._cache.set(self.cache_key, data, CACHE_SECONDS))
        return data

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002  Django's signature
        """Write the table, then the copy."""
        TableStore.save(self, must_create)
        self._try(lambda: self._cache.set(self.cache_key, self._session, CACHE_SECONDS))

    def exists(self, session_key: str) -> bool:
        """Ask the table alone: the cache may have lost the key."""
        return bool(TableStore.exists(self, session_key))

    def delete(self, session_key: str | None = None) -> None:
        """Delete the row, then the copy."""
        TableStore.delete(self, session_key)
        key = session_key or self.session_key
        if key is not None:
            self._try(lambda: self._cache.delete(self.cache_key_prefix + key))

    def _get_new_session_key(self) -> str:
        while True:
            secret = secrets.token_urlsafe(SECRET_BYTES)
            key = key_of(secret)
            if not self.exists(key):
                self.secret = secret
                return key

    def _try(self, act: Callable[[], Answer]) -> Answer | None:
        try:
            return act()
        except (RedisError, OSError):
            logger.warning("accounts.session_cache_away")
            return None

"""Secrets, hosts, cookies, headers and the content security policy."""

from pathlib import Path
from urllib.parse import urlsplit

from foundation import environment
from portal.settings.django import BASE_URL

SECRET_KEY = environment.secret("SECRET_KEY", example="$(openssl rand -base64 48)")
DATA_DIR = environment.path("DATA_DIR", default=Path("var"))
ZONE = environment.text("ZONE", default="all")
KEY_SERVICE = environment.text("KEY_SERVICE", default="key_file")
ROOT_KEY_FILE = environment.path("ROOT_KEY_FILE", default=DATA_DIR / "root.key")

_base = urlsplit(BASE_URL)
HTTPS = _base.scheme == "https"
ALLOWED_HOSTS = environment.names("ALLOWED_HOSTS", default=(_base.hostname or "localhost",))
CSRF_TRUSTED_ORIGINS = [BASE_URL]
TRUSTED_PROXIES = environment.names("TRUSTED_PROXIES")

SECURE_CSP = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
    "manifest-src": ["'self'"],
    "report-uri": ["/csp-report"],
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 63_072_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_SSL_REDIRECT = False
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
X_FRAME_OPTIONS = "DENY"

SESSION_ENGINE = "accounts.session_engine"
SESSION_COOKIE_NAME = "__Host-sid" if HTTPS else "sid"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "foundation.web.errors.csrf_failure"
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_HTTPONLY = True

DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

SECURITY_CONTACT = environment.text("SECURITY_CONTACT", default="mailto:security@localhost")
OUTBOUND_PRIVATE_TARGETS = environment.names("OUTBOUND_PRIVATE_TARGETS")

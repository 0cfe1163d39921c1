"""Secrets, hosts, cookies, headers and the content security policy."""

from pathlib import Path
from urllib.parse import urlsplit

from foundation import environment
from portal.settings.django import BASE_URL

SECRET_KEY = environment.secret("SECRET_KEY", example="$(openssl rand -base64 48)")
DATA_DIR = environment.path("DATA_DIR", default=Path("var"))
ZONE = environment.text("ZONE", default="all")
KEY_SERVICE = environment.text("KEY_SERVICE", default="key_file")
KEY_SERVICE_CA_FILE = environment.text("KEY_SERVICE_CA_FILE", default="")
KEY_SOFT_SECONDS = environment.integer("KEY_SOFT_SECONDS", default=300)
KEY_HARD_SECONDS = environment.integer("KEY_HARD_SECONDS", default=12 * 3600)
ROOT_KEY_FILE = environment.path("ROOT_KEY_FILE", default=DATA_DIR / "root.key")
PKCS11_LIBRARY = environment.text("PKCS11_LIBRARY", default="")
PKCS11_TOKEN = environment.text("PKCS11_TOKEN", default="")
PKCS11_PIN_FILE = environment.text("PKCS11_PIN_FILE", default="")
PKCS11_KEY_LABEL = environment.text("PKCS11_KEY_LABEL", default="gatehouse-root")
AWS_KMS_KEYS = environment.names("AWS_KMS_KEYS")
AWS_KMS_ENDPOINT = environment.text("AWS_KMS_ENDPOINT", default="")
GCP_KMS_KEY = environment.text("GCP_KMS_KEY", default="")
GCP_KMS_ENDPOINT = environment.text("GCP_KMS_ENDPOINT", default="https://cloudkms.googleapis.com")
GCP_KMS_CREDENTIALS_FILE = environment.text("GCP_KMS_CREDENTIALS_FILE", default="")
AZURE_KEY_VAULT_KEY = environment.text("AZURE_KEY_VAULT_KEY", default="")
AZURE_KEY_VAULT_ALGORITHM = environment.text("AZURE_KEY_VAULT_ALGORITHM", default="RSA-OAEP-256")
AZURE_AUTHORITY = environment.text("AZURE_AUTHORITY", default="https://login.microsoftonline.com")
AZURE_TENANT_ID = environment.text("AZURE_TENANT_ID", default="")
AZURE_CLIENT_ID = environment.text("AZURE_CLIENT_ID", default="")
AZURE_CLIENT_SECRET = environment.secret("AZURE_CLIENT_SECRET", default="")
VAULT_TRANSIT_KEY = environment.text("VAULT_TRANSIT_KEY", default="")
VAULT_TRANSIT_TOKEN_FILE = environment.text("VAULT_TRANSIT_TOKEN_FILE", default="")
VAULT_TRANSIT_NAMESPACE = environment.text("VAULT_TRANSIT_NAMESPACE", default="")

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

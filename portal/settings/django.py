"""Django itself: apps, middleware, templates, languages."""

from pathlib import Path

from django.utils.translation import gettext_lazy as _

from foundation import environment

BASE_DIR = Path(__file__).resolve().parent.parent.parent

DEBUG = False
DEMO = environment.flag("DEMO", default=False)
TEST_CLOCK = environment.flag("TEST_CLOCK", default=False)
PRODUCT_NAME = environment.text("PRODUCT_NAME", default="Gatehouse")
CONTACT_EMAIL = environment.text("CONTACT_EMAIL", default="")
IMPRINT_URL = environment.text("IMPRINT_URL", default="")
PRIVACY_URL = environment.text("PRIVACY_URL", default="")
BASE_URL = environment.text("BASE_URL", default="http://localhost:8000").rstrip("/")

INSTALLED_APPS = [
    "accounts",  # before django.contrib.admin: its admin site is the default one
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",  # templates of widgets, for FORM_RENDERER
    "portal.apps.PortalAdminConfig",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "axes",
    "django_otp",
    "guardian",
    "rest_framework",
    "drf_spectacular",
    "oauth2_provider",
    "foundation",
    "foundation.web",
    "foundation.rest",
    "encryption",
    "audit",
    "privacy",
    "workspace.records",
    "integrations.vault",
    "integrations.partners",
    "operations.health",
    "portal.apps.PortalConfig",  # last: freezes the registries
]

MIDDLEWARE = [
    "foundation.web.middleware.RequestId",
    "foundation.net.ClientAddressMiddleware",
    "foundation.rest.middleware.ApiProblems",
    "foundation.web.middleware.SecurityHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "foundation.web.middleware.ErrorPages",
    "foundation.web.middleware.Fragments",
    "encryption.middleware.RevocationMiddleware",
    "accounts.middleware.HashedSessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.SessionPolicyMiddleware",
    "accounts.middleware.PrincipalMiddleware",
    "foundation.web.middleware.ChosenLanguage",
    "audit.middleware.JournalContext",
    "accounts.middleware.AssuranceMiddleware",
    "accounts.middleware.OrganisationScopeMiddleware",
    "axes.middleware.AxesMiddleware",
]
if TEST_CLOCK:
    MIDDLEWARE.insert(0, "portal.test_clock.TestClock")

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "foundation.web.context.page",
            ],
            "builtins": ["django.templatetags.i18n", "foundation.web.templatetags.ui"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German")), ("fr", _("French")), ("pl", _("Polish"))]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = ["portal.formats"]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

EMAIL_HOST = environment.text("EMAIL_HOST", default="localhost")
EMAIL_PORT = environment.integer("EMAIL_PORT", default=25)
EMAIL_HOST_USER = environment.text("EMAIL_USER", default="")
EMAIL_HOST_PASSWORD = environment.secret("EMAIL_PASSWORD", default="")
EMAIL_USE_TLS = environment.flag("EMAIL_TLS", default=False)
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = environment.text("EMAIL_FROM", default="Gatehouse <portal@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["integrations.partners.authentication.PartnerAuth"],
    "DEFAULT_PERMISSION_CLASSES": ["foundation.rest.permissions.TokenHasScopes"],
    "DEFAULT_RENDERER_CLASSES": ["foundation.rest.renderers.FastJsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["foundation.rest.parsers.StrictJsonParser"],
    "DEFAULT_SCHEMA_CLASS": "foundation.rest.schema.ApiSchema",
    "EXCEPTION_HANDLER": "foundation.rest.problems.handle",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Gatehouse partner API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "PREPROCESSING_HOOKS": ["foundation.rest.schema.only_api"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "foundation.rest.schema.add_shared",
    ],
}
# Requests and seconds of the window, by plan; "open" counts nets without a token.
API_PLANS = {"standard": (600, 60), "open": (60, 60)}

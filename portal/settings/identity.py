"""Sign-in: allauth, second factors, axes, OAuth2 (identity.md 2, 5, 8)."""

from datetime import timedelta

from foundation import environment

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
    "accounts.backends.MembershipBackend",
]
PASSWORD_HASHERS = ["accounts.hashers.PortalArgon2Hasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 15},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "accounts.validators.GuessableValidator"},
]

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"

ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_RATE_LIMITS = {"login_failed": "30/m/ip,20/15m/key"}

MFA_ADAPTER = "accounts.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1
MFA_TOTP_ISSUER = "Gatehouse"
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_RECOVERY_CODE_DIGITS = 10
MFA_TRUST_ENABLED = False
MFA_FORMS = {
    "authenticate": "accounts.forms.AxesAuthenticateForm",
    "reauthenticate": "accounts.forms.AxesReauthenticateForm",
}

SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = False
SOCIALACCOUNT_STORE_TOKENS = False

AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_USERNAME_CALLABLE = "accounts.axes_glue.username"
AXES_CLIENT_IP_CALLABLE = "accounts.axes_glue.client_ip"

SILENCED_SYSTEM_CHECKS = [
    "guardian.W001",  # object grants come with documents (identity.md 6)
    "security.W001",  # our SecurityHeaders sends what Django's middleware would
    "security.W002",  # the same, by frame-ancestors and X-Frame-Options
]
ANONYMOUS_USER_NAME = None  # guardian makes no user of its own

# Failures of all clients of one net together: axes counts each client by itself.
OAUTH_NET_FAILURES = environment.integer("OAUTH_NET_FAILURES", default=30)
OAUTH_NET_WINDOW_SECONDS = environment.integer("OAUTH_NET_WINDOW_SECONDS", default=900)

OAUTH2_PROVIDER_APPLICATION_MODEL = "partners.PartnerClient"
OAUTH2_PROVIDER = {
    "SCOPES_BACKEND_CLASS": "integrations.partners.oauth.ClientScopes",
    "OAUTH2_VALIDATOR_CLASS": "integrations.partners.oauth.Validator",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 600,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 0,
    "ROTATE_REFRESH_TOKEN": True,
    "PKCE_REQUIRED": True,
    "ALLOWED_SCHEMES": ["https"],
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "OAUTH2_RESPONSE_TYPES_SUPPORTED": ["code"],
    # RFC 9700: all ten recommendations enforced.
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
}

AXES_HANDLER = "accounts.axes_glue.MaskingHandler"
AXES_LOCKOUT_CALLABLE = "accounts.axes_glue.locked_page"
AXES_CLIENT_STR_CALLABLE = "accounts.axes_glue.log_text"
AXES_DISABLE_ACCESS_LOG = True  # the journal holds successes
AXES_SENSITIVE_PARAMETERS = [
    *("login", "email", "username", "code", "otp_token", "token", "client_secret", "client_id"),
    *("password1", "password2", "oldpassword", "new_password", "new_password1", "new_password2"),
    *("client_assertion", "refresh_token", "csrfmiddlewaretoken", "next"),
]

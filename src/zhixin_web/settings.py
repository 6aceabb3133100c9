"""Django settings. What an operator may change is in :mod:`zhixin_web.environment`."""

from __future__ import annotations

import os
from pathlib import Path

from csp.constants import NONE, SELF

from zhixin_web.environment import read_environment

ENVIRONMENT = read_environment()
PACKAGE = Path(__file__).parent
VAR = ENVIRONMENT.var.resolve()
VAR.mkdir(parents=True, exist_ok=True)

DEMO = ENVIRONMENT.demo
os.umask(0o027)  # what the site writes is for its own user and group
DEBUG = False
SECRET_KEY = ENVIRONMENT.secret_key
EVIDENCE_KEY = ENVIRONMENT.evidence_key or SECRET_KEY
"""Authenticates the commitments of governed rows; kept when the secret key is changed."""
ALLOWED_HOSTS = [host.strip() for host in ENVIRONMENT.allowed_hosts.split(",") if host.strip()]
ROOT_URLCONF = "zhixin_web.urls"
WSGI_APPLICATION = "zhixin_web.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": ENVIRONMENT.database}

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_tasks",
    "django_tasks_db",
    "zhixin_web.audit",
    "zhixin_web.accounts",
    "zhixin_web.papers",
    "zhixin_web.rulebooks",
    "zhixin_web.records",
    "zhixin_web.collection",
    "zhixin_web.evaluations",
    "zhixin_web.measures",
    "zhixin_web.duties",
    "zhixin_web.cases",
    "zhixin_web.commitments",
    "zhixin_web.inspections",
    "zhixin_web.governance",
    "zhixin_web.workspace",
    "zhixin_web.jobs",
    "zhixin_web.demonstration",
    "zhixin_web.presentation",
    "zhixin_web.faces.portal",
    "zhixin_web.faces.enterprise",
    "zhixin_web.faces.inspector",
    "zhixin_web.faces.console",
]
MIDDLEWARE = [
    "zhixin_web.accounts.visitors.VisitorAddress",  # first: what follows asks whether the connection was encrypted
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "zhixin_web.accounts.visitors.RateLimits",
    "zhixin_web.accounts.visitors.NoNulCharacters",
    "zhixin_web.rulebooks.middleware.OneLawPerRequest",
    "zhixin_web.faces.portal.pages.PublicPages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "zhixin_web.presentation.language.LanguageByChoice",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "zhixin_web.accounts.middleware.SessionLimits",
    "zhixin_web.accounts.middleware.DefaultDeny",
    "axes.middleware.AxesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "loaders": [("django.template.loaders.cached.Loader", ["zhixin_web.presentation.loaders.UnindentedLoader"])],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "zhixin_web.presentation.context.page",
            ],
        },
    }
]

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
OIDC_ISSUER = ENVIRONMENT.oidc_issuer
OIDC_CODE_CLAIM = ENVIRONMENT.oidc_code_claim
OIDC_OP_AUTHORIZATION_ENDPOINT = ENVIRONMENT.oidc_authorization
OIDC_OP_TOKEN_ENDPOINT = ENVIRONMENT.oidc_token
OIDC_OP_USER_ENDPOINT = ENVIRONMENT.oidc_userinfo
OIDC_OP_JWKS_ENDPOINT = ENVIRONMENT.oidc_keys
OIDC_RP_CLIENT_ID = ENVIRONMENT.oidc_client_id
OIDC_RP_CLIENT_SECRET = ENVIRONMENT.oidc_client_secret
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_RP_SCOPES = "openid profile"
OIDC_USE_PKCE = True
OIDC_TIMEOUT = 10
if OIDC_ISSUER:
    AUTHENTICATION_BACKENDS.append("zhixin_web.accounts.identity_provider.EnterpriseIdentities")
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "zhixin_web.accounts.passwords.CharacterClasses"},
]
PASSWORD_DAYS = ENVIRONMENT.password_days
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "zhixin_web.faces.console.sign_in.locked_out"
AXES_WHITELIST_CALLABLE = "zhixin_web.accounts.identity_provider.is_from_provider"
AXES_ENABLE_ADMIN = False
LOGIN_URL = "/c/sign-in"
LOGIN_REDIRECT_URL = "/c/"
SECOND_FACTOR = ENVIRONMENT.needs_second_factor
IDLE_SECONDS = ENVIRONMENT.idle_minutes * 60
SESSION_COOKIE_AGE = ENVIRONMENT.session_hours * 3600
REAUTHENTICATE_SECONDS = 300

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "zhixin_web.faces.console.sign_in.csrf_failed"
if ENVIRONMENT.production:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SECURE_SSL_REDIRECT = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LOCALE_PATHS = [PACKAGE / "locale"]
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise warns where it is missing; files come from the packages by finder
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600
STATICFILES_DIRS = [PACKAGE / "static"]

UPLOAD_LIMIT = ENVIRONMENT.upload_megabytes * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
LEDGER_ORIGIN = ENVIRONMENT.origin
SIGNER_COMMAND = ENVIRONMENT.signer_command
PROXIES = ENVIRONMENT.proxies
OUTGOING_NETWORKS = ENVIRONMENT.networks
RATE_LIMITS = ENVIRONMENT.rate_limits
RATE_STORAGE = ENVIRONMENT.rate_storage
WITNESS_FOLDER = ENVIRONMENT.witness_folder
WITNESS_COMMAND = ENVIRONMENT.witness_command
WITNESS_URL = ENVIRONMENT.witness_url
WITNESS_MAIL = ENVIRONMENT.witness_mail
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}}

SITE_NAME = ENVIRONMENT.site_name
SITE_ADDRESS = ENVIRONMENT.site_address.rstrip("/")
SITE = {
    "host": ENVIRONMENT.site_host,
    "contact": ENVIRONMENT.site_contact,
    "code": ENVIRONMENT.site_code,
    "icp": ENVIRONMENT.site_icp,
    "police": ENVIRONMENT.site_police,
}
PUBLIC_SECONDS = ENVIRONMENT.public_seconds

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "zhixin_web.audit.logs.OneLine"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}

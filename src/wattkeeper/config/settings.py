"""Django's settings. What an operator may change is in `env.py`; this file says what follows from it."""

from __future__ import annotations

from datetime import timedelta

from csp.constants import NONE, SELF

from wattkeeper.base.catalog.alerting import AlertType, Condition, Level
from wattkeeper.config import env as environment

env = environment.load()

HOME = env.wattkeeper_home
DEBUG = env.debug
SECRET_KEY = env.secret()
ALLOWED_HOSTS = env.allowed_hosts
CSRF_TRUSTED_ORIGINS = env.csrf_trusted_origins
PRODUCTION = env.django_env is environment.Environment.PRODUCTION

INSTALLED_APPS = [
    "wattkeeper.config",  # first: its `runserver` is the one that counts
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "wattkeeper.base.accounts",
    "wattkeeper.base.assets",
    "wattkeeper.base.jobs",
    "wattkeeper.flow.sources.csv_upload",
    "wattkeeper.flow.rules",
    "wattkeeper.flow.alerts",
    "wattkeeper.flow.notify",
    "wattkeeper.views.api",
    "wattkeeper.views.dashboard",
    "wattkeeper.views.live",
    "wattkeeper.kinds.vehicle",
    "wattkeeper.kinds.battery",
    "wattkeeper.kinds.meter",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",  # near the outside: what other middlewares answer carries the policy too
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "wattkeeper.views.api.middleware.optional_slash",
]

ROOT_URLCONF = "wattkeeper.config.urls"
ASGI_APPLICATION = "wattkeeper.config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "wattkeeper.views.dashboard.shell.context",
            ]
        },
    }
]

DATABASES = {"default": env.database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

# Ten wrong passwords for one name from one address: that pair waits a quarter of an hour.
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_HTTP_RESPONSE_CODE = 429
AXES_RESET_ON_SUCCESS = True
# A client that keeps trying meanwhile does not prolong it, so that Retry-After is true.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_CALLABLE = "wattkeeper.views.api.lockout.answer"
# It would open a session, cookie and all, for every login of a program.
AXES_DISABLE_ACCESS_LOG = True

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "wattkeeper.base.accounts.authentication.ApiKeyAuthentication",
        "rest_framework_simplejwt.authentication.JWTAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["wattkeeper.base.accounts.permissions.MayAct"],
    "DEFAULT_RENDERER_CLASSES": ["wattkeeper.views.api.renderers.AnyTextJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "wattkeeper.views.api.parsers.BoundedJSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_SCHEMA_CLASS": "wattkeeper.views.api.schema.StreamSchema",
    "EXCEPTION_HANDLER": "wattkeeper.views.api.errors.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=30),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
    "CHECK_REVOKE_TOKEN": True,  # a new password ends the tokens of the old one
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Wattkeeper",
    "VERSION": "1",
    "DESCRIPTION": "Telemetry of batteries, vehicles, meters and machines.",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    # Without it, one of two enums in fields named alike would be named by its digest, and one that fields of several
    # names have by whichever comes first.
    "ENUM_NAME_OVERRIDES": {
        "AlertHappeningEnum": "wattkeeper.flow.alerts.models.Happening",
        "ChannelTypeEnum": ["float", "integer", "text"],
        "LevelEnum": list(Level),
        "AlertTypeEnum": list(AlertType),
        "ConditionEnum": list(Condition),
        "BatteryStatusEnum": ["CHARGING", "DISCHARGING", "IDLE", "FAULT"],
        "UploadStatusEnum": ["receiving", "running", "done", "failed"],
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "wattkeeper.views.api.schema.house_rules",
    ],
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = HOME / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "wattkeeper.config.static.ManifestStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# A chunk is a file on disk from its first megabyte on, and it lies beside the place that it moves to.
FILE_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 << 20

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
# What comes with a page comes from us, and no text that found its way into a page runs as a script.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}
SECURE_SSL_REDIRECT = False  # the proxy in front does it
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname:7} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.log_level},
    "loggers": {
        # What it has to say of wrong settings has them in it, tokens too.
        "apprise": {"level": "CRITICAL"},
        # Mail that is printed because there is no mail server is read in the log, whatever else is.
        "wattkeeper.flow.notify.channels.email": {"level": "INFO"},
        "axes": {"level": "WARNING"},
        "huey": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
    },
}

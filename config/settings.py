"""How the product runs, read from the environment.

Nothing set: the embedded default for one machine. SQLite in var/, the outbox drained by a thread of the
web server, messages written to var/messages, loopback only.

DISSENT_ENV=production asks for everything a council's installation needs, and refuses to start without it.

| variable        | meaning                                                                                 |
|-----------------|-----------------------------------------------------------------------------------------|
| DISSENT_ENV     | `production`, or unset                                                                  |
| DATABASE_URL    | `postgres://user:password@host/name`, or `sqlite:////path/to/file`                      |
| REDIS_URL       | `redis://host:6379/0`: Celery wakes the sender, and the web server runs several workers |
| SECRET_KEY      | 50 characters or more, made at random                                                   |
| ALLOWED_HOSTS   | host names served, separated by commas                                                  |
| SITE_URL        | the address people use, for links in messages                                           |
| EMAIL_URL       | `smtps://user:password@host:465` (TLS), `smtp://user:password@host:587` (STARTTLS)      |
| MAIL_FROM       | the address messages come from                                                          |
| PROXY_COUNT     | reverse proxies in front that add to X-Forwarded-For: 1 in production, else 0           |
| DEMONSTRATION   | `1`: invented people, and a page that shows every message. Loopback only                |
| DEBUG           | `1`: Django's error pages. Never in production                                          |
| HOST, PORT      | where the web server listens: 127.0.0.1 and 8000 where nothing is set                   |
| WEB_CONCURRENCY | processes of the web server, where there is a Redis: 3 where nothing is set             |
"""

import contextlib
import os
import secrets
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.http.request import split_domain_port, validate_host

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]


def _text(name: str) -> str:
    return os.environ.get(name, "").strip()


def _yes(name: str) -> bool:
    value = _text(name).lower()
    if value not in {"", "0", "1", "no", "yes", "false", "true"}:
        raise ImproperlyConfigured(f"{name} is {value!r}: write 1 for yes, or leave it out for no.")
    return value in {"1", "yes", "true"}


def _needed(name: str, example: str) -> str:
    """Return a variable that production cannot do without."""
    if value := _text(name):
        return value
    raise ImproperlyConfigured(f"{name} is missing: production needs it, for example {name}={example}")


def _split(address: str) -> SplitResult:
    """Return the parts of an address, none where it is not one."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # worked out only where it is asked for
    except ValueError:
        return urlsplit("")
    return parts


def _pooled() -> bool:
    """Say whether Django will speak to PostgreSQL by psycopg 3, the driver that has a pool."""
    try:
        import psycopg_pool  # noqa: F401  itself imports psycopg
    except ImportError:
        return False
    return True


def _embedded_secret() -> str:
    """Return the machine's own secret, made at the first start and readable by its owner only."""
    path = VAR_DIR / "secret-key"
    VAR_DIR.mkdir(mode=0o700, exist_ok=True)
    fresh = VAR_DIR / f"secret-key.{os.getpid()}"
    if not path.exists():
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(64))
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)  # whole or not at all, when two processes start at once
        fresh.unlink()
    return path.read_text()


# --- which kind of installation ------------------------------------------------------------------

if _text("DISSENT_ENV") not in {"", "production"}:
    raise ImproperlyConfigured("DISSENT_ENV is either production or not set at all.")
PRODUCTION = _text("DISSENT_ENV") == "production"
DEBUG = _yes("DEBUG")
DEMONSTRATION = _yes("DEMONSTRATION")

if PRODUCTION and DEBUG:
    raise ImproperlyConfigured(
        "DEBUG is on: production does not start with it, because its pages show case data."
    )
if PRODUCTION and DEMONSTRATION:
    raise ImproperlyConfigured(
        "DEMONSTRATION is on: production does not start with it, because its pages show every message."
    )

if PRODUCTION:
    SECRET_KEY = _needed("SECRET_KEY", "$(openssl rand -base64 48)")
    if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 10 or SECRET_KEY.startswith("django-insecure"):
        raise ImproperlyConfigured("SECRET_KEY is too easy to guess: make 50 or more random characters.")
    ALLOWED_HOSTS = [host.strip() for host in _needed("ALLOWED_HOSTS", "dissent.council.example").split(",")]
    if "*" in ALLOWED_HOSTS:
        raise ImproperlyConfigured(
            "ALLOWED_HOSTS is *: name the hosts, because links in messages depend on them."
        )
    SITE_URL = _needed("SITE_URL", "https://dissent.council.example").rstrip("/")
    if not SITE_URL.startswith("https://"):
        raise ImproperlyConfigured(
            "SITE_URL does not start with https:// and case data must not travel in the clear."
        )
    if not validate_host(split_domain_port(_split(SITE_URL).netloc)[0], ALLOWED_HOSTS):
        raise ImproperlyConfigured(
            "SITE_URL has a host that ALLOWED_HOSTS does not name, so every link in a message would fail."
        )
else:
    SECRET_KEY = _text("SECRET_KEY") or _embedded_secret()
    ALLOWED_HOSTS = [h.strip() for h in _text("ALLOWED_HOSTS").split(",") if h.strip()] or LOOPBACK
    SITE_URL = (_text("SITE_URL") or "http://127.0.0.1:8000").rstrip("/")

if DEMONSTRATION and not set(ALLOWED_HOSTS) <= set(LOOPBACK):
    raise ImproperlyConfigured(
        "DEMONSTRATION is on with ALLOWED_HOSTS beyond this machine: it runs on loopback only."
    )

# --- what it is made of --------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "crispy_forms",
    "crispy_forms_gds",
    "csp",
    "councils",
    "dissent",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.private_pages",
    "config.middleware.request_size",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.middleware.session_limits",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

# A person's e-mail is unique by a constraint that ignores case, which auth.W004 does not look for.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

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
                "dissent.views.common.council_of_the_page",
            ],
        },
    },
]

# Form widgets are looked up in templates/ too, so that a fault in the form pack can be mended there.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = ["gds"]
CRISPY_TEMPLATE_PACK = "gds"
CRISPY_FAIL_SILENTLY = False

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_TZ = True

# --- data ----------------------------------------------------------------------------------------

if PRODUCTION:
    _database_url = _needed("DATABASE_URL", "postgres://dissent:password@db.council.example/dissent")
else:
    _database_url = _text("DATABASE_URL") or f"sqlite:///{VAR_DIR / 'dissent.sqlite3'}"

try:
    _database = dj_database_url.parse(_database_url, conn_health_checks=True)
except (ValueError, KeyError):
    raise ImproperlyConfigured(
        "DATABASE_URL is not understood: write postgres://user:password@host/name or sqlite:////path/to/file"
    ) from None

if _database["ENGINE"].endswith("sqlite3"):
    # Readers never wait for the writer, and a writer takes its turn at the start of its transaction
    # instead of failing in the middle of it.
    _database["CONN_MAX_AGE"] = None
    _database["CONN_HEALTH_CHECKS"] = False
    _database["OPTIONS"] = {
        "init_command": "PRAGMA journal_mode=WAL;",
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
    }
elif _pooled():
    # Connections live in the pool, one pool a process; the largest must hold every thread of a worker.
    _database.setdefault("OPTIONS", {})["pool"] = {"min_size": 1, "max_size": 10, "timeout": 10}
else:
    _database["CONN_MAX_AGE"] = None  # each thread keeps its own

DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- background work: Celery only says "look at the outbox", and only where there is a Redis --------

REDIS_URL = _text("REDIS_URL")
CELERY_BROKER_URL = REDIS_URL or "memory://"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker for as long as it takes
# A nudge after a commit keeps nobody waiting for a broker that is down: one try, and the next tick does it.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "max_retries": 0,
    "socket_connect_timeout": 2,
    "socket_timeout": 5,
    "visibility_timeout": 30 * 60,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 10 * 60
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {"drain": {"task": "dissent.tasks.drain", "schedule": 60.0}}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat")

# --- cache ---------------------------------------------------------------------------------------

# Rate limits on sign-in live here. The database, because every process must see the same count, and
# because nobody may be kept from signing in or deciding by a Redis that has stopped.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# Papers are kept in the database. A form may hold a very long text; one paper has a limit that its form
# explains, and beyond several of them a request is not read at all.
PAPER_MAX_BYTES = 25 * 1024 * 1024
REQUEST_MAX_BYTES = 5 * PAPER_MAX_BYTES
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000
FILE_UPLOAD_PERMISSIONS = 0o600

# --- mail ----------------------------------------------------------------------------------------

if PRODUCTION:
    _mail_url = _needed("EMAIL_URL", "smtps://user:password@mail.council.example:465")
else:
    _mail_url = _text("EMAIL_URL")
if not _mail_url:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = VAR_DIR / "messages"
else:
    _mail = _split(_mail_url)
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    if _mail.scheme not in {"smtp", "smtps"} or not _mail.hostname:
        raise ImproperlyConfigured("EMAIL_URL is not understood: write smtps://user:password@host:465")
    EMAIL_HOST = _mail.hostname
    EMAIL_USE_SSL = _mail.scheme == "smtps"
    # A mail server on this very machine may be spoken to in the clear; certificates are verified elsewhere.
    EMAIL_USE_TLS = _mail.scheme == "smtp" and _mail.hostname not in {"127.0.0.1", "localhost", "::1"}
    EMAIL_PORT = _mail.port or (465 if EMAIL_USE_SSL else 587 if EMAIL_USE_TLS else 25)
    EMAIL_HOST_USER = unquote(_mail.username or "")
    EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
    EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = (
    _needed("MAIL_FROM", "dissent@council.example")
    if PRODUCTION
    else _text("MAIL_FROM") or "Dissent tracker <no-reply@dissent.example>"
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- sign-in -------------------------------------------------------------------------------------

AUTH_USER_MODEL = "councils.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
]

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/work/"
LOGOUT_REDIRECT_URL = "/"

ACCOUNT_ADAPTER = "config.accounts.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "dissent.forms.sign_in.Password",
    "request_login_code": "config.accounts.RequestCodeForm",
    "confirm_login_code": "dissent.forms.sign_in.EnterCode",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 3
# Council mail gateways can hold a message for minutes.
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60
if not (_text("PROXY_COUNT") or "0").isdigit():
    raise ImproperlyConfigured("PROXY_COUNT is not a number: write how many reverse proxies stand in front.")
ALLAUTH_TRUSTED_PROXY_COUNT = int(_text("PROXY_COUNT") or PRODUCTION)

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_IDLE_SECONDS = 2 * 60 * 60
SESSION_TOTAL_SECONDS = 12 * 60 * 60
SESSION_COOKIE_AGE = SESSION_TOTAL_SECONDS
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "dissent.views.common.could_not_be_sent"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_AGE = None
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- headers -------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

if PRODUCTION:
    SECURE_SSL_REDIRECT = True
    # The reverse proxy ends TLS and must set this header itself, whatever a client sent.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    # Preloading binds the whole of a council's domain, and is the council's to ask for, not this product's.
    SILENCED_SYSTEM_CHECKS += ["security.W021"]
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"

# --- static files --------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- logs ----------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "django.utils.log.ServerFormatter" if DEBUG else "config.logs.WithoutValues",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        },
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        # It warns at every HEAD request that Django wrote a body, which it then leaves out as it should.
        "gunicorn.http.wsgi": {"level": "ERROR"},
    },
}

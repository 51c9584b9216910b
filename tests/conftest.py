"""What the tests stand on: real databases, a real mail server, the real web server and a real browser.

Which database: the one in DATABASE_URL, and SQLite where nothing is set. `make test` runs both.

Fixtures:
  at                      `at("2026-12-23 14:30")`: that moment in London
  mailbox                 a mail server on loopback that keeps what it is sent
  live                    the product as gunicorn serves it, with its drain, on the test's own database
  database_url            the test's own database, for another process
  stack                   the product as `make stack` serves it, with a Redis of its own
  page, new_page          a browser on `live`; `new_page(scripts=False)` is one that runs no JavaScript
  accessible              `accessible(page)` fails with what axe finds against WCAG 2.2 A and AA
"""

import contextlib
import datetime as dt
import email.policy
import fcntl
import functools
import gc
import http.client
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import hypothesis
import pytest
import redis
from aiosmtpd.controller import Controller
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import connection, connections
from django.test import TransactionTestCase

from dissent.actions import conference

ROOT = Path(__file__).resolve().parent.parent
SCRATCH = pytest.StashKey[str]()


# --- the run as a whole --------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    sys.addaudithook(_loopback_only)
    # A query is a tree of small objects that die young: looking for rings among them takes a sixth of the
    # time.
    gc.set_threshold(100_000, 20, 50)
    os.environ.setdefault("TEST_REDIS_URL", "redis://127.0.0.1:6379")
    os.environ.setdefault("POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/dissent")
    hypothesis.settings.register_profile("here", deadline=None)
    hypothesis.settings.load_profile("here")

    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    django_settings.STORAGES = {
        **django_settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
    config.stash[SCRATCH] = tempfile.mkdtemp(prefix="dissent-test-", dir=shared)
    # Pages are tested without collected files; `live` has them.
    django_settings.STATIC_ROOT = config.stash[SCRATCH]
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    database = connections.settings["default"]
    if database["ENGINE"].endswith("sqlite3"):
        # A file, not memory: several connections and another process see what production would show.
        database["TEST"]["NAME"] = f"{config.stash[SCRATCH]}/test.sqlite3"
        database["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"
    else:
        # What a test commits need not survive a power cut.
        database["OPTIONS"]["options"] = "-c synchronous_commit=off"
    TransactionTestCase._fixture_teardown = _empty_append_only_tables_too(
        TransactionTestCase._fixture_teardown
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    if folder := config.stash.get(SCRATCH, None):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks no database, which there is no reason to run on each."""
    asking = {"db", "transactional_db"}
    for item in items:
        if not item.get_closest_marker("django_db") and not asking & set(item.fixturenames):
            item.add_marker("without_database")


def _loopback_only(event: str, arguments: tuple) -> None:
    """Let no test reach beyond this machine."""
    if event == "socket.connect":
        address = arguments[1]
        if not isinstance(address, tuple):
            return
        host = address[0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host and host != "localhost" and not host.startswith("127.") and host != "::1":
        raise AssertionError(f"A test tried to reach {host}. Tests stay on this machine.")


def _empty_append_only_tables_too(teardown):
    """Tests that commit are followed by emptying every table, which triggers rightly refuse elsewhere."""

    def wrapped(self):
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET session_replication_role = replica")
                triggers = []
            else:
                cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
                triggers = cursor.fetchall()
                for name, _ in triggers:
                    cursor.execute(f'DROP TRIGGER "{name}"')
        try:
            teardown(self)
        finally:
            with connection.cursor() as cursor:
                if connection.vendor == "postgresql":
                    cursor.execute("SET session_replication_role = DEFAULT")
                for _, sql in triggers:
                    cursor.execute(sql)
            cache.clear()  # its table is no model's, and holds the count of sign-in tries

    return wrapped


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """End what is left on the test database before it is dropped, such as a pool's spare connection."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(scope="session", autouse=True)
def _each_paper_is_checked_once():
    """Check the same bytes once in a run: a child process for each paper of each test took a third of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conference, "check_pdf", functools.lru_cache(maxsize=8)(conference.check_pdf))
        yield


# --- small helps ---------------------------------------------------------------------------------


@pytest.fixture
def at():
    """Return a function from "2026-12-23 14:30" to that moment in London."""

    def moment(text: str) -> dt.datetime:
        return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/London"))

    return moment


# --- mail ----------------------------------------------------------------------------------------


class Received:
    """One message as a mail server was given it."""

    def __init__(self, envelope) -> None:
        self.sender: str = envelope.mail_from
        self.recipients: list[str] = envelope.rcpt_tos
        self.raw: bytes = envelope.content
        self.message = email.message_from_bytes(self.raw, policy=email.policy.default)
        assert isinstance(self.message, EmailMessage)

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        return self.message.get_body(("plain",)).get_content()


class Mailbox:
    """A mail server on loopback. What it is sent is in `messages`, oldest first."""

    def __init__(self) -> None:
        self.messages: list[Received] = []
        self.refuse_with: str | None = None
        self._controller = Controller(self, hostname="127.0.0.1", port=_free_port())
        self.port: int = self._controller.port

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: N802  the mail server calls it so
        if self.refuse_with:
            return self.refuse_with
        self.messages.append(Received(envelope))
        return "250 kept"

    def to(self, address: str) -> list[Received]:
        return [received for received in self.messages if address in received.recipients]

    def latest(self, address: str, *, count: int = 1) -> Received:
        """Return the newest message to `address` once at least `count` have come."""
        deadline = time.monotonic() + 15
        while len(self.to(address)) < count:
            if time.monotonic() > deadline:
                others = sorted({to for received in self.messages for to in received.recipients})
                came = len(self.to(address))
                pytest.fail(f"{came} of {count} messages came to {address}. Others: {others}")
            time.sleep(0.05)
        return self.to(address)[-1]


@pytest.fixture
def mailbox(settings):
    """Send mail to a real server, in this process and in `live`."""
    box = Mailbox()
    box._controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", box.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    yield box
    box._controller.stop()


# --- the web server ------------------------------------------------------------------------------


class Live:
    """The product in a process of its own, on the database of the test."""

    def __init__(self, *, mail_port: int, log: Path) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        self.errors_expected = False
        self._mail_port = mail_port
        self._process: subprocess.Popen | None = None

    def start(self, **environment: str) -> None:
        """Start, and return when it answers. `environment` is added to the settings."""
        path = [str(Path(sys.executable).parent), os.environ["PATH"]]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["gunicorn", "--config", "config/gunicorn.py"],
                cwd=ROOT,
                env={
                    "PATH": os.pathsep.join(path),
                    "PORT": str(self.port),
                    "SITE_URL": self.url,
                    "DATABASE_URL": _database_url(),
                    "SECRET_KEY": django_settings.SECRET_KEY,
                    "EMAIL_URL": f"smtp://127.0.0.1:{self._mail_port}",
                    **environment,
                },
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 30
        while True:
            try:
                peer = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                with contextlib.closing(peer):
                    peer.request("GET", "/sign-in/")
                    peer.getresponse()
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"The web server did not start:\n{self.log.read_text()}")
                time.sleep(0.05)

    def crash(self) -> None:
        """End every process at once, as a power cut would."""
        assert self._process
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for pid in [self._process.pid, *map(int, children)]:
            os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=20)


def _database_url() -> str:
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    password = f":{database['PASSWORD']}" if database["PASSWORD"] else ""
    return f"postgres://{database['USER']}{password}@{database['HOST']}:{database['PORT']}/{database['NAME']}"


@pytest.fixture
def database_url(transactional_db):
    """Return where another process finds the database of the test."""
    return _database_url()


@pytest.fixture(scope="session")
def _static_files(tmp_path_factory):
    """Collect the static files where `live` serves them from, one process of the run at a time."""
    lock = Path(tempfile.gettempdir()) / "dissent-test-static.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        subprocess.run(
            [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
            cwd=ROOT,
            check=True,
        )


@pytest.fixture
def live(transactional_db, mailbox, settings, tmp_path, _static_files):
    """Serve the product on the test's own database, with its drain running and its mail in `mailbox`.

    The test fails where the server logged an error, unless it says `live.errors_expected = True`.
    """
    server = Live(mail_port=mailbox.port, log=tmp_path / "server.log")
    settings.SITE_URL = server.url
    server.start()
    yield server
    server.stop()
    log = server.log.read_text()
    assert server.errors_expected or (" ERROR " not in log and "Traceback" not in log), log


# --- what `make stack` serves ---------------------------------------------------------------------


class OwnRedis:
    """A Redis that a test may flush and stop, with the storage and the password of docker-compose.yml."""

    def __init__(self, folder: Path) -> None:
        self.port = _free_port()
        self.url = f"redis://:only-for-tests@127.0.0.1:{self.port}/0"
        self._folder = folder
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["redis-server", "-", "--bind", "127.0.0.1", "--port", str(self.port), "--appendonly", "yes"],
            cwd=self._folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        with self._process.stdin as configuration:
            configuration.write(b"requirepass only-for-tests\n")
        for _ in range(100):
            with contextlib.suppress(redis.ConnectionError), redis.Redis.from_url(self.url) as server:
                server.ping()
                return
            time.sleep(0.1)
        pytest.fail("A private Redis was started and did not answer within ten seconds.")

    def flush(self) -> None:
        with redis.Redis.from_url(self.url) as server:
            server.flushall()

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(timeout=20)


class Stack:
    """What `make stack` starts, on the database of the test: the web server, the worker, the beat."""

    def __init__(self, *, mail_port: int, log: Path, redis: OwnRedis) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log, self.redis = log, redis
        self.errors_expected = False
        self._mail_port = mail_port
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        """Start it all, and return when the web server answers and the worker listens."""
        with self.log.open("ab") as log:
            began = log.tell()
            self._process = subprocess.Popen(
                ["config/stack.sh"],
                cwd=ROOT,
                env={
                    "PATH": os.environ["PATH"],
                    "PORT": str(self.port),
                    "DATABASE_URL": _database_url(),
                    "REDIS_URL": self.redis.url,
                    "SECRET_KEY": django_settings.SECRET_KEY,
                    "EMAIL_URL": f"smtp://127.0.0.1:{self._mail_port}",
                },
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 120
        said = ""
        while not ("Booting worker" in said and "ready." in said):
            if self._process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"The stack did not start:\n{said}")
            time.sleep(0.1)
            said = self.log.read_bytes()[began:].decode()

    def processes(self) -> list[int]:
        """Return every process of it that runs, the script's own first."""
        found = [self._process.pid] if self._process and self._process.poll() is None else []
        for pid in found:
            with contextlib.suppress(OSError):
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
                found += map(int, children)
        return found

    def crash(self) -> None:
        """End every process at once, as a power cut would."""
        running = self.processes()
        for pid in running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert self._process
        self._process.wait()
        self.gone(running)

    def gone(self, processes: list[int]) -> None:
        """Wait until none of them runs any more."""
        deadline = time.monotonic() + 10
        while running := [pid for pid in processes if Path(f"/proc/{pid}/cmdline").exists()]:
            if time.monotonic() > deadline:
                pytest.fail(f"Still running: {running}")
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=60)


@pytest.fixture
def stack(transactional_db, mailbox, settings, tmp_path, _static_files):
    """Serve the demonstration as `make stack` does, on the test's own database, its mail in `mailbox`.

    One at a time on a machine: it is eight processes. The test fails where one of them logged an error,
    unless it says `stack.errors_expected = True`.
    """
    server = OwnRedis(tmp_path)
    whole = Stack(mail_port=mailbox.port, log=tmp_path / "stack.log", redis=server)
    settings.SITE_URL = whole.url
    lock = Path(tempfile.gettempdir()) / "dissent-test-stack.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        try:
            server.start()
            whole.start()
            yield whole
        finally:
            whole.stop()
            server.stop()
    log = whole.log.read_text()
    assert whole.errors_expected or (" ERROR " not in log and "Traceback" not in log), log


# --- the browser ---------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser():
    """Debian's own Chromium, for the whole run."""
    from playwright.sync_api import sync_playwright

    # The browser's driver runs an event loop in this thread, where Django would refuse its database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
            args=[
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            ],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser, live):
    """Return a function that opens a page in a browser of its own: another person at another desk.

    `scripts=False` runs no JavaScript, `width=320` is a small telephone. The test fails where a page
    broke the content security policy or one of its scripts failed.
    """
    contexts, faults = [], []

    def open_page(*, scripts: bool = True, width: int = 1280):
        context = browser.new_context(
            base_url=live.url,
            java_script_enabled=scripts,
            viewport={"width": width, "height": 900},
            locale="en-GB",
            timezone_id="Europe/London",
        )
        contexts.append(context)
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
        page.on(
            "console",
            lambda line: (
                faults.append(f"{page.url}: {line.text}") if "Content Security Policy" in line.text else None
            ),
        )
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not faults


@pytest.fixture
def page(new_page):
    return new_page()


@pytest.fixture(scope="session")
def accessible():
    """Return a function that fails with what axe finds against WCAG 2.2 A and AA on a page."""
    from axe_playwright_python.sync_playwright import Axe

    axe = Axe()
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

    def check(page) -> None:
        options = {"runOnly": {"type": "tag", "values": rules}, "resultTypes": ["violations"]}
        answer = axe.run(page, options=options).response
        assert answer["passes"], "axe found nothing to look at"
        found = [
            f"{violation['id']}: {violation['help']}: {[node['html'] for node in violation['nodes']]}"
            for violation in answer["violations"]
        ]
        assert not found, f"{page.url}\n" + "\n".join(found)

    return check


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

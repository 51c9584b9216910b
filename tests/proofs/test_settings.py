"""Production refuses to start with anything unsafe or missing, in one sentence."""

import os
import runpy
import shutil
import stat
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "DISSENT_ENV": "production",
    "SECRET_KEY": "kV7wq2ZrT9xLm4sPbN8yHc3JdF6gRt5UeWaQ1oXiK0zCvB-nMq7",
    "DATABASE_URL": "postgres://dissent:secret@db.council.example/dissent",
    "ALLOWED_HOSTS": "dissent.council.example",
    "SITE_URL": "https://dissent.council.example",
    "EMAIL_URL": "smtps://sender:secret@mail.council.example:465",
    "MAIL_FROM": "dissent@council.example",
}


@pytest.fixture
def settings_from(monkeypatch):
    """Return a function that reads settings.py afresh in the environment given."""

    def read(**environment: str) -> dict:
        for name in [*PRODUCTION, "REDIS_URL", "DEBUG", "DEMONSTRATION", "PROXY_COUNT"]:
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "config" / "settings.py"))

    return read


def test_production_starts_with_everything_it_needs(settings_from):
    settings = settings_from(**PRODUCTION)
    assert settings["DATABASES"]["default"]["OPTIONS"]["pool"]
    assert settings["EMAIL_USE_SSL"]
    assert settings["SESSION_COOKIE_NAME"].startswith("__Host-")


@pytest.mark.parametrize("name", [name for name in PRODUCTION if name != "DISSENT_ENV"])
def test_production_refuses_a_missing_value_and_names_it(settings_from, name):
    with pytest.raises(ImproperlyConfigured, match=f"^{name} is missing: [^\n]+$"):
        settings_from(**{**PRODUCTION, name: " "})


@pytest.mark.parametrize(
    ("unsafe", "sentence"),
    [
        ({"SECRET_KEY": "kV7wq2ZrT9xLm4sPbN8y"}, "SECRET_KEY is too easy to guess"),
        ({"SECRET_KEY": "x" * 80}, "SECRET_KEY is too easy to guess"),
        ({"SECRET_KEY": "django-insecure-" + PRODUCTION["SECRET_KEY"]}, "SECRET_KEY is too easy to guess"),
        ({"DEBUG": "1"}, "DEBUG is on"),
        ({"DEMONSTRATION": "1"}, "DEMONSTRATION is on"),
        ({"SITE_URL": "http://dissent.council.example"}, "SITE_URL does not start with https"),
        ({"SITE_URL": "https://elsewhere.example"}, "SITE_URL has a host that ALLOWED_HOSTS does not name"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS is \\*"),
        ({"DATABASE_URL": "dissent"}, "DATABASE_URL is not understood"),
        ({"SITE_URL": "https://["}, "SITE_URL has a host that ALLOWED_HOSTS does not name"),
        (
            {"ALLOWED_HOSTS": ".council.example", "SITE_URL": "https://council.example.elsewhere.example"},
            "SITE_URL has a host that ALLOWED_HOSTS does not name",
        ),
        ({"EMAIL_URL": "mail.council.example"}, "EMAIL_URL is not understood"),
        ({"EMAIL_URL": "smtps://mail.council.example:abc"}, "EMAIL_URL is not understood"),
        ({"EMAIL_URL": "smtps://mail.council.example:465465"}, "EMAIL_URL is not understood"),
        ({"EMAIL_URL": "smtps://[::1"}, "EMAIL_URL is not understood"),
        ({"PROXY_COUNT": "one"}, "PROXY_COUNT is not a number"),
    ],
)
def test_production_refuses_an_unsafe_value(settings_from, unsafe, sentence):
    with pytest.raises(ImproperlyConfigured, match=f"^{sentence}[^\n]+$"):
        settings_from(**PRODUCTION | unsafe)


@pytest.mark.parametrize(
    ("hosts", "address"),
    [
        (".council.example", "https://dissent.council.example"),
        ("Dissent.Council.Example", "https://dissent.council.example"),
        ("dissent.council.example", "https://DISSENT.council.example:8443"),
        ("[2001:db8::1]", "https://[2001:db8::1]"),
    ],
)
def test_a_host_that_django_serves_is_taken_for_the_site(settings_from, hosts, address):
    assert settings_from(**PRODUCTION | {"ALLOWED_HOSTS": hosts, "SITE_URL": address})["SITE_URL"] == address


def test_a_misspelt_environment_is_not_taken_for_the_embedded_default(settings_from):
    with pytest.raises(ImproperlyConfigured, match="DISSENT_ENV is either production or not set"):
        settings_from(DISSENT_ENV="prodution")


def test_demonstration_data_stay_on_this_machine(settings_from):
    with pytest.raises(ImproperlyConfigured, match="loopback only"):
        settings_from(DEMONSTRATION="1", ALLOWED_HOSTS="dissent.council.example")


def test_mail_to_another_machine_is_always_encrypted(settings_from):
    assert settings_from(**PRODUCTION | {"EMAIL_URL": "smtp://mail.council.example"})["EMAIL_USE_TLS"]
    assert settings_from(**PRODUCTION)["EMAIL_USE_SSL"]


def test_the_embedded_default_needs_nothing_and_makes_its_own_secret(settings_from):
    settings = settings_from()
    assert settings["DATABASES"]["default"]["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert settings["ALLOWED_HOSTS"] == ["127.0.0.1", "localhost", "[::1]"]
    assert not settings["DEBUG"]
    secret = settings["VAR_DIR"] / "secret-key"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert settings["SECRET_KEY"] == settings_from()["SECRET_KEY"] == secret.read_text()


@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "migrate"],
        ["-m", "celery", "-A", "config", "worker"],
        ["-m", "celery", "-A", "config", "beat"],
        ["-m", "gunicorn", "--config", "config/gunicorn.py"],
    ],
    ids=" ".join,
)
def test_the_command_line_shows_the_sentence_and_nothing_else(command):
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **PRODUCTION, "SITE_URL": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "SITE_URL is missing: production needs it, for example SITE_URL=https://dissent.council.example"
    ]


def test_the_demonstration_is_served_from_this_machine_whatever_the_shell_holds(tmp_path):
    """Its own script, with programs that only say what they were given."""
    (tmp_path / "config").mkdir()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(ROOT / "config" / "run.sh", tmp_path / "config")
    for name in ("config/install.sh", ".venv/bin/python", ".venv/bin/gunicorn"):
        (tmp_path / name).write_text("#!/bin/sh\nenv >> given\n")
        (tmp_path / name).chmod(0o755)
    held = {"PATH": os.environ["PATH"], **PRODUCTION, "REDIS_URL": "redis://redis.example", "HOST": "0.0.0.0"}  # noqa: S104
    kept = {"PORT": "1", "SITE_URL": "http://127.0.0.1:1"}
    subprocess.run(["config/run.sh"], cwd=tmp_path, env=held | kept, capture_output=True, check=True)
    given = (tmp_path / "given").read_text()
    assert {*given.splitlines()} >= {"DEMONSTRATION=1", "PORT=1", "SITE_URL=http://127.0.0.1:1"}
    for name in set(held) - {"PATH", "SITE_URL"}:
        assert f"{name}=" not in given


def test_exactly_one_package_provides_the_state_machine():
    installed = {distribution.metadata["Name"].lower() for distribution in metadata.distributions()}
    assert installed & {"django-fsm", "django-fsm-2", "django-fsm-rx"} == {"django-fsm-2"}

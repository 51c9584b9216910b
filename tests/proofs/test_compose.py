"""docker-compose.yml as it is written: nothing unsafe is left as it came, and nobody else reaches it."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(WRITTEN)["services"]
ONCE = {"migrate", "certificate"}
"""They end when their work is done."""
GIVEN = {
    "SECRET_KEY": "kV7wq2ZrT9xLm4sPbN8yHc3JdF6gRt5UeWaQ1oXiK0zCvB-nMq7",
    "DISSENT_HOST": "dissent.council.example",
    "POSTGRES_PASSWORD": "0a1b2c",
    "REDIS_PASSWORD": "3d4e5f",
    "EMAIL_URL": "smtp://mail:1025",
    "MAIL_FROM": "dissent@council.example",
}
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::([?-])([^}]*))?\}")


def test_it_is_what_was_asked_for() -> None:
    assert set(SERVICES) == {"web", "worker", "beat", "db", "redis", "mail"} | ONCE


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONCE))
def test_a_service_is_watched_and_comes_back(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_nothing_starts_before_the_database_is_prepared(name: str) -> None:
    waits_for = {other: how["condition"] for other, how in SERVICES[name]["depends_on"].items()}
    assert waits_for == {
        "db": "service_healthy",
        "redis": "service_healthy",
        "migrate": "service_completed_successfully",
        "certificate": "service_completed_successfully",
    }


def test_whatever_is_not_given_is_asked_for_in_a_sentence_and_has_no_default() -> None:
    asked = {name: (how, words) for name, how, words in VARIABLE.findall(WRITTEN)}
    assert asked.pop("PORT") == ("-", "8000")
    assert set(asked) == set(GIVEN)
    for name, (how, words) in asked.items():
        assert how == "?"
        assert words.startswith(f"Set {name}")
    assert not re.search(r"(?i)(password|requirepass|secret)\w*[\"']?\s*[:= ]\s*[\"']?[a-z0-9]{3}", WRITTEN)


def test_only_this_machine_reaches_it() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(ports) == {"web", "mail"}
    assert all(each.startswith("127.0.0.1:") for published in ports.values() for each in published)


def test_images_are_public_ones_of_a_named_version() -> None:
    images = {service["image"] for service in SERVICES.values()} - {"dissent"}
    images.add(re.search(r"(?m)^FROM (\S+)$", (ROOT / "config" / "Dockerfile").read_text())[1])
    assert len(images) == 4
    for image in images:
        assert re.fullmatch(r"(axllent/)?[a-z]+:v?\d+\.?[\w.-]*", image), image


def test_the_image_has_the_libraries_that_the_installer_installs() -> None:
    listed = re.search(r"debian=\(([^)]+)\)", (ROOT / "config" / "install.sh").read_text())[1].split()
    image = (ROOT / "config" / "Dockerfile").read_text()
    assert [package for package in listed if package not in image] == []


def test_production_starts_with_what_the_services_are_given() -> None:
    environment = {
        name: VARIABLE.sub(lambda found: GIVEN[found[1]], value)
        for name, value in SERVICES["web"]["environment"].items()
    }
    assert (
        SERVICES["web"]["environment"] == SERVICES["worker"]["environment"] == SERVICES["beat"]["environment"]
    )
    ended = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


def test_the_web_servers_health_is_asked_as_the_proxy_asks(live: Any) -> None:
    def healthy(**given: str) -> bool:
        environment = {"SITE_URL": live.url, "PORT": str(live.port), **given}
        ended = subprocess.run(
            [sys.executable, "-P", "config/health.py"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            check=False,
        )
        return ended.returncode == 0

    assert healthy()
    live.errors_expected = True
    assert not healthy(SITE_URL="https://elsewhere.example")
    live.stop()
    assert not healthy()

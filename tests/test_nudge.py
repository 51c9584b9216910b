"""The nudge is a doorbell: it may ring, it may be cut off, and nothing hangs on it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import redis

ROOT = Path(__file__).resolve().parent.parent
NUDGE = "import django; django.setup(); from dissent.tasks import nudge; nudge(); print('went on')"


def nudge_by(broker: str) -> subprocess.CompletedProcess[str]:
    """Nudge from a process of its own, as the web server does, with the broker at `broker`."""
    environment = {**os.environ, "REDIS_URL": broker, "DJANGO_SETTINGS_MODULE": "config.settings"}
    return subprocess.run(
        [sys.executable, "-c", NUDGE],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_nudge_to_a_broker_that_is_away_harms_nothing() -> None:
    ended = nudge_by(f"redis://127.0.0.1:{free_port()}/0")
    assert ended.stdout == "went on\n"
    assert "the outbox was not nudged" in ended.stderr


def test_a_nudge_says_only_to_look_at_the_outbox() -> None:
    broker = f"{os.environ['TEST_REDIS_URL'].rstrip('/')}/13"
    with redis.Redis.from_url(broker) as server:
        server.flushdb()
        assert nudge_by(broker).stdout == "went on\n"
        (message,) = server.lrange("celery", 0, -1)
        server.flushdb()
    assert b"dissent.tasks.drain" in message

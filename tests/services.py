"""Runs a command with the services that the tests talk to: PostgreSQL, Redis and a browser.

    python tests/services.py COMMAND ARGUMENT...

Uses what answers on this machine, starts private ones where the programs are installed and nothing answers,
and stops those again, also on Ctrl-C. A missing service is a failure: nothing is left out quietly.
The command finds in its environment POSTGRES_URL (with a database of its own), TEST_REDIS_URL (the
server; a test says which of its numbered databases it uses) and CHROMIUM.
"""

import contextlib
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import psycopg
import redis


def main(command: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with contextlib.ExitStack() as stack:
        address, origin = stack.enter_context(_postgres())
        print(f"PostgreSQL  {address} ({origin})", flush=True)
        cache, origin = stack.enter_context(_redis())
        print(f"Redis       {cache} ({origin})", flush=True)
        chromium, version = _chromium()
        print(f"Browser     {version} ({chromium})", flush=True)
        environment = {
            **os.environ,
            # A name of its own, so that two runs on one machine do not meet.
            "POSTGRES_URL": f"{address}/dissent_{os.getpid()}",
            "TEST_REDIS_URL": cache,
            "CHROMIUM": chromium,
        }
        process = subprocess.Popen(command, env=environment)
        try:
            return process.wait()
        except BaseException:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
                process.wait(timeout=20)
            raise


@contextlib.contextmanager
def _postgres() -> Iterator[tuple[str, str]]:
    address = os.environ.get("TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432")
    if version := _postgres_answers(address):
        yield address, f"version {version}, already running"
        return
    programs = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=_version_in_path)
    initdb = programs[-1] if programs else shutil.which("initdb")
    if not initdb:
        _missing("PostgreSQL", "postgresql")
    with _private_folder() as (folder, user):
        data, port = f"{folder}/data", _free_port()
        _as_user(user, [initdb, "--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", data])
        server = subprocess.Popen(
            _command_as(
                user,
                [
                    os.path.join(os.path.dirname(initdb), "postgres"),
                    *("-D", data, "-p", str(port), "-k", folder),
                    *("-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"),
                ],
            ),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        address = f"postgres://postgres@127.0.0.1:{port}"
        try:
            version = _wait(lambda: _postgres_answers(address), "PostgreSQL")
            yield address, f"version {version}, private to this run"
        finally:
            server.send_signal(signal.SIGINT)  # a fast shutdown: open connections are closed
            server.wait(timeout=20)


@contextlib.contextmanager
def _redis() -> Iterator[tuple[str, str]]:
    address = os.environ.get("TEST_REDIS", "redis://127.0.0.1:6379")
    if version := _redis_answers(address):
        yield address, f"version {version}, already running"
        return
    program = shutil.which("redis-server")
    if not program:
        _missing("Redis", "redis-server")
    with _private_folder() as (folder, user):
        port = _free_port()
        server = subprocess.Popen(
            _command_as(
                user, [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""]
            ),
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        address = f"redis://127.0.0.1:{port}"
        try:
            version = _wait(lambda: _redis_answers(address), "Redis")
            yield address, f"version {version}, private to this run"
        finally:
            server.terminate()
            server.wait(timeout=20)


def _chromium() -> tuple[str, str]:
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not program:
        _missing("Chromium", "chromium")
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return program, answer.stdout.strip()


def _postgres_answers(address: str) -> str | None:
    try:
        with psycopg.connect(f"{address}/postgres", connect_timeout=3) as connection:
            return str(connection.info.parameter_status("server_version")).split()[0]
    except psycopg.OperationalError:
        return None


def _redis_answers(address: str) -> str | None:
    client = redis.Redis.from_url(address, socket_connect_timeout=3)
    try:
        return str(client.info("server")["redis_version"])
    except redis.RedisError:
        return None
    finally:
        client.close()


def _missing(name: str, package: str) -> None:
    sys.exit(f"{name} neither answers nor is installed, and the tests need it:  apt-get install {package}")


def _wait(answers, name: str) -> str:
    for _ in range(100):
        if answer := answers():
            return answer
        time.sleep(0.1)
    sys.exit(f"A private {name} was started and did not answer within ten seconds.")


@contextlib.contextmanager
def _private_folder() -> Iterator[tuple[str, str | None]]:
    """Yield a folder, and the user who owns it where root must step down: PostgreSQL refuses root."""
    user = None
    with tempfile.TemporaryDirectory(prefix="dissent-test-", ignore_cleanup_errors=True) as folder:
        if os.geteuid() == 0:
            names = {entry.pw_name for entry in pwd.getpwall()}
            user = "postgres" if "postgres" in names else "nobody"
            os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        yield folder, user


def _command_as(user: str | None, command: list[str]) -> list[str]:
    return ["setpriv", f"--reuid={user}", "--clear-groups", *command] if user else command


def _as_user(user: str | None, command: list[str]) -> None:
    done = subprocess.run(_command_as(user, command), capture_output=True, text=True, cwd="/", check=False)
    if done.returncode:
        sys.exit(f"{command[0]} failed: {done.stderr.strip()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _version_in_path(path: str) -> float:
    return float(path.split("/")[4])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)

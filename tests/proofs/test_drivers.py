"""PostgreSQL is spoken to by psycopg 3, and by psycopg2 where that is all there is."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_one_dissent_goes_from_an_empty_database_to_its_end_without_psycopg_3() -> None:
    """The tests of that name, in a process of their own where `import psycopg` fails."""
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests.without_psycopg3", "-p", "no:cacheprovider"),
            "tests/dissent/test_start_to_end.py",
        ],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DATABASE_URL": f"{os.environ['POSTGRES_URL']}_psycopg2",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "database driver: psycopg2 2.9" in ended.stdout

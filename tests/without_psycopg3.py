"""A plugin for pytest: psycopg 3 is not there. `pytest -p tests.without_psycopg3` runs on psycopg2."""

import sys


class NotInstalled:
    """Answers for psycopg 3 as Python does for what is not installed."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] in {"psycopg", "psycopg_binary", "psycopg_pool"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, NotInstalled())


def pytest_report_header() -> str:
    from django.db.backends.postgresql.base import Database

    return f"database driver: {Database.__name__} {Database.__version__}"

"""The house keeps its shape: what may import what, who asks the time, who reads, who writes."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

import pytest
from django.apps import apps

from dissent import actions
from dissent.models.base import CouncilRow

ROOT = Path(__file__).resolve().parent.parent

LEVELS = [
    ("councils",),
    ("dissent.clock", "dissent.permissions", "dissent.pdf"),
    ("dissent.models", "dissent.reports"),
    (
        "dissent.letters",
        "dissent.family_letters",
        "dissent.notices",
        "dissent.bundle",
        "dissent.childs_record",
    ),
    ("dissent.actions",),
    (
        "dissent.apps",
        "dissent.forms",
        "dissent.management",
        "dissent.tasks",
        "dissent.templatetags",
        "dissent.urls",
        "dissent.views",
    ),
    ("config",),
]
"""From the ground up. A module imports from its own level and from those below it."""

EDGE = ("dissent.views", "dissent.tasks", "dissent.management", "councils.management", "config")
"""Only here somebody may ask what time it is."""


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the product by name, parsed; migrations are history and left out."""
    found = {}
    for package in ("councils", "dissent", "config"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    return found


def imports(name: str) -> Iterator[str]:
    """Every module that `name` imports, at its top, inside its functions and for its types."""
    for node in ast.walk(modules()[name]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively, which hides where from"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in modules() else str(node.module)


def level(name: str) -> int:
    if name == "dissent":
        return 0  # the package itself holds nothing
    for number, packages in enumerate(LEVELS):
        if any(name == package or name.startswith(f"{package}.") for package in packages):
            return number
    pytest.fail(f"{name} has no place in the house: add it to LEVELS, or put it where it belongs")


def test_arrows_point_down_only() -> None:
    up = [
        f"{name} imports {other}"
        for name in modules()
        for other in imports(name)
        if other.partition(".")[0] in {"councils", "dissent", "config"} and level(other) > level(name)
    ]
    assert not up


def test_councils_know_nothing_of_dissents() -> None:
    knows = [
        f"{name} imports {other}"
        for name in modules()
        if name.startswith("councils")
        for other in imports(name)
        if other.partition(".")[0] in {"dissent", "config"}
    ]
    assert not knows


def test_forms_and_actions_know_nothing_of_requests() -> None:
    """An action that sees a request could not be used by a command, a sweep or a test."""
    below = [name for name in modules() if level(name) <= level("dissent.actions")]
    knows = [
        f"{name} imports {other}"
        for name in below
        for other in imports(name)
        if other.startswith(("django.http", "django.views", "django.shortcuts", "django.contrib.messages"))
    ]
    assert not knows


def asks_the_time(node: ast.AST) -> bool:
    """timezone.now, datetime.now, date.today and their like; localdate() and localtime() of no moment."""
    if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}:
        return ast.unparse(node.value).rpartition(".")[2] in {"timezone", "datetime", "date", "dt"}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in {"localdate", "localtime"}:
            return not node.args and not node.keywords
        return ast.unparse(node.func) in {"time.time", "time.localtime", "time.gmtime"}
    return False


def test_only_the_edge_asks_the_time() -> None:
    asks = [
        f"{name}, line {node.lineno}: {ast.unparse(node)}"
        for name, tree in modules().items()
        if not name.startswith(EDGE)
        for node in ast.walk(tree)
        if asks_the_time(node)
    ]
    assert not asks


def test_heavy_libraries_wait_until_they_are_used() -> None:
    """They cost half a second and 30 MB, which every web process would pay."""
    script = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'\n"
        "import django; django.setup()\n"
        "from django.urls import get_resolver; get_resolver().url_patterns\n"
        "import dissent.views, dissent.tasks\n"
        "print(sorted({'weasyprint', 'holidays', 'pypdf', 'fontTools'} & set(sys.modules)))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.stdout == "[]\n", ended.stderr


TENANT = {model.__name__ for model in apps.get_models() if issubclass(model, CouncilRow)}
GATED = {
    model.__name__
    for model in apps.get_models()
    if hasattr(model, "objects") and hasattr(model.objects, "visible_to")
}
GATES = {"visible_to", "read_by", "heard_by", "presided_by", "taken_back_from", "goes_up_by"}
THEIR_OWN = {"Conference.objects.filter(chair=person)"}
"""Asks whether there is one at all, of the reader's own."""


def test_every_noun_that_people_open_has_a_gate() -> None:
    assert {"Conference", "Dissent", "Letter", "Panel", "Paper", "RecordPack"} == GATED


def test_pages_reach_rows_of_a_case_only_through_the_gate() -> None:
    around = []
    for name, tree in modules().items():
        if not name.startswith(("dissent.views", "dissent.forms", "dissent.templatetags")):
            continue
        parent = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Attribute) and node.attr == "objects"):
                continue
            model = ast.unparse(node.value)
            method = parent[node]
            called = ast.unparse(parent[method])
            if model in GATED and isinstance(method, ast.Attribute) and method.attr in GATES:
                continue
            if in_a_prefetch(node, parent):
                continue
            if model in TENANT - GATED and "pk=" not in called and "id=" not in called:
                continue  # narrowed further down to what a gate let through; never looked up by id
            if model in TENANT and called not in THEIR_OWN:
                around.append(f"{name}, line {node.lineno}: {called}")
    assert not around


def in_a_prefetch(node: ast.AST, parent: dict[ast.AST, ast.AST]) -> bool:
    """Say whether it only says which columns come along with rows that a gate let through."""
    while node in parent:
        node = parent[node]
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Prefetch":
            return True
    return False


WRITES = {"save", "create", "update_or_create", "get_or_create", "bulk_create", "bulk_update", "force_insert"}


def test_pages_never_write() -> None:
    """Only actions write, so that nothing happens that the ledger does not say."""
    writes = [
        f"{name}, line {node.lineno}: {ast.unparse(node.func)}"
        for name, tree in modules().items()
        if name.startswith(("dissent.views", "dissent.forms", "dissent.templatetags", "dissent.tasks"))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITES
    ]
    assert not writes


def test_exactly_one_of_the_packages_that_call_themselves_django_fsm_is_installed() -> None:
    """They share an import name, and the last one installed overwrites the others file by file."""
    family = {"django-fsm", "django-fsm-2", "django-fsm-rx"}
    names = [str(found.metadata["Name"]).lower().replace("_", "-") for found in distributions()]
    assert [name for name in names if name in family] == ["django-fsm-2"]


QUESTIONS = {"who_may_be_named", "why_not"}
"""What the same rules answer before anybody presses a button; nothing is written."""
VERBS = {
    name: verb
    for name in actions.__all__
    if inspect.isfunction(verb := getattr(actions, name)) and name not in QUESTIONS
}
BY_ITSELF = {"end_offer", "leave_unconfirmed", "make_bytes", "pass_clocks"}
"""What only time brings: nobody does it, so it takes no `by`."""


def test_there_are_verbs() -> None:
    assert len(VERBS) >= 30


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_says_who_and_when_and_what_it_does(name: str) -> None:
    taken = inspect.signature(VERBS[name]).parameters
    assert all(one.kind in {one.KEYWORD_ONLY, one.VAR_KEYWORD} for one in taken.values())
    assert "at" in taken
    assert ("by" in taken) != (name in BY_ITSELF)
    assert inspect.getdoc(VERBS[name])


def test_every_function_that_writes_stands_in_the_list_of_verbs() -> None:
    """A transaction that opens elsewhere in the actions is a verb that nobody can find."""
    missing = [
        f"{name}.{node.name}"
        for name, tree in modules().items()
        if name.startswith("dissent.actions")
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and any("transaction.atomic" in ast.unparse(decorator) for decorator in node.decorator_list)
        and node.name not in VERBS
    ]
    assert not missing

"""Look at, check and publish procedures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from councils import procedure as language
from councils.models import ProcedureVersion
from dissent.actions import Refused, publish_procedure
from dissent.management.base import DatabaseCommand


class Command(DatabaseCommand):
    help = "list | show KEY | check FILE | load FILE"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="every published version, and the documents that are shipped")
        show = verbs.add_parser("show", help="a procedure as a person reads it")
        show.add_argument("key")
        for verb, what in (
            ("check", "say everything that is wrong in a document"),
            ("load", "publish a document"),
        ):
            parser_of = verbs.add_parser(verb, help=what)
            parser_of.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        match options["verb"]:
            case "list":
                self._list()
            case "show":
                self._show(options["key"])
            case "check":
                found = self._read(options["file"])
                self.stdout.write(f"{found.key}, version {found.version}: nothing is wrong.")
            case "load":
                self._load(options["file"])

    def _read(self, path: Path) -> language.Procedure:
        try:
            return language.read(path)
        except language.ProcedureRefused as refused:
            raise CommandError(f"{path} is not a procedure:\n{refused}") from refused
        except (OSError, UnicodeDecodeError) as failure:
            raise CommandError(f"{path} cannot be read: {failure}") from failure

    def _list(self) -> None:
        published = ProcedureVersion.objects.select_related("partnership").order_by("key", "number")
        for version in published:
            self.stdout.write(
                f"{version.key} version {version.number}, in force from {version.in_force_from}"
            )
        known = {version.key for version in published}
        for path in language.shipped():
            found = self._read(path)
            if found.key not in known:
                self.stdout.write(f"{found.key} version {found.version}: shipped as {path.name}, not loaded")

    def _load(self, path: Path) -> None:
        found = self._read(path)
        try:
            version = publish_procedure(procedure=found, by=None, at=timezone.now())
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"{version} is published, in force from {version.in_force_from}.")

    def _show(self, key: str) -> None:
        rules = self._find(key)
        say = self.stdout.write
        say(
            f"{rules.title}\n{rules.key}, version {rules.version}, in force from {rules.in_force_from}\n"
            f"{rules.purpose}"
        )
        if rules.last_reviewed:
            say(f"Last reviewed on {rules.last_reviewed}")
        if rules.next_review:
            say(f"To be reviewed by {rules.next_review}")
        say("")
        for stage in rules.stages:
            hands = ", ".join(
                rules.title_of(role) for head in stage.heads for role in rules.with_deputies(head)
            )
            say(f"Stage: {stage.title} [{stage.source}]\n  In the hands of: {hands}")
            if stage.panel:
                seat = " or ".join(rules.title_of(role) for role in stage.panel.seat)
                say(f"  Quorum {stage.panel.quorum}, always with: {seat} [{stage.panel.source}]")
            for step in stage.steps:
                say(f"  First: {step.label} [{step.source}]")
            for outcome in stage.outcomes:
                say(
                    f"  Outcome: {outcome.label}, leads to: {outcome.leads_to.replace('_', ' ')} "
                    f"[{outcome.source}]"
                )
        say("")
        for clock in rules.clocks:
            name = clock.start.replace("_", " ")
            say(f"Clock {clock.key}: {clock.label}, {clock.limit} from {name} [{clock.source}]")
        say("")
        for letter in rules.letters:
            to = ", ".join(name.replace("_", " ") for name in letter.to)
            say(f"Letter {letter.key}: {letter.heading}, to {to} [{letter.source}]")
        if chosen := rules.choices_where_the_text_is_open():
            say("\nChosen, where the text is open:")
        for place, why in chosen:
            say(f"  {place}: {why}")

    def _find(self, key: str) -> language.Procedure:
        version = ProcedureVersion.objects.filter(key=key).order_by("-number").first()
        if version:
            return version.rules
        documents = [self._read(path) for path in language.shipped()]
        for found in documents:
            if found.key == key:
                return found
        known = sorted(
            {found.key for found in documents} | set(ProcedureVersion.objects.values_list("key", flat=True))
        )
        raise CommandError(f"No procedure has the key {key!r}. There are: {', '.join(known)}.")

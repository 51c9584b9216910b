"""Say when something is due, by a procedure's clock or by a limit, and which days did not count."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import connection

from councils.calendars import Calendar, CalendarNotPublished, Nation, seed
from councils.limits import Limit
from councils.models import Council, ProcedureVersion
from councils.procedure import Procedure, ProcedureRefused, read, shipped
from dissent.clock import Deadline, deadline
from dissent.management.base import DatabaseCommand

EXAMPLE = "2026-12-23T14:30"


@dataclass(frozen=True)
class Rule:
    """What was asked for: a limit, whose working days count, and where that stands."""

    limit: Limit
    calendar: Calendar
    source: str


class Command(DatabaseCommand):
    help = "Print when something is due, and every day that did not count, with the reason."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("procedure", nargs="?", default="", help="key of a procedure")
        parser.add_argument("clock", nargs="?", default="", help="key of one of its clocks")
        parser.add_argument(
            "--from", dest="start", default="", metavar="WHEN", help=f"such as {EXAMPLE}, local time"
        )
        parser.add_argument("--limit", default="", help='instead of a procedure, such as "20 working days"')
        parser.add_argument(
            "--nation",
            default="",
            help=f"whose bank holidays: {', '.join(Nation)}. Where it is not given, those of the procedure's "
            f"only council, and without one {Nation.ENGLAND.label}'s",
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        nation = _nation(options["nation"])
        if options["limit"]:
            if options["procedure"]:
                raise CommandError("Give a procedure and a clock, or --limit, and not both.")
            rule = _by_limit(options["limit"], nation)
        elif options["procedure"]:
            rule = _by_procedure(
                options["procedure"], options["clock"], nation, _moment(options["start"]).date()
            )
        else:
            raise CommandError('Say what is to run: a procedure and a clock, or --limit "20 working days".')
        found = _deadline(options["start"], rule)
        self.stdout.write(_as_json(found, rule) if options["json"] else _as_text(found, rule))


def _deadline(start: str, rule: Rule) -> Deadline:
    if rule.limit.unit == "hours" and _is_a_date(start):
        raise CommandError(f"Hours run from a time of day: write --from {start}T14:30 for half past two.")
    try:
        return deadline(_moment(start), rule.limit, rule.calendar)
    except CalendarNotPublished as error:
        raise CommandError(str(error)) from error
    except OverflowError as error:
        raise CommandError(
            f"{rule.limit} from {start} is beyond the last date there is. Check the date."
        ) from error


def _by_limit(text: str, nation: Nation | None) -> Rule:
    try:
        limit = Limit.parse(text)
    except ValueError as error:
        raise CommandError(f"--limit: {error}.") from error
    return Rule(limit, seed(nation or Nation.ENGLAND), "given on the command line")


def _by_procedure(key: str, clock_key: str, nation: Nation | None, on: date) -> Rule:
    try:
        procedure = _procedure(key, on)
        clock = procedure.clock(clock_key)
        if clock is None:
            known = ", ".join(clock.key for clock in procedure.clocks)
            said = f"has no clock {clock_key!r}" if clock_key else "has several clocks, and none is named"
            raise CommandError(f"The procedure {key} {said}. Write one of: {known}.")
        calendar = seed(nation) if nation else _calendar(procedure)
    except ProcedureRefused as error:
        raise CommandError(f"A procedure is not in order. {error}") from error
    return Rule(clock.limit, calendar, f"{procedure.key}, version {procedure.version}: {clock.source}")


def _procedure(key: str, on: date) -> Procedure:
    """The version in force on a day, and where none was ever loaded the document that is shipped."""
    loaded = ProcedureVersion.objects.filter(key=key) if _prepared() else ProcedureVersion.objects.none()
    if version := loaded.filter(in_force_from__lte=on).order_by("-in_force_from", "-number").first():
        return version.rules
    if first := loaded.order_by("in_force_from").first():
        raise CommandError(
            f"The procedure {key} is in force from {_day(first.in_force_from)}, and not on {_day(on)}."
        )
    documents = {procedure.key: procedure for procedure in map(read, shipped())}
    if key not in documents:
        known = sorted({*documents, *_loaded_keys()})
        raise CommandError(f"There is no procedure {key!r}. Write one of: {', '.join(known)}.")
    return documents[key]


def _loaded_keys() -> list[str]:
    return list(ProcedureVersion.objects.values_list("key", flat=True)) if _prepared() else []


def _calendar(procedure: Procedure) -> Calendar:
    councils = list(Council.objects.filter(partnership__key=procedure.partnership)) if _prepared() else []
    # Several councils may each have closed days of their own, and none of them was asked for.
    nations = {Nation(council.nation) for council in councils} or {Nation.ENGLAND}
    if len(nations) > 1:
        raise CommandError(f"Councils of several nations follow {procedure.key}: say which with --nation.")
    return councils[0].calendar() if len(councils) == 1 else seed(nations.pop())


def _prepared() -> bool:
    """Whether the database has its tables: the shipped procedures can be asked before that."""
    return ProcedureVersion._meta.db_table in connection.introspection.table_names()


def _nation(text: str) -> Nation | None:
    try:
        return Nation(text.strip().lower().replace(" ", "_").replace("-", "_")) if text else None
    except ValueError as error:
        raise CommandError(
            f"--nation: there is no nation {text!r}. Write one of: {', '.join(Nation)}."
        ) from error


def _is_a_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _moment(text: str) -> datetime:
    """Return the moment that a person typed: local time without an offset, a date from its first instant."""
    if not text:
        raise CommandError(f"Say from when: --from {EXAMPLE}.")
    try:
        typed = datetime.fromisoformat(text)
        if typed.tzinfo is not None:
            return typed.astimezone(Calendar.zone)
        first, second = (typed.replace(tzinfo=Calendar.zone, fold=fold) for fold in (0, 1))
        there_and_back = first.astimezone(UTC).astimezone(Calendar.zone)
    except (ValueError, OverflowError) as error:
        raise CommandError(f"--from: {text!r} is not a date and time. Write it like {EXAMPLE}.") from error
    if there_and_back.replace(tzinfo=None) != typed:
        raise CommandError(
            f"--from: the clocks went forward past {text}, so there was no such time. Check it."
        )
    if first.utcoffset() != second.utcoffset():
        raise CommandError(
            f"--from: the clocks went back, so {text} happened twice. "
            f"Write {text}+01:00 for the first time, or {text}+00:00 for the second."
        )
    return first


def _as_json(found: Deadline, rule: Rule) -> str:
    return json.dumps(
        {
            "due_at": found.due_at.astimezone(Calendar.zone).isoformat(),
            "kind": found.limit.unit,
            "start": found.start.astimezone(Calendar.zone).isoformat(),
            "skipped": [{"on": day.on.isoformat(), "why": day.why} for day in found.skipped],
            "source": _source(found, rule),
        },
        indent=2,
        ensure_ascii=False,
    )


def _as_text(found: Deadline, rule: Rule) -> str:
    due = found.due_at.astimezone(Calendar.zone)
    when = f"at {due:%H:%M} on" if found.limit.unit == "hours" else "by the end of"
    lines = [f"Due {when} {due:%A} {_day(due.date())}.", found.sentence()]
    if found.skipped:
        lines += ["Days that did not count:"]
        lines += [f"  {day.on:%a} {_day(day.on)}: {day.why}" for day in found.skipped]
    return "\n".join([*lines, f"Source: {_source(found, rule)}."])


def _source(found: Deadline, rule: Rule) -> str:
    """Where the limit stands and, where days were left out by a calendar, where that has them from."""
    if not found.calendar:
        return rule.source
    calendar = rule.calendar
    confirmed = _day(calendar.confirmed_through)
    return f"{rule.source}; closed days of {calendar.name}: {calendar.source}, confirmed up to {confirmed}"


def _day(on: date) -> str:
    return f"{on.day} {on:%B %Y}"

"""The command that says when something is due."""

import datetime as dt
import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from councils import procedure as language
from councils.calendars import Nation, seed
from councils.models import ClosedDay, Council, Partnership, ProcedureVersion

# Any shipped procedure that has these two clocks, one in hours and one in working days.
DOCUMENT = next(
    document
    for document in map(language.read, language.shipped())
    if document.clock("form") and document.clock("answer")
)
SHIPPED = DOCUMENT.key


@pytest.fixture
def says(capsys):
    """Return a function that runs the command as typed and gives back what it printed."""

    def run(*typed: str) -> str:
        call_command("deadline", *typed)
        return capsys.readouterr().out

    return run


@pytest.fixture
def answer(says):
    return lambda *typed: json.loads(says(*typed, "--json"))


@pytest.fixture
def partnership(db):
    return Partnership.objects.create(key=DOCUMENT.partnership, name="Somewhere")


def load(partnership: Partnership, *, number: int, in_force_from: dt.date, form_limit: str) -> None:
    document = DOCUMENT.model_dump(mode="json", by_alias=True)
    document |= {"version": number, "in_force_from": str(in_force_from)}
    next(clock for clock in document["clocks"] if clock["key"] == "form")["limit"] = form_limit
    ProcedureVersion.objects.create(
        partnership=partnership,
        key=SHIPPED,
        kind="dissent",
        number=number,
        in_force_from=in_force_from,
        document=json.dumps(document),
        sha256=f"{number:064}",
        published_at=timezone.now(),
    )


def council(partnership: Partnership, key: str, nation: str = "england") -> Council:
    return Council.objects.create(key=key, name=key.title(), partnership=partnership, nation=nation)


# By a limit: asks no database


def test_a_limit_is_worked_out_with_every_day_skipped(says):
    printed = says("--limit", "3 working days", "--from", "2026-12-23T14:30")
    assert printed.splitlines() == [
        "Due by the end of Wednesday 30 December 2026.",
        "3 working days from Wed 23 Dec 2026: counted from Thu 24 Dec by the working days of England; "
        "skipped the weekend, Fri 25 Dec (Christmas Day) and Mon 28 Dec (Boxing Day, substitute day); "
        "ends at the end of Wed 30 Dec 2026.",
        "Days that did not count:",
        "  Fri 25 December 2026: Christmas Day",
        "  Sat 26 December 2026: Saturday",
        "  Sun 27 December 2026: Sunday",
        "  Mon 28 December 2026: Boxing Day, substitute day",
        f"Source: given on the command line; closed days of England: {seed(Nation.ENGLAND).source}, "
        "confirmed up to 31 December 2028.",
    ]


def test_hours_are_due_at_a_time_of_day(says):
    printed = says("--limit", "24 hours", "--from", "2026-12-23T14:30")
    assert printed.splitlines() == [
        "Due at 14:30 on Thursday 24 December 2026.",
        "24 hours from Wed 23 Dec 2026 14:30: every hour counts; ends at Thu 24 Dec 2026 14:30.",
        "Source: given on the command line.",
    ]


def test_json_has_these_keys_and_local_times_with_their_offset(answer):
    found = answer("--limit", "2 working days", "--nation", "scotland", "--from", "2026-07-30T10:00")
    source = found.pop("source")
    assert found == {
        "due_at": "2026-08-04T23:59:59.999999+01:00",
        "kind": "working days",
        "start": "2026-07-30T10:00:00+01:00",
        "skipped": [
            {"on": "2026-08-01", "why": "Saturday"},
            {"on": "2026-08-02", "why": "Sunday"},
            {"on": "2026-08-03", "why": "Summer bank holiday"},
        ],
    }
    assert "closed days of Scotland: holidays" in source


@pytest.mark.parametrize("typed", ["northern_ireland", "northern-ireland", "Northern Ireland"])
def test_a_nation_is_known_as_people_write_it(answer, typed):
    found = answer("--limit", "1 working day", "--nation", typed, "--from", "2026-07-10T10:00")
    assert found["due_at"].startswith("2026-07-14")


@pytest.mark.parametrize(
    ("start", "due_at"),
    [
        ("2026-12-23T14:30Z", "2026-12-24T14:30:00+00:00"),
        ("2026-07-01T14:30Z", "2026-07-02T15:30:00+01:00"),
        ("2026-10-24T14:30", "2026-10-25T13:30:00+00:00"),
        ("2026-10-25T01:30+01:00", "2026-10-26T00:30:00+00:00"),
    ],
)
def test_a_start_is_local_time_or_says_its_offset(answer, start, due_at):
    assert answer("--limit", "24 hours", "--from", start)["due_at"] == due_at


def test_days_may_run_from_a_date(answer):
    assert answer("--limit", "5 calendar days", "--from", "2026-12-20")["due_at"].startswith("2026-12-25")


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ([], "Say what is to run"),
        (["--limit", "24 hours"], "Say from when: --from 2026-12-23T14:30."),
        (["--limit", "24 hours", "--from", "yesterday"], "'yesterday' is not a date and time"),
        (["--limit", "24 hours", "--from", "2026-02-30T10:00"], "is not a date and time"),
        (["--limit", "24 hours", "--from", "0001-01-01T00:00+05:00"], "is not a date and time"),
        (["--limit", "24 hours", "--from", "2026-12-23"], "Hours run from a time of day"),
        (["--limit", "24 hours", "--from", "2026-03-29T01:30"], "there was no such time"),
        (
            ["--limit", "24 hours", "--from", "2026-10-25T01:30"],
            "happened twice. Write 2026-10-25T01:30+01:00",
        ),
        (["--limit", "working days", "--from", "2026-12-23"], "write a whole number in digits"),
        (["--limit", "5 days", "--from", "2026-12-23"], "write working days or calendar days"),
        (["--limit", "2 working days", "--from", "2028-12-29"], "confirmed up to 31 December 2028"),
        (["--limit", "2 working days", "--from", "2015-12-29"], "begin with 1 January 2016"),
        (["--limit", "9999 calendar days", "--from", "9999-12-01"], "beyond the last date there is"),
        (
            ["--limit", "2 hours", "--nation", "france", "--from", "2026-12-23T10:00"],
            "Write one of: england, wales",
        ),
        (["--limit", "2 hours", SHIPPED, "form", "--from", "2026-12-23T10:00"], "and not both"),
    ],
)
def test_what_cannot_be_worked_out_is_refused_in_a_sentence(typed, says):
    with pytest.raises(CommandError) as refused:
        call_command("deadline", *typed)
    assert says in str(refused.value)
    assert refused.value.returncode != 0


# By a procedure


@pytest.mark.django_db
def test_a_clock_of_a_shipped_procedure_is_worked_out_before_anything_is_loaded(answer):
    found = answer(SHIPPED, "form", "--from", "2026-12-23T14:30")
    assert found["due_at"] == "2026-12-24T14:30:00+00:00"
    assert found["kind"] == "hours"
    assert found["source"].startswith(f"{SHIPPED}, version 1: process, paragraph 7")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (["nowhere", "form"], f"There is no procedure 'nowhere'. Write one of: {SHIPPED}."),
        ([SHIPPED, "tea"], "has no clock 'tea'. Write one of: form, "),
        ([SHIPPED], "has several clocks, and none is named. Write one of: form, "),
    ],
)
def test_an_unknown_procedure_or_clock_is_told_which_there_are(typed, says):
    with pytest.raises(CommandError) as refused:
        call_command("deadline", *typed, "--from", "2026-12-23T14:30")
    assert says in str(refused.value)


def test_the_version_in_force_on_the_day_is_used(answer, partnership):
    load(partnership, number=1, in_force_from=dt.date(2025, 1, 1), form_limit="24 hours")
    load(partnership, number=2, in_force_from=dt.date(2026, 6, 1), form_limit="48 hours")
    before = answer(SHIPPED, "form", "--from", "2026-05-31T23:30")
    after = answer(SHIPPED, "form", "--from", "2026-06-01T00:30")
    assert before["due_at"] == "2026-06-01T23:30:00+01:00"
    assert after["due_at"] == "2026-06-03T00:30:00+01:00"
    assert "version 2" in after["source"]


def test_a_day_before_any_version_is_refused(partnership):
    load(partnership, number=1, in_force_from=dt.date(2025, 1, 1), form_limit="24 hours")
    with pytest.raises(CommandError, match="in force from 1 January 2025, and not on 31 December 2024"):
        call_command("deadline", SHIPPED, "form", "--from", "2024-12-31T10:00")


def test_the_only_councils_own_closed_days_count(answer, partnership):
    here = council(partnership, "here")
    ClosedDay.objects.create(
        council=here, on=dt.date(2026, 6, 2), why="council closure: staff conference", source="minute 7"
    )
    found = answer(SHIPPED, "answer", "--from", "2026-06-01T10:00")
    assert {"on": "2026-06-02", "why": "council closure: staff conference"} in found["skipped"]
    assert "closed days of Here" in found["source"]
    elsewhere = answer(SHIPPED, "answer", "--from", "2026-06-11T10:00", "--nation", "scotland")
    assert {"on": "2026-06-15", "why": "Bank holiday for the football World Cup"} in elsewhere["skipped"]


def test_with_several_councils_the_nations_days_count(answer, partnership):
    council(partnership, "here", "scotland")
    council(partnership, "there", "scotland")
    found = answer(SHIPPED, "answer", "--from", "2026-07-30T10:00")
    assert {"on": "2026-08-03", "why": "Summer bank holiday"} in found["skipped"]
    council(partnership, "elsewhere", "wales")
    with pytest.raises(CommandError, match="say which with --nation"):
        call_command("deadline", SHIPPED, "answer", "--from", "2026-07-30T10:00")

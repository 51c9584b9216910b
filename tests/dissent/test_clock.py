"""When something is due, and why."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from councils.calendars import Calendar, CalendarNotPublished, ClosedDay, Nation, seed
from councils.limits import Limit, Unit
from dissent.clock import Deadline, Skipped, deadline, is_late

LONDON = ZoneInfo("Europe/London")
ENGLAND = seed(Nation.ENGLAND)


def local(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON, fold=fold)


def due(start: str, limit: str, nation: Nation = Nation.ENGLAND) -> Deadline:
    return deadline(local(start), Limit.parse(limit), seed(nation))


# The last instant of a day


@pytest.mark.parametrize(
    ("start", "limit", "last_day"),
    [
        ("2026-12-15T10:00", "20 working days", date(2027, 1, 15)),
        ("2026-04-02T10:00", "10 working days", date(2026, 4, 20)),
        ("2026-05-02T10:00", "10 working days", date(2026, 5, 18)),  # starts on a Saturday
        ("2026-12-25T10:00", "1 working day", date(2026, 12, 29)),  # starts on a closed day
        ("2028-02-28T10:00", "1 working day", date(2028, 2, 29)),
        ("2028-02-29T10:00", "1 working day", date(2028, 3, 1)),
        ("2027-02-26T10:00", "1 working day", date(2027, 3, 1)),
        ("2028-02-01T10:00", "28 calendar days", date(2028, 2, 29)),
        ("2026-12-20T10:00", "5 calendar days", date(2026, 12, 25)),  # ends on Christmas Day, and stays
        ("2026-12-21T10:00", "5 calendar days", date(2026, 12, 26)),  # and on a Saturday
        ("2026-07-01T23:59:59", "1 working day", date(2026, 7, 2)),  # 22:59:59 UTC
        ("2026-07-01T00:00:00", "1 working day", date(2026, 7, 2)),  # still 30 June in UTC
        ("2026-07-01T00:00:00", "1 calendar day", date(2026, 7, 2)),
        ("2026-10-20T10:00", "10 working days", date(2026, 11, 3)),  # over the change of clocks
    ],
)
def test_days_are_counted_from_the_day_after_and_end_with_the_last(
    start: str, limit: str, last_day: date
) -> None:
    found = due(start, limit)
    assert found.due_on == last_day
    assert found.due_at == local(f"{last_day}T23:59:59.999999")
    assert found.due_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("nation", "start", "last_day"),
    [
        (Nation.ENGLAND, "2026-04-01T10:00", date(2026, 4, 7)),
        (Nation.WALES, "2026-04-01T10:00", date(2026, 4, 7)),
        (Nation.NORTHERN_IRELAND, "2026-04-01T10:00", date(2026, 4, 7)),
        (Nation.SCOTLAND, "2026-04-01T10:00", date(2026, 4, 6)),  # no Easter Monday
        (Nation.SCOTLAND, "2026-06-11T10:00", date(2026, 6, 16)),  # the football World Cup
        (Nation.ENGLAND, "2026-06-11T10:00", date(2026, 6, 15)),
        (Nation.SCOTLAND, "2026-07-30T10:00", date(2026, 8, 4)),
        (Nation.SCOTLAND, "2026-08-27T10:00", date(2026, 8, 31)),
        (Nation.ENGLAND, "2026-08-27T10:00", date(2026, 9, 1)),
        (Nation.SCOTLAND, "2026-12-30T10:00", date(2027, 1, 5)),
        (Nation.ENGLAND, "2026-12-30T10:00", date(2027, 1, 4)),
        (Nation.SCOTLAND, "2027-12-30T10:00", date(2028, 1, 5)),
        (Nation.ENGLAND, "2027-12-23T10:00", date(2027, 12, 29)),
        (Nation.NORTHERN_IRELAND, "2026-07-09T10:00", date(2026, 7, 14)),
        (Nation.ENGLAND, "2026-07-09T10:00", date(2026, 7, 13)),
        (Nation.NORTHERN_IRELAND, "2026-03-13T10:00", date(2026, 3, 18)),
        (Nation.WALES, "2026-03-13T10:00", date(2026, 3, 17)),
    ],
)
def test_two_working_days_are_those_of_the_nation(nation: Nation, start: str, last_day: date) -> None:
    assert due(start, "2 working days", nation).due_on == last_day


# Hours


@pytest.mark.parametrize(
    ("start", "limit", "due_at"),
    [
        ("2026-12-23T14:30", "24 hours", "2026-12-24T14:30"),
        ("2026-12-25T09:00", "24 hours", "2026-12-26T09:00"),  # no day is skipped
        ("2026-10-24T14:30", "24 hours", "2026-10-25T13:30"),  # back to winter time
        ("2027-03-27T14:30", "24 hours", "2027-03-28T15:30"),  # on to summer time
        ("2026-10-23T14:30", "72 hours", "2026-10-26T13:30"),
        ("2028-02-28T14:30", "24 hours", "2028-02-29T14:30"),
    ],
)
def test_hours_run_on(start: str, limit: str, due_at: str) -> None:
    found = due(start, limit)
    assert found.due_at == local(due_at).astimezone(UTC)
    assert found.due_at - found.start == timedelta(hours=Limit.parse(limit).amount)
    assert found.skipped == ()
    assert found.counted == ()


def test_the_hour_that_comes_twice_is_two_hours() -> None:
    first, second = local("2026-10-25T01:30"), local("2026-10-25T01:30", fold=1)
    one = Limit.parse("1 hour")
    assert deadline(first, one, ENGLAND).due_at == second.astimezone(UTC)
    assert is_late(first, second)
    assert not is_late(second, first)


# Late


@pytest.mark.parametrize("start", ["2026-12-01T09:00", "2026-06-30T09:00"])  # in winter time, in summer time
def test_the_last_second_of_the_last_day_is_in_time_and_midnight_is_late(start: str) -> None:
    found = due(start, "2 working days")
    assert not is_late(found.due_at, local(f"{found.due_on}T23:59:59"))
    assert not is_late(found.due_at, found.due_at)
    assert is_late(found.due_at, local(f"{found.due_on + timedelta(days=1)}T00:00:00"))


def test_hours_are_in_time_to_the_second() -> None:
    due_at = due("2026-12-23T14:30", "24 hours").due_at
    assert not is_late(due_at, local("2026-12-24T14:30"))
    assert is_late(due_at, local("2026-12-24T14:30:00.000001"))


# Why


def test_every_day_that_did_not_count_is_kept_with_its_reason() -> None:
    found = due("2026-12-23T14:30", "3 working days")
    assert found.skipped == (
        Skipped(date(2026, 12, 25), "Christmas Day"),
        Skipped(date(2026, 12, 26), "Saturday"),
        Skipped(date(2026, 12, 27), "Sunday"),
        Skipped(date(2026, 12, 28), "Boxing Day, substitute day"),
    )
    assert found.counted == (date(2026, 12, 24), date(2026, 12, 29), date(2026, 12, 30))


def test_calendar_days_all_count() -> None:
    found = due("2026-12-23T14:30", "5 calendar days")
    assert found.skipped == ()
    assert found.counted == tuple(date(2026, 12, day) for day in range(24, 29))


def test_a_councils_closure_is_skipped_with_its_reason() -> None:
    closure = ClosedDay(date(2026, 6, 2), "council closure: staff conference", "minute 7", confirmed=True)
    council = Calendar.of(Nation.ENGLAND, closures=[closure], name="Anywhere")
    found = deadline(local("2026-06-01T10:00"), Limit(1, "working days"), council)
    assert found.due_on == date(2026, 6, 3)
    assert found.skipped == (Skipped(date(2026, 6, 2), "council closure: staff conference"),)
    assert found.calendar == "Anywhere"


@pytest.mark.parametrize(
    ("start", "limit", "says"),
    [
        (
            "2026-12-15T10:00",
            "20 working days",
            "20 working days from Tue 15 Dec 2026: counted from Wed 16 Dec by the working days of England; "
            "skipped 4 weekends, Fri 25 Dec (Christmas Day), Mon 28 Dec (Boxing Day, substitute day) and "
            "Fri 1 Jan (New Year's Day); ends at the end of Fri 15 Jan 2027.",
        ),
        (
            "2026-06-05T10:00",
            "1 working day",
            "1 working day from Fri 5 Jun 2026: counted from Sat 6 Jun by the working days of England; "
            "skipped the weekend; ends at the end of Mon 8 Jun 2026.",
        ),
        (
            "2026-06-05T10:00",
            "2 calendar days",
            "2 calendar days from Fri 5 Jun 2026: counted from Sat 6 Jun; ends at the end of Sun 7 Jun 2026.",
        ),
        (
            "2026-12-23T14:30",
            "24 hours",
            "24 hours from Wed 23 Dec 2026 14:30: every hour counts; ends at Thu 24 Dec 2026 14:30.",
        ),
        (
            "2026-10-24T14:30",
            "24 hours",
            "24 hours from Sat 24 Oct 2026 14:30 BST: every hour counts, and the clocks change in between; "
            "ends at Sun 25 Oct 2026 13:30 GMT.",
        ),
    ],
)
def test_a_deadline_says_in_words_how_it_was_worked_out(start: str, limit: str, says: str) -> None:
    assert due(start, limit).sentence() == says


@pytest.mark.parametrize("limit", ["24 hours", "20 working days", "28 calendar days"])
def test_a_deadline_is_kept_as_json_and_comes_back_whole(limit: str) -> None:
    found = due("2026-12-15T10:00:00.123456", limit)
    back = Deadline.from_json(json.loads(json.dumps(found.to_json())))
    assert back == found
    assert back.sentence() == found.sentence()
    assert back.counted == found.counted


# What it refuses


def test_working_days_past_the_confirmed_calendar_are_refused() -> None:
    assert due("2028-12-28T10:00", "1 working day").due_on == date(2028, 12, 29)
    with pytest.raises(CalendarNotPublished):
        due("2028-12-28T10:00", "2 working days")


def test_hours_and_calendar_days_rest_on_no_calendar() -> None:
    assert due("2028-12-31T10:00", "24 hours").due_at == local("2029-01-01T10:00")
    assert due("2028-12-31T10:00", "5 calendar days").due_on == date(2029, 1, 5)


@pytest.mark.parametrize(
    "act",
    [
        lambda naive: deadline(naive, Limit(24, "hours"), ENGLAND),
        lambda naive: is_late(naive, datetime(2026, 6, 1, tzinfo=UTC)),
        lambda naive: is_late(datetime(2026, 6, 1, tzinfo=UTC), naive),
        lambda naive: is_late(naive, naive),
    ],
)
def test_a_time_without_a_zone_is_refused(act: Callable[[datetime], object]) -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        act(datetime(2026, 6, 1, 10, 0))  # noqa: DTZ001  that is the point


# A second counter, written apart: it knows the library's days, not ours, and looks at each day in turn


@cache
def days_off(nation: Nation) -> frozenset[str]:
    subdivision = {"England": "ENG", "Wales": "WLS", "Scotland": "SCT", "Northern Ireland": "NIR"}[
        nation.label
    ]
    return frozenset(str(on) for on in holidays.country_holidays("GB", subdivision, years=range(2016, 2030)))


def last_day_by_looking_at_each(
    start: datetime, amount: int, unit: Unit, off: frozenset[str]
) -> tuple[str, int]:
    """The last day, and how many days were passed over on the way."""
    noon = datetime.fromisoformat(start.astimezone(LONDON).strftime("%Y-%m-%d") + "T12:00+00:00")
    left, passed_over = amount, 0
    while left:
        noon = noon + timedelta(hours=24)
        today = noon.strftime("%Y-%m-%d")
        free = unit == "working days" and (noon.strftime("%a") in ("Sat", "Sun") or today in off)
        if free:
            passed_over += 1
        else:
            left -= 1
    return noon.strftime("%Y-%m-%d"), passed_over


starts = st.datetimes(
    min_value=datetime(2016, 1, 1),  # noqa: DTZ001  given their zone below
    max_value=datetime(2028, 8, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, LONDON, timezone(timedelta(hours=-11)), ZoneInfo("Pacific/Auckland")]),
).filter(lambda start: start.astimezone(UTC) >= datetime(2016, 1, 2, tzinfo=UTC))
near = st.dates(min_value=date(2016, 1, 1), max_value=date(2028, 12, 31))


@settings(max_examples=3000, deadline=None)
@given(
    start=starts,
    amount=st.integers(1, 60),
    unit=st.sampled_from(["working days", "calendar days"]),
    nation=st.sampled_from(Nation),
    shifts=st.lists(st.integers(1, 40), max_size=3),
    opened=st.lists(near, max_size=3),
)
def test_days_agree_with_a_counter_that_looks_at_each_day(
    *, start: datetime, amount: int, unit: Unit, nation: Nation, shifts: list[int], opened: list[date]
) -> None:
    started = start.astimezone(LONDON).date()
    closed = {started + timedelta(days=shift) for shift in shifts}
    calendar = seed(nation)
    if closed or opened:
        closures = [ClosedDay(on, "council closure", "test", confirmed=True) for on in closed]
        calendar = Calendar.of(nation, closures=closures, withdrawn=opened)
    found = deadline(start, Limit(amount, unit), calendar)
    off = days_off(nation) - {str(on) for on in opened} | {str(on) for on in closed}
    last, passed_over = last_day_by_looking_at_each(start, amount, unit, off)
    assert str(found.due_on) == last
    assert len(found.skipped) == passed_over
    assert len(found.counted) == amount
    assert found.counted[-1] == found.due_on
    assert not is_late(found.due_at, found.due_at)
    assert (found.due_at + timedelta(microseconds=1)).astimezone(LONDON).strftime(
        "%H:%M:%S.%f"
    ) == "00:00:00.000000"


@settings(max_examples=1000, deadline=None)
@given(start=starts, amount=st.integers(1, 200))
def test_hours_agree_with_seconds_since_the_epoch(start: datetime, amount: int) -> None:
    found = deadline(start, Limit(amount, "hours"), ENGLAND)
    assert round(found.due_at.timestamp() - start.timestamp()) == 3600 * amount

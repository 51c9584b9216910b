"""Which days are worked, in each nation and in a council."""

import re
from dataclasses import replace
from datetime import date

import holidays
import pytest

from councils.calendars import SHIPPED, Calendar, CalendarNotPublished, ClosedDay, Nation, seed
from councils.limits import Limit
from councils.management.commands.renew_closed_days import SUBDIVISIONS, document

STAFF_DAY = ClosedDay(date(2026, 12, 24), "council closure: staff conference", "minute 7", confirmed=True)


def weekdays_closed_by_the_library(nation: Nation, years: range) -> set[date]:
    days = holidays.country_holidays("GB", subdiv=SUBDIVISIONS[nation], years=years)
    return {on for on in days if on.weekday() < 5}


@pytest.mark.parametrize("nation", Nation)
@pytest.mark.parametrize("year", range(2016, 2032))
def test_the_shipped_closed_days_are_those_of_the_library(nation: Nation, year: int) -> None:
    shipped = {on for on in seed(nation).closed if on.year == year}
    assert shipped == weekdays_closed_by_the_library(nation, range(year, year + 1))


def test_the_shipped_file_is_what_its_command_writes() -> None:
    def without_version(text: str) -> list[str]:
        return [line for line in text.splitlines() if not line.startswith("source =")]

    assert without_version(SHIPPED.read_text()) == without_version(document())


@pytest.mark.parametrize(
    ("nation", "on", "why"),
    [
        (Nation.ENGLAND, date(2026, 12, 28), "Boxing Day, substitute day"),
        (Nation.ENGLAND, date(2027, 12, 27), "Christmas Day, substitute day"),
        (Nation.ENGLAND, date(2027, 12, 28), "Boxing Day, substitute day"),
        (Nation.ENGLAND, date(2028, 1, 3), "New Year's Day, substitute day"),
        (Nation.ENGLAND, date(2026, 4, 6), "Easter Monday"),
        (Nation.ENGLAND, date(2026, 8, 31), "Summer bank holiday"),
        (Nation.ENGLAND, date(2020, 5, 8), "Early May bank holiday"),
        (Nation.ENGLAND, date(2022, 6, 3), "Platinum Jubilee bank holiday"),
        (Nation.ENGLAND, date(2022, 9, 19), "Bank holiday for the State Funeral of Queen Elizabeth II"),
        (Nation.ENGLAND, date(2023, 5, 8), "Bank holiday for the coronation of King Charles III"),
        (Nation.WALES, date(2026, 4, 6), "Easter Monday"),
        (Nation.WALES, date(2026, 12, 28), "Boxing Day, substitute day"),
        (Nation.SCOTLAND, date(2026, 1, 2), "2nd January"),
        (Nation.SCOTLAND, date(2027, 1, 4), "2nd January, substitute day"),
        (Nation.SCOTLAND, date(2028, 1, 4), "2nd January, substitute day"),
        (Nation.SCOTLAND, date(2023, 1, 2), "New Year's Day, substitute day"),
        (Nation.SCOTLAND, date(2023, 1, 3), "2nd January, substitute day"),
        (Nation.SCOTLAND, date(2026, 6, 15), "Bank holiday for the football World Cup"),
        (Nation.SCOTLAND, date(2026, 8, 3), "Summer bank holiday"),
        (Nation.SCOTLAND, date(2026, 11, 30), "St Andrew's Day"),
        (Nation.NORTHERN_IRELAND, date(2026, 3, 17), "St Patrick's Day"),
        (Nation.NORTHERN_IRELAND, date(2026, 7, 13), "Battle of the Boyne, substitute day"),
        (Nation.NORTHERN_IRELAND, date(2026, 4, 6), "Easter Monday"),
        (Nation.ENGLAND, date(2026, 12, 26), "Saturday"),
        (Nation.SCOTLAND, date(2026, 12, 27), "Sunday"),
    ],
)
def test_a_closed_day_says_why(nation: Nation, on: date, why: str) -> None:
    calendar = seed(nation)
    assert calendar.why_closed(on) == why
    assert not calendar.is_working(on)


@pytest.mark.parametrize(
    ("nation", "on"),
    [
        (Nation.SCOTLAND, date(2026, 4, 6)),  # no Easter Monday
        (Nation.SCOTLAND, date(2026, 8, 31)),  # its summer day is early in August
        (Nation.ENGLAND, date(2026, 1, 2)),
        (Nation.ENGLAND, date(2026, 6, 15)),
        (Nation.ENGLAND, date(2026, 8, 3)),
        (Nation.ENGLAND, date(2026, 11, 30)),
        (Nation.ENGLAND, date(2026, 3, 17)),
        (Nation.WALES, date(2027, 3, 1)),  # St David's Day is no bank holiday
        (Nation.WALES, date(2026, 7, 13)),
        (Nation.NORTHERN_IRELAND, date(2026, 1, 2)),
        (Nation.ENGLAND, date(2020, 5, 4)),  # moved to the 8th in that year
        (Nation.ENGLAND, date(2022, 5, 30)),  # moved to June in that year
        (Nation.ENGLAND, date(2028, 2, 29)),
    ],
)
def test_a_day_that_another_nation_or_year_has_closed_is_worked(nation: Nation, on: date) -> None:
    assert seed(nation).is_working(on)
    assert seed(nation).why_closed(on) is None


def test_every_closed_day_names_its_source_and_whether_it_is_confirmed() -> None:
    closed = seed(Nation.ENGLAND).closed
    assert all("holidays" in day.source for day in closed.values())
    assert closed[date(2028, 12, 25)].confirmed
    assert not closed[date(2029, 12, 25)].confirmed


def test_a_council_closes_on_its_own_days_and_works_on_withdrawn_ones() -> None:
    council = Calendar.of(
        Nation.ENGLAND, closures=[STAFF_DAY], withdrawn=[date(2026, 12, 28)], name="Anywhere"
    )
    assert council.why_closed(STAFF_DAY.on) == "council closure: staff conference"
    assert council.is_working(date(2026, 12, 28))
    assert council.working_day_after(date(2026, 12, 23), 1) == date(2026, 12, 28)
    assert council.name == "Anywhere"


def test_a_councils_days_are_its_own() -> None:
    Calendar.of(Nation.ENGLAND, closures=[STAFF_DAY], withdrawn=[date(2026, 12, 28)])
    assert seed(Nation.ENGLAND).is_working(STAFF_DAY.on)
    assert not Calendar.of(Nation.ENGLAND).is_working(date(2026, 12, 28))
    assert Calendar.of(Nation.ENGLAND) == seed(Nation.ENGLAND)


def test_a_closure_holds_on_a_withdrawn_day_and_leaves_a_bank_holiday_its_name() -> None:
    monday = ClosedDay(date(2026, 12, 28), "council closure", "minute 7", confirmed=True)
    both = Calendar.of(Nation.ENGLAND, closures=[monday], withdrawn=[monday.on])
    assert both.why_closed(monday.on) == "council closure"
    assert (
        Calendar.of(Nation.ENGLAND, closures=[monday]).why_closed(monday.on) == "Boxing Day, substitute day"
    )


def test_a_closure_that_is_not_confirmed_does_not_count() -> None:
    assert Calendar.of(Nation.ENGLAND, closures=[replace(STAFF_DAY, confirmed=False)]).is_working(
        STAFF_DAY.on
    )


def test_days_past_the_confirmed_ones_are_refused_with_what_to_do() -> None:
    england = seed(Nation.ENGLAND)
    assert england.is_working(date(2028, 12, 29))
    with pytest.raises(CalendarNotPublished, match="England are confirmed up to 31 December 2028") as refused:
        england.is_working(date(2029, 1, 1))
    assert "needs 1 January 2029" in str(refused.value)
    assert "as soon as the closed days of 2029 have been added" in str(refused.value)
    # Even a weekend: a reader who learns of one day would take the rest for known.
    with pytest.raises(CalendarNotPublished):
        england.why_closed(date(2029, 1, 6))


def test_days_before_the_calendar_begins_are_refused() -> None:
    england = seed(Nation.ENGLAND)
    assert not england.is_working(date(2016, 1, 1))
    for ask in (england.why_closed, lambda on: england.working_day_after(on, 10)):
        with pytest.raises(CalendarNotPublished, match="begin with 1 January 2016, and 31 December 2015"):
            ask(date(2015, 12, 31))


def test_working_days_are_counted_up_to_the_last_confirmed_one_and_no_further() -> None:
    england = seed(Nation.ENGLAND)
    assert england.working_day_after(date(2028, 12, 28), 1) == date(2028, 12, 29)
    for start, amount, needed in [
        (date(2028, 12, 28), 2, date(2029, 1, 1)),
        (date(2028, 12, 31), 1, date(2029, 1, 1)),
        (date(2029, 3, 1), 1, date(2029, 3, 1)),
    ]:
        with pytest.raises(CalendarNotPublished) as refused:
            england.working_day_after(start, amount)
        assert refused.value.on == needed


def test_a_calendar_that_is_confirmed_further_counts_further() -> None:
    further = replace(seed(Nation.ENGLAND), confirmed_through=date(2029, 12, 31))
    assert further.working_day_after(date(2028, 12, 29), 1) == date(2029, 1, 2)


@pytest.mark.parametrize("amount", [0, -1])
def test_working_days_are_not_counted_backwards(amount: int) -> None:
    with pytest.raises(ValueError, match="counted forward"):
        seed(Nation.ENGLAND).working_day_after(date(2026, 6, 1), amount)


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("20 working days", Limit(20, "working days"), "20 working days"),
        ("1 working day", Limit(1, "working days"), "1 working day"),
        ("24 hours", Limit(24, "hours"), "24 hours"),
        ("1 Hour", Limit(1, "hours"), "1 hour"),
        ("  28  Calendar\tDays ", Limit(28, "calendar days"), "28 calendar days"),
        ("72hours", Limit(72, "hours"), "72 hours"),
    ],
)
def test_a_limit_is_read_and_shown_as_people_write_it(text: str, limit: Limit, shown: str) -> None:
    assert Limit.parse(text) == limit
    assert str(limit) == shown
    assert Limit.parse(shown) == limit


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "write a whole number in digits"),
        ("working days", "write a whole number in digits"),
        ("ten working days", "write a whole number in digits"),
        ("1.5 hours", "write a whole number in digits"),
        ("-3 hours", "write a whole number in digits"),
        ("٣ hours", "write a whole number in digits"),
        ("as soon as possible", "write a whole number in digits"),
        ("5 days", "write working days or calendar days"),
        ("1 day", "write working days or calendar days"),
        ("5 fortnights", "'fortnights' is not a unit of time; write hours, working days or calendar days"),
        ("0 hours", "at least 1"),
        ("10000 hours", "at most 9,999"),
    ],
)
def test_what_is_no_limit_is_refused_with_what_to_write(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        Limit.parse(text)


def test_a_limit_of_an_unknown_unit_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="'days' is not a unit of time"):
        Limit(5, "days")  # type: ignore[arg-type]

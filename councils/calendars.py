"""Which days a nation works, and which days a council adds to or takes from them.

The closed days of each nation are data, in `closed_days.toml`, made from the `holidays` library by
`manage.py renew_closed_days`. They are shipped rather than asked of the library because a statutory
deadline must not move when a package is upgraded, because a reader of the file sees on which days
a deadline rests, and because the library takes 0.4 s to import, which every process would pay. A
test compares the file with the library.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from itertools import accumulate, compress
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo

SHIPPED = Path(__file__).parent / "closed_days.toml"

WEEKEND = {5: "Saturday", 6: "Sunday"}


class Nation(StrEnum):
    """A nation with bank holidays of its own. Its value is its key, in files, options and rows."""

    ENGLAND = "england"
    WALES = "wales"
    SCOTLAND = "scotland"
    NORTHERN_IRELAND = "northern_ireland"

    @property
    def label(self) -> str:
        """The name that people read."""
        return self.value.replace("_", " ").title()


class CalendarNotPublished(Exception):
    """A day is asked for on which nobody has yet said who works. `on` is that day."""

    def __init__(self, calendar: "Calendar", on: date) -> None:
        if on < calendar.begins_on:
            says = (
                f"The closed days of {calendar.name} begin with {_day(calendar.begins_on)}, and {_day(on)} "
                "is before that. Check the date; where it is right, the deadline has to be counted by hand."
            )
        else:
            says = (
                f"The closed days of {calendar.name} are confirmed up to {_day(calendar.confirmed_through)}, "
                f"and this needs {_day(on)}. It is worked out as soon as the closed days of {on.year} have "
                "been added: ask whoever looks after this system to add them."
            )
        super().__init__(says)
        self.calendar = calendar
        self.on = on


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """A day, other than a weekend, that is no working day.

    `why` is said to people as it stands, `source` says where the day was found, and a day that is
    not `confirmed` is expected and not yet proclaimed.
    """

    on: date
    why: str
    source: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working days of a nation, or of a council in it: every day but weekends and closed days.

    It knows the days from `begins_on` to `confirmed_through`, both included, and refuses the rest
    with CalendarNotPublished. Saturdays and Sundays need not be among `closed`.
    """

    nation: Nation
    name: str
    closed: Mapping[date, ClosedDay]
    begins_on: date
    confirmed_through: date
    source: str
    zone: ClassVar[ZoneInfo] = ZoneInfo("Europe/London")

    # A cumulative table, so that working days are added by two look-ups, whatever their number: for
    # each day since _origin the place in _working of the last working day up to and with it.
    _origin: int = field(init=False, repr=False, compare=False)
    _last_up_to: list[int] = field(init=False, repr=False, compare=False)
    _working: list[date] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        days = _weekdays(self.begins_on, self.confirmed_through)
        no_working_day = self.closed.keys() | {None}
        works = [on not in no_working_day for on in days]
        object.__setattr__(self, "_origin", self.begins_on.toordinal())
        object.__setattr__(self, "_last_up_to", list(accumulate(works, initial=-1))[1:])
        object.__setattr__(self, "_working", list(compress(days, works)))

    @classmethod
    def of(
        cls,
        nation: Nation,
        *,
        closures: Iterable[ClosedDay] = (),
        withdrawn: Iterable[date] = (),
        name: str = "",
    ) -> Self:
        """Return the calendar of a nation as one council keeps it.

        `withdrawn` are days of the nation on which the council works after all; `closures` are days
        on which it does not, its own or newly proclaimed, and hold even where the same day is
        withdrawn. Closures that are not confirmed are left out. `name` is the council's.
        """
        nations = seed(nation)
        closed = dict(nations.closed)
        for on in withdrawn:
            closed.pop(on, None)
        for day in closures:
            if day.confirmed:
                closed.setdefault(day.on, day)
        return cls(
            nation=nation,
            name=name or nations.name,
            closed=MappingProxyType(closed),
            begins_on=nations.begins_on,
            confirmed_through=nations.confirmed_through,
            source=nations.source,
        )

    def is_working(self, on: date) -> bool:
        """Say whether `on` is a working day. Raises CalendarNotPublished."""
        return self.why_closed(on) is None

    def why_closed(self, on: date) -> str | None:
        """Return why `on` is no working day, such as "Saturday" or "Christmas Day"; None where it is one.

        Raises CalendarNotPublished.
        """
        if not self.begins_on <= on <= self.confirmed_through:
            raise CalendarNotPublished(self, on)
        if weekend := WEEKEND.get(on.weekday()):
            return weekend
        closed = self.closed.get(on)
        return closed.why if closed else None

    def working_day_after(self, on: date, amount: int) -> date:
        """Return the `amount`th working day after `on`, which is itself not counted.

        Raises CalendarNotPublished, ValueError where `amount` is below 1.
        """
        index = on.toordinal() - self._origin
        # A list would answer an index below 0 from its end.
        if index < 0:
            raise CalendarNotPublished(self, on)
        if amount < 1:
            raise ValueError(f"working days are counted forward from 1, not {amount}")
        try:
            return self._working[self._last_up_to[index] + amount]
        except IndexError:
            raise CalendarNotPublished(self, max(on, self.confirmed_through + timedelta(days=1))) from None


@cache
def seed(nation: Nation) -> Calendar:
    """Return the calendar of a nation as shipped, without any council's days.

    `closed` holds the days of later years too, expected and not confirmed; they are beyond
    `confirmed_through`, so no deadline rests on them.
    """
    shipped = _shipped()
    confirmed_through: date = shipped["confirmed_through"]
    source: str = shipped["source"]
    days = (
        ClosedDay(on=on, why=why, source=source, confirmed=on <= confirmed_through)
        for on, why in ((date.fromisoformat(key), why) for key, why in shipped[nation].items())
    )
    return Calendar(
        nation=nation,
        name=nation.label,
        closed=MappingProxyType({day.on: day for day in days}),
        begins_on=shipped["begins_on"],
        confirmed_through=confirmed_through,
        source=source,
    )


@cache
def _weekdays(begins_on: date, through: date) -> tuple[date | None, ...]:
    """Every day of the span in turn, with None for a Saturday or Sunday."""
    days = map(date.fromordinal, range(begins_on.toordinal(), through.toordinal() + 1))
    return tuple(None if on.weekday() in WEEKEND else on for on in days)


@cache
def _shipped() -> dict[str, Any]:
    return tomllib.loads(SHIPPED.read_text(encoding="utf-8"))


def _day(on: date) -> str:
    return f"{on.day} {on:%B %Y}"

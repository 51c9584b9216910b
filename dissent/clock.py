"""When something is due, and why: pure functions of a start, a limit and a calendar.

A deadline is the last instant that is still in time. Where days are counted it is the last
microsecond of the last day, so that its own date is the date to show, and one comparison
(`is_late`) serves hours and days alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Self

from councils.calendars import WEEKEND, Calendar
from councils.limits import Limit

_DAY = timedelta(days=1)
_ZONE = Calendar.zone


@dataclass(frozen=True, slots=True)
class Skipped:
    """A day that did not count, and why not."""

    on: date
    why: str


@dataclass(frozen=True, slots=True)
class Deadline:
    """When `limit` runs out, and how that was worked out. `start` and `due_at` are in UTC.

    `calendar` names whose working days were counted; it is empty where none were.
    """

    limit: Limit
    start: datetime
    due_at: datetime
    calendar: str = ""
    skipped: tuple[Skipped, ...] = ()

    @property
    def counted(self) -> tuple[date, ...]:
        """The days that counted, in order; none where hours ran on."""
        if self.limit.unit == "hours":
            return ()
        left_out = {day.on for day in self.skipped}
        return tuple(on for on in _days_after(_local_date(self.start), self.due_on) if on not in left_out)

    @property
    def due_on(self) -> date:
        """The local date on which it is due."""
        return _local_date(self.due_at)

    def sentence(self) -> str:
        """Return how the deadline was worked out, in words."""
        if self.limit.unit == "hours":
            return self._sentence_of_hours()
        started = _local_date(self.start)
        counted = f"counted from {_named(started + _DAY)}"
        if self.calendar:
            counted += f" by the working days of {self.calendar}"
        parts = [f"{self.limit} from {_named(started, year=True)}: {counted}"]
        if self.skipped:
            parts.append(f"skipped {_in_words(self.skipped)}")
        parts.append(f"ends at the end of {_named(self.due_on, year=True)}")
        return "; ".join(parts) + "."

    def _sentence_of_hours(self) -> str:
        start, due = self.start.astimezone(_ZONE), self.due_at.astimezone(_ZONE)
        moved = start.utcoffset() != due.utcoffset()
        said = f"{self.limit} from {_timed(start, zone=moved)}: every hour counts"
        if moved:
            said += ", and the clocks change in between"
        return f"{said}; ends at {_timed(due, zone=moved)}."

    def to_json(self) -> dict[str, Any]:
        """Return the whole derivation as JSON can keep it; `from_json` gives it back."""
        return {
            "limit": str(self.limit),
            "start": self.start.isoformat(),
            "due_at": self.due_at.isoformat(),
            "calendar": self.calendar,
            "skipped": [{"on": day.on.isoformat(), "why": day.why} for day in self.skipped],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Return the deadline that `to_json` wrote."""
        return cls(
            limit=Limit.parse(kept["limit"]),
            start=datetime.fromisoformat(kept["start"]),
            due_at=datetime.fromisoformat(kept["due_at"]),
            calendar=kept["calendar"],
            skipped=tuple(Skipped(date.fromisoformat(day["on"]), day["why"]) for day in kept["skipped"]),
        )


def deadline(start: datetime, limit: Limit, calendar: Calendar) -> Deadline:
    """Return when `limit` runs out, and which days did not count.

    Units: hours run on in UTC. Days are counted from the day after `start` on its local date, and
    end with the last day; calendar days end on whatever day that is.
    Raises CalendarNotPublished where working days are asked for past the last year confirmed (hours
    and calendar days rest on no calendar), ValueError where `start` has no time zone.
    """
    start = _in_utc(start)
    match limit.unit:
        case "hours":
            return Deadline(limit, start, start + timedelta(hours=limit.amount))
        case "calendar days":
            return Deadline(limit, start, _end_of(_local_date(start) + limit.amount * _DAY))
        case "working days":
            started = _local_date(start)
            last = calendar.working_day_after(started, limit.amount)
            skipped = tuple(
                Skipped(on, why) for on in _days_after(started, last) if (why := calendar.why_closed(on))
            )
            return Deadline(limit, start, _end_of(last), calendar.name, skipped)


def is_late(due_at: datetime, at: datetime) -> bool:
    """Say whether something done, or still undone, at `at` is late.

    On the last day at 23:59:59 is in time, and at 00:00 the next day is late; 24 hours on to the
    second is in time. Raises ValueError where either has no time zone.
    """
    return _in_utc(at) > _in_utc(due_at)


def _in_utc(moment: datetime) -> datetime:
    # Two datetimes of one zone are compared and added to by what the wall clock says, so that an
    # hour would go missing, or be had twice, when the clocks change.
    if moment.utcoffset() is None:
        raise ValueError(f"{moment.isoformat()} has no time zone, so it does not say when it was")
    return moment.astimezone(UTC)


def _local_date(moment: datetime) -> date:
    return moment.astimezone(_ZONE).date()


def _end_of(on: date) -> datetime:
    return datetime.combine(on, time.max, _ZONE).astimezone(UTC)


def _days_after(on: date, last: date) -> list[date]:
    return [on + timedelta(days=number) for number in range(1, (last - on).days + 1)]


def _in_words(skipped: tuple[Skipped, ...]) -> str:
    """Weekends once, in short; every other day with its reason."""
    weekends = len({day.on.isocalendar()[:2] for day in skipped if day.on.weekday() in WEEKEND})
    said = [f"{_named(day.on)} ({day.why})" for day in skipped if day.on.weekday() not in WEEKEND]
    if weekends:
        said.insert(0, "the weekend" if weekends == 1 else f"{weekends} weekends")
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


def _named(on: date, *, year: bool = False) -> str:
    return f"{on:%a} {on.day} {on:%b %Y}" if year else f"{on:%a} {on.day} {on:%b}"


def _timed(moment: datetime, *, zone: bool) -> str:
    return f"{_named(moment.date(), year=True)} {moment:%H:%M}" + (f" {moment:%Z}" if zone else "")

"""How fast ten working days are added, beside a loop over a `holidays` object.

Run from the top: `python bench/working_days.py`. Both do the same starts in turn in every round,
their answers are compared first, and it exits non-zero where the product is less than 30 times
faster. What a whole deadline costs, with its derivation, is printed beside it.
"""

# ruff: noqa: T201  a measurement prints

import random
import sys
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter_ns

import holidays

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from councils.calendars import Nation, seed
from councils.limits import Limit
from dissent.clock import deadline

GOAL = 30
ROUNDS = 7
AMOUNT = 10
ONE_DAY = timedelta(days=1)

ENGLAND = seed(Nation.ENGLAND)
LIBRARY = holidays.country_holidays("GB", subdiv="ENG", years=range(2016, 2029))
TEN_WORKING_DAYS = Limit(AMOUNT, "working days")


def by_table(starts: list[date]) -> list[date]:
    return [ENGLAND.working_day_after(start, AMOUNT) for start in starts]


def by_library(starts: list[date]) -> list[date]:
    found = []
    for start in starts:
        left, on = AMOUNT, start
        while left:
            on += ONE_DAY
            if on.weekday() < 5 and on not in LIBRARY:
                left -= 1
        found.append(on)
    return found


def whole_deadlines(starts: list[date]) -> list[date]:
    half_past_two = time(14, 30, tzinfo=ENGLAND.zone)
    moments = [datetime.combine(start, half_past_two) for start in starts]
    return [deadline(moment, TEN_WORKING_DAYS, ENGLAND).due_on for moment in moments]


def nanoseconds_each(way: Callable[[list[date]], list[date]], starts: list[date]) -> float:
    began = perf_counter_ns()
    way(starts)
    return (perf_counter_ns() - began) / len(starts)


def main() -> int:
    pick = random.Random(1)  # noqa: S311  the same starts every time
    first = date(2016, 1, 1).toordinal()
    starts = [date.fromordinal(pick.randint(first, date(2028, 11, 30).toordinal())) for _ in range(20_000)]
    if not by_table(starts) == by_library(starts) == whole_deadlines(starts):
        print("They do not agree on every start, so their times say nothing.")
        return 1

    ways = (by_table, by_library, whole_deadlines)
    rounds = [[nanoseconds_each(way, starts) for way in ways] for _ in range(ROUNDS)]
    table, library, whole = (median(times) for times in zip(*rounds, strict=True))
    ratio = median(one[1] / one[0] for one in rounds)
    print(f"{AMOUNT} working days, England, {len(starts):,} starts, medians of {ROUNDS} interleaved rounds")
    print(f"  two look-ups in the table      {table:9,.0f} ns")
    print(f"  loop over a holidays object    {library:9,.0f} ns")
    print(f"  whole deadline with its reasons{whole:9,.0f} ns")
    print(f"  {ratio:.0f} times faster (goal: at least {GOAL})")
    return 0 if ratio >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())

"""Make councils/closed_days.toml anew from the `holidays` library, for a developer to read and commit."""

import datetime as dt
from importlib.metadata import version
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from councils.calendars import SHIPPED, Nation

BEGINS = 2016
CONFIRMED_THROUGH = 2028
"""The last year of the list that the Government publishes at the time of writing."""
ENDS = 2031

SUBDIVISIONS: dict[Nation, str] = {
    Nation.ENGLAND: "ENG",
    Nation.WALES: "WLS",
    Nation.SCOTLAND: "SCT",
    Nation.NORTHERN_IRELAND: "NIR",
}

WORDS = {
    "May Day": "Early May bank holiday",
    "Spring Bank Holiday": "Spring bank holiday",
    "Summer Bank Holiday": "Summer bank holiday",
    "Late Summer Bank Holiday": "Summer bank holiday",
    "New Year Holiday": "2nd January",
    "Saint Andrew's Day": "St Andrew's Day",
    "Saint Patrick's Day": "St Patrick's Day",
    "Platinum Jubilee of Elizabeth II": "Platinum Jubilee bank holiday",
    "State Funeral of Queen Elizabeth II": "Bank holiday for the State Funeral of Queen Elizabeth II",
    "Coronation of Charles III": "Bank holiday for the coronation of King Charles III",
    "Scotland's participation in the FIFA World Cup final": "Bank holiday for the football World Cup",
}
"""The library's names as people here know the days."""


class Command(BaseCommand):
    help = (
        "Write each nation's closed days anew from the holidays library; read the difference, then commit it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--confirmed-through",
            type=int,
            default=CONFIRMED_THROUGH,
            metavar="YEAR",
            help=f"the last year that the Government has published (default {CONFIRMED_THROUGH})",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        SHIPPED.write_text(document(confirmed_through=options["confirmed_through"]), encoding="utf-8")
        self.stdout.write(f"Wrote {SHIPPED}.")


def document(*, confirmed_through: int = CONFIRMED_THROUGH) -> str:
    """Return the text of closed_days.toml as the installed library has the days."""
    lines = [
        "# The weekdays that are no working days, in each nation. Made by `manage.py renew_closed_days`,",
        "# which says where the names come from; days of one council alone are kept in the database.",
        "# No deadline rests on a day after confirmed_through: later days are expected, not proclaimed.",
        "",
        f'source = "holidays {version("holidays")}, a Python library"',
        f"begins_on = {dt.date(BEGINS, 1, 1)}",
        f"confirmed_through = {dt.date(confirmed_through, 12, 31)}",
    ]
    for nation in Nation:
        lines += ["", f"[{nation}]"]
        lines += [f'{on} = "{why}"' for on, why in _weekdays(nation)]
    return "\n".join(lines) + "\n"


def _weekdays(nation: Nation) -> list[tuple[dt.date, str]]:
    import holidays

    years = range(BEGINS, ENDS + 1)
    days = holidays.country_holidays("GB", subdiv=SUBDIVISIONS[nation], years=years, language="en_GB")
    return [(on, _in_our_words(name)) for on, name in sorted(days.items()) if on.weekday() < 5]


def _in_our_words(name: str) -> str:
    # Where two fall on one day the library joins them, the substitute last; only that one closes it.
    name = name.rsplit("; ", 1)[-1]
    day, observed, _ = name.partition(" (observed)")
    return WORDS.get(day, day) + (", substitute day" if observed else "")

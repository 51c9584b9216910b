"""Fields whose errors are sentences that say what to do, and which keep what was typed as it was typed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.forms.boundfield import BoundField

LONDON = ZoneInfo("Europe/London")
TEXT_ERRORS = {
    "max_length": "Shorten this to %(limit_value)d characters or fewer. It has %(show_value)d",
    "null_characters_not_allowed": "A hidden character here cannot be kept. Delete it all and type it again",
}


def _said(missing: str, **others: str) -> dict[str, str]:
    return {**({"required": missing} if missing else {}), **others}


# --- words -----------------------------------------------------------------------------------------


class _Whole:
    """Text that is never cut short: browsers drop what is pasted beyond a maxlength, and say nothing."""

    def widget_attrs(self, widget: forms.Widget) -> dict[str, str]:
        return {name: value for name, value in super().widget_attrs(widget).items() if name != "maxlength"}


class Text(_Whole, forms.CharField):
    """One line. `width` is the characters that fit: 2, 3, 4, 5, 10, 20 or 30; the whole column where None.

    Browsers are asked not to remember what is typed, because it is mostly about other people.
    """

    def __init__(
        self, *, missing: str = "", width: int | None = None, autocomplete: str = "off", **options: Any
    ) -> None:
        attrs = {"autocomplete": autocomplete, **({"class": f"govuk-input--width-{width}"} if width else {})}
        options.setdefault("widget", forms.TextInput(attrs=attrs))
        super().__init__(error_messages=_said(missing, **TEXT_ERRORS), **options)


class TextArea(_Whole, forms.CharField):
    """As many lines as it takes. Kept as typed, spaces at the ends included; line ends become a newline each.

    `max_length` is for the rare text that has one; the page then counts along.
    """

    def __init__(self, *, missing: str = "", rows: int = 8, **options: Any) -> None:
        options.setdefault("widget", forms.Textarea(attrs={"rows": rows}))
        super().__init__(strip=False, error_messages=_said(missing, **TEXT_ERRORS), **options)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text.strip():
            return self.empty_value
        return text.replace("\r\n", "\n").replace("\r", "\n")


class Email(_Whole, forms.EmailField):
    """An e-mail address."""

    def __init__(self, *, missing: str = "", autocomplete: str = "off", **options: Any) -> None:
        attrs = {"autocomplete": autocomplete, "spellcheck": "false", "autocapitalize": "none"}
        options.setdefault("widget", forms.EmailInput(attrs=attrs))
        invalid = "Enter an e-mail address in full, like name@council.example"
        super().__init__(error_messages=_said(missing, invalid=invalid, **TEXT_ERRORS), **options)


# --- one of several, some of several ---------------------------------------------------------------


class _Choices:
    """Choices as (value, label) or (value, label, hint)."""

    hints: dict[str, str] = {}

    @property
    def choices(self) -> Any:
        return forms.ChoiceField.choices.fget(self)

    @choices.setter
    def choices(self, value: Any) -> None:
        if not callable(value):
            rows = [tuple(row) for row in value]
            self.hints = {str(row[0]): row[2] for row in rows if len(row) > 2}
            value = [row[:2] for row in rows]
        forms.ChoiceField.choices.fset(self, value)


CHOOSE = "Choose one of the answers in the list"


class Radios(_Choices, forms.ChoiceField):
    """One of a few."""

    def __init__(self, *, choices: Iterable[Sequence[Any]] = (), missing: str = "", **options: Any) -> None:
        options.setdefault("widget", forms.RadioSelect)
        super().__init__(choices=choices, error_messages=_said(missing, invalid_choice=CHOOSE), **options)


class YesNo(Radios):
    """True or False; None where it need not be answered and was not."""

    def __init__(self, *, yes: str = "Yes", no: str = "No", missing: str = "", **options: Any) -> None:
        super().__init__(choices=[("yes", yes), ("no", no)], missing=missing, **options)

    def clean(self, value: Any) -> bool | None:
        return {"yes": True, "no": False, "": None}[super().clean(value)]

    def prepare_value(self, value: Any) -> Any:
        return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value


class Checkboxes(_Choices, forms.MultipleChoiceField):
    """Some of a few. Returns a list of values."""

    def __init__(self, *, choices: Iterable[Sequence[Any]] = (), missing: str = "", **options: Any) -> None:
        options.setdefault("widget", forms.CheckboxSelectMultiple)
        super().__init__(choices=choices, error_messages=_said(missing, invalid_choice=CHOOSE), **options)


class Tick(forms.BooleanField):
    """One statement to tick, such as a declaration."""

    def __init__(self, *, missing: str = "", **options: Any) -> None:
        super().__init__(error_messages=_said(missing), **options)


class Select(forms.ChoiceField):
    """One of many. Give a first choice with an empty value, such as ("", "Choose an agency")."""

    def __init__(self, *, choices: Iterable[Sequence[Any]] = (), missing: str = "", **options: Any) -> None:
        super().__init__(choices=choices, error_messages=_said(missing, invalid_choice=CHOOSE), **options)


# --- dates and times -------------------------------------------------------------------------------


@dataclass
class Box:
    """One control among several that make an answer: a radio, a tick box, a box of a date."""

    id: str
    name: str
    label: str
    value: str = ""
    hint: str = ""
    checked: bool = False
    wrong: bool = False
    style: str = ""


class BoxError(ValidationError):
    """A mistake in some of the boxes of one answer."""

    def __init__(self, message: str, *boxes: str) -> None:
        super().__init__(message)
        self.boxes = boxes


class Boxes(forms.MultiWidget):
    """A day, a month and a year, and with `time` a time, each in a box of its own."""

    use_fieldset = True
    labels = {"day": "Day", "month": "Month", "year": "Year", "time": "Time"}
    styles = {"day": "govuk-input--width-2", "month": "govuk-input--width-2", "year": "govuk-input--width-4"}

    def __init__(self, *names: str) -> None:
        self.names = names
        super().__init__({name: forms.TextInput() for name in names})

    def decompress(self, value: date | datetime | None) -> list[str]:
        if value is None:
            return [""] * len(self.names)
        if isinstance(value, datetime):
            value = value.astimezone(LONDON)
        shown = [str(value.day), str(value.month), f"{value.year:04}"]
        return [*shown, f"{value:%H:%M}"] if "time" in self.names else shown

    def boxes(self, bound: BoundField) -> list[Box]:
        """Return the boxes of `bound` with what was typed, the wrong ones marked."""
        values = bound.value()
        if not isinstance(values, list):
            values = self.decompress(values)
        faults = bound.errors.data
        named = {name for fault in faults for name in getattr(fault, "boxes", ())}
        wrong = named or (set(self.names) if faults else set())
        return [
            Box(
                id=f"{bound.auto_id}_{name}",
                name=f"{bound.html_name}_{name}",
                label=self.labels[name],
                value=value or "",
                wrong=name in wrong,
                style=self.styles.get(name, "govuk-input--width-5"),
            )
            for name, value in zip(self.names, values, strict=True)
        ]


MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)


class DateField(forms.Field):
    """A date in three boxes. `name` is what the sentences call it: "date of birth". Returns a date."""

    names = ("day", "month", "year")

    def __init__(self, *, name: str = "date", missing: str = "", **options: Any) -> None:
        self.name = name
        missing = missing or f"Enter the {name}"
        super().__init__(widget=Boxes(*self.names), error_messages=_said(missing), **options)

    def clean(self, value: Any) -> Any:
        typed = dict(
            zip(self.names, [(part or "").strip() for part in value or [""] * len(self.names)], strict=True)
        )
        if not any(typed.values()):
            if self.required:
                raise BoxError(self.error_messages["required"], *self.names)
            return None
        if empty := [name for name in self.names if not typed[name]]:
            raise BoxError(f"Add the {_listed(empty)} to the {self.name}", *empty)
        return self.compress(typed)

    def compress(self, typed: dict[str, str]) -> Any:
        return self.day(typed)

    def day(self, typed: dict[str, str]) -> date:
        month = _month(typed["month"])
        day, year = _number(typed["day"], 2), _number(typed["year"], 4)
        if day is None or not 1 <= day <= 31:
            raise BoxError(f"Enter the day of the {self.name} as a number from 1 to 31", "day")
        if month is None or not 1 <= month <= 12:
            raise BoxError(f"Enter the month of the {self.name} as a number from 1 to 12", "month")
        if year is None or year < 1000:
            raise BoxError(f"Enter the year of the {self.name} with all four figures, like 2026", "year")
        try:
            return date(year, month, day)
        except ValueError:
            raise BoxError(
                f"Check the {self.name}: {date(year, month, 1):%B} {year} has no day {day}", *self.names[:3]
            ) from None


class DateTimeField(DateField):
    """A date and a time of day in London, typed as 14:30 or 2.30pm. Returns the moment, in UTC.

    A time that comes twice when the clocks go back is the first of the two.
    """

    names = ("day", "month", "year", "time")

    def compress(self, typed: dict[str, str]) -> datetime:
        day, clock = self.day(typed), self.time(typed["time"])
        local = datetime.combine(day, clock, tzinfo=LONDON)
        at = local.astimezone(UTC)
        if at.astimezone(LONDON).replace(tzinfo=None) != local.replace(tzinfo=None):
            raise BoxError(
                f"Check the time: the clocks went forward on {day.day} {day:%B %Y}, past {clock:%H:%M}",
                "time",
            )
        return at

    def time(self, typed: str) -> time:
        plain = {"noon": "12:00", "midday": "12:00", "midnight": "00:00"}.get(typed.lower(), typed)
        found = re.fullmatch(r"([0-9]{1,2})(?:[:.]?([0-9]{2}))?\s*([ap]\.?m\.?)?", plain, re.IGNORECASE)
        hour, minute, half = (
            (int(found[1]), int(found[2] or 0), (found[3] or "")[:1].lower()) if found else (99, 0, "")
        )
        bare_hour = found and not found[2] and not half
        if bare_hour or minute > 59 or (not 1 <= hour <= 12 if half else hour > 23):
            raise BoxError("Enter the time like 14:30 or 2.30pm", "time")
        if not half and len(found[1]) == 1 and 1 <= hour <= 7:
            raise BoxError(
                f"Say whether {typed} is morning or afternoon, like {typed}am or {typed}pm", "time"
            )
        if half:
            hour = hour % 12 + (12 if half == "p" else 0)
        return time(hour, minute)


def _month(typed: str) -> int | None:
    """Return the number of a month typed as one, by its name or by three letters of it or more."""
    word = typed.rstrip(".").lower()
    named = [number for number, name in enumerate(MONTHS, 1) if name.startswith(word) and len(word) >= 3]
    return named[0] if named else _number(typed, 2)


def _number(typed: str, longest: int) -> int | None:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= longest else None


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


# --- papers ----------------------------------------------------------------------------------------


class PdfField(forms.FileField):
    """A PDF file, no larger than `max_bytes`.

    Whether it is one is not asked here: `dissent.pdf.check` reads it where a hostile file can hurt nobody,
    before the paper is attached.
    """

    def __init__(
        self, *, missing: str = "Choose a PDF file", max_bytes: int | None = None, **options: Any
    ) -> None:
        self.max_bytes = max_bytes or settings.PAPER_MAX_BYTES
        options.setdefault("widget", forms.FileInput(attrs={"accept": ".pdf,application/pdf"}))
        super().__init__(error_messages=_said(missing), allow_empty_file=True, **options)

    def clean(self, data: Any, initial: Any = None) -> Any:
        file = super().clean(data, initial)
        if isinstance(file, UploadedFile) and file.size and file.size > self.max_bytes:
            name = f"“{''.join(letter for letter in str(file.name) if letter.isprintable())}”"
            limit, size = self.max_bytes // 1024**2, file.size / 1024**2
            raise ValidationError(
                f"{name} has {size:.0f} MB and the limit is {limit} MB. "
                "Save it with smaller pictures, or in parts"
            )
        return file

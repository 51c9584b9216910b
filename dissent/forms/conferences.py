"""What is asked about a conference: when it was, who came, which children, which papers, who dissented."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4, uuid5

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.forms import HiddenInput, UUIDField
from django.utils import timezone

from councils.models import Agency, Council, Person
from councils.procedure import Vocabulary
from dissent.forms.base import Button, Form
from dissent.forms.fields import (
    BoxError,
    Checkboxes,
    DateField,
    DateTimeField,
    Email,
    PdfField,
    Radios,
    Select,
    Text,
    TextArea,
    YesNo,
)
from dissent.models import Attendance, Child, Conference, Paper, Relative

ANOTHER = "another"
"""What the button `then` says where one more is to be added after this one."""


class ChooseCouncil(Form):
    """For somebody who administers conferences at several councils."""

    question = True
    council = Radios(label="Which council held the conference?", missing="Choose a council")

    def __init__(self, *args: Any, councils: Iterable[Council], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["council"].choices = [(one.key, one.name) for one in councils]


class _Drawn(UUIDField):
    """What a page drew when it was opened. What no page of ours drew counts as nothing."""

    def to_python(self, value: Any) -> UUID | None:
        try:
            return super().to_python(value)
        except ValidationError:
            return None


class Adding(Form):
    """A form that adds a row to the record, once however often its button is pressed.

    The page draws `once` when it is opened; with `place`, what the row belongs to, it becomes the row's id.
    """

    once = _Drawn(required=False, widget=HiddenInput)

    def __init__(self, *args: Any, place: UUID, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.place = place
        self.initial.setdefault("once", uuid4())

    def clean_once(self) -> UUID | None:
        drawn = self.cleaned_data["once"]
        return drawn and uuid5(self.place, str(drawn))


class ConferenceForm(Adding):
    """A conference: what kind, when, in whose chair."""

    kind = Radios(
        label="What kind of conference was it?",
        choices=Conference.Kind.choices,
        missing="Choose the kind of conference",
    )
    held_at = DateTimeField(
        label="When did it start?",
        name="start of the conference",
        help_text="For example 3 3 2026, at 10:00 or 10am",
    )
    ended_at = Text(
        label="At what time did it end?",
        missing="Enter the time at which the conference ended",
        help_text="On the same day, for example 12:30 or 12.30pm. "
        "Be as exact as you can: time limits can run from it.",
        width=5,
    )
    chair = Select(label="Who chaired it?", missing="Choose who chaired the conference")

    def __init__(self, *args: Any, chairs: Iterable[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.chairs = {str(one.pk): one for one in chairs}
        self.fields["chair"].choices = [
            ("", "Choose a person"),
            *((key, one.name) for key, one in self.chairs.items()),
        ]

    def clean_chair(self) -> Person:
        return self.chairs[self.cleaned_data["chair"]]

    def clean(self) -> None:
        """Turn the time of the end into a moment of the day on which it started."""
        start, end = self.cleaned_data.get("held_at"), self.cleaned_data.get("ended_at")
        if not end:
            return
        moment = DateTimeField(name="end of the conference")
        day = timezone.localtime(start) if start else dt.datetime(2000, 1, 1)  # noqa: DTZ001  only a day
        try:
            self.cleaned_data["ended_at"] = moment.compress(
                {"day": str(day.day), "month": str(day.month), "year": f"{day.year:04}", "time": end}
            )
        except BoxError as wrong:
            self.add_error("ended_at", wrong.message)


class _Several(Adding):
    """A form that is filled in several times in a row."""

    def __init__(self, *args: Any, back: str, one_more: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.buttons = (
            Button("Save"),
            Button(one_more, name="then", value=ANOTHER, kind="secondary"),
            Button("Cancel", href=back),
        )


class ChildForm(_Several):
    """A child, and what was decided for that child."""

    unmarked = ("name", "born_on", "due_on", "category")

    name = Text(
        label="Name",
        required=False,
        max_length=200,
        help_text="An unborn child may have no name yet. Leave this empty then.",
    )
    born_on = DateField(
        label="Date of birth",
        name="date of birth",
        required=False,
        help_text="For example 1 5 2018. Leave this empty for an unborn child.",
    )
    due_on = DateField(
        label="For an unborn child: when is the child expected?", name="due date", required=False
    )
    record_number = Text(
        label="Record number",
        required=False,
        max_length=60,
        width=20,
        help_text="Leave this empty where you do not know it yet.",
    )
    decision = Radios(
        label="What did the conference decide for this child?",
        choices=Child.Decision.choices,
        missing="Choose what the conference decided",
    )
    category = Radios(
        label="Under which category?",
        choices=[*Child.Category.choices, ("", "None", "No plan was made")],
        required=False,
        help_text="Where there is a plan, or one was ended.",
    )

    def __init__(self, *args: Any, words: Vocabulary, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["record_number"].label = words.record_number.one

    def clean(self) -> None:
        """Say all that is missing at once; the action says it one thing at a time."""
        said = self.cleaned_data
        born, due, decision = said.get("born_on"), said.get("due_on"), said.get("decision")
        if {"born_on", "due_on"} <= said.keys() and not (born or due):
            self.add_error(
                "born_on", "Enter the date of birth, or for an unborn child when the child is expected"
            )
        if born and not said.get("name"):
            self.add_error("name", "Enter the child’s name")
        if decision in {Child.Decision.MADE, Child.Decision.CONTINUED} and not said.get("category"):
            self.add_error("category", "Choose under which category the child has a plan")


class ContactForm(Form):
    """How somebody can be reached safely."""

    contact = Radios(
        label="Which way of reaching them is confirmed as safe?",
        choices=[
            ("post", "Post"),
            ("email", "E-mail"),
            ("by_hand", "By hand, through the social worker"),
            ("", "None that is known to be safe", "Their letter is printed, and given to them in person"),
        ],
        required=False,
    )
    contact_details = TextArea(
        label="Address, e-mail address, or the social worker’s name",
        required=False,
        rows=3,
    )
    contact_confirmed_safe_by = Text(
        label="Who confirmed that it is safe?", required=False, max_length=200, width=30
    )
    contact_confirmed_safe_on = DateField(
        label="When was that?", name="date on which it was confirmed", required=False
    )

    def __init__(self, *args: Any, at: dt.datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = timezone.localdate(at)

    def clean_contact_confirmed_safe_on(self) -> dt.date | None:
        on = self.cleaned_data["contact_confirmed_safe_on"]
        if on and on > self.today:
            raise ValidationError("This day has not come yet. Enter the day on which it was confirmed")
        return on

    def clean(self) -> None:
        """Ask for what makes a contact one that can be used."""
        said = self.cleaned_data
        contact = said.get("contact")
        if not contact:
            return
        details = said.get("contact_details", "").strip()
        if not details:
            needed = {
                Relative.Contact.POST: "Enter the address that is safe",
                Relative.Contact.EMAIL: "Enter the e-mail address that is safe",
                Relative.Contact.BY_HAND: "Enter the name of the social worker who hands letters over",
            }[contact]
            self.add_error("contact_details", needed)
        elif contact == Relative.Contact.EMAIL:
            try:
                validate_email(details)
            except ValidationError:
                self.add_error(
                    "contact_details", "Enter one e-mail address in full, like name@family.example"
                )
        if not said.get("contact_confirmed_safe_by"):
            self.add_error(
                "contact_confirmed_safe_by",
                "Enter who confirmed that this is safe, or choose that no way is known to be safe",
            )
        if "contact_confirmed_safe_on" in said and not said["contact_confirmed_safe_on"]:
            self.add_error("contact_confirmed_safe_on", "Enter the day on which it was confirmed as safe")


class RelativeForm(_Several, ContactForm):
    """Somebody who matters to a child, and what they may be told."""

    groups = (
        ("Who they are", ("name", "relation", "parental_responsibility")),
        (
            "What they may be told",
            ("may_be_told", "may_be_told_said_by", "may_be_told_why", "court_restriction"),
        ),
        (
            "How they can be reached safely",
            ("contact", "contact_details", "contact_confirmed_safe_by", "contact_confirmed_safe_on"),
        ),
        ("How they read", ("language", "format")),
    )
    unmarked = (
        "parental_responsibility",
        "may_be_told",
        "may_be_told_said_by",
        "may_be_told_why",
        "contact",
        "contact_details",
        "contact_confirmed_safe_by",
        "contact_confirmed_safe_on",
    )

    name = Text(label="Full name", missing="Enter their full name", max_length=200, width=30)
    relation = Text(
        label="What are they to the child?",
        missing="Enter what they are to the child, for example mother",
        help_text="For example mother, grandfather, foster carer.",
        max_length=100,
        width=20,
    )
    parental_responsibility = Radios(
        label="Do they have parental responsibility?",
        choices=[("yes", "Yes"), ("no", "No"), ("", "Not known yet")],
        required=False,
    )
    may_be_told = Radios(
        label="May they be told what becomes of a dissent about this child?",
        choices=[
            ("yes", "Yes"),
            ("no", "No"),
            ("ask", "Ask first", "Each time, before anything is sent"),
            ("", "Not known yet", "Nothing is sent to them until this is answered"),
        ],
        required=False,
    )
    may_be_told_said_by = Text(
        label="Who said so?",
        required=False,
        max_length=200,
        width=30,
        help_text="Unless it is not known yet.",
    )
    may_be_told_why = TextArea(label="Why?", required=False, rows=3)
    court_restriction = TextArea(
        label="Does a court restrict what they may know, or contact with them?",
        required=False,
        rows=3,
        help_text="Say which court, when, and what it forbids.",
    )
    language = Text(
        label="Language",
        required=False,
        max_length=100,
        width=20,
        help_text="Where it is not English.",
    )
    format = Text(
        label="Format",
        required=False,
        max_length=100,
        width=20,
        help_text="For example large print, easy read, read aloud.",
    )

    same_as = Radios(
        label="Is this somebody who is recorded with another child of this conference?",
        help_text="Then leave name, contact, language and format empty: they are taken from there.",
        required=False,
    )

    def __init__(self, *args: Any, others: Iterable[Relative] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.others = {str(one.pk): one for one in others}
        if self.others:
            offered = [(key, one.name, f"{one.relation} of {one.child}") for key, one in self.others.items()]
            self.fields["same_as"].choices = [*offered, ("", "No, this is somebody else")]
            self.groups = (("Who they are", ("same_as", *self.groups[0][1])), *self.groups[1:])
            self.fields["name"].required = False
        else:
            del self.fields["same_as"]

    def clean_same_as(self) -> Relative | None:
        return self.others.get(self.cleaned_data["same_as"])

    def clean_parental_responsibility(self) -> bool | None:
        return {"yes": True, "no": False, "": None}[self.cleaned_data["parental_responsibility"]]

    def clean(self) -> None:
        """Ask for who said so, for a name, and for what makes a contact one that can be used."""
        super().clean()
        said = self.cleaned_data
        if said.get("may_be_told") and not said.get("may_be_told_said_by"):
            self.add_error("may_be_told_said_by", "Enter who said so, or choose that it is not known yet")
        if "name" in said and not said["name"] and not said.get("same_as"):
            self.add_error("name", "Enter their full name")


class AgencyField(Select):
    """One of the council's agencies, or none."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, **options)

    def offer(self, agencies: Iterable[Agency]) -> None:
        self.agencies = {str(one.pk): one for one in agencies}
        self.choices = [("", "Choose an agency"), *((key, one.name) for key, one in self.agencies.items())]

    def clean(self, value: Any) -> Agency | None:
        chosen = super().clean(value)
        return self.agencies[chosen] if chosen else None


class WhoCame(Form):
    """Who somebody at the conference is, for whom and as what, and whether they were there."""

    name = Text(label="Full name", missing="Enter their full name", max_length=200, width=30)
    capacity = Radios(
        label="In which capacity?",
        choices=Attendance.Capacity.choices,
        missing="Choose in which capacity",
    )
    present = YesNo(
        label="Were they at the conference?",
        no="No, invited and absent",
        missing="Choose yes if they were at the conference",
    )
    agency = AgencyField(label="For a professional: which agency?")
    job = Text(label="For a professional: what is their job?", required=False, max_length=200, width=30)


class AttendanceForm(WhoCame, _Several):
    """One person at the conference, or invited to it."""

    unmarked = ("agency", "email", "job")

    email = Email(
        label="For a professional: e-mail address",
        required=False,
        max_length=254,
        help_text="Used only to send a reference and a link. "
        "Without it a dissent of theirs cannot be recorded.",
    )

    def __init__(self, *args: Any, agencies: Iterable[Agency], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agency"].offer(agencies)

    def clean(self) -> None:
        """Keep a family's contact where it is said to be safe: with the child, and nowhere else."""
        if self.cleaned_data.get("capacity") != Attendance.Capacity.FAMILY:
            return
        if self.cleaned_data.get("email"):
            self.add_error(
                "email",
                "Leave this empty for a family member. How they can be reached safely is recorded "
                "with each child",
            )
        if self.cleaned_data.get("agency"):
            self.add_error("agency", "Leave this empty: a family member does not come for an agency")


class PaperForm(_Several):
    """A PDF file, and what it is."""

    unmarked = ("agency",)

    kind = Radios(label="What is it?", choices=Paper.Kind.choices, missing="Choose what this paper is")
    agency = AgencyField(label="For an agency’s report: which agency wrote it?")
    paper = PdfField(label="PDF file")

    def __init__(self, *args: Any, agencies: Iterable[Agency], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agency"].offer(agencies)
        megabytes = self.fields["paper"].max_bytes // 1024**2
        self.fields[
            "paper"
        ].help_text = f"Up to {megabytes} MB. In Word choose “Save as” and PDF; scan what is on paper to PDF."


class Dissenters(Radios):
    """Those who may dissent are offered; anybody else at the conference is left for the action to refuse."""

    others: frozenset[str] = frozenset()

    def valid_value(self, value: Any) -> bool:
        return value in self.others or super().valid_value(value)


class RaiseForm(Form):
    """Who dissented in the conference, and about which children.

    `may` and `may_not` are those at the conference who can dissent and those who cannot; `of` is each child
    with what tells it from another of the same name.
    """

    attendance = Dissenters(label="Who dissented?", missing="Choose who dissented")
    children = Checkboxes(label="About which children?", missing="Choose the child or children it is about")

    def __init__(
        self,
        *args: Any,
        may: Iterable[Attendance],
        may_not: Iterable[Attendance],
        of: Iterable[tuple[Child, str]],
        back: str,
        **kwargs: Any,
    ) -> None:
        children = list(of)
        if len(children) == 1:
            kwargs.setdefault("initial", {"children": [str(children[0][0].pk)]})
        super().__init__(*args, **kwargs)
        may, may_not = list(may), list(may_not)
        self.fields["attendance"].choices = [
            (str(one.pk), one.name, ", ".join(filter(None, [one.job, str(one.agency or "")]))) for one in may
        ]
        self.fields["attendance"].others = frozenset(str(one.pk) for one in may_not)
        self.fields["children"].choices = [(str(one.pk), str(one), hint) for one, hint in children]
        self.attendances = {str(one.pk): one for one in [*may, *may_not]}
        self.children = {str(one.pk): one for one, _ in children}
        self.buttons = (Button("Record the dissent"), Button("Cancel", href=back))

    def clean_attendance(self) -> Attendance:
        return self.attendances[self.cleaned_data["attendance"]]

    def clean_children(self) -> list[Child]:
        return [self.children[key] for key in self.cleaned_data["children"]]


class Press(Form):
    """A page with one button and nothing to fill in."""

    def __init__(self, *args: Any, words: str, back: str, kind: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.buttons = (Button(words, kind=kind), Button("Cancel", href=back))

"""What is asked where no record of a conference was found: of the dissenter, and of those who sort it out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from councils.models import Agency
from councils.procedure import Vocabulary
from dissent.forms.base import Button, Form
from dissent.forms.conferences import Adding, AgencyField
from dissent.forms.fields import Checkboxes, DateField, DateTimeField, Radios, Text, TextArea
from dissent.models import Attendance, Child, Conference

ADDED = "added"
"""Where the list of agencies has not the one that the dissenter named."""
NOBODY = "none"
"""Where the record of the conference does not know the dissenter."""


class ClaimForm(Adding):
    """Who the dissenter is, and which conference it was."""

    groups = (
        ("You", ("name", "job", "agency", "agency_name")),
        ("The conference", ("ended_at", "which", "chair_name")),
    )
    unmarked = ("agency", "agency_name")

    name = Text(label="Your full name", missing="Enter your full name", max_length=200, width=30)
    job = Text(
        label="Your job",
        missing="Enter what your job is",
        help_text="For example health visitor, teacher, police constable.",
        max_length=200,
        width=30,
    )
    agency = AgencyField(label="Which agency do you work for?")
    agency_name = Text(
        label="If it is not in the list, the name of your agency", required=False, max_length=200, width=30
    )
    ended_at = DateTimeField(
        label="When did the conference end?",
        name="end of the conference",
        help_text="For example 3 3 2026, at 12:30 or 12.30pm. "
        "Be as exact as you can: time limits can run from it.",
    )
    which = TextArea(
        label="Which conference was it?",
        missing="Say which conference it was",
        help_text="The names of the children and where it was held, as far as you know them. "
        "Your reasons come later, in the form itself.",
        rows=4,
    )
    chair_name = Text(label="Who chaired it?", required=False, max_length=200, width=30)

    def __init__(
        self, *args: Any, agencies: Iterable[Agency], words: Vocabulary, back: str, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agency"].offer(agencies)
        self.fields["ended_at"].label = f"When did the {words.conference.one} end?"
        self.fields["which"].label = f"Which {words.conference.one} was it?"
        self.groups = (self.groups[0], (f"The {words.conference.one}", self.groups[1][1]))
        self.buttons = (Button("Save and continue"), Button("Cancel", href=back))

    def clean(self) -> None:
        """Ask for the agency, from the list or by its name."""
        said = self.cleaned_data
        if "agency" not in said:
            return
        if not said["agency"] and not said.get("agency_name"):
            self.add_error("agency", "Choose the agency you work for, or enter its name below")
        elif said["agency"] and said.get("agency_name"):
            self.add_error("agency_name", "Leave this empty, or choose no agency in the list above")


class AroundForm(Form):
    """Around which day to look for a conference."""

    buttons = (Button("Look around this day", kind="secondary"),)

    around = DateField(label="Look for conferences around another day", name="day to look around")


class MatchForm(Form):
    """Which conference of the council it was."""

    conference = Radios(label="Which of these was it?", missing="Choose the conference it was")
    agency = Radios(missing="Choose the agency, or that it is to be added")

    def __init__(
        self,
        *args: Any,
        candidates: Iterable[tuple[Conference, str, str]],
        called: str,
        agencies: Iterable[Agency],
        back: str,
        **kwargs: Any,
    ) -> None:
        """`called` is an agency that the dissenter named, empty where they chose one of the list."""
        super().__init__(*args, **kwargs)
        self.agencies = {str(one.pk): one for one in agencies}
        if called:
            self.fields["agency"].label = f"Which agency of the list is “{called}”?"
            self.fields["agency"].choices = [
                (ADDED, "None of them", f"“{called}” is added to the list."),
                *((key, one.name) for key, one in self.agencies.items()),
            ]
        else:
            del self.fields["agency"]
        candidates = list(candidates)
        self.fields["conference"].choices = [(str(one.pk), words, hint) for one, words, hint in candidates]
        self.conferences = {str(one.pk): one for one, _, _ in candidates}
        self.buttons = (Button("Ask its chair"), Button("Cancel", href=back))

    def clean_conference(self) -> Conference:
        return self.conferences[self.cleaned_data["conference"]]

    def clean_agency(self) -> Agency | None:
        return self.agencies.get(self.cleaned_data["agency"])


class _OnRecord(Form):
    """About which children it was, and which of those whom the record knows by name alone it is."""

    def __init__(
        self,
        *args: Any,
        of: Iterable[tuple[Child, str]],
        by_name: Iterable[Attendance],
        back: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        listed = list(of)
        self.of = {str(one.pk): one for one, _ in listed}
        self.by_name = {str(one.pk): one for one in by_name}
        self.fields["children"].choices = [(str(one.pk), str(one), hint) for one, hint in listed]
        if self.by_name:
            self.fields["attendance"].choices = [
                *(
                    (key, one.name, ", ".join(filter(None, [one.job, one.works_for])))
                    for key, one in self.by_name.items()
                ),
                (NOBODY, "None of them"),
            ]
        else:
            del self.fields["attendance"]
        self.buttons = (*self.buttons, Button("Cancel", href=back))

    def clean_children(self) -> list[Child]:
        return [self.of[key] for key in self.cleaned_data["children"]]

    def clean_attendance(self) -> Attendance | None:
        return self.by_name.get(self.cleaned_data["attendance"])

    def ask_where(self, goes_on: bool) -> None:
        """Ask for the children, and who it is on the record, where the dissent goes on."""
        if not goes_on:
            return
        if "children" in self.cleaned_data and not self.cleaned_data["children"]:
            self.add_error("children", "Choose the child or children it is about")
        if "attendance" in self.fields and not self.data.get("attendance"):
            self.add_error("attendance", "Choose who of these it is, or that it is none of them")


class RaisingForm(_OnRecord):
    """Whether it was raised in the conference, as its chair knows."""

    YES, NO = "yes", "no"
    buttons = (Button("Record this answer"),)
    unmarked = ("children", "attendance", "statement")

    answer = Radios(
        label="Did they say in the conference that they dissent?",
        choices=[
            (YES, "Yes", "The dissent goes on as one that you recorded."),
            (NO, "No, or they were not there", "It is then decided whether it goes on, and they are heard."),
        ],
        missing="Choose yes if they said in the conference that they dissent",
    )
    children = Checkboxes(label="If yes, about which children?", required=False)
    attendance = Radios(
        label="If yes, are they one of these, whom the record knows by name alone?",
        required=False,
    )
    statement = TextArea(
        label="If no, what do you know of it?",
        help_text="Whether they were there, and what they said. They read this.",
        required=False,
    )

    def clean(self) -> None:
        """Ask for what goes with the answer."""
        answer = self.cleaned_data.get("answer")
        self.ask_where(answer == self.YES)
        if answer == self.NO and not self.cleaned_data.get("statement", "").strip():
            self.add_error("statement", "Say what you know of it")


class SettlementForm(_OnRecord):
    """Whether a dissent goes on that its chair did not confirm, or whose conference nobody found."""

    LET_IN, REFUSE = "let_in", "refuse"
    buttons = (Button("Record this decision"),)
    groups = (
        ("Hear the dissenter first", ("heard_at", "heard")),
        ("Decide", ("answer", "reasons", "children", "attendance")),
    )
    unmarked = ("children", "attendance")

    heard_at = DateTimeField(
        label="When did you hear the dissenter, or last try to?", name="time at which you heard the dissenter"
    )
    heard = TextArea(
        label="What did they say?",
        help_text="If you could not reach them, how you tried, and what came of it. They read this.",
        missing="Say what the dissenter said, or how you tried to reach them",
    )
    answer = Radios(
        label="Does the dissent go on?",
        choices=[
            (LET_IN, "Yes, it was raised, or is to be treated so"),
            (REFUSE, "No, refuse it", "The case closes. What the dissenter wrote is kept."),
        ],
        missing="Choose whether the dissent goes on",
    )
    reasons = TextArea(
        label="What are the reasons?", help_text="The dissenter reads them.", missing="Give your reasons"
    )
    children = Checkboxes(label="If it goes on, about which children?", required=False)
    attendance = Radios(
        label="If it goes on, are they one of these, whom the record knows by name alone?", required=False
    )

    def __init__(self, *args: Any, found: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not found:
            del self.fields["children"]
            (_, refuse) = self.fields["answer"].choices
            self.fields["answer"].choices = [(*refuse, self.fields["answer"].hints[self.REFUSE])]
            self.fields["answer"].error_messages["required"] = "Choose this, or cancel"
        self.groups = tuple(
            (heading, tuple(name for name in names if name in self.fields)) for heading, names in self.groups
        )

    def clean(self) -> None:
        """Ask for what goes with the answer."""
        self.ask_where(self.cleaned_data.get("answer") == self.LET_IN)

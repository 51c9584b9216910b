"""The form that says when somebody is away and who stands in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from councils.models import Appointment, Person
from dissent.forms.base import Button, Form
from dissent.forms.fields import DateField, Radios, Select

NOBODY = "nobody"


class AbsenceForm(Form):
    """Days away from one role, and who holds it meanwhile."""

    buttons = (Button("Save"), Button("Cancel", href="/absences/"))

    appointment = Radios(label="Who is away?", missing="Choose who is away")
    from_on = DateField(label="What is the first day?", name="first day")
    until_on = DateField(
        label="What is the last day?", name="last day", help_text="Back on the day after it."
    )
    stands_in = Select(
        label="Who stands in?",
        help_text="They have the cases, the messages and the decisions on these days, in their own name.",
        missing="Choose who stands in, or that nobody does yet",
    )

    def __init__(
        self,
        *args: Any,
        appointments: Iterable[tuple[Appointment, str]],
        people: Iterable[Person],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(each.pk), each, words) for each, words in appointments]
        self.appointments = {key: each for key, each, _ in choices}
        self.people = {str(each.pk): each for each in people}
        self.fields["appointment"].choices = [(key, words) for key, _, words in choices]
        named = [
            (key, f"{each.name}, {each.job}" if each.job else each.name) for key, each in self.people.items()
        ]
        self.fields["stands_in"].choices = [("", "Choose a person"), *named, (NOBODY, "Nobody yet")]

    def clean_appointment(self) -> Appointment:
        return self.appointments[self.cleaned_data["appointment"]]

    def clean_stands_in(self) -> Person | None:
        return self.people.get(self.cleaned_data["stands_in"])

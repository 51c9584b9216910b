"""What the people who look at a dissent type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dissent.forms.base import Button, Form
from dissent.forms.fields import DateTimeField, Radios, Select, TextArea
from dissent.forms.panels import plain_reasons
from dissent.models.dissent import CLOSED, STATES

CLOSED_CASES = CLOSED


class Filter(Form):
    """Which cases to list. Sent with the address, so that it can be kept as a bookmark."""

    buttons = (Button("Show", kind="secondary"), Button("Show every open case", href="/work/"))
    unmarked = ("state", "due")

    state = Select(
        label="Where it stands",
        required=False,
        choices=[
            ("", "Every open case"),
            *((key, words) for key, words in STATES.items() if key != CLOSED),
            (CLOSED_CASES, "Closed cases"),
        ],
    )
    due = Select(
        label="When it is due",
        required=False,
        choices=[("", "At any time"), ("late", "Late"), ("unknown", "Date not known")],
    )

    def clean(self) -> None:
        if self.cleaned_data.get("state") == CLOSED_CASES and self.cleaned_data.get("due"):
            self.add_error("due", "Choose “At any time”: in a closed case nothing is due any more")


class StepForm(Form):
    """That a step of the review was done."""

    buttons = (Button("Record this"),)

    happened_at = DateTimeField(label="When did this happen?", name="time at which this happened")
    note = TextArea(
        label="What was said?",
        help_text="A few words are enough. They stay on the case, for the people who read it.",
        missing="Say in a few words what was said",
    )


class ProposalForm(Form):
    """A resolution put to the dissenter."""

    buttons = (Button("Send the proposal"),)

    text = TextArea(
        label="What do you propose?",
        help_text="The dissenter reads this as you write it, and agrees to it or refuses it.",
        missing="Write what you propose",
    )


class ReviewForm(Form):
    """How a review ends where nothing is agreed."""

    buttons = (Button("Record this outcome"),)

    outcome = Radios(label="How does the review end?", missing="Choose how the review ends")
    reasons = TextArea(
        label="What are the reasons?",
        help_text="They become part of the record of the case.",
        missing="Give the reasons in your own words",
    )

    unmarked = ("plain_reasons",)

    def __init__(
        self, *args: Any, outcomes: Iterable[Sequence[str]], to_families: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["outcome"].choices = outcomes
        if to_families:
            self.fields["plain_reasons"] = plain_reasons()


class AdmissionForm(Form):
    """Whether a late form is let in."""

    ADMIT, REFUSE = "admit", "refuse"
    buttons = (Button("Record this decision"),)

    answer = Radios(
        label="Does the dissent go on?",
        choices=[
            (ADMIT, "Yes, let the form in", "The review starts."),
            (REFUSE, "No, refuse the form", "The case closes. What the dissenter wrote is kept."),
        ],
        missing="Choose whether the dissent goes on",
    )
    reasons = TextArea(
        label="What are the reasons?", help_text="The dissenter reads them.", missing="Give your reasons"
    )


class LapseForm(Form):
    """That a dissent ends without its form, and how the dissenter was looked for."""

    buttons = (Button("Let the dissent lapse", kind="warning"),)

    tried_at = DateTimeField(
        label="When did you last try to reach the dissenter?", name="time at which you last tried"
    )
    tried = TextArea(
        label="How did you try to reach them, and what came of it?",
        help_text="For example whom you phoned or wrote to, and each time that you tried before.",
        missing="Say how you tried to reach the dissenter, and what came of it",
    )
    reasons = TextArea(
        label="Why does the dissent lapse?",
        help_text="The dissenter reads this.",
        missing="Give your reasons",
    )


class FurtherConferenceForm(Form):
    """The further conference that a decision asks for. Nothing here says what it decided about a plan."""

    buttons = (Button("Record the further conference"),)

    held_at = DateTimeField(label="When did it start?", name="start of the conference")
    ended_at = DateTimeField(label="When did it end?", name="end of the conference")
    chair = Select(label="Who chaired it?", missing="Choose who chaired it")

    def __init__(self, *args: Any, chairs: Iterable[Sequence[str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["chair"].choices = [("", "Choose the chair"), *chairs]

"""What is asked about a family: who may hear, who is held back, how a letter was given, who was told."""

from __future__ import annotations

import datetime as dt
from typing import Any

from dissent.forms.base import Button, Form
from dissent.forms.conferences import ContactForm
from dissent.forms.fields import DateField, Radios, Text, TextArea, YesNo
from dissent.models import ChildTold, HeldBack, Letter


class AnswerForm(Form):
    """Whether somebody may be told about a child."""

    buttons = (Button("Record this answer"),)

    may = YesNo(
        label="May they be told?",
        yes="Yes, write to them about this child",
        no="No, do not write to them about this child",
        missing="Choose whether they may be told",
    )
    said_by = Text(label="Who said so?", missing="Enter who said so", max_length=200, width=30)
    why = TextArea(label="Why?", missing="Say why", rows=4)


class HoldBackForm(Form):
    """Why nothing goes to somebody."""

    buttons = (Button("Hold the letter back"),)

    kind = Radios(
        label="Why is the letter held back?",
        choices=HeldBack.Kind.choices,
        missing="Choose why the letter is held back",
    )
    why = TextArea(
        label="What is the reason, in your own words?",
        help_text="Say who asked for it. It stays on the case, and goes into no letter.",
        missing="Say what the reason is",
        rows=4,
    )


class LetGoForm(Form):
    """Why somebody can be told after all."""

    buttons = (Button("Let the letter go"),)

    because = TextArea(
        label="Why can they be told now?",
        help_text="The letter goes out when it is released.",
        missing="Say why they can be told now",
        rows=4,
    )


class HandOverForm(Form):
    """How a printed letter was given to whom it is for."""

    buttons = (Button("Record that they have it"),)

    how = Radios(
        label="How was it given to them?",
        choices=[
            (Letter.GoesBy.PRINTED, "I gave it to them in person"),
            (Letter.GoesBy.BY_HAND, "The social worker gave it to them"),
            (Letter.GoesBy.POST, "I posted it to the address in the letter"),
        ],
        missing="Choose how it was given to them",
    )


class ToldForm(Form):
    """That a child was told, or why not."""

    buttons = (Button("Record this"),)
    unmarked = ("told_on", "told_by", "words")

    why_not = Radios(
        label="Was the child told?",
        choices=[("told", "Yes"), *((key, f"No: {words}") for key, words in ChildTold.WhyNot.choices)],
        missing="Choose whether the child was told",
    )
    told_on = DateField(label="If so, on which day?", name="day on which the child was told", required=False)
    told_by = Text(label="If so, who told the child?", required=False, max_length=200, width=30)
    words = TextArea(label="If not, why not? If so, is there anything to add?", required=False, rows=4)

    def __init__(self, *args: Any, told_by: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["told_by"].help_text = f"By default this is {told_by}. Enter the name."

    def clean_why_not(self) -> str:
        said: str = self.cleaned_data["why_not"]
        return "" if said == "told" else said


class ChangeContactForm(ContactForm):
    """Another way of reaching somebody, and why."""

    because = TextArea(
        label="Why is it another one now?", missing="Say why the contact is another one", rows=3
    )

    def __init__(self, *args: Any, at: dt.datetime, back: str, **kwargs: Any) -> None:
        super().__init__(*args, at=at, **kwargs)
        self.buttons = (Button("Record the new contact"), Button("Cancel", href=back))

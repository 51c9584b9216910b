"""What a dissenter fills in: one question a page, the declaration, their own management, their answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from councils.procedure import Question
from dissent.forms.base import Button, Form
from dissent.forms.fields import DateField, Email, Radios, Text, TextArea, Tick, YesNo

BOXES_OF_A_DATE = ("day", "month", "year")


class QuestionForm(Form):
    """One question of the procedure's form. `kept` is what was typed at it before.

    `opened` is the sealed note of which page it is that sends something.
    """

    question = True
    buttons = (Button("Continue"), Button("Save and come back later", "then", "later", "secondary"))

    opened = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(
        self, asked: Question, data: Mapping[str, Any] | None = None, *, kept: str = "", opened: str
    ) -> None:
        super().__init__(data, initial={"answer": _as_shown(asked, kept), "opened": opened})
        self.fields = {"answer": _field(asked), **self.fields}


def as_typed(asked: Question, data: Mapping[str, Any]) -> str:
    """Return what a page of `asked` sent, as typed: nothing is refused, and nothing cut.

    A date is its three boxes, such as "3/3/2026". A choice that is none of the question's is no answer.
    """
    if asked.kind == "date":
        boxes = [str(data.get(f"answer_{box}", "")).replace("/", " ").strip() for box in BOXES_OF_A_DATE]
        typed = "/".join(boxes) if any(boxes) else ""
    else:
        typed = str(data.get("answer", "")).replace("\r\n", "\n").replace("\r", "\n")
    if asked.kind == "choice" and typed not in asked.choices:
        return ""
    return typed.replace("\x00", "")  # no database keeps it, and nobody can see it


def as_read(asked: Question, typed: str) -> str:
    """Return an answer as people read it: a choice by its words, anything else as typed."""
    return asked.choices.get(typed, typed) if asked.kind == "choice" else typed


def _as_shown(asked: Question, kept: str) -> Any:
    if asked.kind == "date":
        return kept.split("/") if kept.count("/") == len(BOXES_OF_A_DATE) - 1 else None
    return kept


def _field(asked: Question) -> forms.Field:
    said: dict[str, Any] = {"label": asked.label, "help_text": asked.hint, "required": asked.required}
    match asked.kind:
        case "line":
            return Text(missing="Write your answer to this question", **said)
        case "text":
            return TextArea(missing="Write your answer to this question", rows=12, **said)
        case "choice":
            return Radios(missing="Choose one of the answers", choices=asked.choices.items(), **said)
        case "date":
            return DateField(missing="Enter the date", **said)


class ManagementForm(Form):
    """Whether the dissenter's own management was told, who it was, and when."""

    buttons = (Button("Continue"),)
    unmarked = ("name", "told_on")

    told = YesNo(
        label="", yes="Yes", no="No, not yet", missing="Choose yes if you have told your own management"
    )
    name = Text(label="Who did you tell?", help_text="Their full name.", required=False, max_length=200)
    email = Email(label="Their e-mail address", required=False, max_length=254)
    told_on = DateField(
        label="On which day did you tell them?",
        help_text="For example 3 3 2026.",
        name="day on which you told them",
        required=False,
    )

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, asked: str, hint: str, **options: Any
    ) -> None:
        super().__init__(data, **options)
        self.fields["told"].label, self.fields["told"].help_text = asked, hint

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        if said.get("told"):
            if not said.get("name") and "name" not in self.errors:
                self.add_error("name", "Enter the name of the person you told")
            if not said.get("told_on") and "told_on" not in self.errors:
                self.add_error("told_on", "Enter the day on which you told them")
        return said


class DeclarationForm(Form):
    """The declaration before the form is sent. `seen` stands for the answers that the page showed."""

    buttons = (Button("Send the form"),)

    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    declared = Tick(label="", missing="Tick to say that the declaration is true")

    def __init__(self, data: Mapping[str, Any] | None = None, *, declaration: str, seen: str) -> None:
        self.changed = data is not None and data.get("seen") != seen
        sent = None if data is None else {**dict(data.items()), "seen": seen}
        super().__init__(sent, initial={"seen": seen})
        self.fields["declared"].label = declaration

    def clean(self) -> None:
        if self.changed:
            raise ValidationError(
                "An answer changed after this page was opened. Read the answers again, then send them"
            )


class ConfirmForm(Form):
    """One button, and nothing to fill in."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, button: str, back: str) -> None:
        super().__init__(data)
        self.buttons = (Button(button), Button("Go back without answering", href=back))


class WithdrawalForm(ConfirmForm):
    """A button that ends it, with the dissenter's reasons, which they may leave out."""

    reasons = TextArea(label="Why do you withdraw it?", rows=6, required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, hint: str, back: str) -> None:
        super().__init__(data, button="", back=back)
        self.buttons = (
            Button("Withdraw this dissent", kind="warning"),
            Button("Go back without withdrawing it", href=back),
        )
        self.fields["reasons"].help_text = hint


class RefusalForm(ConfirmForm):
    """The same, with the dissenter's own words, which they may leave out."""

    words = TextArea(
        label="Why do you not agree?",
        help_text="Whoever looks at the dissent next reads this.",
        rows=6,
        required=False,
    )

"""What is asked where something was recorded wrongly: how it is rightly, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.forms import CharField, HiddenInput

from councils.models import Agency
from dissent.actions.corrections import OF_A_CHILD, mark
from dissent.forms.base import Button, Form
from dissent.forms.conferences import WhoCame
from dissent.forms.fields import DateField, DateTimeField, Radios, Text, TextArea
from dissent.forms.panels import ASKED, DecisionForm
from dissent.models import Attendance, Child, Conference, Decision, Dissent

CHECK, CORRECT, CHANGE = "check", "correct", "change"
"""What the button `then` says: see what follows, do it, or go back and change it."""


def _why() -> TextArea:
    return TextArea(
        label="What was wrong, and how do you know?",
        help_text="It stays beside what the record said, for everybody who reads it.",
        missing="Say what was wrong, and how you know",
        rows=3,
    )


class _Correcting(Form):
    """A form that starts from what the record says, and knows by `seen` whether it still does."""

    seen = CharField(required=False, widget=HiddenInput)

    def __init__(self, *args: Any, back: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.buttons = (Button("Check what follows", "then", CHECK), Button("Cancel", href=back))


class CorrectChildForm(_Correcting):
    """How a child is called, when it was born or is expected, and what the conference decided."""

    unmarked = ("name", "born_on", "due_on", "category")

    name = Text(label="Name", required=False, max_length=200)
    born_on = DateField(label="Date of birth", name="date of birth", required=False)
    due_on = DateField(
        label="For an unborn child: when is the child expected?", name="due date", required=False
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
    )
    because = _why()

    def __init__(self, *args: Any, child: Child, **kwargs: Any) -> None:
        said = {name: getattr(child, name) for name in OF_A_CHILD} | {"seen": mark(child)}
        super().__init__(*args, initial=said, **kwargs)


class CorrectEndForm(_Correcting):
    """When the conference ended."""

    ended_at = DateTimeField(
        label="When did the conference end?",
        name="end of the conference",
        help_text="Time limits can run from it, and are worked out again.",
    )
    because = _why()

    def __init__(self, *args: Any, conference: Conference, **kwargs: Any) -> None:
        said = {"ended_at": conference.ended_at, "seen": mark(conference)}
        super().__init__(*args, initial=said, **kwargs)


class CorrectAttendanceForm(WhoCame, _Correcting):
    """Who was at the conference, for whom and as what, or that they were not."""

    unmarked = ("agency", "job")

    because = _why()

    def __init__(self, *args: Any, attendance: Attendance, agencies: Iterable[Agency], **kwargs: Any) -> None:
        said = {
            "name": attendance.name,
            "capacity": attendance.capacity,
            "present": "yes" if attendance.present else "no",
            "agency": str(attendance.agency_id or ""),
            "job": attendance.job,
            "seen": mark(attendance),
        }
        super().__init__(*args, initial=said, **kwargs)
        self.fields["agency"].offer(agencies)


class CorrectDecisionForm(DecisionForm):
    """What was decided about each child, starting from what was recorded of it."""

    seen = CharField(required=False, widget=HiddenInput)
    because = _why()

    def __init__(
        self,
        *args: Any,
        dissent: Dissent,
        decision: Decision,
        children: Sequence[Child],
        back: str,
        **kwargs: Any,
    ) -> None:
        by_child = len(children) > 1
        found = {finding.child_id: finding for finding in decision.findings.all()}
        said = {"seen": mark(decision)}
        for number, child in enumerate(children, 1):
            place = f"_{number}" if by_child else ""
            said |= {f"{name}{place}": getattr(found[child.pk], name) for name in ASKED}
        super().__init__(
            *args, dissent=dissent, children=children, by_child=by_child, signs=None, initial=said, **kwargs
        )
        for name, one in self.fields.items():
            asked = name.rstrip("_0123456789")
            if asked in LABELS:
                one.label = LABELS[asked]
        self.fields["because"] = self.fields.pop("because")  # asked last
        self.buttons = (Button("Check what follows", "then", CHECK), Button("Cancel", href=back))


LABELS = {
    "outcome": "What was decided?",
    "ground": "If the dissent was upheld, on which ground?",
    "reasons": "What are the reasons?",
}

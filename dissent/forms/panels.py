"""Forms of the panel: who sits, whether they are independent, who was there, what they decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError

from councils.models import Person
from councils.procedure import Procedure, Stage
from dissent.actions import Found
from dissent.actions.panel import Candidate
from dissent.forms.base import Button, Form
from dissent.forms.fields import Checkboxes, DateTimeField, Radios, Text, TextArea, YesNo
from dissent.models import Child, Dissent, Seat


class _Named:
    """Choices of people. Somebody who is kept off is refused with the reason, however they were chosen."""

    refused: dict[str, str] = {}

    def validate(self, value: Any) -> None:
        for one in [value] if isinstance(value, str) else value:
            if one in self.refused:
                raise ValidationError(self.refused[one])
        super().validate(value)


class OnePerson(_Named, Radios):
    pass


class SeveralPeople(_Named, Checkboxes):
    pass


class _NamingForm(Form):
    """Fields whose choices are the people who may sit."""

    def __init__(self, *args: Any, candidates: Sequence[Candidate], rules: Procedure, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._people = {str(each.person.pk): each.person for each in candidates}
        choices = [_choice(each, rules) for each in candidates if not each.why_not]
        for field in self.fields.values():
            field.choices = choices
            field.refused = {str(each.person.pk): each.why_not for each in candidates if each.why_not}


class ConveneForm(_NamingForm):
    """The panel's chair and its other members."""

    buttons = (Button("Name the panel"),)

    chair = OnePerson(label="Who chairs the panel?", missing="Choose who chairs the panel")
    members = SeveralPeople(label="Who else sits on it?", missing="Choose who else sits on the panel")

    def clean_chair(self) -> Any:
        return self._people[self.cleaned_data["chair"]]

    def clean_members(self) -> Any:
        return [self._people[one] for one in self.cleaned_data["members"]]


class ReplaceForm(_NamingForm):
    """Who takes over a seat."""

    buttons = (Button("Replace"),)

    person = OnePerson(label="Who takes this seat?", missing="Choose who takes this seat")

    def clean_person(self) -> Any:
        return self._people[self.cleaned_data["person"]]


def _choice(candidate: Candidate, rules: Procedure) -> tuple[str, str, str]:
    person = candidate.person
    hint = [", ".join(filter(None, [person.job, person.agency.name if person.agency else ""]))]
    if candidate.for_the_unit:
        hint.append(f"Sits for the {rules.words.unit.one}")
    if candidate.reviewed_before:
        hint.append("Looked at this dissent at an earlier stage, and may still sit")
    return (str(person.pk), person.name, ". ".join(filter(None, hint)))


class DeclareForm(Form):
    """That one is independent of the decision, or what the conflict is."""

    buttons = (Button("Declare"),)
    unmarked = ("conflict",)

    independent = YesNo(
        label="Are you independent of what the conference decided?",
        help_text="Independent means that you took no part in the decision. If anything else would make it "
        "hard for you to judge this dissent fairly, choose no and say what it is.",
        yes="Yes, I am independent",
        no="No, I have a conflict",
        missing="Choose yes if you are independent of the decision",
    )
    conflict = TextArea(
        label="If you have a conflict, what is it?",
        help_text="Whoever named the panel reads this. You stop being able to open this page at once.",
        rows=4,
        required=False,
    )


class SittingForm(Form):
    """When the panel met and who was there."""

    buttons = (Button("Record the meeting"),)

    sat_at = DateTimeField(label="When did the panel meet?", name="time of the meeting")
    present = SeveralPeople(label="Who was there?", missing="Choose everybody who was there")

    def __init__(self, *args: Any, seats: Sequence[Seat], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seats = {str(seat.pk): seat for seat in seats}
        field = self.fields["present"]
        field.choices = [
            (str(seat.pk), seat.person.name, seat.agency.name) for seat in seats if seat.independent
        ]
        why = "has not declared themselves independent, and cannot sit before that."
        field.refused = {str(seat.pk): f"{seat.person.name} {why}" for seat in seats if not seat.independent}

    def clean_present(self) -> list[Seat]:
        return [self._seats[one] for one in self.cleaned_data["present"]]


ASKED = ("outcome", "ground", "reasons", "plain_reasons")


class DecisionForm(Form):
    """What the panel decided: the same for every child, or with `by_child` for each.

    Only the outcomes of the stage can be chosen (ST-21). `signs` is asked for the number that stands in the
    letters (ST-16) where none is known.
    """

    def __init__(
        self,
        *args: Any,
        dissent: Dissent,
        children: Sequence[Child],
        by_child: bool,
        signs: Person | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.stage, self.children, self.by_child = dissent.rules_of_stage, children, by_child
        self.told_to_families = meanings_told_to_families(dissent)
        asked = [
            _questions(place, self.stage, to_families=bool(self.told_to_families)) for place in self.places()
        ]
        for questions in asked:
            self.fields.update(questions)
        if signs and not signs.mobile:
            self.fields["mobile"] = Text(
                label="What is your mobile number?",
                help_text="You sign the letters, and they say how to reach you. It is kept for next time.",
                max_length=Person._meta.get_field("mobile").max_length,
                width=20,
                autocomplete="tel",
                missing="Enter your mobile number",
            )
        self.unmarked = tuple(name for name in self.fields if name.startswith(("ground", "plain_reasons")))
        if by_child:
            self.groups = tuple(
                (str(child), tuple(questions)) for questions, child in zip(asked, children, strict=True)
            )
        self.buttons = (Button("Check what you decided", "then", "check"),)
        if by_child:
            self.buttons += (Button("Decide the same for every child", "then", "same", "secondary"),)
        elif len(children) > 1:
            self.buttons += (Button("Decide for each child by itself", "then", "each", "secondary"),)

    def places(self) -> list[str]:
        """Return what follows the name of each question: nothing, or the number of the child."""
        return [f"_{number}" for number, _ in enumerate(self.children, 1)] if self.by_child else [""]

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        outcomes = {outcome.key: outcome for outcome in self.stage.outcomes}
        for place in self.places():
            outcome = outcomes.get(said.get(f"outcome{place}", ""))
            if outcome is None:
                continue
            if not outcome.grounds:
                # A radio button cannot be taken back, so one that no longer applies does no harm.
                said[f"ground{place}"] = ""
            elif said.get(f"ground{place}") not in outcome.grounds:
                self.add_error(f"ground{place}", "Choose the ground on which the dissent is upheld")
            if outcome.meaning in self.told_to_families and not said.get(f"plain_reasons{place}", "").strip():
                self.add_error(f"plain_reasons{place}", PLAINLY_MISSING)
        return said

    def found(self) -> dict[Child, Found]:
        """Return what was found for each child."""
        said = self.cleaned_data
        each = [
            Found(**{name: said.get(f"{name}{place}", "") for name in ASKED})
            for place in self.places() * (1 if self.by_child else len(self.children))
        ]
        return dict(zip(self.children, each, strict=True))

    def carried_over(self) -> dict[str, str]:
        """Return what was typed as the first answers of the other way of deciding."""
        typed = {name: self.data.get(f"{name}{self.places()[0]}", "") for name in ASKED}
        if not self.by_child:
            typed = {
                f"{name}_{n}": text for n, _ in enumerate(self.children, 1) for name, text in typed.items()
            }
        return typed | {"mobile": self.data.get("mobile", "")}


PLAINLY_MISSING = "Give the reasons in plain words for the family"


def meanings_told_to_families(dissent: Dissent) -> set[str]:
    """Return what a decision at the present stage can mean that families are written to about."""
    rules = dissent.rules
    meanings = {outcome.meaning for outcome in dissent.rules_of_stage.outcomes}
    return {each for letter in rules.family_letters(dissent.stage, meanings) for each in letter.meanings}


def plain_reasons() -> TextArea:
    return TextArea(
        label="What are the reasons, in plain words for the family?",
        help_text="They stand in the letters to the family as you write them. They go to several people, who "
        "may not all know of each other: name nobody, and no address. Write “the child”, “the school”.",
        required=False,
    )


def _questions(place: str, stage: Stage, *, to_families: bool) -> dict[str, Any]:
    outcomes = [outcome for outcome in stage.outcomes if not outcome.agreement]
    grounds = {key: text for outcome in outcomes for key, text in outcome.grounds.items()}
    questions: dict[str, Any] = {
        f"outcome{place}": Radios(
            label="What does the panel decide?",
            choices=[(outcome.key, outcome.label) for outcome in outcomes],
            missing="Choose what the panel decides",
        ),
        f"ground{place}": Radios(
            label="If it upholds the dissent, on which ground?",
            choices=[(key, f"{key}: {text}") for key, text in grounds.items()],
            required=False,
        ),
        f"reasons{place}": TextArea(
            label="What are the panel’s reasons?",
            help_text="They stand in the letters as you write them, and everybody who attended reads them.",
            missing="Give the panel’s reasons",
        ),
        **({f"plain_reasons{place}": plain_reasons()} if to_families else {}),
    }
    return questions if grounds else {name: one for name, one in questions.items() if "ground" not in name}

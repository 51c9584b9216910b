"""The procedure language: what a published procedure can say, and nothing else.

A document is typed here and nowhere else. `read` turns a file into a `Procedure` or into a list of
faults, each with its place and what to write instead. Adding a procedure touches no code.
"""

import datetime as dt
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from unicodedata import category

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError

from councils.limits import Limit
from councils.wording import placeholders

SHIPPED = Path(__file__).parent / "procedures"

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
"""No longer than the columns that hold it; so is the letter of a ground."""
Words = Annotated[str, Field(min_length=1)]
Ground = Annotated[str, Field(min_length=1, max_length=60)]


def _limit(value: object) -> object:
    return Limit.parse(value) if isinstance(value, str) else value


LimitText = Annotated[Limit, BeforeValidator(_limit), PlainSerializer(str, return_type=str)]

Moment = Literal[
    "conference_held",
    "conference_ended",
    "raised",
    "filed",
    "admission_decided",
    "stage_entered",
    "resolution_proposed",
    "resolution_answered",
    "escalation_offered",
    "escalation_answered",
    "decided",
    "letters_issued",
    "further_conference_held",
    "withdrawn",
    "lapsed",
]
MOMENTS_OF_THE_CONFERENCE = ("conference_held", "conference_ended")
MOMENTS_OF_A_STAGE = (
    "stage_entered",
    "resolution_proposed",
    "resolution_answered",
    "decided",
    "escalation_offered",
    "escalation_answered",
    "letters_issued",
)
"""In the order in which they happen; only the last two can change places."""
MOMENTS_THAT_END_A_CASE = ("withdrawn", "lapsed")
"""Before it is decided. They stop every clock; a dissent is withdrawn at a stage or before the first."""

Meaning = Literal["uphold", "not_uphold", "resolve", "unresolved"]
LeadsTo = Literal["close", "offer_next", "reconvene"]
Capacity = Literal["professional", "family", "observer"]

LATE = "late_because"
"""The answer that a late form needs beside the procedure's own questions, none of which takes its key."""

PLACEHOLDERS = frozenset(
    {
        "addressee",
        "agency",
        "chair",
        "children",
        "conference_date",
        "conference_kind",
        "council",
        "dissenter",
        "dissenter_agency",
        "panel_date",
        "reference",
        "resolution",
        "unit",
    }
)
"""What the wording of a letter may name. Closed: a letter is substituted, never compiled."""

FAMILY = "family"
"""The people who matter to a child. Each has a letter of their own about the children they may be told of."""

PLACEHOLDERS_FOR_FAMILY = frozenset(
    {
        "addressee",
        "children",
        "conference_date",
        "conference_kind",
        "council",
        "dissenter_agency",
        "front_door",
        "front_door_telephone",
        "panel_date",
        "reference",
        "unit",
    }
)
"""What wording for a family may name: no person but the reader and their children, and no free text."""


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Cited(Part):
    """A rule that says where it comes from, and why where the text leaves it open."""

    source: Words
    chosen: str = ""


class Term(Part):
    """A local word, as it stands in a sentence, and its plural."""

    one: Words
    many: Words


class Vocabulary(Part):
    """The partnership's own words for the things that every procedure has."""

    chair: Term
    unit: Term
    conference: Term
    record_number: Term
    panel: Term
    dissent_form: Term
    line_manager: Term


class Role(Part):
    """Who does it here, under the local title. People are appointed to roles by key."""

    title: Words
    deputies: tuple[Key, ...] = ()


class Route(Cited):
    """Where somebody else's question belongs."""

    who: Words
    to: Words


class Evidence(Cited):
    """What a dissent has to rest on."""

    text: Words


class Explaining(Cited):
    """What the chair tells those present about dissenting."""

    text: Words


class Raising(Cited):
    """Who may dissent, and when it has to be said."""

    capacities: Annotated[tuple[Capacity, ...], Field(min_length=1)]
    must_be_present: bool
    in_the_conference: Literal["required"]
    refused: Words
    """Where to go instead, shown with every refusal."""


class AskIf(Part):
    question: Key
    answer: Annotated[tuple[str, ...], Field(min_length=1)]


class Question(Cited):
    """One page of the form."""

    key: Key
    label: Words
    hint: str = ""
    kind: Literal["line", "text", "choice", "date"] = "text"
    choices: dict[str, str] = {}
    required: bool = True
    ask_if: AskIf | None = None


class Late(Cited):
    """What a late form meets."""

    question: Words
    hint: str = ""
    admitted_by: Key


class Lapse(Cited):
    """Who ends a dissent whose form never came, after trying to reach the dissenter; time never does."""

    lapsed_by: Key


class Management(Cited):
    """How far the dissenter's own manager has to be in it."""

    question: Words
    hint: str = ""
    duty: Literal["informed"]


class Filing(Cited):
    """How the dissent is put in writing."""

    declaration: Words
    questions: tuple[Question, ...]
    management: Management
    late: Late
    lapse: Lapse


class Passing(Cited):
    """What happens when a clock runs out: who is told, and whether the case moves on by itself."""

    tell: tuple[str, ...] = ()
    then: Literal["nothing", "refuse_resolution", "end_offer"] = "nothing"


class Clock(Cited):
    """A limit from one moment to another."""

    key: Key
    label: Words
    limit: LimitText
    start: Moment = Field(alias="from")
    until: Moment
    stage: Key | None = None
    start_stage: Key | None = None
    """The stage whose moment starts it, where it is not the stage that stops it."""
    strength: Literal["limit", "aim"] = "limit"
    on_passing: Passing | None = None

    @property
    def starts_at(self) -> str:
        """The stage whose moment starts it; none for a moment of the case itself."""
        if self.start_stage:
            return self.start_stage
        return (self.stage or "") if self.start in MOMENTS_OF_A_STAGE else ""


class Step(Cited):
    """Something that has to be recorded before the stage can be decided."""

    key: Key
    label: Words
    with_whom: Literal["chair", "dissenter", "nobody"]
    hint: str = ""
    after: tuple[Key, ...] = ()


class Agreement(Cited):
    """An outcome that the dissenter has to agree to in writing before it stands."""

    refused_or_unanswered: Key


class ForFamily(Part):
    """What a letter to a family says of an outcome, in words for people who were not trained for it."""

    says: Words
    next_door: str = ""


class Outcome(Cited):
    """One way a stage can end, in the partnership's own words."""

    key: Key
    label: Words
    meaning: Meaning
    leads_to: LeadsTo
    letter: Words
    """What the letter says of it."""
    grounds: dict[Ground, str] = {}
    agreement: Agreement | None = None
    next_door: str = ""
    for_family: ForFamily | None = None


class ReviewRules(Part):
    """A stage decided by one person."""

    decided_by: Key


class PanelRules(Cited):
    """A stage decided by a panel."""

    convened_by: Key
    quorum: Annotated[int, Field(ge=1)]
    seat: tuple[Key, ...]
    """Roles of which one has to be there."""
    seat_may_have_reviewed: bool
    from_represented_agencies: bool
    refuses: tuple[Literal["attended", "manages_the_dissenter", "reviewed"], ...]
    papers: tuple[Literal["form", "minutes", "agency_report", "summary"], ...]
    confidentiality: Words
    terms: tuple[Words, ...] = ()


class Stage(Cited):
    """One level of the procedure: a review by one person, or a panel."""

    key: Key
    title: Words
    review: ReviewRules | None = None
    panel: PanelRules | None = None
    steps: tuple[Step, ...] = ()
    outcomes: tuple[Outcome, ...]

    def outcome(self, key: str) -> Outcome:
        return next(outcome for outcome in self.outcomes if outcome.key == key)

    def step(self, key: str) -> Step:
        return next(step for step in self.steps if step.key == key)

    @property
    def heads(self) -> tuple[str, ...]:
        """The roles in whose hands the stage is, first among them the one that leads."""
        if self.panel:
            return (self.panel.convened_by,)
        assert self.review  # noqa: S101  the document is refused without one of the two
        return (self.review.decided_by,)


class Letter(Cited):
    """A frozen document that a moment makes due."""

    key: Key
    stage: Key
    meanings: tuple[Meaning, ...]
    to: tuple[str, ...]
    heading: Words
    paragraphs: tuple[Words, ...]
    closing: tuple[Words, ...] = ()
    released_by: tuple[Key, ...] = ()
    """Roles of which a second person releases it; with none it goes out as soon as it is made."""
    names_dissenter: bool = False
    """Whether a letter to a family may name the dissenter as a person, and not their agency alone."""

    @property
    def is_for_family(self) -> bool:
        return FAMILY in self.to


class ChildrenTold(Cited):
    """Who tells a child what became of a dissent about them, and which roles record that it was done."""

    told_by: Words
    """As it stands in a sentence, such as: the social worker."""
    recorded_by: Annotated[tuple[Key, ...], Field(min_length=1)]


class ChildsRecord(Cited):
    """After which stage its record goes onto the child's record, and which roles see to that."""

    stage: Key
    uploaded_by: Annotated[tuple[Key, ...], Field(min_length=1)]
    """Of them whoever sat for the unit; where no panel sat, or they are gone or away, any of them."""


class Telling(Cited):
    """A message that a moment makes due: it says only a reference and a link."""

    moment: Moment
    stage: Key | None = None
    to: tuple[str, ...]


class Reconvening(Cited):
    """How a further conference comes about."""

    led_by: tuple[Key, ...]
    text: Words


class Procedure(Part):
    """One published procedure, in one version."""

    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=100)]
    title: Words
    kind: Literal["dissent"]
    partnership: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=50)]
    version: Annotated[int, Field(ge=1)]
    in_force_from: dt.date
    last_reviewed: dt.date | None = None
    next_review: dt.date | None = None
    sources: dict[Key, Words]
    purpose: Words
    words: Vocabulary
    roles: dict[Key, Role]
    routes: tuple[Route, ...]
    evidence: Evidence
    explaining: Explaining
    raising: Raising
    filing: Filing
    meanwhile: Words
    clocks: tuple[Clock, ...]
    stages: tuple[Stage, ...]
    letters: tuple[Letter, ...]
    tellings: tuple[Telling, ...]
    children_told: ChildrenTold | None = None
    childs_record: ChildsRecord | None = None
    reconvening: Reconvening

    def stage(self, key: str) -> Stage:
        return next(stage for stage in self.stages if stage.key == key)

    def stage_after(self, key: str) -> Stage | None:
        keys = [stage.key for stage in self.stages]
        following = keys.index(key) + 1
        return self.stages[following] if following < len(self.stages) else None

    def family_letters(self, stage: str, meanings: Collection[str]) -> tuple[Letter, ...]:
        """Return the letters to families that a decision at `stage` with these meanings brings."""
        return tuple(
            letter
            for letter in self.letters
            if letter.is_for_family and letter.stage == stage and set(letter.meanings) & set(meanings)
        )

    def clock(self, key: str) -> Clock | None:
        return next((clock for clock in self.clocks if clock.key == key), None)

    def title_of(self, role: str) -> str:
        return self.roles[role].title

    def with_deputies(self, role: str) -> tuple[str, ...]:
        """The role and those who stand in for it, in order."""
        return (role, *self.roles[role].deputies)

    def unfilled(self, held: Collection[str]) -> list[str]:
        """Return the titles of the roles that nobody fills, not even a deputy, where these are `held`."""
        deputies = {deputy for role in self.roles.values() for deputy in role.deputies}
        return [
            role.title
            for key, role in self.roles.items()
            if key not in deputies and not set(self.with_deputies(key)) & set(held)
        ]

    def choices_where_the_text_is_open(self) -> list[tuple[str, str]]:
        """Each place where the text leaves something open, and what was chosen and why."""
        return [
            (place, part.chosen) for place, part in _parts(self) if isinstance(part, Cited) and part.chosen
        ]


@dataclass(frozen=True)
class Fault:
    """What is wrong in a document: where, and what to write instead."""

    place: str
    says: str

    def __str__(self) -> str:
        return f"{self.place}: {self.says}"


class ProcedureRefused(Exception):
    """A document that is not a procedure. `faults` says every reason at once."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


PEOPLE_OF_A_CASE = frozenset(
    {
        "dissenter",
        "chair",
        "professionals_present",
        "panel_members",
        "panel_chair",
        "conference_administrator",
    }
)
"""Addressees that a case has of itself; any other addressee is a role of the document."""


ADDRESSEES_OF_A_LETTER = ("dissenter", "chair", "professionals_present", FAMILY)
"""Letters go to people of the case, each picked from its record."""

ROLES_OF_EVERY_PROCEDURE = ("conference_administrator", "chair", "administrator")
"""Who records a conference, who chairs it, and who is asked where nobody else is there."""


def read(path: Path) -> Procedure:
    """Return the procedure written in `path`.

    Raises ProcedureRefused with every fault found, OSError where there is no such file.
    """
    return parse(path.read_text(encoding="utf-8"))


def parse(text: str) -> Procedure:
    """Return the procedure that `text` writes in TOML. Raises ProcedureRefused."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProcedureRefused([Fault("the document", f"is not readable as TOML: {error}")]) from error
    return from_document(document)


def from_document(document: dict[str, Any]) -> Procedure:
    """Return the procedure that `document` says. Raises ProcedureRefused with every fault."""
    try:
        procedure = Procedure.model_validate(document)
    except ValidationError as error:
        raise ProcedureRefused([_typed_fault(details) for details in error.errors()]) from error
    if faults := list(_faults(procedure)):
        raise ProcedureRefused(faults)
    return procedure


def shipped() -> Iterator[Path]:
    """The documents that come with the product, in order of name."""
    yield from sorted(SHIPPED.glob("*.toml"))


def _typed_fault(details: Any) -> Fault:
    place = ".".join(str(part) for part in details["loc"]) or "the document"
    kind, says = details["type"], details["msg"]
    if kind == "missing":
        says = "is missing; write it"
    elif kind == "extra_forbidden":
        says = "is not a word of the procedure language; take it out or mend its spelling"
    elif kind == "literal_error":
        says = f"says {details['input']!r}; write one of {details['ctx']['expected']}"
    elif kind == "string_too_long":
        says = f"is longer than {details['ctx']['max_length']} characters; shorten it"
    elif kind == "too_short":
        says = "is empty; write at least one"
    return Fault(place, says)


def _parts(part: object, place: str = "") -> Iterator[tuple[str, Part]]:
    if isinstance(part, Part):
        yield place, part
        for name in type(part).model_fields:
            yield from _parts(getattr(part, name), f"{place}.{name}" if place else name)
    elif isinstance(part, tuple):
        for index, item in enumerate(part):
            name = str(getattr(item, "key", index))
            yield from _parts(item, f"{place}.{name}")
    elif isinstance(part, dict):
        for name, item in part.items():
            yield from _parts(item, f"{place}.{name}")


def _faults(procedure: Procedure) -> Iterator[Fault]:
    """What the types cannot see: names that point nowhere, stages nobody can leave."""
    yield from _key_faults(procedure)
    yield from _text_faults(procedure.model_dump())
    yield from _source_faults(procedure)
    yield from _role_faults(procedure)
    yield from _question_faults(procedure)
    yield from _stage_faults(procedure)
    yield from _record_faults(procedure)
    yield from _clock_faults(procedure)
    yield from _letter_faults(procedure)
    yield from _telling_faults(procedure)


def _key_faults(procedure: Procedure) -> Iterator[Fault]:
    lists: list[tuple[str, tuple[Question | Clock | Stage | Letter | Step | Outcome, ...]]] = [
        ("filing.questions", procedure.filing.questions),
        ("clocks", procedure.clocks),
        ("stages", procedure.stages),
        ("letters", procedure.letters),
    ]
    for stage in procedure.stages:
        lists.append((f"stages.{stage.key}.steps", stage.steps))
        lists.append((f"stages.{stage.key}.outcomes", stage.outcomes))
    for place, items in lists:
        keys = [item.key for item in items]
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            yield Fault(f"{place}.{key}", "stands twice; give each a key of its own")


def _text_faults(said: object, place: str = "") -> Iterator[Fault]:
    """Characters that nobody can see, of which the database refuses one."""
    if isinstance(said, str):
        for sign in sorted({sign for sign in said if category(sign) == "Cc"} - {"\n", "\t"}):
            yield Fault(place, f"holds the control character U+{ord(sign):04X}; take it out")
    elif isinstance(said, dict):
        for name, item in said.items():
            yield from _text_faults(name, place)
            yield from _text_faults(item, f"{place}.{name}" if place else name)
    elif isinstance(said, tuple):
        for index, item in enumerate(said):
            name = item.get("key", index) if isinstance(item, dict) else index
            yield from _text_faults(item, f"{place}.{name}")


def _question_faults(procedure: Procedure) -> Iterator[Fault]:
    before: dict[str, Question] = {}
    for question in procedure.filing.questions:
        place = f"filing.questions.{question.key}"
        if question.key == LATE:
            yield Fault(place, "takes the key of what a late form is asked; give it another key")
        if question.kind == "choice" and not question.choices:
            yield Fault(
                f"{place}.choices", "is empty, and the question is a choice; write what to choose from"
            )
        if question.ask_if:
            asked = before.get(question.ask_if.question)
            if asked is None:
                yield Fault(
                    f"{place}.ask_if",
                    f"asks after the question {question.ask_if.question!r}, which does not come before it; "
                    f"write one of {', '.join(before)}",
                )
            for answer in question.ask_if.answer if asked else ():
                if asked and answer not in asked.choices:
                    yield Fault(
                        f"{place}.ask_if",
                        f"waits for the answer {answer!r}; write one of {', '.join(asked.choices)}",
                    )
        before[question.key] = question


def _source_faults(procedure: Procedure) -> Iterator[Fault]:
    known = ", ".join(procedure.sources)
    for place, part in _parts(procedure):
        for citation in part.source.split(";") if isinstance(part, Cited) else ():
            said = citation.strip()
            if said.partition(",")[0].partition(" ")[0] not in procedure.sources:
                yield Fault(f"{place}.source", f"cites {said!r}; begin with one of the sources: {known}")


def _role_faults(procedure: Procedure) -> Iterator[Fault]:
    def known(place: str, *roles: str) -> Iterator[Fault]:
        for role in roles:
            if role not in procedure.roles:
                names = ", ".join(procedure.roles)
                yield Fault(place, f"names the role {role!r}; write one of {names}, or add it to roles")

    def addressed(place: str, *addressees: str) -> Iterator[Fault]:
        yield from known(place, *(one for one in addressees if one not in PEOPLE_OF_A_CASE))

    for role_key in ROLES_OF_EVERY_PROCEDURE:
        if role_key not in procedure.roles:
            yield Fault("roles", f"has no {role_key!r}; write it with its title here")
    for key, role in procedure.roles.items():
        yield from known(f"roles.{key}.deputies", *role.deputies)
        if key in role.deputies:
            yield Fault(f"roles.{key}.deputies", "names the role itself; write who stands in for it")
        for deputy in sorted({one for one in role.deputies if role.deputies.count(one) > 1}):
            yield Fault(f"roles.{key}.deputies", f"names {deputy!r} twice; write it once")
    yield from known("filing.late.admitted_by", procedure.filing.late.admitted_by)
    yield from known("filing.lapse.lapsed_by", procedure.filing.lapse.lapsed_by)
    yield from known("reconvening.led_by", *procedure.reconvening.led_by)
    for stage in procedure.stages:
        if stage.review:
            yield from known(f"stages.{stage.key}.review.decided_by", stage.review.decided_by)
        if stage.panel:
            yield from known(f"stages.{stage.key}.panel.convened_by", stage.panel.convened_by)
            yield from known(f"stages.{stage.key}.panel.seat", *stage.panel.seat)
    for letter in procedure.letters:
        yield from known(f"letters.{letter.key}.released_by", *letter.released_by)
    told = procedure.children_told
    yield from known("children_told.recorded_by", *(told.recorded_by if told else ()))
    record = procedure.childs_record
    yield from known("childs_record.uploaded_by", *(record.uploaded_by if record else ()))
    for index, telling in enumerate(procedure.tellings):
        yield from addressed(f"tellings.{index}.to", *telling.to)
    for clock in procedure.clocks:
        if clock.on_passing:
            yield from addressed(f"clocks.{clock.key}.on_passing.tell", *clock.on_passing.tell)


def _stage_faults(procedure: Procedure) -> Iterator[Fault]:
    if not procedure.stages:
        yield Fault("stages", "has no stage; write at least one")
    for stage in procedure.stages:
        place = f"stages.{stage.key}"
        if bool(stage.review) == bool(stage.panel):
            yield Fault(place, "is decided by one person or by a panel; write review or panel, and not both")
        if not stage.outcomes:
            yield Fault(f"{place}.outcomes", "is empty, so nobody can leave the stage; write its outcomes")
        yield from _step_faults(stage)
        outcomes = {outcome.key for outcome in stage.outcomes}
        agreed = {outcome.key for outcome in stage.outcomes if outcome.agreement}
        for outcome in stage.outcomes:
            if outcome.leads_to == "offer_next" and procedure.stage_after(stage.key) is None:
                yield Fault(
                    f"{place}.outcomes.{outcome.key}.leads_to",
                    "offers a next stage and there is none; add a stage or let it lead to close",
                )
            if outcome.agreement and outcome.agreement.refused_or_unanswered not in outcomes - agreed:
                said = outcome.agreement.refused_or_unanswered
                why = ", which has to be agreed to as well" if said in agreed else ""
                yield Fault(
                    f"{place}.outcomes.{outcome.key}.agreement.refused_or_unanswered",
                    f"names the outcome {said!r}{why}; write one of {', '.join(sorted(outcomes - agreed))}",
                )


def _record_faults(procedure: Procedure) -> Iterator[Fault]:
    record, stages = procedure.childs_record, {stage.key for stage in procedure.stages}
    if record and record.stage not in stages:
        yield Fault("childs_record.stage", f"names the stage {record.stage!r}; write one of {_names(stages)}")


def _step_faults(stage: Stage) -> Iterator[Fault]:
    steps = [step.key for step in stage.steps]
    for index, step in enumerate(stage.steps):
        place = f"stages.{stage.key}.steps.{step.key}.after"
        for before in step.after:
            if before not in steps:
                yield Fault(place, f"names the step {before!r}, which is not there")
            elif before not in steps[:index]:
                yield Fault(
                    place, f"names the step {before!r}, which does not come before it; name earlier ones only"
                )


def _clock_faults(procedure: Procedure) -> Iterator[Fault]:
    stages = {stage.key for stage in procedure.stages}
    for clock in procedure.clocks:
        unknown = [
            Fault(f"clocks.{clock.key}.{name}", f"names the stage {stage!r}; write one of {_names(stages)}")
            for name, stage in (("stage", clock.stage), ("start_stage", clock.start_stage))
            if stage and stage not in stages
        ]
        where = list(_stage_of_clock_faults(clock))
        yield from unknown or where or _course_of_clock_faults(procedure, clock)
        yield from _passing_faults(clock)


def _stage_of_clock_faults(clock: Clock) -> Iterator[Fault]:
    """A moment of a stage starts or stops a clock at the stage that is named, any other moment at none."""
    place = f"clocks.{clock.key}"
    starts, stops = clock.start in MOMENTS_OF_A_STAGE, clock.until in MOMENTS_OF_A_STAGE
    if stops and not clock.stage:
        yield Fault(f"{place}.stage", f"is missing, and {clock.until!r} happens at a stage; write which")
    elif clock.stage and not stops:
        instead = "write it as start_stage" if starts else "take it out"
        yield Fault(f"{place}.stage", f"is written, and {clock.until!r} happens at no stage; {instead}")
    elif starts and not clock.starts_at:
        yield Fault(
            f"{place}.start_stage", f"is missing, and {clock.start!r} happens at a stage; write which"
        )
    if clock.start_stage and not starts:
        yield Fault(
            f"{place}.start_stage", f"is written, and {clock.start!r} happens at no stage; take it out"
        )


def _course_of_clock_faults(procedure: Procedure, clock: Clock) -> Iterator[Fault]:
    """What keeps a clock from ever starting, and from stopping once it runs."""
    place, stop_stage = f"clocks.{clock.key}", clock.stage or ""
    if clock.start in MOMENTS_THAT_END_A_CASE:
        yield Fault(f"{place}.from", "ends the case, and no clock runs after it; write an earlier moment")
        return
    if clock.until in MOMENTS_THAT_END_A_CASE:
        yield Fault(
            f"{place}.until", "ends the case, which stops every clock; write what the clock waits for"
        )
        return
    if (clock.start, clock.starts_at) == (clock.until, stop_stage):
        yield Fault(place, "starts and stops at the same moment; mend from or until")
    elif clock.until in (*MOMENTS_OF_THE_CONFERENCE, "raised"):
        yield Fault(f"{place}.until", "has happened before any clock of a dissent runs; write a later moment")
    elif _when(procedure, clock.until, stop_stage) < _when(procedure, clock.start, clock.starts_at):
        yield Fault(
            f"{place}.until", f"comes before {clock.start!r}, which starts the clock; mend from or until"
        )
    never_starts = _why_never(procedure, clock.start, clock.starts_at)
    never_stops = _why_never(procedure, clock.until, stop_stage)
    if never_starts:
        yield Fault(f"{place}.from", f"never happens: {never_starts}")
    if never_stops:
        yield Fault(f"{place}.until", f"never happens: {never_stops}")
    elif clock.until == "letters_issued":
        stage = procedure.stage(stop_stage)
        written = {
            each
            for letter in procedure.letters
            if letter.stage == stage.key and not letter.is_for_family
            for each in letter.meanings
        }
        for outcome in _still_to_come(stage, clock):
            if outcome.meaning not in written:
                yield Fault(
                    f"{place}.until",
                    f"waits for letters, and the outcome {outcome.key!r} brings none; "
                    f"add {outcome.meaning!r} to the meanings of a letter of the stage {stage.key!r}",
                )


def _still_to_come(stage: Stage, clock: Clock) -> list[Outcome]:
    """The outcomes that the stage can still have once the clock runs."""
    resolving = {
        key
        for outcome in stage.outcomes
        if outcome.agreement
        for key in (outcome.key, outcome.agreement.refused_or_unanswered)
    }
    match clock.start if clock.starts_at == stage.key else "":
        case "resolution_proposed" | "resolution_answered":
            return [outcome for outcome in stage.outcomes if outcome.key in resolving]
        case "escalation_offered" | "escalation_answered":
            return [outcome for outcome in stage.outcomes if outcome.leads_to == "offer_next"]
    return list(stage.outcomes)


def _when(procedure: Procedure, moment: Moment, stage: str) -> tuple[int, int, int]:
    """The place of a moment in a case where it is certain: letters may come before an answer or after it."""
    if moment in MOMENTS_OF_A_STAGE:
        keys = [each.key for each in procedure.stages]
        last = MOMENTS_OF_A_STAGE.index("escalation_answered")
        return (1, keys.index(stage), min(MOMENTS_OF_A_STAGE.index(moment), last))
    moments = get_args(Moment)
    return (2 if moment == "further_conference_held" else 0, moments.index(moment), 0)


def _why_never(procedure: Procedure, moment: Moment, stage: str = "") -> str:
    """Why `moment` never happens at `stage`, at any where none is named; empty where it can."""
    stages = [each for each in procedure.stages if not stage or each.key == stage]
    outcomes = [outcome for each in stages for outcome in each.outcomes]
    match moment:
        case "resolution_proposed" | "resolution_answered":
            if not any(outcome.agreement for each in stages if each.review for outcome in each.outcomes):
                return "no outcome of a review there has an agreement; write one, or another moment"
        case "escalation_offered" | "escalation_answered":
            if not any(outcome.leads_to == "offer_next" for outcome in outcomes):
                return "no outcome there leads to offer_next; let one, or write another moment"
        case "letters_issued":
            to_others = [letter.stage for letter in procedure.letters if not letter.is_for_family]
            if not any(each.key in to_others for each in stages):
                return "there is no letter; write one, or another moment"
        case "further_conference_held":
            if not any(outcome.leads_to == "reconvene" for outcome in outcomes):
                return "no outcome leads to reconvene; let one, or write another moment"
    return ""


DONE_BY_PASSING: dict[str, tuple[Moment, Moment]] = {
    "refuse_resolution": ("resolution_proposed", "resolution_answered"),
    "end_offer": ("escalation_offered", "escalation_answered"),
}
"""What a clock can do by running out, and from when until when it has to run for it."""


def _passing_faults(clock: Clock) -> Iterator[Fault]:
    then = clock.on_passing.then if clock.on_passing else "nothing"
    if then == "nothing":
        return
    start, until = DONE_BY_PASSING[then]
    if (clock.start, clock.until, clock.starts_at) != (start, until, clock.stage or ""):
        yield Fault(
            f"clocks.{clock.key}.on_passing.then",
            f"says {then!r}, which takes a clock from {start} until {until} of one stage; write 'nothing'",
        )


def _names(keys: set[str]) -> str:
    return ", ".join(sorted(keys))


def _letter_faults(procedure: Procedure) -> Iterator[Fault]:
    stages = {stage.key for stage in procedure.stages}
    for letter in procedure.letters:
        if letter.stage not in stages:
            yield Fault(
                f"letters.{letter.key}.stage", f"names the stage {letter.stage!r}, which is not there"
            )
        for to in letter.to:
            if to not in ADDRESSEES_OF_A_LETTER:
                names = ", ".join(ADDRESSEES_OF_A_LETTER)
                yield Fault(f"letters.{letter.key}.to", f"names {to!r}; write one of {names}")
        if not letter.to:
            yield Fault(f"letters.{letter.key}.to", "is a letter to nobody; name an addressee")
        may_name = _may_name(letter)
        wording = (letter.heading, *letter.paragraphs, *letter.closing)
        for name in sorted(set().union(*map(placeholders, wording)) - may_name):
            allowed = ", ".join(sorted(may_name))
            yield Fault(f"letters.{letter.key}", f"uses the placeholder {{{name}}}; write one of {allowed}")
    yield from _family_letter_faults(procedure)


def _may_name(letter: Letter) -> frozenset[str]:
    if not letter.is_for_family:
        return PLACEHOLDERS
    return PLACEHOLDERS_FOR_FAMILY | ({"dissenter"} if letter.names_dissenter else set())


def _family_letter_faults(procedure: Procedure) -> Iterator[Fault]:
    """What would tell a family what is not theirs, or leave them without words of their own."""
    for_family = [letter for letter in procedure.letters if letter.is_for_family]
    if for_family and procedure.children_told is None:
        yield Fault(
            "children_told",
            "is missing, and a letter goes to families; write who tells a child, and who says so",
        )
    if procedure.children_told and not for_family:
        yield Fault("children_told", "is written, and no letter goes to families; write one, or take it out")
    for letter in procedure.letters:
        if letter.names_dissenter and not letter.is_for_family:
            yield Fault(
                f"letters.{letter.key}.names_dissenter", "is only for a letter to families; take it out"
            )
    seen: set[tuple[str, str]] = set()
    for letter in for_family:
        place = f"letters.{letter.key}"
        if len(letter.to) > 1:
            yield Fault(f"{place}.to", "names families beside others; a letter to families is one of its own")
        if not letter.released_by:
            yield Fault(
                f"{place}.released_by", "is missing; a letter to a family is always read by a second person"
            )
        for stage in procedure.stages:
            if stage.key == letter.stage:
                yield from _words_for_family_faults(stage, letter)
        for meaning in letter.meanings:
            if (letter.stage, meaning) in seen:
                yield Fault(f"{place}.meanings", f"{meaning!r} has a letter to families already; write one")
            seen.add((letter.stage, meaning))


def _words_for_family_faults(stage: Stage, letter: Letter) -> Iterator[Fault]:
    """Only what somebody decides can be told to families: whoever decides is asked for plain reasons."""
    by_itself = {each.agreement.refused_or_unanswered for each in stage.outcomes if each.agreement}
    for outcome in stage.outcomes:
        if outcome.meaning not in letter.meanings:
            continue
        place = f"stages.{stage.key}.outcomes.{outcome.key}.for_family"
        if outcome.agreement or outcome.key in by_itself:
            yield Fault(
                place,
                "cannot be told to families, since nobody decides it and gives plain reasons; "
                f"take {outcome.meaning!r} out of the meanings of the letter {letter.key!r}",
            )
        elif outcome.for_family is None:
            yield Fault(
                place, "is missing, and a letter goes to families about it; write what it says to them"
            )


def _telling_faults(procedure: Procedure) -> Iterator[Fault]:
    stages = {stage.key for stage in procedure.stages}
    for index, telling in enumerate(procedure.tellings):
        place = f"tellings.{index}"
        if telling.stage and telling.stage not in stages:
            yield Fault(f"{place}.stage", f"names the stage {telling.stage!r}; write one of {_names(stages)}")
        elif telling.stage and telling.moment not in (*MOMENTS_OF_A_STAGE, "withdrawn"):
            yield Fault(
                f"{place}.stage", f"is written, and {telling.moment!r} happens at no stage; take it out"
            )
        elif telling.moment in MOMENTS_OF_THE_CONFERENCE:
            yield Fault(f"{place}.moment", "comes before anybody has dissented; write a later moment")
        elif never := _why_never(procedure, telling.moment, telling.stage or ""):
            yield Fault(f"{place}.moment", f"never happens: {never}")

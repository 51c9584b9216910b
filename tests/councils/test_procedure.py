"""The procedure language: what is shipped is valid and says its sources; what is wrong is said, and where."""

from __future__ import annotations

import copy
import datetime as dt
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from councils import procedure as language
from councils.limits import Limit
from councils.models import Council, Partnership, ProcedureVersion
from councils.models import procedure as published
from councils.procedure import Cited, Fault, Part, Procedure, ProcedureRefused
from dissent import actions
from dissent.actions import Refused
from dissent.actions.procedure import VersionExists
from dissent.models import LedgerEntry
from tests.world import World, when

SHIPPED = sorted(language.shipped())
SOUTH_TYNESIDE = language.SHIPPED / "south_tyneside.toml"
NOW = when("2026-03-01 09:00")


def parts(part: object) -> Iterator[Part]:
    if isinstance(part, Part):
        yield part
        for name in type(part).model_fields:
            yield from parts(getattr(part, name))
    elif isinstance(part, tuple | dict):
        for item in part.values() if isinstance(part, dict) else part:
            yield from parts(item)


# --- what is shipped -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_document_is_valid(path: Path) -> None:
    assert language.read(path).key


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_number_stands_beside_the_paragraph_that_it_comes_from(path: Path) -> None:
    numbers = [
        part
        for part in parts(language.read(path))
        if not isinstance(part, Procedure)
        and any(type(getattr(part, name)) in {int, Limit} for name in type(part).model_fields)
    ]
    assert numbers
    assert [part for part in numbers if not (isinstance(part, Cited) and part.source)] == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_is_kept_in_the_database_reads_back_as_what_was_written(path: Path) -> None:
    procedure = language.read(path)
    assert language.from_document(procedure.model_dump(mode="json", by_alias=True)) == procedure


@pytest.mark.rule("ST-03", "ST-04", "ST-08", "ST-12", "ST-13", "ST-16", "ST-17", "ST-23")
@pytest.mark.parametrize(
    ("place", "because"),
    [
        ("filing.questions.evidence", "no field"),
        ("filing.questions.passage", "no field"),
        ("explaining", "does not say how"),
        ("filing", "end of the conference"),
        ("clocks.form", "end of the conference"),
        ("filing.late", "silent on what a late form meets"),
        ("filing.lapse", "silent on a dissent whose form never comes"),
        ("filing.unmatched", "nobody is shut out"),
        ("stages.panel.panel", "A Service Manager who heard the first stage may sit"),
        ("stages.panel.panel", "counted as one of the three"),
        ("clocks.feedback", "From the day of escalation"),
        ("letters.outcome", "a decision that is upheld"),
        ("letters.family", "names the agency that disagreed and not the person"),
        ("children_told", "The social worker knows the child"),
        ("childs_record", "has left or is away"),
    ],
)
def test_where_south_tynesides_text_is_open_the_document_says_what_it_chose_and_why(
    place: str, because: str
) -> None:
    chosen = language.read(SOUTH_TYNESIDE).choices_where_the_text_is_open()
    (reason,) = [why for where, why in chosen if where == place]
    assert because in reason


@pytest.mark.rule("ST-08", "ST-13", "ST-17")
def test_south_tynesides_numbers_and_their_paragraphs() -> None:
    rules = language.read(SOUTH_TYNESIDE)
    numbers = {
        clock.key: (str(clock.limit), clock.start, clock.until, clock.source) for clock in rules.clocks
    }
    assert numbers["form"] == ("24 hours", "conference_ended", "filed", "process, paragraph 7")
    assert numbers["feedback"] == (
        "20 working days",
        "stage_entered",
        "letters_issued",
        "process, paragraph 10",
    )
    panel = rules.stage("panel").panel
    assert panel
    assert (panel.quorum, panel.source) == (3, "terms, chair, quorum and membership")


@pytest.mark.rule("ST-01", "ST-14", "ST-17", "ST-18", "ST-21")
def test_what_people_are_shown_in_south_tyneside_says_what_the_rules_say() -> None:
    rules = language.read(SOUTH_TYNESIDE)
    family = next(route.to for route in rules.routes if "parent" in route.who)
    assert "praise or complain" in family
    assert "any agency" in family
    assert "takes that right away" in family
    panel = rules.stage("panel").panel
    assert panel
    assert "strictly confidential" in panel.confidentiality
    assert "unless the panel's chair agrees" in panel.confidentiality
    terms = " ".join(panel.terms)
    assert "chair is named for each case" in terms
    assert "never decide whether a child has a child protection plan" in terms
    assert "procedures on child protection and on thresholds" in terms
    assert "referral pathway" in rules.stage("panel").outcome("not_upheld").next_door


def test_a_role_is_followed_by_those_who_stand_in_for_it() -> None:
    rules = language.read(SOUTH_TYNESIDE)
    assert rules.with_deputies("service_manager") == ("service_manager", "nominated_manager")
    assert rules.with_deputies("business_manager") == ("business_manager",)
    following = rules.stage_after("review")
    assert following
    assert (following.key, rules.stage_after("panel")) == ("panel", None)


# --- what is wrong, where, and what to write --------------------------------------------------------

Change = Callable[[dict[str, Any]], object]


def named(rows: list[dict[str, Any]], key: str) -> dict[str, Any]:
    return next(row for row in rows if row["key"] == key)


def stage(document: dict[str, Any], key: str) -> dict[str, Any]:
    return named(document["stages"], key)


def put(*path: str | int, to: object) -> Change:
    """Return a change that writes `to` at a place of the document."""

    def change(document: dict[str, Any]) -> None:
        at: Any = document
        for step in path[:-1]:
            at = named(at, step) if isinstance(at, list) and isinstance(step, str) else at[step]
        at[path[-1]] = to

    return change


def take(*path: str | int) -> Change:
    def change(document: dict[str, Any]) -> None:
        at: Any = document
        for step in path[:-1]:
            at = named(at, step) if isinstance(at, list) and isinstance(step, str) else at[step]
        del at[path[-1]]

    return change


def twice(*path: str) -> Change:
    """Return a change that writes the first of a list again."""

    def change(document: dict[str, Any]) -> None:
        at: Any = document
        for step in path:
            at = named(at, step) if isinstance(at, list) else at[step]
        at.append(copy.deepcopy(at[0]))

    return change


def clock(key: str, start: str, until: str, **stages: str) -> Change:
    """Return a change that adds a clock."""
    rule = {"key": key, "label": key, "limit": "5 working days", "source": "process", "from": start}
    return lambda document: document["clocks"].append({**rule, "until": until, **stages})


def changes(*each: Change) -> Change:
    return lambda document: [change(document) for change in each]


FOR_FAMILY = "stages.panel.outcomes.{}.for_family"

FAULTS: list[tuple[Change, str, str]] = [
    # what the types see
    (take("purpose"), "purpose", "is missing; write it"),
    (put("colour", to="red"), "colour", "is not a word of the procedure language"),
    (put("kind", to="appeal"), "kind", "says 'appeal'; write one of 'dissent'"),
    (put("clocks", "form", "limit", to="soon"), "clocks.0.limit", "write a whole number in digits"),
    (put("clocks", "form", "limit", to="5 days"), "clocks.0.limit", "write working days or calendar days"),
    (put("clocks", "form", "from", to="tea"), "clocks.0.from", "says 'tea'; write one of"),
    (put("stages", "panel", "panel", "quorum", to=0), "stages.1.panel.quorum", "greater than or equal to 1"),
    (put("version", to="one"), "version", "integer"),
    (put("in_force_from", to="soon"), "in_force_from", "date"),
    (put("title", to=""), "title", "at least 1"),
    (put("key", to="South Tyneside"), "key", "pattern"),
    (take("clocks", "form", "source"), "clocks.0.source", "is missing; write it"),
    (put("raising", "capacities", to=[]), "raising.capacities", "is empty; write at least one"),
    (
        put("filing", "questions", "plan_would_change", "ask_if", "answer", to=[]),
        "filing.questions.5.ask_if.answer",
        "is empty; write at least one",
    ),
    # what no column holds
    (put("clocks", "form", "key", to="x" * 61), "clocks.0.key", "is longer than 60 characters; shorten it"),
    (put("key", to="x" * 101), "key", "is longer than 100 characters"),
    (put("partnership", to="x" * 51), "partnership", "is longer than 50 characters"),
    (put("roles", "x" * 61, to={"title": "X"}), f"roles.{'x' * 61}.[key]", "is longer than 60"),
    (put("sources", "x" * 61, to="X"), f"sources.{'x' * 61}.[key]", "is longer than 60"),
    (
        put("stages", "panel", "outcomes", "upheld", "grounds", "x" * 61, to="X"),
        f"stages.1.outcomes.0.grounds.{'x' * 61}.[key]",
        "is longer than 60",
    ),
    (put("purpose", to="For\0nobody"), "purpose", "holds the control character U+0000; take it out"),
    (put("roles", "chair", "title", to="Chair\x7f"), "roles.chair.title", "U+007F"),
    (put("clocks", "form", "label", to="Send\r"), "clocks.form.label", "U+000D"),
    (put("stages", "panel", "panel", "terms", 1, to="\x1b[1m"), "stages.panel.panel.terms.1", "U+001B"),
    (
        put("filing", "questions", "view", "choices", "no\0", to="No"),
        "filing.questions.view.choices",
        "U+0000",
    ),
    # sources
    (
        put("clocks", "form", "source", to="paragraph 7"),
        "clocks.form.source",
        "cites 'paragraph 7'; begin with one of the sources: introduction, process, form",
    ),
    (
        put("letters", "outcome", "source", to="letter; elsewhere, page 2"),
        "letters.outcome.source",
        "cites 'elsewhere, page 2'",
    ),
    # roles
    (
        put("roles", "service_manager", "deputies", to=["nobody"]),
        "roles.service_manager.deputies",
        "names the role 'nobody'; write one of conference_administrator, chair,",
    ),
    (
        put("roles", "service_manager", "deputies", to=["service_manager"]),
        "roles.service_manager.deputies",
        "names the role itself; write who stands in for it",
    ),
    (
        put("roles", "service_manager", "deputies", to=["nominated_manager", "nominated_manager"]),
        "roles.service_manager.deputies",
        "names 'nominated_manager' twice; write it once",
    ),
    (put("filing", "late", "admitted_by", to="nobody"), "filing.late.admitted_by", "the role 'nobody'"),
    (
        put("filing", "unmatched", "settled_by", to="nobody"),
        "filing.unmatched.settled_by",
        "the role 'nobody'",
    ),
    (
        put("clocks", "raising", "on_passing", "then", to="nothing"),
        "clocks",
        "has none that ends a chair's silence about a dissent that came without a record",
    ),
    (
        clock("x", "raising_answered", "entry_settled"),
        "clocks.x",
        "has the moment 'entry_settled', which most dissents never meet",
    ),
    (
        clock("x", "filed", "entry_settled"),
        "clocks.x",
        "has the moment 'entry_settled', which most dissents never meet",
    ),
    (put("filing", "lapse", "lapsed_by", to="nobody"), "filing.lapse.lapsed_by", "the role 'nobody'"),
    (put("reconvening", "led_by", to=["nobody"]), "reconvening.led_by", "the role 'nobody'"),
    (
        put("stages", "review", "review", "decided_by", to="nobody"),
        "stages.review.review.decided_by",
        "the role 'nobody'",
    ),
    (
        put("stages", "panel", "panel", "convened_by", to="nobody"),
        "stages.panel.panel.convened_by",
        "the role 'nobody'",
    ),
    (put("stages", "panel", "panel", "seat", to=["nobody"]), "stages.panel.panel.seat", "the role 'nobody'"),
    (put("letters", "outcome", "released_by", to=["nobody"]), "letters.outcome.released_by", "'nobody'"),
    (
        put("letters", "outcome", "to", to=["everybody"]),
        "letters.outcome.to",
        "names 'everybody'; write one of dissenter, chair,",
    ),
    (
        put("letters", "outcome", "to", to=["business_manager"]),
        "letters.outcome.to",
        "names 'business_manager'",
    ),
    (put("letters", "outcome", "to", to=[]), "letters.outcome.to", "is a letter to nobody"),
    (put("tellings", 0, "to", to=["everybody"]), "tellings.0.to", "names the role 'everybody'"),
    (
        put("clocks", "form", "on_passing", "tell", to=["everybody"]),
        "clocks.form.on_passing.tell",
        "names the role 'everybody'",
    ),
    *[
        (take("roles", role), "roles", f"has no {role!r}; write it")
        for role in ("conference_administrator", "chair", "administrator")
    ],
    # stages
    (put("stages", to=[]), "stages", "has no stage; write at least one"),
    (
        put("stages", "panel", "review", to={"decided_by": "service_manager"}),
        "stages.panel",
        "write review or panel, and not both",
    ),
    (take("stages", "review", "review"), "stages.review", "write review or panel, and not both"),
    (put("stages", "panel", "outcomes", to=[]), "stages.panel.outcomes", "nobody can leave the stage"),
    (
        put("stages", "review", "steps", "discussed_with_dissenter", "after", to=["tea"]),
        "stages.review.steps.discussed_with_dissenter.after",
        "names the step 'tea', which is not there",
    ),
    (
        put("stages", "panel", "outcomes", "not_upheld", "leads_to", to="offer_next"),
        "stages.panel.outcomes.not_upheld.leads_to",
        "offers a next stage and there is none",
    ),
    (
        put("stages", "review", "outcomes", "resolved", "agreement", "refused_or_unanswered", to="tea"),
        "stages.review.outcomes.resolved.agreement.refused_or_unanswered",
        "names the outcome 'tea'; write one of unresolved",
    ),
    (
        put("stages", "review", "outcomes", "resolved", "agreement", "refused_or_unanswered", to="resolved"),
        "stages.review.outcomes.resolved.agreement.refused_or_unanswered",
        "names the outcome 'resolved', which has to be agreed to as well; write one of unresolved",
    ),
    (
        put(
            "stages", "review", "steps", "discussed_with_dissenter", "after", to=["discussed_with_dissenter"]
        ),
        "stages.review.steps.discussed_with_dissenter.after",
        "'discussed_with_dissenter', which does not come before it; name earlier ones only",
    ),
    (
        put("stages", "review", "steps", "reviewed_with_chair", "after", to=["discussed_with_dissenter"]),
        "stages.review.steps.reviewed_with_chair.after",
        "'discussed_with_dissenter', which does not come before it",
    ),
    # clocks
    (
        put("clocks", "answer", "stage", to="tea"),
        "clocks.answer.stage",
        "names the stage 'tea'; write one of",
    ),
    (put("clocks", "feedback", "start_stage", to="tea"), "clocks.feedback.start_stage", "the stage 'tea'"),
    (take("clocks", "answer", "stage"), "clocks.answer.stage", "is missing, and 'resolution_answered'"),
    (put("clocks", "form", "until", to="conference_ended"), "clocks.form", "starts and stops at the same"),
    (
        put("clocks", "answer", "from", to="resolution_answered"),
        "clocks.answer",
        "starts and stops at the same",
    ),
    # clocks that never start
    (
        clock("x", "decided", "further_conference_held"),
        "clocks.x.start_stage",
        "is missing, and 'decided' happens at a stage; write which",
    ),
    (
        clock("x", "filed", "decided", stage="review", start_stage="review"),
        "clocks.x.start_stage",
        "is written, and 'filed' happens at no stage; take it out",
    ),
    (
        clock("x", "resolution_proposed", "decided", stage="panel"),
        "clocks.x.from",
        "never happens: no outcome of a review there has an agreement",
    ),
    (
        clock("x", "escalation_offered", "letters_issued", stage="panel"),
        "clocks.x.from",
        "never happens: no outcome there leads to offer_next",
    ),
    # clocks that never stop
    (
        clock("x", "decided", "further_conference_held", stage="panel"),
        "clocks.x.stage",
        "is written, and 'further_conference_held' happens at no stage; write it as start_stage",
    ),
    (
        clock("x", "raised", "filed", stage="review"),
        "clocks.x.stage",
        "is written, and 'filed' happens at no stage; take it out",
    ),
    *[
        (clock("x", "conference_held", until), "clocks.x.until", "before any clock of a dissent runs")
        for until in ("conference_ended", "raised")
    ],
    (
        clock("x", "decided", "filed", start_stage="review"),
        "clocks.x.until",
        "comes before 'decided', which starts the clock",
    ),
    (
        clock("x", "stage_entered", "decided", start_stage="panel", stage="review"),
        "clocks.x.until",
        "comes before 'stage_entered'",
    ),
    (
        put("stages", "panel", "outcomes", "upheld", "leads_to", to="close"),
        "tellings.11.moment",
        "never happens: no outcome leads to reconvene; let one",
    ),
    (
        changes(
            clock("x", "decided", "further_conference_held", start_stage="panel"),
            put("stages", "panel", "outcomes", "upheld", "leads_to", to="close"),
        ),
        "clocks.x.until",
        "never happens: no outcome leads to reconvene",
    ),
    (
        put("letters", "outcome", "meanings", to=["uphold"]),
        "clocks.feedback.until",
        "the outcome 'not_upheld' brings none; add 'not_uphold' to the meanings of a letter of",
    ),
    (
        clock("x", "stage_entered", "letters_issued", stage="review"),
        "clocks.x.until",
        "the outcome 'unresolved' brings none",
    ),
    (put("letters", to=[]), "clocks.feedback.until", "never happens: there is no letter; write one"),
    # what a clock does by running out
    *[
        (
            put("clocks", "feedback", "on_passing", "then", to=then),
            "clocks.feedback.on_passing.then",
            f"says '{then}', which takes a clock from {start} until",
        )
        for then, start in (
            ("refuse_resolution", "resolution_proposed"),
            ("end_offer", "escalation_offered"),
        )
    ],
    (
        put("clocks", "answer", "on_passing", "then", to="end_offer"),
        "clocks.answer.on_passing.then",
        "until escalation_answered of one stage; write 'nothing'",
    ),
    # the end of a case, which no clock waits for
    (clock("x", "withdrawn", "filed"), "clocks.x.from", "ends the case, and no clock runs after it"),
    (clock("x", "raised", "lapsed"), "clocks.x.until", "ends the case, which stops every clock"),
    # tellings
    (
        put("tellings", 12, "stage", to="tea"),
        "tellings.12.stage",
        "names the stage 'tea'",
    ),
    (
        put("tellings", 6, "stage", to="tea"),
        "tellings.6.stage",
        "names the stage 'tea'; write one of panel, review",
    ),
    (
        put("tellings", 1, "stage", to="review"),
        "tellings.1.stage",
        "is written, and 'filed' happens at no stage; take it out",
    ),
    (
        put("tellings", 1, "moment", to="conference_ended"),
        "tellings.1.moment",
        "comes before anybody has dissented",
    ),
    (
        put("tellings", 6, "stage", to="panel"),
        "tellings.6.moment",
        "never happens: no outcome of a review there has an agreement",
    ),
    # letters
    (put("letters", "outcome", "stage", to="tea"), "letters.outcome.stage", "names the stage 'tea'"),
    (
        put("letters", "outcome", "heading", to="About {parent}"),
        "letters.outcome",
        "uses the placeholder {parent}; write one of addressee, agency",
    ),
    # the form
    (
        put("filing", "questions", "plan_would_change", "ask_if", to={"question": "tea", "answer": ["yes"]}),
        "filing.questions.plan_would_change.ask_if",
        "asks after the question 'tea', which does not come before it",
    ),
    (
        put("filing", "questions", "plan_would_change", "ask_if", "answer", to=["maybe"]),
        "filing.questions.plan_would_change.ask_if",
        "waits for the answer 'maybe'; write one of plan, no_plan, differs",
    ),
    (take("filing", "questions", "view", "choices"), "filing.questions.view.choices", "is empty"),
    (
        put("filing", "questions", "telephone", "key", to="late_because"),
        "filing.questions.late_because",
        "takes the key of what a late form is asked; give it another key",
    ),
    # letters to families
    (
        put("letters", "family", "heading", to="About {dissenter}"),
        "letters.family",
        "uses the placeholder {dissenter}",
    ),
    (
        put("letters", "family", "paragraphs", to=["{chair} and {resolution}"]),
        "letters.family",
        "uses the placeholder {chair}",
    ),
    (
        put("letters", "family", "to", to=["family", "chair"]),
        "letters.family.to",
        "names families beside others",
    ),
    (put("letters", "family", "released_by", to=[]), "letters.family.released_by", "read by a second person"),
    (
        put("letters", "outcome", "names_dissenter", to=True),
        "letters.outcome.names_dissenter",
        "only for a letter",
    ),
    (take("stages", "panel", "outcomes", "upheld", "for_family"), FOR_FAMILY.format("upheld"), "is missing"),
    (
        changes(
            put("letters", "family", "stage", to="review"),
            put("letters", "family", "meanings", to=["resolve"]),
        ),
        "stages.review.outcomes.resolved.for_family",
        "nobody decides it and gives plain reasons",
    ),
    (
        changes(
            put("letters", "family", "stage", to="review"),
            put("letters", "family", "meanings", to=["unresolved"]),
        ),
        "stages.review.outcomes.unresolved.for_family",
        "nobody decides it and gives plain reasons",
    ),
    (take("children_told"), "children_told", "is missing, and a letter goes to families"),
    (
        put("children_told", "recorded_by", to=["nobody"]),
        "children_told.recorded_by",
        "names the role 'nobody'",
    ),
    (
        put("childs_record", "uploaded_by", to=["nobody"]),
        "childs_record.uploaded_by",
        "names the role 'nobody'",
    ),
    (put("childs_record", "stage", to="appeal"), "childs_record.stage", "names the stage 'appeal'"),
    (
        lambda document: document["letters"].append({**document["letters"][-1], "key": "second"}),
        "letters.second.meanings",
        "'uphold' has a letter to families already",
    ),
    # names that stand twice
    (twice("clocks"), "clocks.form", "stands twice; give each a key of its own"),
    (twice("stages"), "stages.review", "stands twice"),
    (twice("letters"), "letters.resolved", "stands twice"),
    (twice("filing", "questions"), "filing.questions.telephone", "stands twice"),
    (twice("stages", "review", "steps"), "stages.review.steps.reviewed_with_chair", "stands twice"),
    (twice("stages", "panel", "outcomes"), "stages.panel.outcomes.upheld", "stands twice"),
]


def refused(change: Change) -> list[Fault]:
    document = tomllib.loads(SOUTH_TYNESIDE.read_text(encoding="utf-8"))
    change(document)
    with pytest.raises(ProcedureRefused) as said:
        language.from_document(document)
    return said.value.faults


@pytest.mark.parametrize(
    ("change", "place", "says"), FAULTS, ids=[f"{place}: {says}"[:70] for _, place, says in FAULTS]
)
def test_a_fault_says_its_place_and_what_to_write(change: Change, place: str, says: str) -> None:
    faults = refused(change)
    assert any(fault.place == place and says in fault.says for fault in faults), list(map(str, faults))


@pytest.mark.parametrize(
    "change",
    [
        clock("x", "raised", "filed"),
        clock("x", "conference_held", "decided", stage="review"),
        clock("x", "stage_entered", "decided", stage="panel"),
        clock("x", "escalation_answered", "decided", start_stage="review", stage="panel"),
        clock("x", "decided", "further_conference_held", start_stage="panel"),
        clock("x", "letters_issued", "further_conference_held", start_stage="panel"),
        clock("x", "letters_issued", "escalation_answered", stage="review"),
        clock("x", "decided", "letters_issued", stage="panel"),
        changes(
            put("letters", "resolved", "meanings", to=["unresolved"]),
            clock("x", "escalation_offered", "letters_issued", stage="review"),
        ),
        put("tellings", 6, "stage", to=None),
        put("roles", "nominated_manager", "deputies", to=["service_manager"]),
        put("meanwhile", to="One line,\n\tand another."),
    ],
    ids=range(12),
)
def test_what_a_procedure_can_say_is_no_fault(change: Change) -> None:
    document = tomllib.loads(SOUTH_TYNESIDE.read_text(encoding="utf-8"))
    change(document)
    assert language.from_document(document)


def test_every_fault_is_said_at_once() -> None:
    def change(document: dict[str, Any]) -> None:
        put("clocks", "form", "source", to="elsewhere")(document)
        put("letters", "outcome", "to", to=[])(document)

    assert [fault.place for fault in refused(change)] == ["clocks.form.source", "letters.outcome.to"]


def test_what_is_not_toml_is_said_to_be_so() -> None:
    with pytest.raises(ProcedureRefused, match="is not readable as TOML") as said:
        language.parse("key = ")
    assert [fault.place for fault in said.value.faults] == ["the document"]


def test_a_file_that_is_not_there_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        language.read(tmp_path / "none.toml")


# --- published, in force, never changed -------------------------------------------------------------


def later(world: World, **changed: Any) -> Procedure:
    return world.version.rules.model_copy(update={"version": 2, **changed})


def publish(procedure: Procedure) -> ProcedureVersion:
    return actions.publish_procedure(procedure=procedure, by=None, at=NOW)


@pytest.mark.django_db
def test_a_published_version_gives_back_the_very_document_in_its_order() -> None:
    world = World(quick=True)
    kept = ProcedureVersion.objects.get()
    procedure = language.read(SOUTH_TYNESIDE)
    assert kept.rules == procedure
    choices = [list(question.choices) for question in procedure.filing.questions]
    published._typed.clear()  # as another process reads it
    assert [list(question.choices) for question in kept.rules.filing.questions] == choices
    assert (kept.key, kept.number, kept.in_force_from) == (
        "south-tyneside-dissent",
        1,
        dt.date(2024, 1, 1),
    )
    assert LedgerEntry.objects.get(verb="publish_procedure").council == world.council


@pytest.mark.django_db
def test_the_same_document_again_is_no_change_and_another_needs_a_number_of_its_own() -> None:
    world = World(quick=True)
    assert publish(language.read(SOUTH_TYNESIDE)) == world.version
    assert LedgerEntry.objects.filter(verb="publish_procedure").count() == 1
    with pytest.raises(VersionExists, match="Give the document the version 2"):
        publish(later(world, version=1, title="Another"))
    assert publish(later(world, title="Another")).number == 2
    assert ProcedureVersion.objects.get(number=1).rules.title != "Another"


@pytest.mark.django_db
def test_a_document_of_a_partnership_that_nobody_knows_is_refused() -> None:
    with pytest.raises(Refused, match="No partnership has the key 'south-tyneside'") as said:
        publish(language.read(SOUTH_TYNESIDE))
    # The line that it says to type is the one that helps.
    exec(str(said.value).rpartition(": ")[2], {"Partnership": Partnership})  # noqa: S102
    assert publish(language.read(SOUTH_TYNESIDE)).partnership.key == "south-tyneside"


@pytest.mark.django_db
def test_a_published_version_never_changes() -> None:
    World(quick=True)
    for change in (
        lambda: ProcedureVersion.objects.update(in_force_from=dt.date(2020, 1, 1)),
        lambda: ProcedureVersion.objects.all()._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError, match="never changed or deleted"), transaction.atomic():
            change()


@pytest.mark.django_db
def test_a_published_version_is_read_though_it_would_no_longer_be_published() -> None:
    """A check that is added later must not lock the cases that are pinned to it."""
    world = World(quick=True)
    unfinished = later(world, stages=())
    with pytest.raises(ProcedureRefused):
        language.from_document(unfinished.model_dump(mode="json", by_alias=True))
    assert publish(unfinished).rules == unfinished


@pytest.mark.django_db
def test_the_version_in_force_is_that_of_the_day() -> None:
    world = World(quick=True)
    second = publish(later(world, in_force_from=dt.date(2026, 4, 1)))
    corrected = publish(later(world, version=3, in_force_from=dt.date(2026, 4, 1), title="Corrected"))
    on = world.council.procedure_on
    assert on(dt.date(2023, 12, 31)) is None
    assert on(dt.date(2024, 1, 1)) == on(dt.date(2026, 3, 31)) == world.version
    assert on(dt.date(2026, 4, 1)) == corrected != second
    assert on(dt.date(2026, 4, 1), kind="complaint") is None


@pytest.mark.django_db
def test_a_council_follows_the_procedure_of_its_own_partnership() -> None:
    world = World(quick=True)
    other = Partnership.objects.create(key="elsewhere", name="Elsewhere")
    council = Council.objects.create(key="elsewhere", name="Elsewhere", partnership=other, nation="wales")
    assert council.procedure_on(dt.date(2026, 1, 1)) is None
    assert world.council.procedure_on(dt.date(2026, 1, 1)) == world.version
    assert not LedgerEntry.objects.filter(council=council).exists()

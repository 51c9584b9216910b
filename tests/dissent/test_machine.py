"""The machine: what is possible where the case stands, and for whom."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django_fsm import ConcurrentTransition, TransitionNotAllowed, can_proceed

from councils.models import Person
from dissent import actions, permissions
from dissent.actions import Found, Refused
from dissent.actions import childs_record as record_actions
from dissent.models import Child, Conference, Dissent, RecordPack
from dissent.models.dissent import RECONVENING, STATES
from tests.dissent.together import at_once
from tests.world import World, when

ROOT = Path(__file__).resolve().parents[2]
NOW = when("2026-04-01 12:00")
LATE = when("2026-03-05 09:00")


# --- the machine by itself: which verb in which state, and where it leads --------------------------

# begun  unmatched  matched  doubted  raised  awaiting  at_stage  proposed  decided  reconvening  closed
SOURCES = """
change_claim               x . . . . . . . . . .
keep                       x . . . x . . . . . .
file                       x . . . x . . . . . .
match                      . x x x . . . . . . .
join                       . x x x . . . . . . .
confirm_raised             . . x . . . . . . . .
deny_raised                . . x . . . . . . . .
doubt                      . . x . . . . . . . .
let_in                     . . . x . . . . . . .
turn_away                  . x . x . . . . . . .
admit                      . . . . . x . . . . .
refuse_late                . . . . . x . . . . .
withdraw                   . x x x x x x x . . .
lapse                      . . . . x . . . . . .
tell_management            x x x x x x x x x x .
record_step                . . . . . . x . . . .
propose                    . . . . . . x . . . .
agree                      . . . . . . . x . . .
refuse                     . . . . . . . x . . .
decide                     . . . . . . x . . . .
take_further               . . . . . . . . x . .
accept                     . . . . . . . . x . .
end_offer                  . . . . . . . . x . .
convene                    . . . . . . x . . . .
reconvene                  . . . . . . . . x . .
release                    . . . . . . . . x x x
hand_over                  . . . . . . . . x x x
answer_for_family          . . . . . . . . x x x
hold_back                  . . . . . . . . x x x
record_telling             . . . . . . . . x x .
make_record_pack           . . . . . . . . x x x
record_upload              . . . . . . . . x x x
record_further_conference  . . . . . . . . . x .
correct_decision           . . . . . . . . x x x
close                      . . . . . . . . x x .
reopen                     . . . . . . . . . . x
"""


def methods() -> list[str]:
    """Every method of the machine, in the order of its text."""
    return [name for name, each in vars(Dissent).items() if hasattr(each, "_django_fsm")]


def test_each_verb_starts_from_these_states_and_no_others() -> None:
    drawn = "\n"
    for name in methods():
        marks = [
            "x" if can_proceed(getattr(Dissent(state=state), name), check_conditions=False) else "."
            for state in STATES
        ]
        drawn += f"{name:26} {' '.join(marks)}\n"
    assert drawn == SOURCES


def test_whoever_may_do_a_verb_is_in_the_table_of_permissions() -> None:
    """Only joining, reconvening, closing and opening again have nobody: they follow from what was done."""
    nobodys = {"join", "reconvene", "close", "reopen"}
    assert {name for name in methods() if name not in permissions.MAY} == nobodys


def diagram() -> str:
    """Return the machine as a mermaid state diagram, drawn from the code."""
    lines, staying = ["stateDiagram-v2", "    [*] --> raised", "    [*] --> begun"], {}
    for name in methods():
        for source, rule in getattr(Dissent, name)._django_fsm.transitions.items():
            for target in getattr(rule.target, "allowed_states", [rule.target]):
                if target is None:
                    staying.setdefault(source, []).append(name)
                else:
                    lines.append(f"    {source} --> {target}: {name}")
    lines.append("    closed --> [*]")
    lines += [f"    {state}: {state}<br>{', '.join(names)}" for state, names in staying.items()]
    return "\n".join(lines)


def test_the_diagram_in_the_documentation_is_the_machine() -> None:
    text = (ROOT / "docs" / "machine.md").read_text(encoding="utf-8")
    (drawn,) = re.findall(r"```mermaid\n(.*?)\n```", text, re.DOTALL)
    assert drawn == diagram(), f"put this into docs/machine.md:\n{diagram()}"


# --- what is possible, and for whom, through the actions -------------------------------------------


def same(dissent: Dissent, found: Found) -> dict[Any, Found]:
    return dict.fromkeys(dissent.children.all(), found)


def a_seat(dissent: Dissent, by: Person) -> list[Any]:
    return list(dissent.panel.seats.filter(left_at=None)) if dissent.panel else []


def finding(dissent: Dissent) -> Found:
    if dissent.stage == "panel":
        return Found(outcome="not_upheld", reasons="Why.", plain_reasons="Plainly.")
    return Found(outcome="unresolved", reasons="Why.")


def another_conference(world: World, dissent: Dissent) -> Conference:
    others = Conference.objects.filter(council=world.council).exclude(pk=dissent.conference_id)
    return others.first() or dissent.conference


def its_children(dissent: Dissent) -> list[Child]:
    return list(dissent.conference.children.all()) if dissent.conference else []


def corrected(dissent: Dissent) -> Found:
    """What the decision in force may rightly have been."""
    decision = dissent.decision_in_force()
    outcome = decision.findings.all()[0].outcome if decision else "unresolved"
    other = {"upheld": "not_upheld", "not_upheld": "upheld"}.get(outcome, "unresolved")
    ground = "A" if other == "upheld" else ""
    return Found(outcome=other, ground=ground, reasons="As it was.", plain_reasons="Plainly.")


DO: dict[str, Callable[[World, Dissent, Any], Any]] = {
    "keep": lambda w, d, by: actions.keep_answer(dissent=d, question="reason", text="x", by=by, at=NOW),
    "file": lambda w, d, by: actions.file_dissent(dissent=d, by=by, at=NOW),
    "change_claim": lambda w, d, by: actions.change_claim(
        dissent=d, name="N", job="J", agency_name="A", ended_at=NOW, which="W", by=by, at=NOW
    ),
    "match": lambda w, d, by: actions.match_dissent(
        dissent=d, conference=another_conference(w, d), by=by, at=NOW
    ),
    "confirm_raised": lambda w, d, by: actions.confirm_raised(
        dissent=d, children=its_children(d), by=by, at=NOW
    ),
    "deny_raised": lambda w, d, by: actions.deny_raised(dissent=d, statement="No.", by=by, at=NOW),
    "let_in": lambda w, d, by: actions.let_in(
        dissent=d,
        heard="Said.",
        heard_at=NOW,
        reasons="Why.",
        children=its_children(d),
        by=by,
        at=NOW,
    ),
    "turn_away": lambda w, d, by: actions.turn_away(
        dissent=d, heard="Said.", heard_at=NOW, reasons="Why.", by=by, at=NOW
    ),
    "tell_management": lambda w, d, by: actions.tell_management(
        dissent=d, name="Boss", email="boss@school.example", told_on=NOW.date(), by=by, at=NOW
    ),
    "admit": lambda w, d, by: actions.admit(dissent=d, reasons="Why.", by=by, at=NOW),
    "refuse_late": lambda w, d, by: actions.refuse_late(dissent=d, reasons="Why.", by=by, at=NOW),
    "withdraw": lambda w, d, by: actions.withdraw(dissent=d, reasons="", by=by, at=NOW),
    "lapse": lambda w, d, by: actions.lapse(
        dissent=d, tried="I phoned.", tried_at=NOW, reasons="Why.", by=by, at=NOW
    ),
    "record_step": lambda w, d, by: actions.record_step(
        dissent=d, step="reviewed_with_chair", note="Said.", happened_at=NOW, by=by, at=NOW
    ),
    "propose": lambda w, d, by: actions.propose_resolution(dissent=d, text="What.", by=by, at=NOW),
    "agree": lambda w, d, by: actions.agree_to_resolution(dissent=d, by=by, at=NOW),
    "refuse": lambda w, d, by: actions.refuse_resolution(dissent=d, words="No.", by=by, at=NOW),
    "decide": lambda w, d, by: actions.decide(dissent=d, findings=same(d, finding(d)), by=by, at=NOW),
    "take_further": lambda w, d, by: actions.take_further(dissent=d, by=by, at=NOW),
    "accept": lambda w, d, by: actions.accept(dissent=d, by=by, at=NOW),
    "convene": lambda w, d, by: actions.convene_panel(
        dissent=d, chair=w.panellists()[0], members=w.panellists()[1:], by=by, at=NOW
    ),
    "declare": lambda w, d, by: actions.declare(dissent=d, independent=True, by=by, at=NOW),
    "record_sitting": lambda w, d, by: actions.record_sitting(
        dissent=d, present=a_seat(d, by), sat_at=NOW, by=by, at=NOW
    ),
    "release": lambda w, d, by: actions.release_letters(dissent=d, by=by, at=NOW),
    "make_record_pack": lambda w, d, by: record_actions._make(
        d, d.children.first(), write=lambda *said: b"%PDF-", by=by, at=NOW
    ),
    "record_upload": lambda w, d, by: actions.record_upload(
        pack=d.record_packs.in_force().first() or RecordPack(dissent=d), uploaded_on=NOW.date(), by=by, at=NOW
    ),
    "correct_decision": lambda w, d, by: actions.correct_decision(
        dissent=d, findings=same(d, corrected(d)), because="The wrong child.", by=by, at=NOW
    ),
    "record_further_conference": lambda w, d, by: actions.record_further_conference(
        dissent=d,
        held_at=when("2026-04-01 09:00"),
        ended_at=when("2026-04-01 11:00"),
        chair=w.chair,
        by=by,
        at=NOW,
    ),
}


def awaiting_admission(world: World) -> Dissent:
    return world.filed(at=LATE, late_because="The school was shut.")


def with_letters_made(world: World, outcome: str) -> Dissent:
    dissent = world.decided(outcome=outcome)
    world.made()
    return Dissent.objects.get(pk=dissent.pk)


def declared(world: World) -> Dissent:
    dissent = world.convened()
    for seat in dissent.panel.seats.all():
        actions.declare(dissent=dissent, independent=True, by=seat.person, at=NOW)
    return Dissent.objects.get(pk=dissent.pk)


def begun(world: World) -> Dissent:
    world.conference()
    return world.filled_in(world.begun(), late_because="No link came.")


def unmatched(world: World) -> Dissent:
    world.conference()
    return world.unmatched()


def matched(world: World) -> Dissent:
    world.conference()
    return world.matched()


def turned_away(world: World) -> Dissent:
    dissent = world.denied()
    DO["turn_away"](world, dissent, world.service_manager)
    return Dissent.objects.get(pk=dissent.pk)


def ready_for_the_record(world: World) -> Dissent:
    dissent = world.let_out(outcome="not_upheld")
    world.numbered(dissent)
    return dissent


def packed(world: World) -> Dissent:
    dissent = ready_for_the_record(world)
    world.packed(dissent)
    return Dissent.objects.get(pk=dissent.pk)


STANDING: dict[str, Callable[[World], Dissent]] = {
    "begun": begun,
    "unmatched": unmatched,
    "matched": matched,
    "doubted": lambda w: w.denied(matched(w)),
    "confirmed": lambda w: w.confirmed(),
    "turned away": turned_away,
    "raised": lambda w: w.filled_in(w.raised(), late_because="The school was shut."),
    "sent late": awaiting_admission,
    "at the review": lambda w: w.filed(),
    "reviewed": lambda w: w.reviewed(),
    "proposed": lambda w: w.proposed(),
    "offered": lambda w: w.offered(),
    "escalated": lambda w: w.escalated(),
    "convened": lambda w: w.convened(),
    "declared": declared,
    "sat": lambda w: w.sat(),
    "not upheld": lambda w: w.decided(outcome="not_upheld"),
    "not upheld, letters made": lambda w: with_letters_made(w, "not_upheld"),
    "upheld, letters made": lambda w: with_letters_made(w, "upheld"),
    "not upheld, letters out": ready_for_the_record,
    "not upheld, record made": packed,
    "closed": lambda w: w.released(outcome="not_upheld"),
    "withdrawn": lambda w: w.withdrawn(w.sat(), at=NOW),
    "lapsed": lambda w: w.lapsed(),
}

DISSENTER = {"teacher"}
NEWCOMER = {"newcomer"}
ADMINISTRATORS = {"conference_administrator"}
REVIEWERS = {"service_manager", "nominated_manager"}
PRESIDED = {"superintendent"}
PANEL = {"superintendent", "head_nurse", "unit_representative"}
RELEASERS = {"business_manager", *REVIEWERS}
UNTIL_IT_IS_DECIDED = {"withdraw": DISSENTER, "tell_management": DISSENTER}

POSSIBLE: dict[str, dict[str, set[str]]] = {
    "begun": {"keep": NEWCOMER, "file": NEWCOMER, "change_claim": NEWCOMER, "tell_management": NEWCOMER},
    "unmatched": {
        "match": ADMINISTRATORS,
        "turn_away": REVIEWERS,
        "withdraw": NEWCOMER,
        "tell_management": NEWCOMER,
    },
    "matched": {
        "match": ADMINISTRATORS,
        "confirm_raised": {"chair"},
        "deny_raised": {"chair"},
        "withdraw": NEWCOMER,
        "tell_management": NEWCOMER,
    },
    "doubted": {
        "match": ADMINISTRATORS,
        "let_in": REVIEWERS,
        "turn_away": REVIEWERS,
        "withdraw": NEWCOMER,
        "tell_management": NEWCOMER,
    },
    "confirmed": {"record_step": REVIEWERS, "withdraw": NEWCOMER, "tell_management": NEWCOMER},
    "turned away": {},
    "raised": {"keep": DISSENTER, "file": DISSENTER, "lapse": REVIEWERS, **UNTIL_IT_IS_DECIDED},
    "sent late": {"admit": REVIEWERS, "refuse_late": REVIEWERS, **UNTIL_IT_IS_DECIDED},
    "at the review": {"record_step": REVIEWERS, **UNTIL_IT_IS_DECIDED},
    "reviewed": {"propose": REVIEWERS, "decide": REVIEWERS, **UNTIL_IT_IS_DECIDED},
    "proposed": {"agree": DISSENTER, "refuse": DISSENTER, **UNTIL_IT_IS_DECIDED},
    "offered": {
        "take_further": DISSENTER,
        "accept": DISSENTER,
        "tell_management": DISSENTER,
        "correct_decision": REVIEWERS,
    },
    "escalated": {"convene": {"business_manager"}, **UNTIL_IT_IS_DECIDED},
    "convened": {"declare": PANEL, **UNTIL_IT_IS_DECIDED},
    "declared": {"record_sitting": {"superintendent"}, **UNTIL_IT_IS_DECIDED},
    "sat": {"decide": {"superintendent"}, "record_sitting": {"superintendent"}, **UNTIL_IT_IS_DECIDED},
    "not upheld": {"tell_management": DISSENTER, "correct_decision": PRESIDED},
    "not upheld, letters made": {
        "release": RELEASERS,
        "tell_management": DISSENTER,
        "correct_decision": PRESIDED,
    },
    "upheld, letters made": {
        "release": RELEASERS,
        "record_further_conference": {*REVIEWERS, "unit_representative"},
        "tell_management": DISSENTER,
        "correct_decision": PRESIDED,
    },
    "not upheld, letters out": {
        "make_record_pack": {"unit_representative"},
        "tell_management": DISSENTER,
        "correct_decision": PRESIDED,
    },
    "not upheld, record made": {
        "record_upload": {"unit_representative"},
        "tell_management": DISSENTER,
        "correct_decision": PRESIDED,
    },
    "closed": {"correct_decision": PRESIDED},
    "withdrawn": {},
    "lapsed": {},
}
"""Where the case stands, what is possible there, and who may do it. Everything else is refused."""


def people(world: World) -> dict[str, Person]:
    """Everybody who could try: of the case, of the council, and from elsewhere."""
    world.panellists()
    world.appoint("chair", "Another Chair", key="other_chair")
    elsewhere = World(key="elsewhere", quick=True)
    world.people["manager_elsewhere"] = elsewhere.service_manager
    like_the_officer = {"nurse", "absentee"}
    return {name: person for name, person in world.people.items() if name not in like_the_officer}


def attempt(world: World, dissent: Dissent, verb: str, by: Person) -> str:
    """Try it, undo it, and say what came of it."""
    with transaction.atomic():
        try:
            DO[verb](world, dissent, by)
            return "done"
        except PermissionDenied:
            return "not you"
        except (TransitionNotAllowed, Refused):
            return "not now"
        finally:
            transaction.set_rollback(True)


@cache
def attempts(standing: str) -> dict[tuple[str, str], tuple[str, bool]]:
    """Let everybody try everything once: what came of it, and whether the button was there."""
    world = World(quick=True)
    dissent = STANDING[standing](world)
    tried = {}
    for name, person in people(world).items():
        dissent.stand_as(person, at=NOW)
        for verb in DO:
            shown = hasattr(dissent, verb) and dissent.can(verb)
            tried[name, verb] = attempt(world, dissent, verb, person), shown
    return tried


@pytest.mark.rule("ST-09", "ST-10", "ST-11", "ST-12", "ST-22")
@pytest.mark.django_db
@pytest.mark.parametrize("standing", STANDING)
def test_only_what_the_table_says_is_possible_and_only_for_whom_it_says(standing: str) -> None:
    did: dict[str, set[str]] = {}
    for (name, verb), (came, _) in attempts(standing).items():
        if came == "done":
            did.setdefault(verb, set()).add(name)
    assert did == POSSIBLE[standing]


@pytest.mark.django_db
@pytest.mark.parametrize("standing", STANDING)
def test_whoever_has_nothing_to_do_with_it_is_told_not_you_and_never_not_now(standing: str) -> None:
    """*Not now* would say that there is such a case."""
    strangers = {"manager_elsewhere", "officer", "other_chair", "administrator"}
    told = {came for (name, _), (came, _) in attempts(standing).items() if name in strangers}
    assert told == {"not you"}


@pytest.mark.django_db
@pytest.mark.parametrize("standing", STANDING)
def test_the_button_is_there_exactly_where_the_press_is_taken(standing: str) -> None:
    """A step that is recorded already, letters still being made, and a record that lacks something or says it
    all already, are refused in words after the press."""
    refused_in_words = {(verb, True, "not now") for verb in ("record_step", "release", "make_record_pack")}
    wrong = [
        (name, verb)
        for (name, verb), (came, shown) in attempts(standing).items()
        if shown != (came == "done") and (verb, shown, came) not in refused_in_words
    ]
    without_a_button = {"declare", "record_sitting"}  # they hang on a seat, not on the machine
    assert {verb for _, verb in wrong} <= without_a_button


@pytest.mark.django_db
def test_the_panels_chair_who_presses_twice_is_told_that_the_case_has_moved_on() -> None:
    world = World(quick=True)
    dissent = world.decided(outcome="not_upheld")
    with pytest.raises(TransitionNotAllowed):
        DO["decide"](world, dissent, world.superintendent)


# --- the state itself ------------------------------------------------------------------------------


@pytest.mark.django_db
def test_nobody_sets_the_state_by_hand() -> None:
    dissent = World(quick=True).raised()
    with pytest.raises(AttributeError):
        dissent.state = "closed"


@pytest.mark.django_db
def test_the_database_knows_no_other_states() -> None:
    dissent = World(quick=True).raised()
    with pytest.raises(IntegrityError), transaction.atomic():
        Dissent.objects.filter(pk=dissent.pk).update(state="forgotten")


@pytest.mark.django_db
def test_the_database_refuses_a_closed_case_that_does_not_say_when() -> None:
    dissent = World(quick=True).raised()
    with pytest.raises(IntegrityError), transaction.atomic():
        Dissent.objects.filter(pk=dissent.pk).update(state="closed")


@pytest.mark.django_db
def test_a_refresh_brings_the_state_and_leaves_it_protected() -> None:
    world = World(quick=True)
    stale = world.raised()
    world.filed(stale)
    stale = Dissent.objects.get(pk=stale.pk)
    world.reviewed(stale)
    world.proposed(stale)
    stale.refresh_from_db()
    assert stale.state == "proposed"
    with pytest.raises(AttributeError):
        stale.state = "closed"


@pytest.mark.django_db
def test_a_refresh_that_fails_leaves_every_state_protected() -> None:
    """The library switches protection off for all rows while one is refreshed; a failure left it off."""
    dissent = World(quick=True).raised()
    with pytest.raises(Dissent.DoesNotExist):
        Dissent(pk=uuid.uuid4()).refresh_from_db()
    with pytest.raises(AttributeError):
        dissent.state = "closed"


@pytest.mark.django_db
def test_a_refresh_of_other_columns_leaves_the_state_alone() -> None:
    dissent = World(quick=True).raised()
    dissent.refresh_from_db(fields=["stage"])
    with pytest.raises(AttributeError):
        dissent.state = "closed"
    dissent.refresh_from_db(fields=["state"])
    assert dissent.state == "raised"


@pytest.mark.django_db(transaction=True)
def test_while_eight_threads_refresh_nobody_gets_past_the_protection() -> None:
    dissent = World(quick=True).raised()

    def refresh() -> int:
        held, slipped = Dissent.objects.get(pk=dissent.pk), 0
        for _ in range(50):
            held.refresh_from_db()
            try:
                held.state = "closed"
                slipped += 1
            except AttributeError:
                pass
        return slipped

    assert at_once(*[refresh] * 8) == [0] * 8


@pytest.mark.django_db
def test_of_two_that_read_the_same_state_only_the_first_can_save() -> None:
    dissent = World(quick=True).proposed()
    first, second = (Dissent.objects.get(pk=dissent.pk) for _ in range(2))
    first.agree()
    first.save()
    second.refuse()
    with pytest.raises(ConcurrentTransition), transaction.atomic():
        second.save()


@pytest.mark.django_db
def test_a_case_that_owes_something_cannot_be_closed() -> None:
    dissent = World(quick=True).released(outcome="upheld")
    assert dissent.state == RECONVENING
    assert dissent.owes() == ["The further conference is not recorded."]
    with pytest.raises(TransitionNotAllowed):
        dissent.close()

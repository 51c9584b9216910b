"""Two people press at the same moment: one succeeds, the other is told, and there is one row.

Real threads on real connections. Each action stands here once, or says why twice is no harm.
"""

from __future__ import annotations

import inspect
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import models
from django_fsm import ConcurrentTransition, TransitionNotAllowed

from councils import procedure as language
from dissent import actions, letters
from dissent.actions import Found, Refused
from dissent.models import (
    Attendance,
    Child,
    Conference,
    Correction,
    Decision,
    Dissent,
    LedgerEntry,
    Letter,
    LetterContent,
    Moment,
    Panel,
    Proposal,
    Seat,
    StepRecord,
)
from dissent.models.ledger import verify
from tests.dissent import test_ledger
from tests.dissent.together import at_once
from tests.world import RECORDED, World, when

pytestmark = pytest.mark.django_db(transaction=True)

NOW = when("2026-04-01 12:00")
LATE = when("2026-03-05 09:00")
TOLD = (TransitionNotAllowed, ConcurrentTransition, PermissionDenied, Refused)
"""What the slower one may be told. Nothing else: neither a broken constraint nor a deadlock."""

Act = Callable[[], Any]


@pytest.fixture
def world() -> World:
    return World(quick=True)


def one_succeeds(*acts: Act) -> None:
    gave = at_once(*acts)
    refused = [each for each in gave if isinstance(each, Exception)]
    assert all(isinstance(each, TOLD) for each in refused), gave
    assert len(refused) == len(acts) - 1, gave


def decide(dissent: Dissent, by: Any, outcome: str) -> Act:
    found = dict.fromkeys(
        dissent.children.all(), Found(outcome=outcome, reasons="Why.", plain_reasons="Plainly.")
    )
    return lambda: actions.decide(dissent=dissent, findings=found, by=by, at=NOW)


def rehear(world: World, dissent: Dissent) -> Act:
    return lambda: actions.record_further_conference(
        dissent=dissent,
        held_at=when("2026-04-01 09:00"),
        ended_at=when("2026-04-01 11:00"),
        chair=world.chair,
        by=world.service_manager,
        at=NOW,
    )


def convene(world: World, dissent: Dissent) -> Act:
    chair, *members = world.panellists()
    return lambda: actions.convene_panel(
        dissent=dissent, chair=chair, members=members, by=world.business_manager, at=NOW
    )


def closing(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    conference = world.conference()
    actions.confirm_explained(conference=conference, by=world.chair, at=RECORDED)
    act = lambda: actions.close_record(conference=conference, by=world.chair, at=NOW)  # noqa: E731
    return [act] * 2, LedgerEntry.objects.filter(verb="close_record")


def raising(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    conference = world.conference()
    return [lambda: world.raised(conference)] * 2, Dissent.objects.all()


def filing(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    dissent = world.filled_in(world.raised())
    act = lambda: actions.file_dissent(dissent=dissent, by=world.teacher, at=RECORDED)  # noqa: E731
    return [act] * 2, Moment.objects.filter(name="filed")


def letting_in(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    dissent = world.filed(at=LATE, late_because="Why.")
    by = (world.service_manager, world.nominated_manager)
    return [
        lambda: actions.admit(dissent=dissent, reasons="Yes.", by=by[0], at=NOW),
        lambda: actions.refuse_late(dissent=dissent, reasons="No.", by=by[1], at=NOW),
    ], Moment.objects.filter(name="admission_decided")


def withdrawing(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    dissent = world.reviewed()
    act = lambda: actions.withdraw(dissent=dissent, reasons="", by=world.teacher, at=NOW)  # noqa: E731
    return [act] * 2, Moment.objects.filter(name="withdrawn")


def withdrawing_or_deciding(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    dissent = world.sat()
    return [
        lambda: actions.withdraw(dissent=dissent, reasons="", by=world.teacher, at=NOW),
        decide(dissent, world.superintendent, "not_upheld"),
    ], Moment.objects.filter(models.Q(name="withdrawn") | models.Q(name="decided", stage="panel"))


def withdrawing_or_agreeing(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    dissent = world.proposed()
    return [
        lambda: actions.withdraw(dissent=dissent, reasons="", by=world.teacher, at=NOW),
        lambda: actions.agree_to_resolution(dissent=dissent, by=world.teacher, at=NOW),
        lambda: actions.refuse_resolution(dissent=dissent, words="", by=None, at=NOW),
    ], Moment.objects.filter(name__in=["withdrawn", "decided"])


def lapsing(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    dissent = world.raised()
    return [
        lambda by=by: actions.lapse(
            dissent=dissent, tried="I phoned.", tried_at=NOW, reasons="Why.", by=by, at=NOW
        )
        for by in (world.service_manager, world.nominated_manager)
    ], Moment.objects.filter(name="lapsed")


def lapsing_or_filing(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    (lapse, _), _ = lapsing(world)
    dissent = world.filled_in(Dissent.objects.get(), late_because="I was ill.")
    return [
        lapse,
        lambda: actions.file_dissent(dissent=dissent, by=world.teacher, at=NOW),
    ], Moment.objects.filter(name__in=["lapsed", "filed"])


def stepping(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    dissent = world.filed()
    return [
        lambda by=by: actions.record_step(
            dissent=dissent, step="reviewed_with_chair", note="Said.", happened_at=NOW, by=by, at=NOW
        )
        for by in (world.service_manager, world.nominated_manager)
    ], StepRecord.objects.all()


def proposing(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    dissent = world.reviewed()
    return [
        lambda by=by: actions.propose_resolution(dissent=dissent, text="What.", by=by, at=NOW)
        for by in (world.service_manager, world.nominated_manager)
    ], Proposal.objects.all()


def proposing_or_deciding(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    dissent = world.reviewed()
    return [
        lambda: actions.propose_resolution(dissent=dissent, text="What.", by=world.service_manager, at=NOW),
        decide(dissent, world.nominated_manager, "unresolved"),
    ], Moment.objects.filter(name__in=["resolution_proposed", "decided"])


def answering(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    dissent = world.proposed()
    return [
        lambda: actions.agree_to_resolution(dissent=dissent, by=world.teacher, at=NOW),
        lambda: actions.refuse_resolution(dissent=dissent, words="", by=world.teacher, at=NOW),
        lambda: actions.refuse_resolution(dissent=dissent, words="", by=None, at=NOW),
    ], Decision.objects.all()


def deciding_the_review(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    dissent = world.reviewed()
    by = (world.service_manager, world.nominated_manager)
    return [decide(dissent, each, "unresolved") for each in by], Decision.objects.all()


def deciding_for_the_panel(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    dissent = world.sat()
    act = decide(dissent, world.superintendent, "not_upheld")
    return [act] * 2, Decision.objects.filter(stage="panel")


def going_further(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    dissent = world.offered()
    return [
        lambda: actions.take_further(dissent=dissent, by=world.teacher, at=NOW),
        lambda: actions.accept(dissent=dissent, by=world.teacher, at=NOW),
        lambda: actions.end_offer(dissent=dissent, at=NOW),
    ], Moment.objects.filter(name="escalation_answered")


def convening(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    return [convene(world, world.escalated())] * 2, Panel.objects.all()


def convening_for_two_dissents(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    """Each would take the other's dissent along."""
    conference = world.conference()
    return [
        convene(
            world,
            world.escalated(world.offered(world.reviewed(world.filed(world.raised(conference, who=who))))),
        )
        for who in ("teacher", "officer")
    ], Panel.objects.all()


def joining(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    conference = world.conference()
    first, second = (
        world.escalated(world.offered(world.reviewed(world.filed(world.raised(conference, who="teacher"))))),
        world.filed(world.raised(conference, who="officer")),
    )
    panel = world.convened(first).panel
    second = world.escalated(world.offered(world.reviewed(second)))
    act = lambda: actions.join_panel(dissent=second, panel=panel, by=world.business_manager, at=NOW)  # noqa: E731
    return [act] * 2, LedgerEntry.objects.filter(verb="join_panel", case_id=second.pk)


def replacing(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    dissent = world.convened()
    world.appoint("panel_member", "Deputy Nurse", "Health Trust", key="deputy_nurse")
    world.appoint("panel_member", "Police Sergeant", "Police", key="sergeant")
    seat = dissent.panel.seats.get(person=world.head_nurse)
    return [
        lambda person=person: actions.replace_member(
            dissent=dissent, seat=seat, person=person, by=world.business_manager, at=NOW
        )
        for person in (world.deputy_nurse, world.sergeant)
    ], Seat.objects.filter(person__in=[world.deputy_nurse, world.sergeant])


def declaring(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    dissent = world.convened()
    by = world.head_nurse
    return [
        lambda: actions.declare(dissent=dissent, independent=True, by=by, at=NOW),
        lambda: actions.declare(dissent=dissent, independent=False, conflict="My cousin.", by=by, at=NOW),
    ], LedgerEntry.objects.filter(verb="declare")


def releasing(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    dissent = world.decided(outcome="not_upheld")
    world.made()
    return [
        lambda by=by: actions.release_letters(dissent=dissent, by=by, at=NOW)
        for by in (world.business_manager, world.service_manager)
    ], LedgerEntry.objects.filter(verb="release_letters")


def handing_over(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    conference = world.conference()
    actions.add_attendance(
        conference=conference,
        name="Posty Testshire",
        capacity="professional",
        present=True,
        agency=world.agency("Police"),
        by=world.conference_administrator,
        at=RECORDED,
    )
    dissent = world.escalated(world.offered(world.reviewed(world.filed(world.raised(conference)))))
    world.released(world.decided(world.sat(world.convened(dissent)), outcome="not_upheld"))
    letter = Letter.objects.get(to=None)
    return [
        lambda by=by: actions.hand_over(letter=letter, by=by, at=NOW)
        for by in (world.business_manager, world.service_manager)
    ], LedgerEntry.objects.filter(verb="hand_over_letter")


def going_away(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    return [
        lambda: world.away("service_manager", stands_in=world.business_manager, at=NOW)
    ] * 2, LedgerEntry.objects.filter(verb="record_absence")


def coming_back(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    absence = world.away("service_manager", stands_in=world.business_manager, at=NOW)
    return [
        lambda by=by: actions.end_absence(absence=absence, by=by, at=NOW)
        for by in (world.service_manager, world.administrator)
    ], LedgerEntry.objects.filter(verb="end_absence")


def rehearing(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    return [rehear(world, world.released())] * 2, Conference.objects.exclude(answers=None)


def rehearing_from_two_dissents(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    """One further conference answers both, whichever of them it is recorded from."""
    conference = world.conference()
    both = [
        world.escalated(world.offered(world.reviewed(world.filed(world.raised(conference, who=who)))))
        for who in ("teacher", "officer")
    ]
    world.convened(both[0])
    world.sat(Dissent.objects.get(pk=both[0].pk))
    for each in both:
        world.released(world.decided(Dissent.objects.get(pk=each.pk)))
    return [rehear(world, each) for each in both], Conference.objects.exclude(answers=None)


def twice_from_the_ledger(verb: str) -> Callable[[World], tuple[list[Act], models.QuerySet[Any]]]:
    def race(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
        act = test_ledger.READY[verb](world)
        return [act] * 2, LedgerEntry.objects.filter(verb=verb)

    race.__name__ = f"twice_{verb}"
    return race


def matching(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    dissent = world.unmatched()
    return [
        lambda conference=conference: world.matched(dissent, conference=conference)
        for conference in (world.conference(), world.conference())
    ], Moment.objects.filter(dissent=dissent, name="matched")


def asking_or_recording(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    """The chair records it while the administrator finds the conference of the form that came."""
    conference = world.conference()
    sent = world.unmatched(world.begun(who="teacher"))
    world.matched(sent, conference=conference)
    return [
        lambda: world.raised(conference),
        lambda: world.confirmed(Dissent.objects.get(pk=sent.pk)),
    ], Moment.objects.filter(name="raised")


def saying_whether_it_was_raised(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    dissent = world.matched()
    return [
        lambda: world.confirmed(dissent),
        lambda: world.denied(dissent),
        lambda: actions.leave_unconfirmed(dissent=dissent, at=NOW),
    ], Moment.objects.filter(dissent=dissent, name="raising_answered")


def settling(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    dissent = world.denied()
    said = {"heard": "Said.", "heard_at": NOW, "reasons": "Why.", "at": NOW}
    children = list(dissent.conference.children.all())
    return [
        lambda: actions.let_in(dissent=dissent, children=children, by=world.service_manager, **said),
        lambda: actions.turn_away(dissent=dissent, by=world.nominated_manager, **said),
    ], Moment.objects.filter(dissent=dissent, name="entry_settled")


twice_answer_for_family = twice_from_the_ledger("answer_for_family")
twice_hold_back = twice_from_the_ledger("hold_back")
twice_let_go = twice_from_the_ledger("let_go")
twice_record_telling = twice_from_the_ledger("record_telling")
twice_change_contact = twice_from_the_ledger("change_contact")
twice_fill_in_record_number = twice_from_the_ledger("fill_in_record_number")
twice_make_record_pack = twice_from_the_ledger("make_record_pack")
twice_record_upload = twice_from_the_ledger("record_upload")


def twice_correcting(verb: str) -> Callable[[World], tuple[list[Act], models.QuerySet[Any]]]:
    def twice(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
        return [test_ledger.READY[verb](world)] * 2, Correction.objects.all()

    twice.__name__ = f"twice_{verb}"
    return twice


twice_correct_child = twice_correcting("correct_child")
twice_correct_conference_end = twice_correcting("correct_conference_end")
twice_correct_attendance = twice_correcting("correct_attendance")


def correcting_the_decision(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    act = decide_again(world, world.released(outcome="not_upheld"), "not_upheld")
    return [act] * 2, Correction.objects.all()


def correcting_the_decision_or_rehearing(world: World) -> tuple[list[Act], models.QuerySet[Any]]:
    """A decision is corrected, or answered by a further conference: never both."""
    dissent = world.released()
    return [
        decide_again(world, dissent, "not_upheld"),
        rehear(world, dissent),
    ], LedgerEntry.objects.filter(verb__in=["correct_decision", "record_further_conference"])


def decide_again(world: World, dissent: Dissent, outcome: str) -> Act:
    found = Found(outcome=outcome, reasons="As it was.", plain_reasons="Plainly.")
    return lambda: actions.correct_decision(
        dissent=dissent,
        findings=dict.fromkeys(dissent.children.all(), found),
        because="The wrong child.",
        by=world.superintendent,
        at=NOW,
    )


RACES = {
    "correct_child": twice_correct_child,
    "correct_conference_end": twice_correct_conference_end,
    "correct_attendance": twice_correct_attendance,
    "correct_decision": correcting_the_decision,
    "correct_decision, record_further_conference": correcting_the_decision_or_rehearing,
    "answer_for_family": twice_answer_for_family,
    "hold_back": twice_hold_back,
    "let_go": twice_let_go,
    "record_telling": twice_record_telling,
    "change_contact": twice_change_contact,
    "fill_in_record_number": twice_fill_in_record_number,
    "make_record_pack": twice_make_record_pack,
    "record_upload": twice_record_upload,
    "close_record": closing,
    "raise_dissent": raising,
    "file_dissent": filing,
    "match_dissent": matching,
    "confirm_raised, raise_dissent": asking_or_recording,
    "confirm_raised": saying_whether_it_was_raised,
    "deny_raised": saying_whether_it_was_raised,
    "leave_unconfirmed": saying_whether_it_was_raised,
    "let_in": settling,
    "turn_away": settling,
    "admit": letting_in,
    "refuse_late": letting_in,
    "withdraw": withdrawing,
    "withdraw, decide": withdrawing_or_deciding,
    "withdraw, agree_to_resolution": withdrawing_or_agreeing,
    "lapse": lapsing,
    "lapse, file_dissent": lapsing_or_filing,
    "record_step": stepping,
    "propose_resolution": proposing,
    "propose_resolution, decide": proposing_or_deciding,
    "agree_to_resolution": answering,
    "refuse_resolution": answering,
    "decide": deciding_the_review,
    "decide for a panel": deciding_for_the_panel,
    "take_further": going_further,
    "accept": going_further,
    "end_offer": going_further,
    "convene_panel": convening,
    "convene_panel for two dissents": convening_for_two_dissents,
    "join_panel": joining,
    "replace_member": replacing,
    "declare": declaring,
    "release_letters": releasing,
    "hand_over": handing_over,
    "record_absence": going_away,
    "end_absence": coming_back,
    "record_further_conference": rehearing,
    "record_further_conference of two dissents": rehearing_from_two_dissents,
}
TWICE_IS_NO_HARM = {
    "begin_dissent": "a page sent twice is one row, as for a child below",
    "change_claim": "the last one said counts",
    "add_relative": "a page sent twice is one row, as for a child below",
    "confirm_explained": "shown below: confirmed once",
    "keep_answer": "the last word typed counts",
    "record_read": "each reading is an entry of its own",
    "record_sitting": "the panel's chair may correct who sat until it is decided",
    "tell_management": "the last one said counts",
}
SHOWN_BELOW = {
    "add_attendance",
    "add_child",
    "attach_paper",
    "make_bytes",
    "pass_clocks",
    "publish_procedure",
    "record_conference",
}


def test_every_action_is_raced_or_says_why_not() -> None:
    verbs = {name for name in actions.__all__ if inspect.isfunction(getattr(actions, name))}
    questions = {"who_may_be_named", "why_not"}
    raced = {name.partition(",")[0].partition(" ")[0] for name in RACES}
    assert verbs - questions == raced | set(TWICE_IS_NO_HARM) | SHOWN_BELOW


@pytest.mark.parametrize("race", sorted({race.__name__: race for race in RACES.values()}))
def test_one_succeeds_and_the_other_is_told(world: World, race: str) -> None:
    acts, rows = globals()[race](world)
    one_succeeds(*acts)
    assert rows.count() == 1
    assert verify(world.council)[1] == []


def test_both_dissents_are_heard_by_the_one_panel_that_was_named(world: World) -> None:
    acts, panels = convening_for_two_dissents(world)
    one_succeeds(*acts)
    assert panels.get().dissents.count() == 2


def test_both_dissents_are_closed_by_the_one_further_conference(world: World) -> None:
    acts, _ = rehearing_from_two_dissents(world)
    one_succeeds(*acts)
    assert set(Dissent.objects.values_list("state", flat=True)) == {"closed"}


@pytest.mark.rule("ST-13")
def test_whoever_is_added_to_the_record_while_a_panel_decides_has_a_letter_or_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody ends on the record as present with no letter, and neither act breaks the other."""
    dissent = world.sat()
    deciding, added = threading.Event(), threading.Event()
    make_due = letters.make_due

    def slowly(*about: Any, **when_due: Any) -> list[Letter]:
        made = make_due(*about, **when_due)
        deciding.set()
        added.wait(timeout=1)
        return made

    def add() -> Any:
        deciding.wait(timeout=30)
        try:
            return world.attend(dissent.conference, "newcomer", "Police", at=NOW)
        finally:
            added.set()

    monkeypatch.setattr(letters, "make_due", slowly)
    decided, attendance = at_once(decide(dissent, world.superintendent, "not_upheld"), add)
    assert isinstance(decided, Decision), decided
    assert isinstance(attendance, Refused), attendance
    present = dissent.conference.attendances.filter(capacity="professional", present=True)
    assert set(present.values_list("pk", flat=True)) == set(
        Letter.objects.exclude(attendance=None).values_list("attendance", flat=True)
    )


def test_a_panel_that_sits_while_a_dissent_joins_has_it_or_has_not(world: World) -> None:
    """Never a dissent that joins after the panel has sat."""
    (join, _), _ = joining(world)
    first = Dissent.objects.exclude(panel=None).get()
    for seat in first.panel.seats.all():
        actions.declare(dissent=first, independent=True, by=seat.person, at=NOW)
    seats = list(first.panel.seats.all())
    sit = lambda: actions.record_sitting(  # noqa: E731
        dissent=first, present=seats, sat_at=NOW, by=world.superintendent, at=NOW
    )
    joined, sat = at_once(join, sit)
    # Whoever joins first has everybody asked again, so that the chair is told to declare before it sits.
    told = [each for each in (joined, sat) if isinstance(each, TransitionNotAllowed)]
    assert len(told) == 1, (joined, sat)
    verbs = list(LedgerEntry.objects.order_by("sequence").values_list("verb", flat=True))
    assert ("join_panel" in verbs) != ("record_sitting" in verbs)


def once_each(world: World) -> dict[str, tuple[Act, type[models.Model]]]:
    conference, once = world.conference(), uuid.uuid4()
    by, at = world.conference_administrator, RECORDED
    child = {"born_on": when("2018-05-01 00:00").date(), "due_on": None, "decision": "ended", "category": ""}
    return {
        "record_conference": (
            lambda: actions.record_conference(
                council=world.council,
                kind="initial",
                held_at=conference.held_at,
                ended_at=conference.ended_at,
                chair=world.chair,
                once=once,
                by=by,
                at=at,
            ),
            Conference,
        ),
        "add_child": (
            lambda: actions.add_child(conference=conference, name="Ann", once=once, by=by, at=at, **child),
            Child,
        ),
        "add_attendance": (
            lambda: actions.add_attendance(
                conference=conference,
                name="Newcomer",
                capacity="professional",
                present=True,
                agency=world.agency("Police"),
                email="newcomer@police.example",
                once=once,
                by=by,
                at=at,
            ),
            Attendance,
        ),
    }


@pytest.mark.parametrize("verb", ["record_conference", "add_child", "add_attendance"])
def test_one_page_sent_twice_at_once_is_one_row_and_no_error(world: World, verb: str) -> None:
    act, model = once_each(world)[verb]
    before = model.objects.count()
    first, second = at_once(act, act)
    assert first == second, (first, second)
    assert model.objects.count() == before + 1


def test_the_same_paper_sent_twice_at_once_is_one_paper(world: World) -> None:
    from tests.world import a_pdf

    conference, once = world.conference(), uuid.uuid4()
    act = lambda: actions.attach_paper(  # noqa: E731
        conference=conference,
        kind="minutes",
        file_name="minutes.pdf",
        data=a_pdf(),
        once=once,
        by=world.conference_administrator,
        at=RECORDED,
    )
    first, second = at_once(act, act)
    assert first == second, (first, second)
    assert conference.papers.count() == 1


def test_two_conferences_that_meet_somebody_new_at_once_know_one_person(world: World) -> None:
    conferences = [world.conference() for _ in range(2)]
    first, second = at_once(
        *[
            lambda conference=conference: world.attend(conference, "newcomer", "Police")
            for conference in conferences
        ]
    )
    assert first.person == second.person, (first, second)


def test_what_was_explained_is_confirmed_once(world: World) -> None:
    conference = world.conference()
    act = lambda: actions.confirm_explained(conference=conference, by=world.chair, at=NOW)  # noqa: E731
    assert not any(isinstance(each, Exception) for each in at_once(act, act))
    assert LedgerEntry.objects.filter(verb="confirm_explained").count() == 1


def test_what_is_typed_in_two_windows_at_once_is_one_answer(world: World) -> None:
    dissent = world.raised()
    gave = at_once(
        *[
            lambda text=text: actions.keep_answer(
                dissent=dissent, question="reason", text=text, by=world.teacher, at=RECORDED
            )
            for text in "abcdefgh"
        ]
    )
    assert not any(isinstance(each, Exception) for each in gave), gave
    assert dissent.answers.get().text in "abcdefgh"


def test_a_version_published_twice_at_once_is_one_version(world: World) -> None:
    procedure = language.read(language.SHIPPED / "south_tyneside.toml").model_copy(update={"version": 2})
    other = procedure.model_copy(update={"title": "Something else"})
    act = lambda: actions.publish_procedure(procedure=procedure, by=None, at=NOW)  # noqa: E731
    first, second = at_once(act, act)
    assert first == second, (first, second)
    assert LedgerEntry.objects.filter(verb="publish_procedure").count() == 2
    third = other.model_copy(update={"version": 3}), procedure.model_copy(update={"version": 3})
    one_succeeds(
        *[lambda each=each: actions.publish_procedure(procedure=each, by=None, at=NOW) for each in third]
    )


def test_two_makers_at_once_make_each_letter_once(world: World) -> None:
    world.decided(outcome="not_upheld")
    made = at_once(*[lambda: actions.make_bytes(at=NOW)] * 2)
    assert sum(made) == 4, made
    assert LetterContent.objects.count() == 4
    assert LedgerEntry.objects.filter(verb="make_letter").count() == 4


def test_an_answer_and_the_sweep_at_once_leave_one_answer(world: World) -> None:
    dissent = world.proposed()
    late = when("2026-03-20 09:00")
    answered, passed = at_once(
        lambda: actions.agree_to_resolution(dissent=dissent, by=world.teacher, at=late),
        lambda: actions.pass_clocks(at=late),
    )
    assert not isinstance(passed, Exception), passed
    assert Decision.objects.count() == 1
    agreed = Proposal.objects.get().answer == "agreed"
    assert agreed == (not isinstance(answered, Exception))

"""What is done at a stage in one person's hands, and what the dissenter answers to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from councils.models import Person
from councils.procedure import Outcome
from dissent import family_letters, letters
from dissent.actions.core import (
    Refused,
    before,
    close_if_nothing_is_owed,
    enter_stage,
    hold,
    not_in_the_future,
    note,
    put_in_hands_of,
    record,
)
from dissent.actions.panel import lock_panel, refuse_who_may_no_longer_sit
from dissent.models import Child, Decision, Dissent, Finding, Proposal, StepRecord
from dissent.models.dissent import AT_STAGE


class StepsMissing(Refused):
    """The procedure asks for more first. `steps` are the labels of what is missing."""

    def __init__(self, steps: list[str]) -> None:
        super().__init__(f"First record: {'; '.join(steps)}.")
        self.steps = steps


class NotAnOutcome(Refused):
    """The stage cannot end like this."""


@dataclass(frozen=True)
class Found:
    """What is found for one child: an outcome of the stage, its ground where it asks for one, and why."""

    outcome: str
    reasons: str
    ground: str = ""
    plain_reasons: str = ""
    """The same for the family, where the procedure writes to them."""


@transaction.atomic
def record_step(
    *, dissent: Dissent, step: str, note: str, happened_at: dt.datetime, by: Person, at: dt.datetime
) -> StepRecord:
    """Record that a step of the present stage was done.

    Raises PermissionDenied, TransitionNotAllowed, StepsMissing where another comes before it (ST-10),
    InTheFuture, and Refused where it is recorded already or nothing is said about it.
    """
    held = hold(dissent, verb="record_step", by=by, at=at)
    rule = next((each for each in held.rules_of_stage.steps if each.key == step), None)
    if rule is None:
        raise Refused("This stage has no such step.")
    done = {each.step: each for each in held.steps.all() if each.stage == held.stage}
    if step in done:
        raise Refused("This step is already recorded.")
    unmet = [held.rules_of_stage.step(key) for key in rule.after if key not in done]
    if unmet:
        raise StepsMissing([each.label for each in unmet])
    not_in_the_future(happened_at, at=at, field="happened_at")
    earliest = max([done[key].happened_at for key in rule.after], default=None)
    if earliest and before(happened_at, earliest):
        raise Refused(
            f"This comes after “{held.rules_of_stage.step(rule.after[-1]).label}”, "
            "so it cannot have happened earlier.",
            field="happened_at",
        )
    if held.filed_at and before(happened_at, held.filed_at):
        raise Refused("This cannot have happened before the form was sent.", field="happened_at")
    if not note.strip():
        raise Refused("Say in a few words what was discussed.", field="note")
    recorded = StepRecord.objects.create(
        council_id=held.council_id,
        dissent=held,
        stage=held.stage,
        step=step,
        note=note.strip(),
        happened_at=happened_at,
        recorded_at=at,
        recorded_by=by,
    )
    _note_step(held, recorded, by=by, at=at)
    return recorded


def _note_step(dissent: Dissent, step: StepRecord, *, by: Person, at: dt.datetime) -> None:
    note(
        verb="record_step",
        dissent=dissent,
        about=step,
        by=by,
        at=at,
        happened_at=step.happened_at,
        values={"step": step.step, "note": step.note},
    )


@transaction.atomic
def propose_resolution(*, dissent: Dissent, text: str, by: Person, at: dt.datetime) -> Proposal:
    """Put a resolution to the dissenter in writing (ST-11).

    Raises PermissionDenied, TransitionNotAllowed, StepsMissing, Refused where nothing is proposed.
    """
    held = hold(dissent, verb="propose", by=by, at=at, first=_steps_first)
    if not text.strip():
        raise Refused("Write what you propose.", field="text")
    held.propose()
    held.save()
    proposal = Proposal.objects.create(
        council_id=held.council_id,
        dissent=held,
        stage=held.stage,
        text=text.strip(),
        proposed_at=at,
        proposed_by=by,
    )
    record(
        "resolution_proposed",
        verb="propose_resolution",
        dissent=held,
        stage=held.stage,
        by=by,
        at=at,
        about=proposal,
        values={"text": proposal.text},
    )
    return proposal


@transaction.atomic
def agree_to_resolution(*, dissent: Dissent, by: Person, at: dt.datetime) -> Dissent:
    """Agree to the resolution: the dissent is resolved, and both sides have it in writing.

    Raises PermissionDenied, TransitionNotAllowed.
    """
    held = hold(dissent, verb="agree", by=by, at=at)
    proposal = _answer(held, Proposal.Answered.AGREED, "", at=at)
    held.agree()
    held.save()
    record("resolution_answered", verb="agree_to_resolution", dissent=held, stage=held.stage, by=by, at=at)
    outcome = next(each for each in held.rules_of_stage.outcomes if each.agreement)
    found = Found(outcome=outcome.key, reasons=proposal.text)
    _decided(held, dict.fromkeys(held.children.all(), found), decided_by=proposal.proposed_by, by=by, at=at)
    return held


@transaction.atomic
def refuse_resolution(*, dissent: Dissent, words: str, by: Person | None, at: dt.datetime) -> Dissent:
    """Refuse the resolution, or by the clock leave it unanswered: the next stage is offered.

    Raises PermissionDenied, TransitionNotAllowed.
    """
    held = hold(dissent, verb="refuse", by=by, at=at)
    answer = Proposal.Answered.REFUSED if by else Proposal.Answered.SILENT
    _answer(held, answer, words, at=at)
    held.refuse()
    held.save()
    record(
        "resolution_answered",
        verb="refuse_resolution" if by else "leave_resolution_unanswered",
        dissent=held,
        stage=held.stage,
        by=by,
        at=at,
        values={"words": words},
    )
    agreement = next(each.agreement for each in held.rules_of_stage.outcomes if each.agreement)
    # Nobody decided this: the procedure says what follows from a refusal, and from silence.
    why = "The dissenter did not agree to what was proposed." if by else "No answer came in time."
    found = Found(outcome=agreement.refused_or_unanswered, reasons=f"{why}\n\n{words}".strip())
    _decided(held, dict.fromkeys(held.children.all(), found), decided_by=None, by=by, at=at)
    return held


@transaction.atomic
def decide(
    *, dissent: Dissent, findings: Mapping[Child, Found], mobile: str = "", by: Person, at: dt.datetime
) -> Decision:
    """Decide the dissent at its present stage, for each of its children.

    `mobile` is kept as the number under which `by` can be reached, who signs the letters (ST-16).

    Raises TransitionNotAllowed where the case has moved on, PermissionDenied where `by` does not decide this
    stage, StepsMissing where the procedure asks for more first, PanelCannotDecide without its quorum or
    without the seat that is always filled, and NotAnOutcome for anything else (ST-21).
    """
    held = hold(dissent, verb="decide", by=by, at=at, first=_everything_first)
    children = {child.pk: child for child in held.children.all()}
    if {child.pk for child in findings} != set(children):
        raise Refused("Decide for each child, and for no other.", field="outcome")
    for found in findings.values():
        is_an_outcome(held, found)
    if panel := held.panel_of_stage:
        sat = lock_panel(panel.pk).seats.select_related("person").filter(left_at=None, sat=True)
        refuse_who_may_no_longer_sit(held, sat, at=at, field="outcome")
    held.decide()
    held.save()
    if mobile:
        by.mobile = mobile
        by.save(update_fields=["mobile"])
    return _decided(held, findings, decided_by=by, by=by, at=at)


class PanelCannotDecide(Refused):
    """The panel lacks its quorum, or the seat that is always filled (terms of reference)."""


@transaction.atomic
def take_further(*, dissent: Dissent, by: Person, at: dt.datetime) -> Dissent:
    """Go on to the next stage. Raises PermissionDenied, TransitionNotAllowed."""
    held = hold(dissent, verb="take_further", by=by, at=at)
    left = held.stage
    following = held.rules.stage_after(left)
    assert following  # noqa: S101  a procedure that offers a stage which is not there is refused
    held.take_further()
    held.offer_answered_at = at
    enter_stage(held, following.key, at=at)
    held.save()
    record("escalation_answered", verb="take_further", dissent=held, stage=left, by=by, at=at)
    record("stage_entered", verb="enter_stage", dissent=held, stage=held.stage, by=by, at=at)
    return held


@transaction.atomic
def accept(*, dissent: Dissent, by: Person, at: dt.datetime) -> Dissent:
    """Leave it at the decision, and close what can be closed.

    Raises PermissionDenied, TransitionNotAllowed.
    """
    held = hold(dissent, verb="accept", by=by, at=at)
    held.accept()
    return _offer_is_over(held, verb="accept", by=by, at=at)


@transaction.atomic
def end_offer(*, dissent: Dissent, at: dt.datetime) -> Dissent:
    """End an offer that nobody took up in its time. Raises TransitionNotAllowed."""
    held = hold(dissent, verb="end_offer", by=None, at=at)
    held.end_offer()
    return _offer_is_over(held, verb="end_offer", by=None, at=at)


def _offer_is_over(dissent: Dissent, *, verb: str, by: Person | None, at: dt.datetime) -> Dissent:
    dissent.offer_answered_at = at
    dissent.save()
    record("escalation_answered", verb=verb, dissent=dissent, stage=dissent.stage, by=by, at=at)
    reconvene_where_it_was_decided(dissent, by=by, at=at)
    close_if_nothing_is_owed(dissent, at=at)
    return dissent


def _steps_first(dissent: Dissent) -> None:
    """Say which steps are missing before the machine only says that it is not possible now."""
    if dissent.state == AT_STAGE and (missing := dissent.missing_steps()):
        raise StepsMissing([step.label for step in missing])


def _everything_first(dissent: Dissent) -> None:
    """As `_steps_first`, and what keeps a panel from deciding."""
    _steps_first(dissent)
    if dissent.state == AT_STAGE and dissent.rules_of_stage.panel and (lacks := dissent.panel_lacks()):
        raise PanelCannotDecide(" ".join(lacks))


def is_an_outcome(dissent: Dissent, found: Found) -> Outcome:
    outcome = next((each for each in dissent.rules_of_stage.outcomes if each.key == found.outcome), None)
    if outcome is None:
        raise NotAnOutcome("This stage cannot end like that. Choose one of its outcomes.", field="outcome")
    if outcome.agreement:
        raise NotAnOutcome(
            "This has to be agreed with the dissenter first. Put a resolution to them.", field="outcome"
        )
    if outcome.grounds and found.ground not in outcome.grounds:
        raise Refused("Choose the ground on which the dissent is upheld.", field="ground")
    if found.ground and not outcome.grounds:
        raise Refused("A ground belongs only to a dissent that is upheld.", field="ground")
    if not found.reasons.strip():
        raise Refused("Give the reasons in your own words.", field="reasons")
    if family_letters.places_somebody(found.reasons, dissent.conference):
        raise Refused(family_letters.NO_ADDRESS, field="reasons")
    if dissent.rules.family_letters(dissent.stage, {outcome.meaning}):
        _are_for_the_family(dissent, found.plain_reasons)
    return outcome


def _are_for_the_family(dissent: Dissent, plain_reasons: str) -> None:
    """Refuse reasons for the family that are missing, or that name somebody to whoever reads them."""
    if not plain_reasons.strip():
        raise Refused("Give the reasons in plain words for the family.", field="plain_reasons")
    if named := family_letters.named_in(plain_reasons, dissent):
        raise Refused(
            f"These reasons say “{'”, “'.join(named)}”, which is on the record of the conference. They go to "
            "several people, who may not all know of each other. Write them without a name or an address, "
            "for example “the child”.",
            field="plain_reasons",
        )


def _answer(dissent: Dissent, answer: Proposal.Answered, words: str, *, at: dt.datetime) -> Proposal:
    proposal = dissent.proposals.select_related("proposed_by").get(answered_at=None)
    proposal.answered_at, proposal.answer, proposal.words = at, answer, words
    proposal.save(update_fields=["answered_at", "answer", "words"])
    return proposal


def _decided(
    dissent: Dissent,
    findings: Mapping[Child, Found],
    *,
    decided_by: Person | None,
    by: Person | None,
    at: dt.datetime,
) -> Decision:
    """Write the decision with everything that it brings: letters, an offer, a conference to come."""
    panel, goes_up = dissent.panel_of_stage, dissent.rules.childs_record
    decision = Decision.objects.create(
        council_id=dissent.council_id,
        dissent=dissent,
        stage=dissent.stage,
        decided_at=at,
        decided_by=decided_by,
        panel=panel,
        goes_on_record=goes_up is not None and goes_up.stage == dissent.stage,
    )
    Finding.objects.bulk_create(
        Finding(
            council_id=dissent.council_id,
            decision=decision,
            child=child,
            outcome=found.outcome,
            ground=found.ground,
            reasons=found.reasons.strip(),
            plain_reasons=found.plain_reasons.strip(),
        )
        for child, found in findings.items()
    )
    record(
        "decided",
        verb="decide",
        dissent=dissent,
        stage=dissent.stage,
        by=by,
        at=at,
        about=decision,
        values=in_the_ledger(findings, mobile=decided_by.mobile if decided_by else ""),
    )
    letters.make_due(dissent, decision, at=at)
    family_letters.bring_up_to_date(dissent, decision, because="", by=by, at=at)
    if dissent.decided_to("offer_next"):
        dissent.offered_at, dissent.offer_answered_at = at, None
        dissent.save()
        record(
            "escalation_offered", verb="offer_next_stage", dissent=dissent, stage=dissent.stage, by=by, at=at
        )
    else:
        reconvene_where_it_was_decided(dissent, by=by, at=at)
    close_if_nothing_is_owed(dissent, at=at)
    return decision


def reconvene_where_it_was_decided(dissent: Dissent, *, by: Person | None, at: dt.datetime) -> None:
    """Ask for the further conference that the decision leads to for any child, once nothing is offered."""
    if not dissent.decided_to("reconvene"):
        return
    dissent.reconvene()
    dissent.save()
    # Whoever is to lead in arranging the conference has to see what it is for.
    put_in_hands_of(dissent, dissent.rules.reconvening.led_by, at=at)
    note(verb="ask_for_a_further_conference", dissent=dissent, by=by, at=at)


def in_the_ledger(findings: Mapping[Child, Found], *, mobile: str) -> dict[str, Any]:
    found_of = {
        str(child.pk): {
            "outcome": found.outcome,
            "ground": found.ground,
            "reasons": found.reasons,
            "plain_reasons": found.plain_reasons,
        }
        for child, found in findings.items()
    }
    return {"findings": found_of, "mobile": mobile}

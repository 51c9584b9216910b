"""What was recorded wrongly is said rightly: by a new row that names the old one and why.

With it, in one transaction, comes what follows: clocks are worked out again, letters that said it wrongly are
ended and written anew, and whoever relied on them is told.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from councils.models import Agency, Person
from councils.procedure import Clock as Rule
from dissent import notices
from dissent.actions import clocks
from dissent.actions.childs_record import overtake
from dissent.actions.conference import (
    of_this_council,
    refuse_unlikely_child,
    refuse_unlikely_end,
    refuse_unlikely_plan,
)
from dissent.actions.core import (
    Refused,
    before,
    close_if_nothing_is_owed,
    hold,
    hold_conference,
    lock,
    note,
    record,
)
from dissent.actions.dissent import why_not
from dissent.actions.replacing import Draft, Key, drafts, replace_letters
from dissent.actions.review import Found, in_the_ledger, is_an_outcome, reconvene_where_it_was_decided
from dissent.models import (
    Attendance,
    Child,
    Conference,
    Correction,
    Decision,
    Dissent,
    Finding,
    Letter,
    Moment,
    Notice,
    ledger,
)
from dissent.models.dissent import AWAITING_ADMISSION, CLOSED, RECONVENING

MEANWHILE = "Somebody else corrected this meanwhile. Look at what the record says now."
OF_A_CHILD = ("name", "born_on", "due_on", "decision", "category")
OF_AN_ATTENDANCE = ("name", "job", "agency", "capacity", "present")


@transaction.atomic
def correct_child(
    *,
    child: Child,
    name: str,
    born_on: dt.date | None,
    due_on: dt.date | None,
    decision: str | None = None,
    category: str | None = None,
    because: str,
    seen: str = "",
    by: Person,
    at: dt.datetime,
) -> Correction:
    """Say rightly how a child is called, when it was born or is expected, and what the conference decided.

    `decision` and `category` are as they were where nothing is said of them. It stays the same child; what
    the record said of it is kept with why. Also once the record is closed.
    `seen` marks what the page showed, here and below (`mark`).

    Raises PermissionDenied, TransitionNotAllowed where the record says something else by now, and Refused
    where it is not said why, nothing changes, or it cannot be right.
    """
    held = hold_conference(child.conference, verb="correct", by=by, at=at)
    row = held.children.select_for_update(of=("self",)).get(pk=child.pk)
    _as_seen(seen, row)
    facts: dict[str, Any] = {
        "name": name.strip(),
        "born_on": born_on,
        "due_on": due_on,
        "decision": row.decision if decision is None else decision,
        "category": row.category if category is None else category,
    }
    was = {key: getattr(row, key) for key in OF_A_CHILD}
    _says_why(because)
    if facts == was:
        raise Refused("The record says the same already.", field="name")
    refuse_unlikely_child(held, name=name, born_on=born_on, due_on=due_on, at=at)
    refuse_unlikely_plan(facts["decision"], facts["category"])
    if row.due_on and born_on and born_on > timezone.localdate(held.held_at):
        raise Refused(
            "The child was born after the conference, so its record was right on its day and so are the "
            "letters. A birth is no correction.",
            field="born_on",
        )
    stood = _Letters.of(held, at=at)
    for key, value in facts.items():
        setattr(row, key, value)
    row.save(update_fields=list(OF_A_CHILD))
    correction = Correction.objects.create(
        council_id=held.council_id,
        conference=held,
        of=Correction.Of.CHILD,
        child=row,
        was=_changed(was, facts),
        now=_changed(facts, was),
        because=because.strip(),
        corrected_at=at,
        corrected_by=by,
    )
    _note(correction, "correct_child", conference=held, about=row, by=by, at=at)
    stood.replace(correction, at=at)
    _overtake_records(held, at=at)
    return correction


@transaction.atomic
def correct_conference_end(
    *,
    conference: Conference,
    ended_at: dt.datetime,
    because: str,
    seen: str = "",
    by: Person,
    at: dt.datetime,
) -> Correction:
    """Say rightly when the conference ended: clocks that run from its end are worked out again.

    What somebody decided on the old one stands: a late form that was let in or refused. Who acts on a case
    whose time moved is told. Also once the record is closed.

    Raises PermissionDenied, TransitionNotAllowed, InTheFuture, and Refused where it is not said why, nothing
    changes, or it cannot be right.
    """
    held = hold_conference(conference, verb="correct", by=by, at=at)
    _as_seen(seen, held)
    _says_why(because)
    if ended_at == held.ended_at:
        raise Refused("The record says the same already.", field="ended_at")
    refuse_unlikely_end(held.held_at, ended_at, at=at)
    cases = _cases(held)
    for dissent in cases:
        if dissent.filed_at and before(dissent.filed_at, ended_at):
            raise Refused(
                f"The form of {dissent.reference} was sent before that. Check the time.", field="ended_at"
            )
    old = held.moments.get(name="conference_ended", dissent=None, replaced_at=None)
    new = _instead_of(old, happened_at=ended_at, by=by, at=at)
    was, held.ended_at = held.ended_at, ended_at
    held.save(update_fields=["ended_at"])
    correction = Correction.objects.create(
        council_id=held.council_id,
        conference=held,
        of=Correction.Of.END,
        moment=new,
        was={"ended_at": was.isoformat()},
        now={"ended_at": ended_at.isoformat()},
        because=because.strip(),
        corrected_at=at,
        corrected_by=by,
    )
    _note(correction, "correct_conference_end", conference=held, about=new, by=by, at=at)
    for dissent in cases:
        _run_from(correction, dissent, old, new, at=at)
    _overtake_records(held, at=at)
    return correction


@transaction.atomic
def correct_attendance(
    *,
    attendance: Attendance,
    name: str,
    capacity: str,
    present: bool,
    because: str,
    agency: Agency | None = None,
    job: str = "",
    seen: str = "",
    by: Person,
    at: dt.datetime,
) -> Correction:
    """Say rightly who was at the conference, for whom, as what, or that they were not. The old row stays.

    A dissent of theirs goes with them. Also once the record is closed.

    Raises PermissionDenied, TransitionNotAllowed where it was corrected meanwhile, and Refused where it is
    not said why, nothing changes, a professional has no agency, or whoever raised a dissent could not have
    done so (ST-02).
    """
    held = hold_conference(attendance.conference, verb="correct", by=by, at=at)
    rows = held.attendances.in_force().select_for_update(of=("self",)).select_related("agency", "person")
    old = rows.filter(pk=attendance.pk).first()
    if old is None:
        raise TransitionNotAllowed(MEANWHILE)
    _as_seen(seen, old)
    facts: dict[str, Any] = {
        "name": name.strip(),
        "job": job.strip(),
        "agency": agency,
        "capacity": capacity,
        "present": present,
    }
    was = {key: getattr(old, key) for key in OF_AN_ATTENDANCE}
    _says_why(because)
    if facts == was:
        raise Refused("The record says the same already.", field="name")
    _is_likely(facts, old, held)
    theirs = old.dissents.filter(withdrawn_at=None, lapsed_at=None).order_by("raised_at").first()
    new = Attendance(
        council_id=held.council_id,
        conference=held,
        person=old.person,
        email=old.email,
        added_at=old.added_at,
        replaces=old,
        **facts,
    )
    if theirs and (reason := why_not(new, held.procedure.rules.raising)):
        raise Refused(
            f"{reason} Something about this conference rests on the record as it is. Ask its chair first: a "
            "dissent has to be withdrawn, or to lapse, before the record can say that.",
            field="present" if not present else "capacity",
        )
    stood = _Letters.of(held, at=at)
    old.replaced_at = at
    old.save(update_fields=["replaced_at"])
    new.save(force_insert=True)
    Dissent.objects.filter(attendance=old).update(attendance=new)
    correction = Correction.objects.create(
        council_id=held.council_id,
        conference=held,
        of=Correction.Of.ATTENDANCE,
        attendance=new,
        was=_changed(was, facts),
        now=_changed(facts, was),
        because=because.strip(),
        corrected_at=at,
        corrected_by=by,
    )
    _note(correction, "correct_attendance", conference=held, about=new, by=by, at=at)
    stood.replace(correction, now_is={old.pk: new.pk}, at=at)
    _overtake_records(held, at=at)
    return correction


@transaction.atomic
def correct_decision(
    *,
    dissent: Dissent,
    findings: Mapping[Child, Found],
    because: str,
    seen: str = "",
    by: Person,
    at: dt.datetime,
) -> Correction:
    """Say rightly what was decided about which child, where the record has it of the wrong one.

    The new decision keeps the day of the old one and brings what a decision brings: letters, an offer, a
    conference to come. The case is open again until they are done.

    Raises PermissionDenied, TransitionNotAllowed, NotAnOutcome, and Refused where it is not said why, nothing
    changes, or the case went on on the strength of it.
    """
    held = hold(dissent, verb="correct_decision", by=by, at=at, first=_nothing_came_of_it)
    old = held.decision_in_force()
    assert old  # noqa: S101  the machine asked
    _as_seen(seen, old)
    _says_why(because)
    children = {child.pk: child for child in held.children.all()}
    if {child.pk for child in findings} != set(children):
        raise Refused("Decide for each child, and for no other.", field="outcome")
    for found in findings.values():
        is_an_outcome(held, found)
    said = {finding.child_id: _found(finding) for finding in old.findings.all()}
    says = {child.pk: _stripped(found) for child, found in findings.items()}
    if said == says:
        raise Refused("The record says the same already.", field="outcome")
    stood = _Letters.of_one(held, old, at=at)
    was_offered = held.decided_to("offer_next") and held.offer_answered_at is None
    held.correct_decision()
    held.closed_at = None
    held.save()
    old.replaced_at = at
    old.save(update_fields=["replaced_at"])
    new = Decision.objects.create(
        council_id=held.council_id,
        dissent=held,
        stage=held.stage,
        decided_at=old.decided_at,
        decided_by=by,
        panel=old.panel,
        goes_on_record=old.goes_on_record,
        replaces=old,
    )
    Finding.objects.bulk_create(
        Finding(council_id=held.council_id, decision=new, child=child, **says[child.pk]) for child in findings
    )
    correction = Correction.objects.create(
        council_id=held.council_id,
        conference=held.conference,
        of=Correction.Of.DECISION,
        dissent=held,
        decision=new,
        was={str(child): found["outcome"] for child, found in said.items() if found != says[child]},
        now={str(child): found["outcome"] for child, found in says.items() if found != said[child]},
        because=because.strip(),
        corrected_at=at,
        corrected_by=by,
    )
    note(
        verb="correct_decision",
        dissent=held,
        about=new,
        by=by,
        at=at,
        values={"replaces": old.pk, "because": correction.because, **in_the_ledger(findings, mobile="")},
    )
    moment = _decided_instead(correction, held, by=by, at=at)
    stood.replace(correction, new=new, at=at)
    held = lock(held.pk)
    overtake(held, at=at)
    _what_it_leads_to(held, moment, was_offered=was_offered, by=by, at=at)
    close_if_nothing_is_owed(held, at=at)
    return correction


def _nothing_came_of_it(dissent: Dissent) -> None:
    """Say more plainly than the machine why a decision cannot be corrected any more."""
    if dissent.reheard_in_id:
        raise Refused(
            "A further conference was held on the strength of this decision, so it cannot be corrected any "
            "more. Tell the chair of that conference what was wrong."
        )
    if dissent.decision_in_force() is None and dissent.decisions.exists():
        raise Refused(
            "The case has gone on on the strength of the decision before this stage, so that one cannot be "
            "corrected any more. Say what was wrong to whoever looks at the case now."
        )


def _decided_instead(correction: Correction, dissent: Dissent, *, by: Person, at: dt.datetime) -> Moment:
    """Let the corrected moment take the place of the old one, and what only followed from that run on."""
    old = dissent.moments.get(name="decided", stage=dissent.stage, replaced_at=None)
    new = _instead_of(old, happened_at=old.happened_at, by=by, at=at)
    _run_from(correction, dissent, old, new, at=at)
    for issued in dissent.moments.filter(name="letters_issued", stage=dissent.stage, replaced_at=None):
        issued.replaced_at = at
        issued.save(update_fields=["replaced_at"])
        clocks.run_on(dissent, issued)
    for clock in dissent.clocks.filter(stopped=old):
        clock.stopped = new
        clock.save(update_fields=["stopped"])
    return new


def _what_it_leads_to(
    dissent: Dissent, decided: Moment, *, was_offered: bool, by: Person, at: dt.datetime
) -> None:
    """Offer the next stage, or ask for a further conference, as the corrected decision has it."""
    dissent.letters_issued_at = None
    offers = dissent.decided_to("offer_next")
    if offers and was_offered:  # the offer that stands is the same offer
        dissent.save()
        return
    for moment in dissent.moments.filter(
        name__in=["escalation_offered", "escalation_answered"], stage=dissent.stage, replaced_at=None
    ):
        moment.replaced_at = at
        moment.save(update_fields=["replaced_at"])
        dissent.clocks.filter(started=moment, stopped=None).update(stopped=decided)
    dissent.offered_at, dissent.offer_answered_at = (at, None) if offers else (None, None)
    dissent.save()
    clocks.project(dissent)
    if offers:
        stage = dissent.stage
        record("escalation_offered", verb="offer_next_stage", dissent=dissent, stage=stage, by=by, at=at)
    else:
        reconvene_where_it_was_decided(dissent, by=by, at=at)


# --- what follows ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Letters:
    """What the letters about a conference would say before anything is corrected."""

    before: tuple[tuple[UUID, Decision, Mapping[Key, Draft]], ...]

    @classmethod
    def of(cls, conference: Conference, *, at: dt.datetime) -> _Letters:
        """Hold every case about a conference that is held, and read what its letters say."""
        stood = [
            (dissent.pk, decision, drafts(dissent, decision, now_is={}, at=at))
            for dissent in _cases(conference)
            for decision in dissent.decisions.filter(replaced_at=None).select_related("decided_by", "panel")
        ]
        return cls(tuple(stood))

    @classmethod
    def of_one(cls, dissent: Dissent, decision: Decision, *, at: dt.datetime) -> _Letters:
        return cls(((dissent.pk, decision, drafts(dissent, decision, now_is={}, at=at)),))

    def replace(
        self,
        correction: Correction,
        *,
        new: Decision | None = None,
        now_is: Mapping[UUID, UUID] | None = None,
        at: dt.datetime,
    ) -> None:
        """Replace the letters that the correction makes say something else; open the cases that owe one."""
        now_is = now_is or {}
        for pk, decision, before_ in self.before:
            dissent = lock(pk)
            moved = {(rule, now_is.get(who, who)): draft for (rule, who), draft in before_.items()}  # type: ignore[call-overload]
            owed = replace_letters(
                correction,
                dissent=dissent,
                old=decision,
                new=new or decision,
                before=moved,
                now_is=now_is,
                at=at,
            )
            if new:
                continue  # what the decision leads to comes first
            if not owed:
                close_if_nothing_is_owed(dissent, at=at)
                continue
            if decision.stage == dissent.stage:
                dissent.letters_issued_at = None
            _open_again(dissent, at=at)
            dissent.save()


def _overtake_records(conference: Conference, *, at: dt.datetime) -> None:
    """Have the files for children's records made again that are wrong now; open the cases that owe one."""
    for dissent in _cases(conference):
        if overtake(dissent, at=at):
            _open_again(dissent, at=at)
            dissent.save()


def _open_again(dissent: Dissent, *, at: dt.datetime) -> None:
    """Open a closed case that owes letters again, so that it stands among what is to be done."""
    if dissent.state != CLOSED or dissent.decision_in_force() is None or dissent.withdrawn_at:
        return
    dissent.reopen()
    dissent.closed_at = None
    note(verb="reopen", dissent=dissent, by=None, at=at)


def _cases(conference: Conference) -> list[Dissent]:
    """Hold the cases about a conference that is held already, in order."""
    return [lock(pk) for pk in conference.dissents.order_by("pk").values_list("pk", flat=True)]


def _instead_of(old: Moment, *, happened_at: dt.datetime, by: Person, at: dt.datetime) -> Moment:
    """Record a moment again that was recorded wrongly. The old row stays, replaced."""
    old.replaced_at = at
    old.save(update_fields=["replaced_at"])
    return Moment.objects.create(
        council_id=old.council_id,
        conference_id=old.conference_id,
        dissent_id=old.dissent_id,
        name=old.name,
        stage=old.stage,
        happened_at=happened_at,
        recorded_at=at,
        by=by,
        replaces=old,
    )


def _run_from(correction: Correction, dissent: Dissent, old: Moment, new: Moment, *, at: dt.datetime) -> None:
    """Work out again what ran from `old`, keep what moved, and tell who acts on it."""
    for moved in clocks.run_from(dissent, old, new, at=at):
        if not moved.is_another_time:
            continue
        clock = moved.clock
        correction.clocks.append(
            {
                "dissent": dissent.reference,
                "rule": clock.rule,
                "was": moved.was_due_at and moved.was_due_at.isoformat(),
                "now": clock.due_at and clock.due_at.isoformat(),
            }
        )
        rule = dissent.rules.clock(clock.rule)
        acts = _who_acts(dissent, rule) if rule and clock.is_running else ()
        if dissent.state == AWAITING_ADMISSION:
            acts = (dissent.rules.filing.late.admitted_by,)
        once = f"correction-{correction.pk}-{clock.pk}"
        notices.tell(dissent, acts, occasion="due_time_corrected", once=once, at=at)
    correction.save(update_fields=["clocks"])


def _who_acts(dissent: Dissent, rule: Rule) -> Iterable[str]:
    """Whoever is told where the clock passes; without that, in whose hands its end is."""
    if rule.on_passing:
        return rule.on_passing.tell
    if rule.until in ("filed", "resolution_answered", "escalation_answered"):
        return ("dissenter",)
    stage = rule.stage or dissent.stage or dissent.rules.stages[0].key
    return dissent.rules.stage(stage).heads


def mark(row: Child | Conference | Attendance | Decision) -> str:
    """Return a mark of what the record says, by which a page that shows it knows that it still does."""
    match row:
        case Child():
            said = [str(getattr(row, key)) for key in OF_A_CHILD]
        case Conference():
            said = [row.ended_at.astimezone(dt.UTC).isoformat()]
        case _:  # another row replaces it
            said = []
    return hashlib.sha256("\n".join([str(row.pk), *said]).encode()).hexdigest()


def _as_seen(seen: str, row: Child | Conference | Attendance | Decision) -> None:
    if seen and seen != mark(row):
        raise TransitionNotAllowed(MEANWHILE)


def _says_why(because: str) -> None:
    if not because.strip():
        raise Refused("Say why it is corrected.", field="because")


def _is_likely(facts: Mapping[str, Any], old: Attendance, held: Conference) -> None:
    if not facts["name"]:
        raise Refused("Enter their full name.", field="name")
    of_this_council(facts["agency"], held)
    if facts["capacity"] == Attendance.Capacity.PROFESSIONAL and facts["agency"] is None:
        raise Refused("Say for which agency this professional came.", field="agency")
    if facts["capacity"] == Attendance.Capacity.FAMILY and (old.email or facts["agency"]):
        raise Refused(
            "A family member comes for no agency, and how they are reached is recorded with each child. "
            "Was it somebody else, record them, and say of this one that they were not there.",
            field="capacity",
        )


def _changed(these: Mapping[str, Any], those: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is different in `these`, as it is kept."""
    return {key: _kept(value) for key, value in these.items() if value != those[key]}


def _kept(value: Any) -> Any:
    if isinstance(value, Agency):
        return value.name
    return value.isoformat() if isinstance(value, dt.date) else value


def _found(finding: Finding) -> dict[str, str]:
    return {key: getattr(finding, key) for key in ("outcome", "ground", "reasons", "plain_reasons")}


def _stripped(found: Found) -> dict[str, str]:
    return {
        "outcome": found.outcome,
        "ground": found.ground,
        "reasons": found.reasons.strip(),
        "plain_reasons": found.plain_reasons.strip(),
    }


def _note(
    correction: Correction, verb: str, *, conference: Conference, about: Model, by: Person, at: dt.datetime
) -> None:
    ledger.write(
        council=conference.council,
        verb=verb,
        about=about,
        case=conference,
        by=by,
        happened_at=at,
        recorded_at=at,
        values={"was": correction.was, "now": correction.now, "because": correction.because},
    )


# --- what it would bring ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Brings:
    """What a correction brings, to be read before the button is pressed."""

    clocks: list[dict[str, Any]]
    ended: list[Letter]
    written: list[Letter]
    """About nobody who had one before."""
    told: list[str]
    reheard: list[str]
    """References of the cases that owe a further conference by it."""
    uploaded: list[str]
    """References of the cases whose file for a child's record is to be made and uploaded again."""


def what_it_brings(correct: Callable[..., Correction], **said: Any) -> Brings:
    """Do it, read what came of it, and undo it all. Raises what `correct` raises."""
    with transaction.atomic():
        owed_one = set(Dissent.objects.filter(state=RECONVENING).values_list("reference", flat=True))
        correction = correct(**said)
        about = Dissent.objects.filter(conference=correction.conference).order_by("reference")
        ended = list(correction.ended.select_related("dissent", "successor"))
        new = Letter.objects.in_force().filter(
            dissent__conference=correction.conference, due_since=correction.corrected_at, replaces=None
        )
        messages = Notice.objects.filter(once__startswith=f"correction-{correction.pk}").select_related("to")
        brings = Brings(
            clocks=correction.clocks,
            ended=ended,
            written=list(new.select_related("dissent")),
            told=list(dict.fromkeys(each.to.name for each in messages.order_by("to__name"))),
            reheard=[
                reference
                for reference in about.filter(state=RECONVENING).values_list("reference", flat=True)
                if reference not in owed_one
            ],
            uploaded=list(
                about.filter(record_packs__overtaken_at=correction.corrected_at)
                .values_list("reference", flat=True)
                .distinct()
            ),
        )
        transaction.set_rollback(True)
    return brings

"""The dissent: a professional's formal disagreement, and the small machine it moves through.

Conditions answer *not now* by asking the pinned procedure; permission answers *not you*. The button
on a page and the POST behind it ask the same transition. Only actions call one.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db import models
from django_fsm import RETURN_VALUE, can_proceed, has_transition_perm, transition

from councils import procedure as language
from councils.models import Appointment, Person, ProcedureVersion
from dissent import permissions
from dissent.models.base import CouncilRow, dissent_reference, pair
from dissent.models.conference import Attendance, Child, Conference
from dissent.models.family import readers_of
from dissent.models.machine import Machine, StateField
from dissent.models.record import RecordPack
from dissent.models.uploads import a_pack_waits, children_to_be_uploaded, uploads

if TYPE_CHECKING:
    from dissent.models.claim import Claim
    from dissent.models.panel import Panel, Seat

BEGUN = "begun"
UNMATCHED = "unmatched"
MATCHED = "matched"
DOUBTED = "doubted"
RAISED = "raised"
AWAITING_ADMISSION = "awaiting_admission"
AT_STAGE = "at_stage"
PROPOSED = "proposed"
DECIDED = "decided"
RECONVENING = "reconvening"
CLOSED = "closed"

STATES = {
    BEGUN: "Being written by somebody whose conference was not on record",
    UNMATCHED: "Form sent: its conference is to be found",
    MATCHED: "Form sent: the chair is asked whether it was raised",
    DOUBTED: "Form sent: to be decided whether it was raised",
    RAISED: "Waiting for the form",
    AWAITING_ADMISSION: "Form sent late: waiting to be let in",
    AT_STAGE: "Being looked at",
    PROPOSED: "Waiting for the dissenter to answer a proposal",
    DECIDED: "Decided",
    RECONVENING: "Waiting for a further conference",
    CLOSED: "Closed",
}
BEING_WRITTEN = (BEGUN, RAISED)
"""The dissenter still has the form, and nobody else reads what is typed."""


def _only(verb: str) -> Any:
    """Return the permission of a transition: whoever the table gives `verb` to, as they stand now."""

    def permission(dissent: Dissent, person: Person | None) -> bool:
        return permissions.may(verb, dissent.stands_as)

    return permission


def _goes_on(late: bool) -> str:
    return AWAITING_ADMISSION if late else AT_STAGE


def steps_are_done(dissent: Dissent) -> bool:
    return not dissent.missing_steps()


def stage_is_a_review(dissent: Dissent) -> bool:
    return dissent.rules_of_stage.review is not None


def stage_can_be_resolved(dissent: Dissent) -> bool:
    return any(outcome.agreement for outcome in dissent.rules_of_stage.outcomes)


def panel_can_decide(dissent: Dissent) -> bool:
    """A review needs no panel; a panel needs its quorum and the seat that the procedure reserves."""
    return dissent.rules_of_stage.panel is None or not dissent.panel_lacks()


def stage_needs_a_panel(dissent: Dissent) -> bool:
    return dissent.rules_of_stage.panel is not None and dissent.panel_of_stage is None


def further_stage_is_offered(dissent: Dissent) -> bool:
    return dissent.offered_at is not None and dissent.offer_answered_at is None


def conference_is_owed(dissent: Dissent) -> bool:
    return dissent.decided_to("reconvene")


def families_are_told(dissent: Dissent) -> bool:
    return bool(dissent.told_to_families())


def record_is_complete(dissent: Dissent) -> bool:
    """It was raised and sent, and the decision goes on record or nobody is asked any more to go further."""
    if dissent.filed_at is None or dissent.attendance_id is None:
        return False
    if not further_stage_is_offered(dissent):
        return True
    decision = dissent.decision_in_force()
    return decision is not None and decision.goes_on_record


def ended_with_a_decision(dissent: Dissent) -> bool:
    return dissent.withdrawn_at is None and dissent.decision_in_force() is not None


def decision_can_be_corrected(dissent: Dissent) -> bool:
    """Somebody recorded it, so not an agreement and not a refusal; and no further conference answered it."""
    decision = dissent.decision_in_force()
    if decision is None or decision.decided_by_id is None or dissent.withdrawn_at or dissent.reheard_in_id:
        return False
    stage = dissent.rules_of_stage
    return not any(stage.outcome(finding.outcome).agreement for finding in decision.findings.all())


def nothing_is_owed(dissent: Dissent) -> bool:
    return not dissent.owes()


class DissentQuerySet(models.QuerySet["Dissent"]):
    def open(self) -> DissentQuerySet:
        return self.filter(closed_at=None)

    def in_order_of_the_next_thing_due(self) -> DissentQuerySet:
        """Dates that are not known first: nobody may wait for them; then what is due soonest."""
        return self.order_by("due_is_known", models.F("next_due_at").asc(nulls_last=True), "id")

    def read_by(self, person: Person, *, at: dt.datetime) -> DissentQuerySet:
        """Keep the cases that `person` reads in a role, from the stage that gave it to the role."""
        roles = Appointment.objects.at(at).filter(person=person)
        given = Reader.objects.filter(dissent=models.OuterRef("pk"), role__in=roles.values("role"))
        return self.filter(
            models.Exists(
                given.filter(
                    models.Exists(
                        roles.filter(role=models.OuterRef("role"), council=models.OuterRef("council"))
                    )
                )
            )
        ).exclude(models.Q(dissenter=person) | models.Q(conference__chair=person))

    def heard_by(self, person: Person, *, declared: bool = False) -> DissentQuerySet:
        """Keep the dissents that `person` hears on a panel: members until it is decided, its chair until the
        letters are released, neither at a later stage. With `declared`, only where they have said that they
        are independent."""
        seat = models.Q(withdrawn_at=None) & _has_a_seat(person)
        no_conflict = models.Q(panel__seats__independent=True)
        if not declared:
            no_conflict |= models.Q(panel__seats__independent=None)
        sits = models.Q(state=AT_STAGE)
        # Not those to families, of which some may be held back: the chair's part is over without them.
        to_be_released = models.Q(
            letters__isnull=False,
            letters__released_at=None,
            letters__replaced_at=None,
            letters__who=None,
        )
        presides = models.Q(panel__seats__is_chair=True) & to_be_released
        return self.filter(seat & no_conflict & (sits | presides)).distinct()

    def goes_up_by(self, person: Person, *, at: dt.datetime) -> DissentQuerySet:
        """Keep the dissents whose record `person`, who sat for the unit, is still to upload for a child."""
        here = Appointment.objects.at(at).filter(person=person, council=models.OuterRef("council"))
        sat = _has_a_seat(person) & models.Q(panel__seats__for_the_unit=True, panel__seats__sat=True)
        return self.owing_a_record().filter(sat & models.Q(withdrawn_at=None), models.Exists(here))

    def owing_a_record(self) -> DissentQuerySet:
        """Keep the dissents of which nobody has said for each child that the record is uploaded."""
        done = RecordPack.objects.filter(
            dissent=models.OuterRef("decision__dissent"),
            child=models.OuterRef("child"),
            made_at__gte=models.OuterRef("decision__decided_at"),
            uploaded_on__isnull=False,
            overtaken_at=None,
        )
        missing = Finding.objects.filter(
            ~models.Exists(done),
            decision__dissent=models.OuterRef("pk"),
            decision__goes_on_record=True,
            decision__replaced_at=None,
        )
        return self.filter(models.Exists(missing))

    def presided_by(self, person: Person) -> DissentQuerySet:
        """Keep the dissents that a panel decided with `person` in its chair: theirs to correct only."""
        presides = _has_a_seat(person) & models.Q(panel__seats__is_chair=True, panel__seats__independent=True)
        decided = models.Q(state__in=[DECIDED, RECONVENING, CLOSED], withdrawn_at=None)
        return self.filter(presides & decided).distinct()

    def let_go(self, person: Person) -> DissentQuerySet:
        """Keep the dissents that were withdrawn from the panel on which `person` sits."""
        no_conflict = models.Q(panel__seats__independent=True) | models.Q(panel__seats__independent=None)
        return self.filter(_has_a_seat(person) & no_conflict, withdrawn_at__isnull=False).distinct()

    def visible_to(self, person: Person, *, at: dt.datetime) -> DissentQuerySet:
        """Keep the dissents of which `person` may know that they exist. The only door."""
        appointed = Appointment.objects.at(at).filter(person=person)
        chairs = appointed.filter(role="chair").values("council")
        administers = appointed.filter(role="conference_administrator").values("council")
        return self.filter(
            models.Q(dissenter=person)
            | models.Q(conference__chair=person, council__in=chairs)
            | models.Q(council__in=administers) & ~models.Q(state=BEGUN)
            | models.Q(pk__in=self.model.objects.read_by(person, at=at).values("pk"))
            | models.Q(pk__in=self.model.objects.heard_by(person).values("pk"))
            | models.Q(pk__in=self.model.objects.let_go(person).values("pk"))
            | models.Q(pk__in=self.model.objects.goes_up_by(person, at=at).values("pk"))
        )


def _has_a_seat(person: Person) -> models.Q:
    """On the panel of the stage at which the dissent is; what the holder declared is asked beside it."""
    return models.Q(panel__stage=models.F("stage"), panel__seats__person=person, panel__seats__left_at=None)


class Dissent(Machine, CouncilRow):
    """One professional's dissent, about named children of one conference."""

    reference = models.CharField(max_length=20, unique=True, default=dissent_reference, editable=False)
    procedure = models.ForeignKey(ProcedureVersion, on_delete=models.PROTECT, related_name="+")
    conference = models.ForeignKey(Conference, on_delete=models.PROTECT, null=True, related_name="dissents")
    attendance = models.ForeignKey(Attendance, on_delete=models.PROTECT, null=True, related_name="dissents")
    dissenter = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="dissents")
    children = models.ManyToManyField(Child, related_name="dissents")
    panel = models.ForeignKey("dissent.Panel", on_delete=models.PROTECT, null=True, related_name="dissents")

    state = StateField(max_length=20, default=RAISED, choices=list(STATES.items()))
    stage = models.CharField(max_length=60, blank=True)
    raised_at = models.DateTimeField()
    raised_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    filed_at = models.DateTimeField(null=True)
    late_because = models.TextField(blank=True)
    admitted_at = models.DateTimeField(null=True)
    admitted_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    admission_reasons = models.TextField(blank=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawal_reasons = models.TextField(blank=True)
    lapsed_at = models.DateTimeField(null=True)
    lapsed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    lapse_reasons = models.TextField(blank=True)
    tried_at = models.DateTimeField(null=True, help_text="When somebody last tried to reach the dissenter.")
    tried = models.TextField(blank=True, help_text="How, and what came of it.")
    manager_name = models.CharField(max_length=200, blank=True)
    manager_email = models.EmailField(max_length=254, blank=True)
    manager_told_on = models.DateField(null=True)
    offered_at = models.DateTimeField(null=True)
    offer_answered_at = models.DateTimeField(null=True)
    letters_issued_at = models.DateTimeField(null=True)
    reheard_in = models.ForeignKey(Conference, on_delete=models.PROTECT, null=True, related_name="+")
    """The further conference that answered it: held after the decision that asked for one."""
    continued_in = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    """The dissent that the chair had recorded meanwhile, to which this form went."""
    closed_at = models.DateTimeField(null=True)
    due_is_known = models.BooleanField(default=True)
    next_due_at = models.DateTimeField(null=True)
    """The projection that lists read: the earliest due time of its running clocks."""

    objects = DissentQuerySet.as_manager()

    class Meta:
        constraints = [
            pair("dissent", "admitted"),
            pair("dissent", "lapsed"),
            models.CheckConstraint(
                condition=models.Q(lapsed_at=None, tried_at=None, tried="")
                | models.Q(lapsed_at__isnull=False, tried_at__isnull=False)
                & ~models.Q(tried="")
                & ~models.Q(lapse_reasons=""),
                name="dissent_lapsed_after_trying",
            ),
            models.CheckConstraint(condition=models.Q(state__in=STATES), name="dissent_in_a_known_state"),
            models.CheckConstraint(
                condition=models.Q(state="closed", closed_at__isnull=False)
                | ~models.Q(state="closed") & models.Q(closed_at=None),
                name="dissent_closed_says_when",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[BEGUN, UNMATCHED, CLOSED]) | models.Q(conference__isnull=False),
                name="dissent_has_its_conference",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[BEGUN, UNMATCHED, MATCHED, DOUBTED, CLOSED])
                | models.Q(attendance__isnull=False),
                name="dissent_has_its_attendance",
            ),
        ]
        indexes = [
            models.Index(
                fields=["council", "due_is_known", "next_due_at", "id"],
                condition=models.Q(closed_at=None),
                name="dissent_queue",
            )
        ]

    def __str__(self) -> str:
        return self.reference

    # What the pinned procedure says.

    @property
    def rules(self) -> language.Procedure:
        return self.procedure.rules

    @property
    def rules_of_stage(self) -> language.Stage:
        return self.rules.stage(self.stage)

    @property
    def who(self) -> Attendance | Claim:
        """The dissenter as the conference has them on record, and before that as they say themselves."""
        return self.attendance or self.claim

    @property
    def claim_made(self) -> Claim | None:
        """What the dissenter said of a conference that was not on record; None for any other dissent."""
        return getattr(self, "claim", None)

    @property
    def was_turned_away(self) -> bool:
        """Say whether it was refused as not raised in the conference."""
        claim = self.claim_made
        return self.attendance_id is None and claim is not None and claim.settled_at is not None

    @property
    def is_being_written(self) -> bool:
        return self.state in BEING_WRITTEN

    @property
    def panel_of_stage(self) -> Panel | None:
        """The panel that sits at the present stage; an earlier stage's panel does not decide this one."""
        return self.panel if self.panel and self.panel.stage == self.stage else None

    def answers_by_question(self) -> dict[str, str]:
        return {answer.question: answer.text for answer in self.answers.all()}

    def questions_asked(self, answers: dict[str, str]) -> list[language.Question]:
        """Return the questions of the form that these answers leave to be asked, in order."""
        return [
            question
            for question in self.rules.filing.questions
            if question.ask_if is None or answers.get(question.ask_if.question) in question.ask_if.answer
        ]

    def form_as_sent(self) -> list[tuple[str, str]]:
        """Return the answers beside the questions of the form, as people read both. Needs `answers`."""
        answers = self.answers_by_question()
        said = [
            (
                question.label,
                question.choices.get(answers.get(question.key, ""), answers.get(question.key, "")),
            )
            for question in self.questions_asked(answers)
        ]
        late = [(self.rules.filing.late.question, self.late_because)] if self.late_because else []
        return said + late

    # How somebody stands to it.

    stands_as: frozenset[str] = frozenset()

    def stand_as(self, person: Person | None, *, at: dt.datetime) -> frozenset[str]:
        """Work out how `person` stands to this case at `at`, keep it for the machine, and return it."""
        self.stands_as = self.relations(person, at=at)
        return self.stands_as

    def relations(self, person: Person | None, *, at: dt.datetime) -> frozenset[str]:
        """Return how `person` stands to this case. Nobody at all is the clock."""
        if person is None:
            return frozenset({"the_clock"})
        rules = self.rules
        reads = models.Exists(self.readers.filter(role=models.OuterRef("role")))
        appointments = Appointment.objects.at(at).filter(person=person, council=self.council_id)
        reads_as = dict(appointments.annotate(reads=reads).values_list("role", "reads"))
        held = set(reads_as)
        found: set[str] = set()
        if person.pk == self.dissenter_id:
            found.add("dissenter")
        chaired = self.conference is not None and person.pk == self.conference.chair_id
        seats = list(self.panel_of_stage.seats.all()) if self.panel_of_stage else []
        if chaired and "chair" in held:
            found.add("chair" if self.attendance_id else "chair_asked")
        if "conference_administrator" in held and self.state != BEGUN:
            found.add("conference_administrator")
        if held and not chaired and "dissenter" not in found:
            if any(reads_as.values()):
                found.add("reader")
            found |= self._in_office(held, rules)
            if self.state in (DECIDED, RECONVENING, CLOSED) and uploads(
                self, person, seats, reads="reader" in found, roles=held, at=at
            ):
                found.add("uploader")
        if seats:
            found |= self._on_the_panel(person, seats)
        return frozenset(found)

    def _in_office(self, held: set[str], rules: language.Procedure) -> set[str]:
        """What the roles of somebody who is neither dissenter nor chair give them in this case."""
        found = set()
        if held & set(rules.with_deputies(rules.filing.late.admitted_by)):
            found.add("admitter")
        if held & set(rules.with_deputies(rules.filing.lapse.lapsed_by)):
            found.add("lapser")
        if held & set(rules.with_deputies(rules.filing.unmatched.settled_by)):
            found.add("settler")
        if held & set(rules.reconvening.led_by):
            found.add("lead")
        if self.stage:
            stage = rules.stage(self.stage)
            if stage.review and held & set(rules.with_deputies(stage.review.decided_by)):
                found.add("decider")
            if stage.panel and held & set(rules.with_deputies(stage.panel.convened_by)):
                found.add("convener")
            releasing = {
                role for letter in rules.letters if letter.stage == self.stage for role in letter.released_by
            }
            if held & releasing:
                found.add("releaser")
        if rules.children_told and held & set(rules.children_told.recorded_by):
            found.add("teller")
        return found

    def _on_the_panel(self, person: Person, seats: list[Seat]) -> set[str]:
        seat = next((seat for seat in seats if seat.person_id == person.pk and seat.holds), None)
        if seat is None:
            return set()
        if self.withdrawn_at:
            # The decider still: a decision on its way is told that the case has moved on.
            return {"panel_let_go", "decider"} if seat.is_chair else {"panel_let_go"}
        if not seat.independent:
            return {"panel_named"}
        if seat.is_chair and (self.state == AT_STAGE or self._letters_are_to_be_released()):
            # The decider still when it is decided: a second press is told that the case has moved on.
            return {"panel_chair", "decider"}
        if seat.is_chair:
            return {"panel_presided"}  # reads nothing any more, and corrects what they recorded
        return {"panel_member"} if self.state == AT_STAGE else set()

    def _letters_are_to_be_released(self) -> bool:
        return any(
            letter.released_at is None and letter.replaced_at is None and letter.who is None
            for letter in self.letters.all()
        )

    def can(self, verb: str) -> bool:
        """Say whether whoever it was last asked for (`stand_as`) may do `verb` now."""
        method = getattr(self, verb)
        return bool(has_transition_perm(method, None) and can_proceed(method))

    def can_close(self) -> bool:
        """Say whether nothing is owed any more; nobody presses a button for it."""
        return bool(can_proceed(self.close))

    # What the conditions ask.

    def missing_steps(self) -> list[language.Step]:
        """Return the steps of the present stage that nobody has recorded yet, in order."""
        done = {record.step for record in self.steps.all() if record.stage == self.stage}
        return [step for step in self.rules_of_stage.steps if step.key not in done]

    def panel_lacks(self) -> list[str]:
        """Return a sentence for each thing that keeps the panel from deciding (terms of reference)."""
        rules = self.rules_of_stage.panel
        assert rules  # noqa: S101  asked only at a stage with a panel
        panel = self.panel_of_stage
        if panel is None:
            return ["No panel has been convened."]
        if panel.sat_at is None:
            return ["Nobody has recorded who sat."]
        present = panel.present()
        lacks = []
        if len(present) < rules.quorum:
            lacks.append(f"{len(present)} sat, and the quorum is {rules.quorum}.")
        if rules.seat and not any(seat.for_the_unit for seat in present):
            lacks.append(f"Nobody sat for the {self.rules.words.unit.one}, and it is always represented.")
        if not any(seat.is_chair for seat in present):
            lacks.append("Its chair did not sit. Whoever presided has to be named as its chair.")
        return lacks

    def decision_in_force(self) -> Decision | None:
        """Return the decision at the present stage that nothing has replaced."""
        return next(
            (one for one in self.decisions.all() if one.stage == self.stage and one.replaced_at is None), None
        )

    def decided_to(self, leads_to: str) -> bool:
        decision = self.decision_in_force()
        if decision is None:
            return False
        stage = self.rules_of_stage
        return any(stage.outcome(finding.outcome).leads_to == leads_to for finding in decision.findings.all())

    def told_to_families(self) -> list[Decision]:
        """Return the decisions in force about which the procedure writes to families."""
        return [
            one
            for one in self.decisions.all()
            if one.replaced_at is None
            and self.rules.family_letters(one.stage, one.meanings(self.rules.stage(one.stage)))
        ]

    def children_to_be_told(self, decision: Decision) -> list[Child]:
        """Return the children of whom nobody has recorded yet that they were told, or why not."""
        told = {each.child_id for each in self.children_told.all() if each.decision_id == decision.pk}
        children = [finding.child for finding in decision.findings.all()]
        return [child for child in children if child.born_on and child.pk not in told]

    def owes(self) -> list[str]:
        """Return a sentence for each thing that keeps the case from closing."""
        owed = []
        if further_stage_is_offered(self):
            owed.append("The dissenter has not said whether to go further.")
        letters = [letter for letter in self.letters.all() if letter.replaced_at is None]
        told = self.told_to_families()
        held = {each.who for each in self.held_back.all() if each.lifted_at is None} if told else set()
        waiting = sum(not letter.is_issued and letter.who not in held for letter in letters)
        if waiting:
            owed.append(f"{waiting} of {len(letters)} letters are not issued.")
        for decision in told:
            # Held back is settled: it says why, and must not keep a case open for years.
            asked = sum(
                len(reader.unanswered) for reader in readers_of(self, decision) if reader.who not in held
            )
            if asked:
                owed.append(
                    f"It is not known yet whether somebody of the family may be told ({asked} to answer)."
                )
            if untold := self.children_to_be_told(decision):
                owed.append(f"It is not recorded that the children were told ({len(untold)} to record).")
        if self.state == RECONVENING and self.reheard_in_id is None:
            owed.append("The further conference is not recorded.")
        if missing := children_to_be_uploaded(self):
            owed.append(
                f"It is not recorded that the decision is on each child’s record ({len(missing)} to upload)."
            )
        if any(clock.is_running for clock in self.clocks.all()):
            owed.append("A clock is running.")
        return owed

    # The machine.

    @transition(field=state, source=BEGUN, target=None, permission=_only("change_claim"))
    def change_claim(self) -> None:
        """Say anew who one is, and which conference it was."""

    @transition(field=state, source=[BEGUN, RAISED], target=None, permission=_only("keep"))
    def keep(self) -> None:
        """Keep an answer as it is typed."""

    @transition(
        field=state,
        source=[BEGUN, RAISED],
        target=RETURN_VALUE(AT_STAGE, AWAITING_ADMISSION, UNMATCHED),
        permission=_only("file"),
    )
    def file(self, late: bool) -> str:
        """Send the form; a late one waits to be let in, one whose conference is not known to be matched."""
        if self.state == BEGUN:
            return UNMATCHED
        return _goes_on(late)

    # Another match puts a wrong one right, until somebody has let the dissent in.

    @transition(field=state, source=[UNMATCHED, MATCHED, DOUBTED], target=MATCHED, permission=_only("match"))
    def match(self) -> None:
        """Say which conference it was; its chair is asked."""

    @transition(field=state, source=[UNMATCHED, MATCHED, DOUBTED], target=CLOSED, permission=_only("match"))
    def join(self) -> None:
        """Give the form to the dissent that the chair has recorded meanwhile."""

    @transition(
        field=state,
        source=MATCHED,
        target=RETURN_VALUE(AT_STAGE, AWAITING_ADMISSION),
        permission=_only("confirm_raised"),
    )
    def confirm_raised(self, late: bool) -> str:
        """Say that it was raised in the conference."""
        return _goes_on(late)

    @transition(field=state, source=MATCHED, target=DOUBTED, permission=_only("deny_raised"))
    def deny_raised(self) -> None:
        """Say that it was not raised in the conference."""

    @transition(field=state, source=MATCHED, target=DOUBTED, permission=_only("doubt"))
    def doubt(self) -> None:
        """Leave it unsaid for too long."""

    @transition(
        field=state,
        source=DOUBTED,
        target=RETURN_VALUE(AT_STAGE, AWAITING_ADMISSION),
        permission=_only("let_in"),
    )
    def let_in(self, late: bool) -> str:
        """Let it in where the chair did not confirm it."""
        return _goes_on(late)

    @transition(field=state, source=[UNMATCHED, DOUBTED], target=CLOSED, permission=_only("turn_away"))
    def turn_away(self) -> None:
        """Refuse it, since nothing shows that it was raised in a conference."""

    @transition(field=state, source=AWAITING_ADMISSION, target=AT_STAGE, permission=_only("admit"))
    def admit(self) -> None:
        """Let a late form in."""

    @transition(field=state, source=AWAITING_ADMISSION, target=CLOSED, permission=_only("refuse_late"))
    def refuse_late(self) -> None:
        """Refuse a late form."""

    @transition(
        field=state,
        source=[UNMATCHED, MATCHED, DOUBTED, RAISED, AWAITING_ADMISSION, AT_STAGE, PROPOSED],
        target=CLOSED,
        permission=_only("withdraw"),
    )
    def withdraw(self) -> None:
        """Withdraw the dissent, before it is decided."""

    @transition(field=state, source=RAISED, target=CLOSED, permission=_only("lapse"))
    def lapse(self) -> None:
        """End a dissent whose form never came."""

    @transition(
        field=state,
        source=[each for each in STATES if each != CLOSED],
        target=None,
        permission=_only("tell_management"),
    )
    def tell_management(self) -> None:
        """Say when the dissenter's own management was told."""

    @transition(
        field=state,
        source=AT_STAGE,
        target=None,
        conditions=[stage_is_a_review],
        permission=_only("record_step"),
    )
    def record_step(self) -> None:
        """Record a step of the stage."""

    @transition(
        field=state,
        source=AT_STAGE,
        target=PROPOSED,
        conditions=[stage_is_a_review, stage_can_be_resolved, steps_are_done],
        permission=_only("propose"),
    )
    def propose(self) -> None:
        """Put a resolution to the dissenter."""

    @transition(field=state, source=PROPOSED, target=DECIDED, permission=_only("agree"))
    def agree(self) -> None:
        """Agree to the resolution."""

    @transition(field=state, source=PROPOSED, target=DECIDED, permission=_only("refuse"))
    def refuse(self) -> None:
        """Refuse the resolution, or leave it unanswered."""

    @transition(
        field=state,
        source=AT_STAGE,
        target=DECIDED,
        conditions=[steps_are_done, panel_can_decide],
        permission=_only("decide"),
    )
    def decide(self) -> None:
        """Decide at the present stage."""

    @transition(
        field=state,
        source=DECIDED,
        target=AT_STAGE,
        conditions=[further_stage_is_offered],
        permission=_only("take_further"),
    )
    def take_further(self) -> None:
        """Go on to the next stage."""

    @transition(
        field=state,
        source=DECIDED,
        target=None,
        conditions=[further_stage_is_offered],
        permission=_only("accept"),
    )
    def accept(self) -> None:
        """Leave it at the decision."""

    @transition(
        field=state,
        source=DECIDED,
        target=None,
        conditions=[further_stage_is_offered],
        permission=_only("end_offer"),
    )
    def end_offer(self) -> None:
        """End an offer that nobody took up."""

    @transition(
        field=state,
        source=AT_STAGE,
        target=None,
        conditions=[stage_needs_a_panel],
        permission=_only("convene"),
    )
    def convene(self) -> None:
        """Name the panel."""

    @transition(field=state, source=DECIDED, target=RECONVENING, conditions=[conference_is_owed])
    def reconvene(self) -> None:
        """Wait for the further conference that the decision asks for."""

    # What was held back may be let go long after the case has closed.

    @transition(field=state, source=[DECIDED, RECONVENING, CLOSED], target=None, permission=_only("release"))
    def release(self) -> None:
        """Release the letters."""

    @transition(
        field=state, source=[DECIDED, RECONVENING, CLOSED], target=None, permission=_only("hand_over")
    )
    def hand_over(self) -> None:
        """Record that a printed letter was handed over."""

    @transition(
        field=state,
        source=[DECIDED, RECONVENING, CLOSED],
        target=None,
        conditions=[families_are_told],
        permission=_only("answer_for_family"),
    )
    def answer_for_family(self) -> None:
        """Say whether somebody of the family may be told about a child."""

    @transition(
        field=state,
        source=[DECIDED, RECONVENING, CLOSED],
        target=None,
        conditions=[families_are_told],
        permission=_only("hold_back"),
    )
    def hold_back(self) -> None:
        """Hold somebody of the family back, or let them be told after all."""

    @transition(
        field=state,
        source=[DECIDED, RECONVENING],
        target=None,
        conditions=[families_are_told],
        permission=_only("record_telling"),
    )
    def record_telling(self) -> None:
        """Record that a child was told, or why not."""

    @transition(
        field=state,
        source=[DECIDED, RECONVENING, CLOSED],
        target=None,
        conditions=[record_is_complete],
        permission=_only("make_record_pack"),
    )
    def make_record_pack(self) -> None:
        """Make what goes onto a child's record."""

    @transition(
        field=state,
        source=[DECIDED, RECONVENING, CLOSED],
        target=None,
        conditions=[a_pack_waits],
        permission=_only("record_upload"),
    )
    def record_upload(self) -> None:
        """Say that it was uploaded to the child's record."""

    @transition(field=state, source=RECONVENING, target=None, permission=_only("record_further_conference"))
    def record_further_conference(self) -> None:
        """Record the further conference."""

    @transition(
        field=state,
        source=[DECIDED, RECONVENING, CLOSED],
        target=DECIDED,
        conditions=[decision_can_be_corrected],
        permission=_only("correct_decision"),
    )
    def correct_decision(self) -> None:
        """Say rightly what was decided about each child."""

    @transition(field=state, source=[DECIDED, RECONVENING], target=CLOSED, conditions=[nothing_is_owed])
    def close(self) -> None:
        """Close a case that owes nothing."""

    @transition(field=state, source=CLOSED, target=DECIDED, conditions=[ended_with_a_decision])
    def reopen(self) -> None:
        """Open a case again that owes letters, because something in them was corrected."""


class Reader(CouncilRow):
    """A role that reads a case, from the stage that put the case in its hands."""

    dissent = models.ForeignKey(Dissent, on_delete=models.PROTECT, related_name="readers")
    role = models.CharField(max_length=60)
    since_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dissent", "role"], name="reader_once_a_case")]
        indexes = [models.Index(fields=["council", "role"])]


class Answer(CouncilRow):
    """What the dissenter typed at one question, kept as it is typed until the form is sent."""

    dissent = models.ForeignKey(Dissent, on_delete=models.PROTECT, related_name="answers")
    question = models.CharField(max_length=60)
    text = models.TextField(blank=True)
    kept_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dissent", "question"], name="answer_once_a_question")]


class StepRecord(CouncilRow):
    """That a step of a stage was done."""

    dissent = models.ForeignKey(Dissent, on_delete=models.PROTECT, related_name="steps")
    stage = models.CharField(max_length=60)
    step = models.CharField(max_length=60)
    note = models.TextField()
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["happened_at"]
        constraints = [models.UniqueConstraint(fields=["dissent", "stage", "step"], name="step_once_a_stage")]


class Proposal(CouncilRow):
    """A resolution put to the dissenter in writing, and the answer."""

    class Answered(models.TextChoices):
        AGREED = "agreed", "Agreed"
        REFUSED = "refused", "Refused"
        SILENT = "silent", "Not answered in time"

    dissent = models.ForeignKey(Dissent, on_delete=models.PROTECT, related_name="proposals")
    stage = models.CharField(max_length=60)
    text = models.TextField()
    proposed_at = models.DateTimeField()
    proposed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=10, choices=Answered.choices, blank=True)
    words = models.TextField(blank=True)

    class Meta:
        ordering = ["proposed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["dissent"], condition=models.Q(answered_at=None), name="proposal_one_at_a_time"
            )
        ]


class Decision(CouncilRow):
    """What a stage decided. Corrected only by another decision that replaces it."""

    dissent = models.ForeignKey(Dissent, on_delete=models.PROTECT, related_name="decisions")
    stage = models.CharField(max_length=60)
    decided_at = models.DateTimeField()
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    panel = models.ForeignKey("dissent.Panel", on_delete=models.PROTECT, null=True, related_name="decisions")
    goes_on_record = models.BooleanField(default=False, help_text="Whether it goes on each child's record.")
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="successor")
    replaced_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["decided_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["dissent", "stage"],
                condition=models.Q(replaced_at=None),
                name="decision_once_a_stage",
            )
        ]

    def meanings(self, stage: language.Stage) -> set[language.Meaning]:
        """Return what its findings mean, each once."""
        return {stage.outcome(finding.outcome).meaning for finding in self.findings.all()}


class Finding(CouncilRow):
    """What a decision says for one child."""

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="findings")
    child = models.ForeignKey(Child, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=60)
    ground = models.CharField(max_length=60, blank=True)
    reasons = models.TextField()
    plain_reasons = models.TextField(blank=True, help_text="For the family, where they have a letter.")

    class Meta:
        ordering = ["child__added_at", "child_id"]
        constraints = [models.UniqueConstraint(fields=["decision", "child"], name="finding_once_a_child")]

"""What is done to convene a panel and to record that it sat."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from councils.models import Appointment, Person
from councils.procedure import PanelRules
from dissent import notices, permissions
from dissent.actions.core import (
    Refused,
    before,
    hold,
    lock,
    not_in_the_future,
    note,
)
from dissent.models import Attendance, Conference, Decision, Dissent, Panel, Seat, StepRecord
from dissent.models.dissent import AT_STAGE


class MayNotSit(Refused):
    """The terms of reference keep this person off the panel, for the reason given."""

    def __init__(self, person: Person, says: str, *, field: str) -> None:
        super().__init__(says, field=field)
        self.person = person


@dataclass(frozen=True)
class Candidate:
    """Somebody from whom a panel can be named. `why_not` is a sentence, empty where they may sit."""

    person: Person
    for_the_unit: bool
    reviewed_before: bool
    why_not: str


@transaction.atomic
def convene_panel(
    *, dissent: Dissent, chair: Person, members: Iterable[Person], by: Person, at: dt.datetime
) -> Panel:
    """Name the panel's chair and members. It hears every dissent about the conference that waits for one.

    Raises PermissionDenied, TransitionNotAllowed where there is a panel already, MayNotSit, with the
    reason, for anybody whom the terms of reference keep off, and Refused where they could never decide.
    """
    held = hold(dissent, verb="convene", by=by, at=at)
    members = [member for member in members if member.pk != chair.pk]
    waiting = list(_heard_with(held))
    record = _Record.read(held, waiting, at=at)
    panel = Panel.objects.create(
        council_id=held.council_id,
        conference=held.conference,
        stage=held.stage,
        convened_at=at,
        convened_by=by,
    )
    for each in waiting:
        each.panel = panel
        each.save()
    held.panel = panel
    for person in (chair, *members):
        field = "chair" if person.pk == chair.pk else "members"
        _seat(held, panel, record, person, is_chair=person.pk == chair.pk, by=by, at=at, field=field)
    if lacks := panel_as_named_lacks(held):
        raise Refused(" ".join(lacks), field="members")
    _note_in_each(
        panel,
        verb="convene_panel",
        by=by,
        at=at,
        values={"chair": chair.pk, "members": [member.pk for member in members]},
    )
    notices.tell(held, ("panel_members",), occasion="panel_convened", once=f"panel-{panel.pk}", at=at)
    return panel


@transaction.atomic
def join_panel(*, dissent: Dissent, panel: Panel, by: Person, at: dt.datetime) -> Dissent:
    """Give a later dissent about the same conference to a panel that has not met yet.

    Whoever declared themselves independent did so before they knew of it, and is asked again. Raises
    PermissionDenied, TransitionNotAllowed, MayNotSit where somebody on it manages this dissenter.
    """
    held = hold(dissent, verb="convene", by=by, at=at)
    panel = lock_panel(panel.pk)
    if panel.conference_id != held.conference_id or panel.sat_at is not None:
        raise TransitionNotAllowed("This panel cannot take another dissent.")
    record = _Record.read(held, [held], at=at)
    seats = list(panel.seats.select_related("person__agency").filter(left_at=None))
    for seat in seats:
        record.refuse_unless_may_sit(seat.person, field="members")
    held.panel = panel
    held.save()
    asked_again = [seat for seat in seats if seat.independent]
    for seat in asked_again:
        seat.independent, seat.declared_at = None, None
    Seat.objects.bulk_update(asked_again, ["independent", "declared_at"])
    _note_in_each(
        panel,
        verb="join_panel",
        by=by,
        at=at,
        values={"joined": held.pk, "asked_again": [seat.person_id for seat in asked_again]},
    )
    notices.tell(held, ("panel_members",), occasion="panel_joined", once=f"panel-{panel.pk}-{held.pk}", at=at)
    return held


@transaction.atomic
def replace_member(*, dissent: Dissent, seat: Seat, person: Person, by: Person, at: dt.datetime) -> Seat:
    """Put somebody else in a seat whose holder has not sat. Raises as convene_panel does."""
    held = _hold_as(dissent, "convene", by=by, at=at)
    panel = lock_panel(held.panel_id) if held.panel_id else None
    old = panel and panel.seats.select_for_update(of=("self",)).filter(pk=seat.pk, left_at=None).first()
    if not panel or not old or old.sat:
        raise TransitionNotAllowed("Members can be replaced until they have sat.")
    old.left_at = at
    old.save(update_fields=["left_at"])
    record = _Record.read(held, list(_heard_with(held)), at=at)
    fresh = _seat(held, panel, record, person, is_chair=old.is_chair, by=by, at=at, field="person")
    _note_in_each(
        panel,
        verb="replace_member",
        by=by,
        at=at,
        values={"left": old.person_id, "named": person.pk, "conflict": old.conflict},
    )
    notices.tell(held, ("panel_members",), occasion="panel_convened", once=f"panel-{panel.pk}", at=at)
    return fresh


@transaction.atomic
def declare(*, dissent: Dissent, independent: bool, conflict: str = "", by: Person, at: dt.datetime) -> Seat:
    """Declare oneself independent of the decision, or say what the conflict is and leave the case.

    Raises PermissionDenied, TransitionNotAllowed, Refused where a conflict is not named.
    """
    held = _hold_as(dissent, "declare", by=by, at=at)
    assert held.panel  # noqa: S101  the relation comes from a seat
    seat = held.panel.seats.select_for_update(of=("self",)).get(person=by, left_at=None)
    if seat.declared_at:
        raise TransitionNotAllowed("You have declared already.")
    if not independent and not conflict.strip():
        raise Refused("Say what the conflict is, so that somebody else can be named.", field="conflict")
    if independent:
        refuse_who_may_no_longer_sit(held, [seat], at=at, field="independent")
    seat.independent, seat.conflict, seat.declared_at = independent, conflict.strip(), at
    seat.save(update_fields=["independent", "conflict", "declared_at"])
    _note_in_each(
        held.panel,
        verb="declare",
        about=seat,
        by=by,
        at=at,
        values={"independent": independent, "conflict": seat.conflict},
    )
    if not independent:
        convener = _rules(held).convened_by
        notices.tell(held, (convener,), occasion="conflict_declared", once=f"conflict-{seat.pk}", at=at)
    return seat


@transaction.atomic
def record_sitting(
    *, dissent: Dissent, present: Iterable[Seat], sat_at: dt.datetime, by: Person, at: dt.datetime
) -> Panel:
    """Record when the panel sat and who was there. Whether it can decide is asked when it decides.

    Raises PermissionDenied, TransitionNotAllowed, InTheFuture, and Refused for somebody who has not declared
    themselves independent, or had not yet when the panel sat.
    """
    held = _hold_as(dissent, "record_sitting", by=by, at=at)
    panel = lock_panel(held.panel_id)
    if panel.decisions.exists():
        raise TransitionNotAllowed("The panel has decided already.")
    not_in_the_future(sat_at, at=at, field="sat_at")
    if before(sat_at, panel.convened_at):
        raise Refused(
            "The panel cannot have met before it was convened. Check the date and time.", field="sat_at"
        )
    there = {seat.pk for seat in present}
    seats = list(panel.seats.select_for_update(of=("self",)).select_related("person").filter(left_at=None))
    for seat in seats:
        seat.sat = seat.pk in there
        if seat.sat and (why := _could_not_sit(seat, sat_at)):
            raise Refused(why, field="present")
    refuse_who_may_no_longer_sit(held, [seat for seat in seats if seat.sat], at=at, field="present")
    Seat.objects.bulk_update(seats, ["sat"])
    panel.sat_at, panel.sat_recorded_at, panel.sat_recorded_by = sat_at, at, by
    panel.save()
    _note_in_each(
        panel,
        verb="record_sitting",
        by=by,
        at=at,
        happened_at=sat_at,
        values={"present": [seat.person_id for seat in seats if seat.sat]},
    )
    return panel


def _could_not_sit(seat: Seat, sat_at: dt.datetime) -> str:
    """Return why the holder of `seat` was not there as a member at `sat_at`; empty where they could be."""
    name = seat.person.name
    if not seat.independent or seat.declared_at is None:
        return f"{name} has not declared themselves independent, and cannot sit before that."
    if before(sat_at, seat.named_at):
        return f"{name} was named for the panel only after this time. Check the time, or leave them out."
    if timezone.localdate(seat.declared_at) > timezone.localdate(sat_at):  # it is often said in the room
        return (
            f"{name} declared themselves independent only after that day, and cannot sit before that. "
            "Check the date, or leave them out."
        )
    return ""


def _note_in_each(
    panel: Panel,
    *,
    verb: str,
    by: Person,
    at: dt.datetime,
    values: dict[str, Any],
    about: models.Model | None = None,
    happened_at: dt.datetime | None = None,
) -> None:
    """Write what was done to a panel into the history of every dissent that it hears."""
    for dissent in panel.hears().select_related("council").order_by("raised_at", "pk"):
        note(
            verb=verb,
            dissent=dissent,
            about=about or panel,
            by=by,
            at=at,
            happened_at=happened_at,
            values=values,
        )


def refuse_who_may_no_longer_sit(
    dissent: Dissent, seats: Iterable[Seat], *, at: dt.datetime, field: str
) -> None:
    """Raise MayNotSit where something recorded since they were named keeps one of `seats` off the panel."""
    assert dissent.panel  # noqa: S101  seats belong to one
    record = _Record.read(dissent, list(dissent.panel.hears()), at=at)
    for seat in seats:
        record.refuse_unless_may_sit(seat.person, field=field)


def who_may_be_named(dissent: Dissent, *, at: dt.datetime) -> list[Candidate]:
    """Return the people from whom its panel can be named, by name, each with why they may not sit.

    The queries are the same however many they are.
    """
    record = _Record.read(dissent, list(_heard_with(dissent)), at=at)
    people = sorted(record.people.values(), key=lambda person: (person.name.casefold(), str(person.pk)))
    return [record.candidate(person) for person in people]


def panel_as_named_lacks(dissent: Dissent) -> list[str]:
    """Return a sentence for each thing for which the panel as it is named could never decide (ST-17)."""
    rules = _rules(dissent)
    seats = [seat for seat in dissent.panel.seats.all() if seat.holds] if dissent.panel else []
    lacks = []
    if len(seats) < rules.quorum:
        lacks.append(f"Name at least {rules.quorum} people, the chair included: that is the quorum.")
    if rules.seat and not any(seat.for_the_unit for seat in seats):
        unit = dissent.rules.words.unit.one
        lacks.append(f"Name somebody for the {unit}: it is always represented.")
    return lacks


def _rules(dissent: Dissent) -> PanelRules:
    rules = dissent.rules_of_stage.panel
    if rules is None:
        raise TransitionNotAllowed("No panel sits at this stage.")
    return rules


def _hold_as(dissent: Dissent, verb: str, *, by: Person, at: dt.datetime) -> Dissent:
    """Hold a case at a panel's stage for one of its panel. Raises PermissionDenied, TransitionNotAllowed."""
    held = lock(dissent.pk)
    if not permissions.may(verb, held.stand_as(by, at=at)):
        if "panel_let_go" in held.stands_as:
            raise TransitionNotAllowed("The dissent was withdrawn.")
        if permissions.may(verb, {"panel_chair"}) and _is_to_chair(held, by):
            raise TransitionNotAllowed(
                "Say on the panel’s page first whether you are independent. You are asked again when another "
                "dissent is given to the panel."
            )
        raise PermissionDenied
    if held.state != AT_STAGE:
        raise TransitionNotAllowed("The panel has decided already.")
    return held


def _is_to_chair(dissent: Dissent, person: Person) -> bool:
    """Say whether `person` is named as the chair of the panel that is to decide."""
    panel = dissent.panel_of_stage
    return dissent.state == AT_STAGE and bool(
        panel
        and any(seat.is_chair and seat.holds and seat.person_id == person.pk for seat in panel.seats.all())
    )


def lock_panel(pk: object) -> Panel:
    """Lock a panel and read it afresh: several dissents lead to it."""
    return Panel.objects.select_for_update(no_key=True).get(pk=pk)


def _heard_with(dissent: Dissent) -> models.QuerySet[Dissent]:
    """The dissents that one panel hears together: those it was given, before that those that wait for one."""
    if dissent.panel:
        return dissent.panel.hears()
    return Dissent.objects.filter(
        conference=dissent.conference_id, stage=dissent.stage, state=AT_STAGE, panel=None
    )


@dataclass(frozen=True)
class _Record:
    """What is on record about who may sit, read once for everybody: by id, people, agencies and roles."""

    rules: PanelRules
    conference: Conference
    hears: list[Dissent]
    people: dict[object, Person]
    of_the_unit: frozenset[object]
    attended: tuple[Attendance, ...]
    represented: frozenset[object]
    reviewed: frozenset[object]

    @classmethod
    def read(cls, dissent: Dissent, hears: list[Dissent], *, at: dt.datetime) -> _Record:
        rules = _rules(dissent)
        roles = (*rules.seat, "panel_member")
        appointed = list(
            Appointment.objects.at(at)
            .filter(council=dissent.council_id, role__in=roles, person__is_active=True)
            .select_related("person__agency")
        )
        there = tuple(Attendance.objects.in_force().filter(conference=dissent.conference_id, present=True))
        steps = StepRecord.objects.filter(dissent__in=hears).exclude(stage=dissent.stage).order_by()
        decisions = Decision.objects.filter(dissent__in=hears).exclude(stage=dissent.stage).order_by()
        reviewed = steps.values_list("recorded_by").union(decisions.values_list("decided_by"))
        return cls(
            rules=rules,
            conference=dissent.conference,
            hears=hears,
            people={each.person_id: each.person for each in appointed},
            of_the_unit=frozenset(each.person_id for each in appointed if each.role in rules.seat),
            attended=there,
            represented=frozenset(each.agency_id for each in there if each.capacity == "professional"),
            reviewed=frozenset(person for (person,) in reviewed),
        )

    def candidate(self, person: Person) -> Candidate:
        why = self._why_not(person)
        return Candidate(
            person=person,
            for_the_unit=person.pk in self.of_the_unit,
            reviewed_before=person.pk in self.reviewed,
            why_not=why and f"{person.name} {why}",
        )

    def refuse_unless_may_sit(self, person: Person, *, field: str) -> Candidate:
        """Raise MayNotSit with the reason, where the terms of reference keep `person` off (ST-12, ST-17)."""
        candidate = self.candidate(person)
        if candidate.why_not:
            raise MayNotSit(person, candidate.why_not, field=field)
        return candidate

    def _why_not(self, person: Person) -> str:
        for_the_unit = person.pk in self.of_the_unit
        refuses = self.rules.refuses
        if person.pk not in self.people:
            return "is not on record as somebody who may sit on panels here."
        if person.agency is None:
            return "has no agency on record, so nobody can tell whether it was represented."
        if any(each.dissenter_id == person.pk for each in self.hears):
            return "raised a dissent that this panel hears."
        if person.pk == self.conference.chair_id:
            return "chaired the conference."
        if "attended" in refuses and any(_is(person, each) for each in self.attended):
            return "was at the conference and took part in its decision."
        if "manages_the_dissenter" in refuses and any(_manages(person, each) for each in self.hears):
            return "manages the dissenter."
        allowed = for_the_unit and self.rules.seat_may_have_reviewed
        if "reviewed" in refuses and person.pk in self.reviewed and not allowed:
            return "looked at the dissent at an earlier stage."
        represented = for_the_unit or person.agency_id in self.represented
        if self.rules.from_represented_agencies and not represented:
            return f"is from {person.agency}, which was not represented at the conference."
        return ""


def _manages(person: Person, dissent: Dissent) -> bool:
    """By the address where one was given: a name alone can be a namesake's."""
    if dissent.manager_email:
        return dissent.manager_email.casefold() == person.email.casefold()
    return _same(dissent.manager_name, person.name)


def _is(person: Person, attendance: Attendance) -> bool:
    """Whether somebody on the record of the conference is `person`, as far as the record can tell."""
    if attendance.person_id == person.pk or attendance.email.casefold() == person.email.casefold():
        return True
    nobody_else = not attendance.email or attendance.agency_id == person.agency_id
    return nobody_else and _same(attendance.name, person.name)


def _same(one: str, other: str) -> bool:
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def _seat(
    dissent: Dissent,
    panel: Panel,
    record: _Record,
    person: Person,
    *,
    is_chair: bool,
    by: Person,
    at: dt.datetime,
    field: str,
) -> Seat:
    candidate = record.refuse_unless_may_sit(person, field=field)
    if panel.seats.filter(person=person, left_at=None).exists():
        raise MayNotSit(person, f"{person.name} is already on the panel.", field=field)
    return Seat.objects.create(
        council_id=dissent.council_id,
        panel=panel,
        person=person,
        agency=person.agency,
        is_chair=is_chair,
        for_the_unit=candidate.for_the_unit,
        reviewed_before=candidate.reviewed_before,
        named_at=at,
        named_by=by,
    )

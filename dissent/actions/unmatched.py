"""What is done to a dissent whose conference was not on record: begun, matched, confirmed or settled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from councils.models import Agency, Council, Person
from dissent import family_letters
from dissent.actions import clocks
from dissent.actions.conference import NoProcedure, SentBefore
from dissent.actions.core import (
    Refused,
    before,
    enter_stage,
    hold,
    lock,
    not_in_the_future,
    note,
    record,
)
from dissent.actions.dissent import AlreadyRaised, MayNotDissent, form_is_late, take_in_form, why_not
from dissent.models import Answer, Attendance, Child, Claim, Clock, Conference, Dissent
from dissent.models.dissent import AT_STAGE, BEGUN, RAISED


@transaction.atomic
def begin_dissent(
    *, council: Council, once: UUID | None = None, by: Person, at: dt.datetime, **facts: Any
) -> Dissent:
    """Begin a dissent about a conference that is not on record, by whoever proved their e-mail address.

    `facts` say who they are and which conference it was, as `change_claim` takes them. Nobody else learns of
    it until the form is sent, and nothing says whether there is such a conference. `once` is drawn by the
    page. Raises InTheFuture, NoProcedure, SentBefore, and Refused for what is missing.
    """
    said = _claimed(council, facts, at=at)
    Person.objects.select_for_update(no_key=True).get(pk=by.pk)  # two presses at once queue up here
    made = Dissent.objects.filter(pk=once, dissenter=by).select_related("claim").first() if once else None
    if made:
        if any(getattr(made.claim, name) != value for name, value in said.items()):
            raise SentBefore("You sent this page before. To change what it said, open your dissent.")
        return made
    dissent = Dissent.objects.create(
        id=once or uuid4(),
        council=council,
        procedure=_procedure(council, said["ended_at"]),
        dissenter=by,
        state=BEGUN,
        raised_at=at,
        raised_by=by,
    )
    dissent.claim = Claim.objects.create(council=council, dissent=dissent, **said)
    if not by.name:
        by.name, by.job, by.agency = said["name"], said["job"], said["agency"]
        by.save(update_fields=["name", "job", "agency"])
    note(verb="begin_dissent", dissent=dissent, by=by, at=at, values=_kept(said))
    return dissent


@transaction.atomic
def change_claim(*, dissent: Dissent, by: Person, at: dt.datetime, **facts: Any) -> Dissent:
    """Say anew who one is and which conference it was, until the form is sent.

    `facts`: name, job, agency, agency_name where the list has it not, ended_at, which, chair_name. Raises
    PermissionDenied, TransitionNotAllowed once it was sent, InTheFuture, NoProcedure, Refused.
    """
    held = hold(dissent, verb="change_claim", by=by, at=at)
    said = _claimed(held.council, facts, at=at)
    for name, value in said.items():
        setattr(held.claim, name, value)
    held.claim.save()
    held.procedure = _procedure(held.council, said["ended_at"])
    held.save()
    note(verb="change_claim", dissent=held, by=by, at=at, values=_kept(said))
    return held


@transaction.atomic
def match_dissent(
    *, dissent: Dissent, conference: Conference, agency: Agency | None = None, by: Person, at: dt.datetime
) -> Dissent:
    """Say which conference it was, whose chair is asked then whether it was raised there.

    `agency` is which of the list it is that the dissenter called otherwise; without it, one by that name is
    added to the list, so that they can be put on the record.

    Where the chair had recorded the same person's dissent meanwhile, and its form was not sent, the form goes
    to that one and this one closes. Another match puts a wrong one right: what its chair said counts no more.

    Raises PermissionDenied, TransitionNotAllowed once it was let in or has ended, and Refused where the
    conference is another council's, is matched already, or was chaired by the dissenter.
    """
    # Every conference first, in one order; see docs/decisions/0007.
    both = Conference.objects.filter(pk__in=[conference.pk, dissent.conference_id])
    list(both.order_by("pk").select_for_update(no_key=True, of=("self",)).values_list("pk"))
    held = hold(dissent, verb="match", by=by, at=at)
    if held.conference_id != dissent.conference_id:
        raise TransitionNotAllowed("Somebody else has found its conference meanwhile.")
    found = Conference.objects.select_related("chair", "procedure").get(pk=conference.pk)
    if found.council_id != held.council_id:
        raise Refused("Choose a conference of this council.", field="conference")
    if found.pk == held.conference_id:
        raise Refused("It is matched to this conference already.", field="conference")
    if found.chair_id == held.dissenter_id:
        raise Refused("The dissenter chaired this conference. Choose another.", field="conference")
    claim = held.claim
    if claim.agency is None:
        claim.agency = _listed(held, agency, by=by, at=at)
    claim.matched_at, claim.matched_by = at, by
    claim.stated_at = claim.stated_by = claim.raised_there = None
    claim.statement = ""
    claim.save()
    recorded = found.dissents.filter(dissenter=held.dissenter, state=RAISED).order_by("raised_at").first()
    if recorded:
        return _join(held, lock(recorded.pk), by=by, at=at)
    held.moments.filter(name="matched", replaced_at=None).update(replaced_at=at)
    held.conference, held.procedure = found, found.procedure
    held.match()
    held.save()
    moment = record(
        "matched", verb="match_dissent", dissent=held, by=by, at=at, values={"conference": found.pk}
    )
    asked = Clock.objects.filter(dissent=held, started__name="matched", stopped=None)
    asked.exclude(started=moment).update(stopped=moment)
    clocks.project(held)
    return held


@transaction.atomic
def confirm_raised(
    *,
    dissent: Dissent,
    children: Iterable[Child],
    attendance: Attendance | None = None,
    by: Person,
    at: dt.datetime,
) -> Dissent:
    """Say as the chair that it was raised in the conference, and about which children.

    `attendance` is the dissenter on a record that knows them by name alone; where it knows them not at all,
    this says that they came. The dissent goes on as one that the chair recorded in the conference does.

    Raises PermissionDenied, TransitionNotAllowed, MayNotDissent for somebody absent, observing or of the
    family (ST-02), AlreadyRaised, and Refused for no child or no agency.
    """
    held = hold(dissent, verb="confirm_raised", by=by, at=at)
    named = _enter(held, children, attendance, by=by, at=at)
    held.claim.stated_at, held.claim.stated_by, held.claim.raised_there = at, by, True
    held.claim.save()
    record(
        "raising_answered",
        verb="confirm_raised",
        dissent=held,
        by=by,
        at=at,
        values={"children": [child.pk for child in named]},
    )
    held.confirm_raised(_raised(held, by=by, at=at))
    return _go_on(held, by=by, at=at)


@transaction.atomic
def deny_raised(*, dissent: Dissent, statement: str, by: Person, at: dt.datetime) -> Dissent:
    """Say as the chair that it was not raised in the conference, and what is known of it.

    It ends nothing: whoever settles it decides. Raises PermissionDenied, TransitionNotAllowed, Refused.
    """
    held = hold(dissent, verb="deny_raised", by=by, at=at)
    if not statement.strip():
        raise Refused("Say what you know of it. The dissenter reads this.", field="statement")
    _places_nobody(held, statement, field="statement")
    claim = held.claim
    claim.stated_at, claim.stated_by, claim.raised_there = at, by, False
    claim.statement = statement.strip()
    claim.save()
    held.deny_raised()
    held.save()
    record(
        "raising_answered",
        verb="deny_raised",
        dissent=held,
        by=by,
        at=at,
        values={"statement": claim.statement},
    )
    return held


@transaction.atomic
def leave_unconfirmed(*, dissent: Dissent, at: dt.datetime) -> Dissent:
    """Leave it to whoever settles it, since its chair said nothing in time. Raises TransitionNotAllowed."""
    held = hold(dissent, verb="doubt", by=None, at=at)
    held.doubt()
    held.save()
    record("raising_answered", verb="leave_unconfirmed", dissent=held, by=None, at=at)
    return held


@transaction.atomic
def let_in(
    *,
    dissent: Dissent,
    heard: str,
    heard_at: dt.datetime,
    reasons: str,
    children: Iterable[Child],
    attendance: Attendance | None = None,
    by: Person,
    at: dt.datetime,
) -> Dissent:
    """Let a dissent in that its chair did not confirm, after hearing the dissenter, with reasons.

    Raises as `confirm_raised` does, InTheFuture, and Refused without reasons or without hearing.
    """
    held = hold(dissent, verb="let_in", by=by, at=at)
    named = _enter(held, children, attendance, by=by, at=at)
    _settle(held, heard, heard_at, reasons, by=by, at=at)
    record(
        "entry_settled",
        verb="let_in",
        dissent=held,
        by=by,
        at=at,
        values={"reasons": held.claim.reasons, "heard": held.claim.heard, "children": [c.pk for c in named]},
    )
    held.let_in(_raised(held, by=by, at=at))
    return _go_on(held, by=by, at=at)


@transaction.atomic
def turn_away(
    *, dissent: Dissent, heard: str, heard_at: dt.datetime, reasons: str, by: Person, at: dt.datetime
) -> Dissent:
    """Refuse a dissent that nothing shows to have been raised, after hearing the dissenter. It is kept.

    Raises PermissionDenied, TransitionNotAllowed, InTheFuture, and Refused without reasons or hearing.
    """
    held = hold(dissent, verb="turn_away", by=by, at=at)
    _settle(held, heard, heard_at, reasons, by=by, at=at)
    held.turn_away()
    held.closed_at = at
    held.save()
    moment = record(
        "entry_settled",
        verb="turn_away",
        dissent=held,
        by=by,
        at=at,
        values={"reasons": held.claim.reasons, "heard": held.claim.heard},
    )
    clocks.stop_all(held, moment)
    return held


def _claimed(council: Council, facts: dict[str, Any], *, at: dt.datetime) -> dict[str, Any]:
    """Return what is said of the dissenter and the conference, tidied. Raises Refused for what is missing."""
    said: dict[str, Any] = {
        name: str(facts.get(name) or "").strip()
        for name in ("name", "job", "agency_name", "which", "chair_name")
    }
    said |= {"agency": facts.get("agency"), "ended_at": facts["ended_at"]}
    agency: Agency | None = said["agency"]
    if agency and agency.council_id != council.pk:
        raise Refused("Choose an agency of this council.", field="agency")
    if agency:
        said["agency_name"] = ""
    for name, missing in (
        ("name", "Give your name."),
        ("job", "Say what your job is."),
        ("which", "Say which conference it was."),
    ):
        if not said[name]:
            raise Refused(missing, field=name)
    if not agency and not said["agency_name"]:
        raise Refused("Say which agency you work for.", field="agency")
    not_in_the_future(said["ended_at"], at=at, field="ended_at")
    return said


def _procedure(council: Council, ended_at: dt.datetime) -> Any:
    procedure = council.procedure_on(timezone.localdate(ended_at))
    if procedure is None:
        raise NoProcedure(
            "No dissent procedure was in force here on that day. Check the date.", field="ended_at"
        )
    return procedure


def _kept(said: dict[str, Any]) -> dict[str, Any]:
    return {**said, "agency": said["agency"].pk if said["agency"] else None}


def _join(held: Dissent, recorded: Dissent, *, by: Person, at: dt.datetime) -> Dissent:
    """Send the form of `held` as that of `recorded`, which the chair recorded meanwhile. Both are locked."""
    assert held.filed_at  # noqa: S101  no form is matched before it was sent
    unsent = recorded.answers_by_question()
    answers = held.answers_by_question()
    for question, text in answers.items():
        Answer.objects.update_or_create(
            dissent=recorded,
            question=question,
            defaults={"council_id": recorded.council_id, "text": text, "kept_at": held.filed_at},
        )
    if held.manager_told_on and not recorded.manager_told_on:
        recorded.manager_name, recorded.manager_email = held.manager_name, held.manager_email
        recorded.manager_told_on = held.manager_told_on
    held.continued_in, held.closed_at = recorded, at
    held.conference = None
    held.join()
    held.save()
    values = {"continued_in": recorded.pk}
    moment = record("matched", verb="join_dissent", dissent=held, by=by, at=at, values=values)
    clocks.stop_all(held, moment)
    take_in_form(
        recorded,
        answers,
        late=form_is_late(recorded, at=held.filed_at),
        filed_at=held.filed_at,
        by=held.dissenter,
        at=at,
        values={"came_as": held.pk, "unsent": unsent},
    )
    return recorded


def _listed(held: Dissent, agency: Agency | None, *, by: Person, at: dt.datetime) -> Agency:
    """Return the agency of the list that the dissenter's is, added where the list has it not."""
    if agency:
        if agency.council_id != held.council_id:
            raise Refused("Choose an agency of this council.", field="agency")
        return agency
    name = held.claim.agency_name
    known = Agency.objects.filter(council=held.council_id, name__iexact=name).first()
    if known:
        return known
    made = Agency.objects.create(council_id=held.council_id, name=name)
    note(verb="add_agency", dissent=held, about=made, by=by, at=at, values={"name": name})
    return made


def _enter(
    held: Dissent,
    children: Iterable[Child],
    attendance: Attendance | None,
    *,
    by: Person,
    at: dt.datetime,
) -> list[Child]:
    """Give the dissent its attendance and its children, as the conference's record has them."""
    conference = held.conference
    assert conference  # noqa: S101  it was matched
    named = list(conference.children.filter(pk__in=[child.pk for child in children]))
    if not named:
        raise Refused("Say about which children.", field="children")
    same = conference.dissents.filter(dissenter=held.dissenter_id, children__in=named).exclude(pk=held.pk)
    if first := same.order_by("raised_at").first():
        raise AlreadyRaised(
            first, f"{held.claim.name} has already dissented about a child you chose: {first.reference}."
        )
    there = _attendance(held, conference, attendance, by=by, at=at)
    if reason := why_not(there, held.rules.raising):
        raise MayNotDissent(f"{reason} {held.rules.raising.refused}", field="attendance")
    held.attendance = there
    held.children.set(named)
    return named


def _attendance(
    held: Dissent, conference: Conference, known_as: Attendance | None, *, by: Person, at: dt.datetime
) -> Attendance:
    """Return the dissenter on the record of the conference, put there where it had them not."""
    there = conference.attendances.in_force()
    if found := there.filter(person=held.dissenter_id).first():
        return found
    if known_as:
        by_name = there.filter(pk=known_as.pk, person=None).first()
        if by_name is None:
            raise Refused("Choose somebody whom the record knows by name alone.", field="attendance")
        by_name.person, by_name.email = held.dissenter, held.dissenter.email
        by_name.save(update_fields=["person", "email"])
        note(verb="know_attendance", dissent=held, about=by_name, by=by, at=at)
        return by_name
    claim = held.claim
    assert claim.agency  # noqa: S101  it is of the list since it was matched
    facts = {
        "name": claim.name,
        "job": claim.job,
        "capacity": Attendance.Capacity.PROFESSIONAL,
        "present": True,
        "email": held.dissenter.email,
    }
    made = Attendance.objects.create(
        council_id=held.council_id,
        conference=conference,
        person=held.dissenter,
        agency=claim.agency,
        added_at=at,
        **facts,
    )
    note(
        verb="add_attendance",
        dissent=held,
        about=made,
        by=by,
        at=at,
        values={**facts, "agency": claim.agency.pk},
    )
    return made


def _settle(
    held: Dissent, heard: str, heard_at: dt.datetime, reasons: str, *, by: Person, at: dt.datetime
) -> None:
    assert held.filed_at  # noqa: S101  no other state has this verb
    not_in_the_future(heard_at, at=at, field="heard_at")
    if before(heard_at, held.filed_at):
        raise Refused("Give a time after the form was sent.", field="heard_at")
    doubted = held.moments.filter(name="raising_answered", replaced_at=None).order_by("happened_at").last()
    if doubted and before(heard_at, doubted.happened_at):
        raise Refused(
            "Give a time after the chair answered, or after the time for it ran out: the dissenter is heard "
            "about that.",
            field="heard_at",
        )
    if not heard.strip():
        raise Refused("Say what the dissenter said to it, or how you tried to ask them.", field="heard")
    if not reasons.strip():
        raise Refused("Give your reasons. The dissenter reads them.", field="reasons")
    _places_nobody(held, heard, field="heard")
    _places_nobody(held, reasons, field="reasons")
    claim = held.claim
    claim.heard, claim.heard_at, claim.reasons = heard.strip(), heard_at, reasons.strip()
    claim.settled_at, claim.settled_by = at, by
    claim.save()


def _places_nobody(held: Dissent, text: str, *, field: str) -> None:
    if held.conference and family_letters.places_somebody(text, held.conference):
        raise Refused(family_letters.NO_ADDRESS, field=field)


def _raised(held: Dissent, *, by: Person, at: dt.datetime) -> bool:
    """Record that it was raised in the conference, and say whether its form came late after that."""
    assert held.conference  # noqa: S101  it was matched
    assert held.filed_at  # noqa: S101  it was matched after it was sent
    record(
        "raised",
        verb="raise_dissent",
        dissent=held,
        by=by,
        at=at,
        happened_at=min(held.conference.ended_at, held.filed_at),
        tells=False,  # whoever is told of it was told with what led to it
    )
    return form_is_late(held, at=held.filed_at)


def _go_on(held: Dissent, *, by: Person, at: dt.datetime) -> Dissent:
    if held.state == AT_STAGE:
        enter_stage(held, held.rules.stages[0].key, at=at)
    held.save()
    if held.state == AT_STAGE:
        record("stage_entered", verb="enter_stage", dissent=held, stage=held.stage, by=by, at=at)
    clocks.project(held)
    return held

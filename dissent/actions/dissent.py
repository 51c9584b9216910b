"""What is done to a dissent before anybody decides it: raised, written, sent, admitted, withdrawn, lapsed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from django.db import transaction
from django.utils import timezone

from councils.calendars import CalendarNotPublished
from councils.models import Person
from councils.procedure import LATE, Raising
from dissent import notices
from dissent.actions import clocks
from dissent.actions.conference import RecordIsClosed
from dissent.actions.core import (
    Refused,
    before,
    enter_stage,
    hold,
    hold_conference,
    not_in_the_future,
    note,
    put_in_hands_of,
    record,
)
from dissent.clock import deadline, is_late
from dissent.models import Answer, Attendance, Child, Clock, Conference, Dissent
from dissent.models.dissent import AT_STAGE, BEGUN, DOUBTED, MATCHED, UNMATCHED


class MayNotDissent(Refused):
    """The procedure does not give this person a dissent, and says where to go instead."""


class AlreadyRaised(Refused):
    """The same professional has already dissented about one of these children. `first` is that dissent."""

    def __init__(self, first: Dissent, says: str) -> None:
        super().__init__(says, field="children")
        self.first = first


class AnswersMissing(Refused):
    """Questions of the form that have to be answered first. `questions` are their keys."""

    def __init__(self, questions: list[str]) -> None:
        super().__init__("Answer every question before you send the form.")
        self.questions = questions


class ReasonMissing(Refused):
    """A late form needs a reason."""


@transaction.atomic
def raise_dissent(
    *, conference: Conference, attendance: Attendance, children: Iterable[Child], by: Person, at: dt.datetime
) -> Dissent:
    """Record that somebody dissented in the conference, about which children.

    The clock for the form runs from the end of the conference, before this record was made. Raises
    PermissionDenied where `by` did not chair it, RecordIsClosed, MayNotDissent for somebody absent, observing
    or of the family (ST-02), AlreadyRaised, and Refused for no child or no way to reach the dissenter.
    """
    held = hold_conference(conference, verb="raise", by=by, at=at)
    rules = held.procedure.rules
    if held.is_closed:
        raise RecordIsClosed(f"You closed the record of this conference. {rules.raising.refused}")
    attendance = held.attendances.in_force().select_related("person", "agency").get(pk=attendance.pk)
    if reason := why_not(attendance, rules.raising):
        raise MayNotDissent(f"{reason} {rules.raising.refused}", field="attendance")
    named = list(held.children.filter(pk__in=[child.pk for child in children]))
    if not named:
        raise Refused("Say about which children.", field="children")
    if attendance.person is None:
        raise Refused(
            f"No e-mail address is recorded for {attendance.name}, so they could not be reached. "
            "Ask the conference administrator to record one.",
            field="attendance",
        )
    sent = held.dissents.filter(dissenter=attendance.person, state__in=[MATCHED, DOUBTED]).first()
    if sent:
        raise AlreadyRaised(
            sent,
            f"{attendance.name} sent a form about this conference already: {sent.reference}. Say there "
            "whether it was raised.",
        )
    first = held.dissents.filter(attendance=attendance, children__in=named).order_by("raised_at").first()
    if first:
        raise AlreadyRaised(
            first, f"{attendance.name} has already dissented about a child you chose: {first.reference}."
        )
    dissent = Dissent.objects.create(
        council_id=held.council_id,
        procedure=held.procedure,
        conference=held,
        attendance=attendance,
        dissenter=attendance.person,
        raised_at=at,
        raised_by=by,
    )
    dissent.children.set(named)
    put_in_hands_of(dissent, rules.stages[0].heads, at=at)
    record(
        "raised",
        verb="raise_dissent",
        dissent=dissent,
        by=by,
        at=at,
        values={"dissenter": dissent.dissenter_id, "children": [child.pk for child in named]},
    )
    return dissent


@transaction.atomic
def keep_answer(*, dissent: Dissent, question: str, text: str, by: Person, at: dt.datetime) -> Answer:
    """Keep what is typed at one question, as typed. No moment: nothing has been sent yet.

    Raises PermissionDenied, TransitionNotAllowed once the form was sent, Refused for no such question.
    """
    held = hold(dissent, verb="keep", by=by, at=at)
    if question not in {each.key for each in held.rules.filing.questions} | {LATE}:
        raise Refused("There is no such question.")
    answer, _ = Answer.objects.update_or_create(
        dissent=held, question=question, defaults={"council_id": held.council_id, "text": text, "kept_at": at}
    )
    return answer


@transaction.atomic
def file_dissent(*, dissent: Dissent, by: Person, at: dt.datetime) -> Dissent:
    """Send the form. The time of sending counts; a late one is taken with a reason and waits to be let in.

    Raises PermissionDenied, TransitionNotAllowed where it was sent already, AnswersMissing, ReasonMissing.
    """
    held = hold(dissent, verb="file", by=by, at=at)
    answers = held.answers_by_question()
    missing = [
        question.key
        for question in held.questions_asked(answers)
        if question.required and not answers.get(question.key, "").strip()
    ]
    if missing:
        raise AnswersMissing(missing)
    late = is_late_to_file(held, at=at)
    if late and not answers.get(LATE, "").strip():
        raise ReasonMissing("Say why the form is sent after its time.", field=LATE)
    take_in_form(held, answers, late=late, filed_at=at, by=by, at=at)
    if held.state == UNMATCHED:
        put_in_hands_of(held, held.rules.stages[0].heads, at=at)
        clocks.project(held)
        notices.tell(
            held, ("conference_administrator",), occasion="unmatched", once=f"unmatched-{held.pk}", at=at
        )
    return held


def take_in_form(
    held: Dissent,
    answers: dict[str, str],
    *,
    late: bool,
    filed_at: dt.datetime,
    by: Person,
    at: dt.datetime,
    values: dict[str, Any] | None = None,
) -> None:
    """Record that the form came at `filed_at`, and pass the case on where nothing stands in its way."""
    held.file(late)
    held.filed_at = filed_at
    held.late_because = answers.get(LATE, "") if late else ""
    if held.state == AT_STAGE:
        enter_stage(held, held.rules.stages[0].key, at=at)
    held.save()
    record(
        "filed",
        verb="file",
        dissent=held,
        by=by,
        at=at,
        happened_at=filed_at,
        values={"answers": answers, "late": late, **(values or {})},
    )
    if held.state == AT_STAGE:
        record("stage_entered", verb="enter_stage", dissent=held, stage=held.stage, by=by, at=at)


@transaction.atomic
def admit(*, dissent: Dissent, reasons: str, by: Person, at: dt.datetime) -> Dissent:
    """Let a late form in, with reasons.

    Raises PermissionDenied, TransitionNotAllowed, Refused without reasons.
    """
    held = hold(dissent, verb="admit", by=by, at=at)
    _admission(held, reasons, by=by, at=at)
    held.admit()
    enter_stage(held, held.rules.stages[0].key, at=at)
    held.save()
    record("admission_decided", verb="admit", dissent=held, by=by, at=at, values={"reasons": reasons})
    record("stage_entered", verb="enter_stage", dissent=held, stage=held.stage, by=by, at=at)
    return held


@transaction.atomic
def refuse_late(*, dissent: Dissent, reasons: str, by: Person, at: dt.datetime) -> Dissent:
    """Refuse a late form, with reasons, and close the case. What was typed stays.

    Raises PermissionDenied, TransitionNotAllowed, Refused without reasons.
    """
    held = hold(dissent, verb="refuse_late", by=by, at=at)
    _admission(held, reasons, by=by, at=at)
    held.refuse_late()
    held.closed_at = at
    held.save()
    moment = record(
        "admission_decided", verb="refuse_late", dissent=held, by=by, at=at, values={"reasons": reasons}
    )
    clocks.stop_all(held, moment)
    return held


@transaction.atomic
def withdraw(*, dissent: Dissent, reasons: str, by: Person, at: dt.datetime) -> Dissent:
    """Withdraw one's own dissent, with reasons or without, and close the case. What was typed stays.

    Raises PermissionDenied, TransitionNotAllowed where it is decided or has ended.
    """
    held = hold(dissent, verb="withdraw", by=by, at=at)
    held.withdraw()
    held.withdrawn_at, held.withdrawal_reasons, held.closed_at = at, reasons.strip(), at
    held.save()
    moment = record(
        "withdrawn",
        verb="withdraw",
        dissent=held,
        stage=held.stage,
        by=by,
        at=at,
        values={"reasons": held.withdrawal_reasons},
    )
    clocks.stop_all(held, moment)
    return held


@transaction.atomic
def lapse(
    *, dissent: Dissent, tried: str, tried_at: dt.datetime, reasons: str, by: Person, at: dt.datetime
) -> Dissent:
    """End a dissent whose form never came, after trying to reach the dissenter. What was typed stays theirs.

    Raises PermissionDenied, TransitionNotAllowed once the form was sent, InTheFuture, and Refused without
    reasons, without what was tried since it was raised, and while the form can still be sent in time.
    """
    held = hold(dissent, verb="lapse", by=by, at=at)
    if can_be_in_time(held, at=at):
        raise Refused("The dissenter still has time to send the form. It lapses after that at the earliest.")
    not_in_the_future(tried_at, at=at, field="tried_at")
    if before(tried_at, held.raised_at):
        raise Refused("Give a time after the dissent was recorded.", field="tried_at")
    if not tried.strip():
        raise Refused("Say how you tried to reach the dissenter, and what came of it.", field="tried")
    if not reasons.strip():
        raise Refused("Give your reasons. The dissenter reads them.", field="reasons")
    held.lapse()
    held.lapsed_at, held.lapsed_by, held.lapse_reasons, held.closed_at = at, by, reasons.strip(), at
    held.tried_at, held.tried = tried_at, tried.strip()
    held.save()
    moment = record(
        "lapsed",
        verb="lapse",
        dissent=held,
        by=by,
        at=at,
        values={"reasons": held.lapse_reasons, "tried": held.tried, "tried_at": tried_at},
    )
    clocks.stop_all(held, moment)
    return held


@transaction.atomic
def tell_management(
    *, dissent: Dissent, name: str, email: str, told_on: dt.date, by: Person, at: dt.datetime
) -> Dissent:
    """Record that the dissenter told their own management, whom and when (ST-07).

    Raises PermissionDenied, TransitionNotAllowed, Refused for a day that has not come.
    """
    held = hold(dissent, verb="tell_management", by=by, at=at)
    if told_on > timezone.localdate(at):
        raise Refused("This day has not come yet. Give the day on which you told them.", field="told_on")
    held.manager_name, held.manager_email, held.manager_told_on = name.strip(), email.strip().lower(), told_on
    held.save()
    note(
        verb="tell_management",
        dissent=held,
        by=by,
        at=at,
        values={"name": name, "email": email, "on": told_on},
    )
    return held


def is_late_to_file(dissent: Dissent, *, at: dt.datetime) -> bool:
    """Say whether a form sent at `at` is late, by any clock that filing stops.

    Where no conference is known, by what the dissenter says of it.
    """
    if dissent.state == BEGUN:
        return any(is_late(due_at, at) for due_at in limits_as_claimed(dissent))
    return any(clock.is_late(at) for clock in _limits_of_the_form(dissent))


def limits_as_claimed(dissent: Dissent) -> list[dt.datetime]:
    """Return until when the form can be in time, if the conference ended when the dissenter says it did."""
    ended_at, calendar = dissent.claim.ended_at, dissent.council.calendar()
    limits = []
    for rule in dissent.rules.clocks:
        if rule.start == "conference_ended" and rule.until == "filed" and rule.strength == "limit":
            with suppress(CalendarNotPublished):  # nobody can say that it is late
                limits.append(deadline(ended_at, rule.limit, calendar).due_at)
    return limits


def form_is_late(dissent: Dissent, *, at: dt.datetime) -> bool:
    """Say whether the form that came at `at` is late, by the clocks of a dissent that is raised."""
    stops = _stopped_by_the_form(dissent)
    return any(clock.is_late(at) for clock in dissent.clocks.filter(rule__in=stops).select_related("stopped"))


def can_be_in_time(dissent: Dissent, *, at: dt.datetime) -> bool:
    """Say whether a form sent at `at` can be in time; a limit whose date is not known may not have passed."""
    limits = _limits_of_the_form(dissent)
    return bool(limits) and not any(clock.is_late(at) for clock in limits)


def _limits_of_the_form(dissent: Dissent) -> list[Clock]:
    stops = _stopped_by_the_form(dissent)
    return [clock for clock in dissent.clocks.all() if clock.rule in stops and clock.is_running]


def _stopped_by_the_form(dissent: Dissent) -> set[str]:
    return {rule.key for rule in dissent.rules.clocks if rule.until == "filed" and rule.strength == "limit"}


def why_not(attendance: Attendance, rules: Raising) -> str:
    """Return why `attendance` gives no right to dissent under `rules` (ST-02); empty where it does."""
    if attendance.capacity not in rules.capacities:
        kind = attendance.get_capacity_display().lower()
        who = " and ".join(f"{Attendance.Capacity(each).label.lower()}s" for each in rules.capacities)
        return f"{attendance.name} was there as {_a(kind)}, and only {who} dissent."
    if rules.must_be_present and not attendance.present:
        return f"{attendance.name} did not attend the conference."
    return ""


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _admission(dissent: Dissent, reasons: str, *, by: Person, at: dt.datetime) -> None:
    if not reasons.strip():
        raise Refused("Give your reasons. The dissenter reads them.", field="reasons")
    dissent.admitted_at, dissent.admitted_by, dissent.admission_reasons = at, by, reasons.strip()

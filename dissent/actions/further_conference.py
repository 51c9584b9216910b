"""The further conference that a decision asks for: one answers every dissent about the first."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from councils.models import Person
from dissent.actions.conference import new_conference
from dissent.actions.core import (
    Refused,
    before,
    close_if_nothing_is_owed,
    hold,
    lock,
    record,
)
from dissent.models import Conference, Dissent
from dissent.models.dissent import RECONVENING


@transaction.atomic
def record_further_conference(
    *,
    dissent: Dissent,
    held_at: dt.datetime,
    ended_at: dt.datetime,
    chair: Person,
    by: Person,
    at: dt.datetime,
) -> Conference:
    """Record the further conference, with `by` of the unit in the lead (ST-22).

    It answers every dissent about the first conference that was decided before it. It decides about plans as
    every conference does; nothing is carried into it. Raises PermissionDenied,
    TransitionNotAllowed, and what recording a conference raises.
    """
    held = hold(dissent, verb="record_further_conference", by=by, at=at)
    first = held.conference
    if held.reheard_in_id:
        raise Refused("The further conference about this one is recorded already.")
    decision = held.decision_in_force()
    if decision and before(held_at, decision.decided_at):
        raise Refused("A further conference comes after the decision that asks for it.", field="held_at")
    further = new_conference(
        council=held.council,
        kind=first.kind,
        held_at=held_at,
        ended_at=ended_at,
        chair=chair,
        by=by,
        at=at,
        answers=first,
    )
    waiting = Dissent.objects.filter(conference=first, state=RECONVENING, reheard_in=None).order_by("pk")
    for each in [lock(pk) for pk in waiting.values_list("pk", flat=True)]:
        asked_for = each.decision_in_force()
        if asked_for and before(held_at, asked_for.decided_at):
            continue  # decided after it, so it is no answer to this one
        each.reheard_in = further
        each.save()
        record(
            "further_conference_held",
            verb="record_further_conference",
            dissent=each,
            about=further,
            by=by,
            at=at,
            happened_at=held_at,
            values={"conference": further.pk, "led_by": by.pk},
        )
        close_if_nothing_is_owed(each, at=at)
    return further

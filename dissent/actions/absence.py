"""Who is away, and who stands in for them meanwhile (ST-09)."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from councils.models import Absence, Appointment, Council, Person
from dissent.actions.core import Refused
from dissent.models import ledger

ADMINISTRATOR = "administrator"
STANDS_FOR_THEMSELF = frozenset({"chair", "panel_member", ADMINISTRATOR, "operator"})
"""Roles in which nobody waits for whoever is away: a conference has one chair, a panel names others."""


@transaction.atomic
def record_absence(
    *,
    appointment: Appointment,
    from_on: dt.date,
    until_on: dt.date,
    stands_in: Person | None,
    by: Person,
    at: dt.datetime,
) -> Absence:
    """Record the days on which somebody is away from a role, and who holds it for these days.

    Messages go to whoever stands in, and to nobody who is away. Raises PermissionDenied for anybody but the
    person themself and the administrator of the procedure; Refused for days that are over or overlap, where
    the appointment does not last, and for somebody who cannot stand in.
    """
    held = _hold(appointment, by=by, at=at)
    if held.role in STANDS_FOR_THEMSELF:
        raise Refused("Nobody stands in for this role.", field="appointment")
    if until_on < from_on:
        raise Refused("The last day cannot be before the first. Check both.", field="until_on")
    if until_on < timezone.localdate(at):
        raise Refused("These days are over. Give days that are still to come.", field="until_on")
    if held.from_on > until_on or (held.until_on and held.until_on < from_on):
        raise Refused("The appointment does not hold on these days. Check them.", field="from_on")
    if held.absences.overlapping(from_on, until_on).exists():
        raise Refused("An absence is recorded for some of these days already. End it first.", field="from_on")
    if held.person == stands_in:
        raise Refused("Somebody else has to stand in.", field="stands_in")
    if stands_in and not _could_stand_in(stands_in, held.council, from_on, until_on):
        raise Refused(
            f"{stands_in.name} has no role here, cannot sign in, or is away on some of these days. "
            "Choose somebody else.",
            field="stands_in",
        )
    absence = Absence.objects.create(
        appointment=held,
        stands_in=stands_in
        and Appointment.objects.create(
            council=held.council, person=stands_in, role=held.role, from_on=from_on, until_on=until_on
        ),
        from_on=from_on,
        until_on=until_on,
        recorded_at=at,
        recorded_by=by,
    )
    ledger.write(
        council=held.council,
        verb="record_absence",
        about=absence,
        by=by,
        happened_at=at,
        recorded_at=at,
        values={
            "person": held.person_id,
            "role": held.role,
            "from_on": from_on,
            "until_on": until_on,
            "stands_in": stands_in and stands_in.pk,
        },
    )
    return absence


@transaction.atomic
def end_absence(*, absence: Absence, by: Person, at: dt.datetime) -> Absence:
    """Record that somebody is back, or does not go: whoever stood in holds the role no longer, at once.

    Raises PermissionDenied as `record_absence` does, and Refused where it is over.
    """
    _hold(absence.appointment, by=by, at=at)
    held = Absence.objects.select_related("appointment__council").get(pk=absence.pk)
    if held.ended_at or held.until_on < timezone.localdate(at):
        raise Refused("This absence is over already.")
    held.ended_at, held.ended_by = at, by
    held.save(update_fields=["ended_at", "ended_by"])
    ledger.write(
        council=held.appointment.council,
        verb="end_absence",
        about=held,
        by=by,
        happened_at=at,
        recorded_at=at,
        values={"role": held.appointment.role, "person": held.appointment.person_id},
    )
    return held


def who_could_stand_in(council: Council, *, at: dt.datetime) -> list[Person]:
    """Return by name the people who work for `council` today, of whom one can be named.

    Members of other agencies, who sit on panels, are not among them.
    """
    appointed = Appointment.objects.at(at).filter(council=council).exclude(role="panel_member")
    people = Person.objects.filter(pk__in=appointed.values("person"), is_active=True)
    return list(people.select_related("agency").order_by("name", "pk"))


def may_record_absence(appointment: Appointment, person: Person, *, at: dt.datetime) -> bool:
    """Say whether `person` records when the holder of `appointment` is away."""
    administers = Appointment.objects.at(at).filter(
        council=appointment.council_id, person=person, role=ADMINISTRATOR
    )
    return appointment.person_id == person.pk or administers.exists()


def _hold(appointment: Appointment, *, by: Person, at: dt.datetime) -> Appointment:
    held = (
        Appointment.objects.select_for_update(no_key=True, of=("self",))
        .select_related("council", "person")
        .get(pk=appointment.pk)
    )
    if not may_record_absence(held, by, at=at):
        raise PermissionDenied
    return held


def _could_stand_in(person: Person, council: Council, from_on: dt.date, until_on: dt.date) -> bool:
    appointed = Appointment.objects.filter(council=council, person=person, from_on__lte=until_on).exclude(
        role="panel_member"
    )
    lasting = [each for each in appointed if each.until_on is None or each.until_on >= from_on]
    away = Absence.objects.filter(appointment__person=person, appointment__council=council)
    return person.is_active and bool(lasting) and not away.overlapping(from_on, until_on).exists()

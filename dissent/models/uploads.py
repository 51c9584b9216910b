"""Who puts the record of a decision on a child's record, and for which children that is still to be done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from councils.models import Appointment
from dissent.models.conference import Child

if TYPE_CHECKING:
    from dissent.models.dissent import Dissent


def present_for_the_unit(dissents: Iterable[Dissent], *, at: dt.datetime) -> set[tuple[int, str, int]]:
    """Return council, role and person of everybody who holds a role that uploads, and is not away."""
    rules = [(each.council_id, each.rules.childs_record) for each in dissents]
    roles = {role for _, record in rules if record for role in record.uploaded_by}
    if not roles:
        return set()
    held = Appointment.objects.present(at).filter(
        council__in={council for council, record in rules if record}, role__in=roles, person__is_active=True
    )
    return set(held.values_list("council", "role", "person"))


def uploads(
    dissent: Dissent, person_id: int, held: Collection[str], present: Collection[tuple[int, str, int]]
) -> bool:
    """Say whether somebody who holds the roles `held` is the one to upload the record (ST-24).

    Whoever sat for the unit is. Where no panel decided, or none of them is in such a role and `present` any
    more, it is anybody who holds one of these roles.
    """
    record = dissent.rules.childs_record
    if record is None or not set(held) & set(record.uploaded_by):
        return False
    panel = None if dissent.withdrawn_at else dissent.panel_of_stage
    if panel is None:
        return True
    there = {
        person
        for council, role, person in present
        if council == dissent.council_id and role in record.uploaded_by
    }
    sat = {seat.person_id for seat in panel.seats.all() if seat.for_the_unit and seat.sat} & there
    return person_id in sat or not sat


def children_to_be_uploaded(dissent: Dissent) -> list[Child]:
    """Return the children of a decision whose record of it nobody has said yet that they uploaded.

    Asks least where `decisions__findings__child` and `record_packs` came with the dissent.
    """
    record = dissent.rules.childs_record
    if record is None or dissent.stage != record.stage:
        return []
    decision = dissent.decision_in_force()
    if decision is None:
        return []
    done = {
        pack.child_id
        for pack in dissent.record_packs.all()
        if pack.uploaded_on and pack.replaced_at is None and pack.decision_id == decision.pk
    }
    return [finding.child for finding in decision.findings.all() if finding.child_id not in done]


def a_pack_waits(dissent: Dissent) -> bool:
    """Say whether there is a pack in force of which nobody has said yet that they uploaded it."""
    return any(pack.replaced_at is None and not pack.uploaded_on for pack in dissent.record_packs.all())

"""Who puts the record of a decision on a child's record, and for which children that is still to be done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from councils.models import Appointment, Person
from dissent.models.conference import Child

if TYPE_CHECKING:
    from dissent.models.dissent import Dissent
    from dissent.models.panel import Seat


def uploads(
    dissent: Dissent,
    person: Person,
    seats: Iterable[Seat],
    *,
    reads: bool,
    roles: Collection[str],
    at: dt.datetime,
) -> bool:
    """Say whether `person`, who holds `roles` and perhaps reads the case in one, uploads it (ST-24).

    While it is owed that is whoever sat for the unit. Where nobody did, or they are away or gone, and for
    what is added later, it is anybody who reads the case in a role that uploads.
    """
    record = dissent.rules.childs_record
    if record is None:
        return False
    in_office = reads and bool(set(roles) & set(record.uploaded_by))
    sat = {seat.person_id for seat in seats if seat.for_the_unit and seat.sat and not seat.left_at}
    sat = set() if dissent.withdrawn_at else sat
    if not in_office and person.pk not in sat:
        return False
    if not type(dissent).objects.owing_a_record().filter(pk=dissent.pk).exists():
        return in_office
    return person.pk in sat or not _present(dissent, sat, at=at)


def _present(dissent: Dissent, people: set[int], *, at: dt.datetime) -> bool:
    held = Appointment.objects.present(at).filter(council=dissent.council_id, person__in=people)
    return bool(people) and held.filter(person__is_active=True).exists()


def children_to_be_uploaded(dissent: Dissent) -> list[Child]:
    """Return the children for whom nobody has said yet that they uploaded the record of a decision.

    Asks least where `decisions__findings__child` and `record_packs` came with the dissent.
    """
    decisions = [each for each in dissent.decisions.all() if each.goes_on_record and not each.replaced_at]
    uploaded = [pack for pack in dissent.record_packs.all() if pack.uploaded_on and not pack.overtaken_at]
    missing = {
        finding.child
        for decision in decisions
        for finding in decision.findings.all()
        if not any(
            pack.child_id == finding.child_id and pack.made_at >= decision.decided_at for pack in uploaded
        )
    }
    return sorted(missing, key=lambda child: (child.added_at, child.pk))


def a_pack_waits(dissent: Dissent) -> bool:
    """Say whether there is a pack in force of which nobody has said yet that they uploaded it."""
    return any(
        pack.replaced_at is None and not pack.overtaken_at and not pack.uploaded_on
        for pack in dissent.record_packs.all()
    )

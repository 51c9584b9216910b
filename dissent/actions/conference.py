"""What is done to a conference and its record."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TypeVar
from uuid import UUID, uuid4

from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.utils import timezone

from councils.models import Agency, Council, Person
from dissent import family_letters
from dissent.actions.core import Refused, hold_conference, lock, not_in_the_future
from dissent.models import Attendance, Child, Conference, Moment, Paper, PaperContent, Relative, ledger
from dissent.models.panel import appointed_as
from dissent.pdf.check import check_pdf

LONGEST = dt.timedelta(days=1)
"""Beyond it a time is a slip of the hand, from which clocks would run."""
OLDEST = dt.timedelta(days=25 * 366)
BORN_AFTER = dt.timedelta(days=300)
OVERDUE = dt.timedelta(days=31)
"""A child's date beyond these is one too, most often in the year."""


class RecordIsClosed(Refused):
    """The chair has closed the conference record, so it takes nothing more."""


class SentBefore(Refused):
    """A page that was sent once is sent again, and says something else now."""


class NoProcedure(Refused):
    """No procedure was in force here on the day of the conference."""


@transaction.atomic
def record_conference(
    *,
    council: Council,
    kind: str,
    held_at: dt.datetime,
    ended_at: dt.datetime,
    chair: Person,
    once: UUID | None = None,
    by: Person,
    at: dt.datetime,
) -> Conference:
    """Record that a conference was held, pinned to the procedure in force on its day.

    `once` is drawn by the page, here and below: the same page sent twice makes one row (see `_made`).
    Raises PermissionDenied where `by` administers no conferences here, InTheFuture, NoProcedure, SentBefore,
    and Refused where it ended before it began or `chair` chairs none here.
    """
    if (
        not appointed_as(("conference_administrator",), council_id=council.pk, at=at)
        .filter(pk=by.pk)
        .exists()
    ):
        raise PermissionDenied
    Council.objects.select_for_update(no_key=True).get(pk=council.pk)  # two presses at once queue up here
    before = _made(
        Conference.objects.filter(council=council, recorded_by=by),
        once,
        {"kind": kind, "held_at": held_at, "ended_at": ended_at, "chair_id": chair.pk},
    )
    if before:
        return before
    conference = new_conference(
        council=council, kind=kind, held_at=held_at, ended_at=ended_at, chair=chair, once=once, by=by, at=at
    )
    _note(conference, "record_conference", by=by, at=at, values={"kind": kind, "chair": chair.pk})
    return conference


def new_conference(
    *,
    council: Council,
    kind: str,
    held_at: dt.datetime,
    ended_at: dt.datetime,
    chair: Person,
    by: Person,
    at: dt.datetime,
    once: UUID | None = None,
    answers: Conference | None = None,
) -> Conference:
    """Make the row and its two moments. `answers` is the conference that this one thinks over again."""
    not_in_the_future(held_at, at=at, field="held_at")
    refuse_unlikely_end(held_at, ended_at, at=at)
    if not appointed_as(("chair",), council_id=council.pk, at=at).filter(pk=chair.pk).exists():
        raise Refused(
            "This person is not appointed to chair conferences here. Choose another.", field="chair"
        )
    procedure = council.procedure_on(timezone.localdate(held_at))
    if procedure is None:
        raise NoProcedure(
            "No dissent procedure was in force here on that day. Check the date, or ask the administrator "
            "of the procedure which one applies.",
            field="held_at",
        )
    conference = Conference.objects.create(
        id=once or uuid4(),
        council=council,
        procedure=procedure,
        kind=kind,
        held_at=held_at,
        ended_at=ended_at,
        chair=chair,
        recorded_at=at,
        recorded_by=by,
        answers=answers,
        led_by=by if answers else None,
    )
    Moment.objects.bulk_create(
        Moment(council=council, conference=conference, name=name, happened_at=when, recorded_at=at, by=by)
        for name, when in (("conference_held", held_at), ("conference_ended", ended_at))
    )
    return conference


def refuse_unlikely_end(held_at: dt.datetime, ended_at: dt.datetime, *, at: dt.datetime) -> None:
    """Raise InTheFuture, or Refused where a conference cannot have ended then."""
    not_in_the_future(ended_at, at=at, field="ended_at")
    if ended_at <= held_at:
        raise Refused("The conference cannot have ended before it began. Check both times.", field="ended_at")
    if ended_at - held_at > LONGEST:
        raise Refused("A conference does not last longer than a day. Check both times.", field="ended_at")


@transaction.atomic
def add_child(
    *,
    conference: Conference,
    name: str,
    born_on: dt.date | None,
    due_on: dt.date | None,
    decision: str,
    category: str,
    record_number: str = "",
    once: UUID | None = None,
    by: Person,
    at: dt.datetime,
) -> Child:
    """Record a child and what was decided for that child. An unborn child is due, and may have no name.

    Raises PermissionDenied, RecordIsClosed, SentBefore, Refused where birth and due date are both given, or
    neither, where one cannot be right, or where the category does not go with the decision.
    """
    held = _open(conference, "describe", by=by, at=at)
    facts: dict[str, object] = {
        "name": name.strip(),
        "born_on": born_on,
        "due_on": due_on,
        "decision": decision,
        "category": category,
        "record_number": record_number.strip(),
    }
    if before := _made(held.children, once, facts):
        return before
    refuse_unlikely_child(held, name=name, born_on=born_on, due_on=due_on, at=at)
    refuse_unlikely_plan(decision, category)
    child = Child.objects.create(
        id=once or uuid4(), council_id=held.council_id, conference=held, added_at=at, **facts
    )
    _note(held, "add_child", by=by, at=at, about=child, values=facts)
    return child


def refuse_unlikely_plan(decision: str, category: str) -> None:
    """Raise Refused where a category does not go with what was decided."""
    if decision in (Child.Decision.MADE, Child.Decision.CONTINUED) and not category:
        raise Refused("Say under which category the child has a plan.", field="category")
    if decision == Child.Decision.NOT_MADE and category:
        raise Refused(
            "No plan was made for this child, so there is no category. Check what the conference decided.",
            field="category",
        )


def refuse_unlikely_child(
    held: Conference, *, name: str, born_on: dt.date | None, due_on: dt.date | None, at: dt.datetime
) -> None:
    """Raise Refused where a child's name and date cannot be right."""
    if bool(born_on) == bool(due_on):
        raise Refused(
            "Give a date of birth, or the date on which the child is expected, and not both.", field="born_on"
        )
    if born_on and not name.strip():
        raise Refused("Give the child's name.", field="name")
    if born_on and born_on > timezone.localdate(at):
        raise Refused(
            "This date of birth has not come yet. For an unborn child give the due date.", field="born_on"
        )
    held_on = timezone.localdate(held.held_at)
    if born_on and born_on < held_on - OLDEST:
        raise Refused(
            "This date of birth is more than 25 years before the conference. Check the year.", field="born_on"
        )
    if due_on and not held_on - OVERDUE <= due_on <= held_on + BORN_AFTER:
        raise Refused(
            "A child who is not born yet is expected at most 300 days after the conference, or was at most "
            "31 days before it. Check the year.",
            field="due_on",
        )


OF_THE_PERSON = (
    "name",
    "contact",
    "contact_details",
    "contact_confirmed_safe_on",
    "contact_confirmed_safe_by",
    "language",
    "format",
)
"""What the record says of a person, whichever child it is about; the rest is asked for each child."""


@transaction.atomic
def add_relative(
    *,
    child: Child,
    same_as: Relative | None = None,
    once: UUID | None = None,
    by: Person,
    at: dt.datetime,
    **facts: object,
) -> Relative:
    """Record somebody who matters to a child, and what they may be told.

    `facts` are the fields of Relative. `same_as` says that it is the same person as one recorded already with
    another child: name and contact are theirs.

    Raises PermissionDenied, RecordIsClosed, SentBefore, and Refused where it is not said who said so, a way
    to reach them is not confirmed as safe, or they are somebody else.
    """
    held = _open(child.conference, "describe", by=by, at=at)
    if same_as:
        facts |= _of_the_same_person(same_as, child, facts, again=once)
    if before := _made(child.relatives, once, facts):
        return before
    if facts.get("may_be_told") and not facts.get("may_be_told_said_by"):
        raise Refused("Say who said so.", field="may_be_told_said_by")
    if facts.get("contact") and not (
        facts.get("contact_confirmed_safe_on") and facts.get("contact_confirmed_safe_by")
    ):
        raise Refused(
            "Say who confirmed that this contact is safe, and when. Without that, choose that none is known.",
            field="contact_confirmed_safe_by",
        )
    relative = Relative.objects.create(
        id=once or uuid4(), council_id=held.council_id, child=child, added_at=at, **facts
    )
    _note(held, "add_relative", by=by, at=at, about=relative, values={"child": child.pk, **facts})
    _write_to_families_anew(held, because="Somebody was added to the record.", by=by, at=at)
    return relative


def _of_the_same_person(
    same_as: Relative, child: Child, facts: dict[str, object], *, again: UUID | None
) -> dict[str, object]:
    """Return what the record says of the person already, where nothing else is said now."""
    if same_as.child.conference_id != child.conference_id or same_as.replaced_at:
        raise Refused("Choose somebody who is on the record of this conference.", field="same_as")
    if child.relatives.in_force().filter(who=same_as.who).exclude(pk=again).exists():
        raise Refused("This person is recorded with this child already.", field="same_as")
    theirs = {name: getattr(same_as, name) for name in OF_THE_PERSON}
    for name in ("name", "contact", "contact_details"):
        said = str(facts.get(name) or "").strip()
        if said and said != theirs[name]:
            raise Refused(
                "The record says something else of this person. Leave it empty: name and contact are taken "
                "from there. Where it is somebody else, say so.",
                field=name,
            )
    return {"who": same_as.who, **theirs}


@transaction.atomic
def change_contact(
    *,
    relative: Relative,
    contact: str,
    contact_details: str,
    contact_confirmed_safe_by: str,
    contact_confirmed_safe_on: dt.date | None,
    because: str,
    by: Person,
    at: dt.datetime,
) -> list[Relative]:
    """Record another way of reaching somebody who matters to children, for each of these.

    Returns the new rows; the old ones stay and say who replaced them. Letters that were not issued yet go the
    new way, and can be opened no more the old way. Also once the record is closed: people move.

    Raises PermissionDenied, and Refused where it is not confirmed as safe, not said why, or no change.
    """
    held = hold_conference(relative.child.conference, verb="change_contact", by=by, at=at)
    if contact not in Relative.Contact.values:
        raise Refused("Choose which way of reaching them is safe.", field="contact")
    if contact and not contact_details.strip():
        raise Refused("Say how they are reached that way.", field="contact_details")
    if contact and not (contact_confirmed_safe_by.strip() and contact_confirmed_safe_on):
        raise Refused(
            "Say who confirmed that this contact is safe, and when. Without that, choose that none is known.",
            field="contact_confirmed_safe_by",
        )
    if not because.strip():
        raise Refused("Say why the contact is another one.", field="because")
    theirs = Relative.objects.in_force().filter(child__conference=held, who=relative.who)
    rows = list(theirs.select_for_update(of=("self",)).select_related("child").order_by("added_at", "pk"))
    said = (contact, contact_details.strip() if contact else "")
    if not rows or (rows[0].contact, rows[0].contact_details) == said:
        raise Refused("The record says the same already.", field="contact_details")
    new = []
    for row in rows:
        row.replaced_at, row.replaced_by, row.replaced_because = at, by, because.strip()
        row.save(update_fields=["replaced_at", "replaced_by", "replaced_because"])
        kept = {
            each.name: getattr(row, each.name)
            for each in Relative._meta.concrete_fields
            if not each.primary_key and not each.name.startswith("replace")
        }
        kept |= {
            "contact": contact,
            "contact_details": said[1],
            "contact_confirmed_safe_by": contact_confirmed_safe_by.strip() if contact else "",
            "contact_confirmed_safe_on": contact_confirmed_safe_on if contact else None,
            "added_at": at,
            "replaces": row,
        }
        new.append(Relative.objects.create(**kept))
    values = {"who": relative.who, "because": because.strip(), "contact": contact, "contact_details": said[1]}
    _note(held, "change_contact", by=by, at=at, about=new[0], values=values)
    _write_to_families_anew(held, because=because.strip(), by=by, at=at)
    return new


def _write_to_families_anew(conference: Conference, *, because: str, by: Person, at: dt.datetime) -> None:
    """Let what is to go to families say what the record says now. The conference is held already."""
    decided = conference.dissents.filter(decisions__replaced_at=None, decisions__isnull=False).distinct()
    for pk in decided.values_list("pk", flat=True):
        dissent = lock(pk)
        for decision in dissent.told_to_families():
            family_letters.bring_up_to_date(dissent, decision, because=because, by=by, at=at)


@transaction.atomic
def add_attendance(
    *,
    conference: Conference,
    name: str,
    capacity: str,
    present: bool,
    agency: Agency | None = None,
    job: str = "",
    email: str = "",
    once: UUID | None = None,
    by: Person,
    at: dt.datetime,
) -> Attendance:
    """Record one person at the conference, present or not. A professional with an e-mail address can sign in.

    Raises PermissionDenied, RecordIsClosed, SentBefore, and Refused where a professional has no agency, the
    agency is not of this council, the same person is recorded twice, or letters are made already (ST-13).
    """
    held = _open(conference, "describe", by=by, at=at)
    facts: dict[str, object] = {
        "name": name.strip(),
        "capacity": capacity,
        "present": present,
        "agency": agency,
        "job": job.strip(),
        "email": email.strip().lower(),
    }
    if before := _made(held.attendances, once, facts):
        return before
    of_this_council(agency, held)
    if present and held.dissents.filter(letters__isnull=False).exists():
        raise Refused(
            "Letters about this conference are made already, and go to the people recorded until then. "
            "Ask whoever released them how this person is told.",
            field="present",
        )
    person = None
    if capacity == Attendance.Capacity.PROFESSIONAL:
        if agency is None:
            raise Refused("Say for which agency this professional came.", field="agency")
        if email:
            person = Person.objects.known_by(email, name=name.strip(), agency=agency, job=job.strip())
            first = held.attendances.in_force().filter(person=person).first()
            if first:
                raise Refused(
                    f"{first.name} is recorded at this conference with this address.", field="email"
                )
            if person.pk == held.chair_id:
                raise Refused("This is the chair of the conference, who is recorded as such.", field="email")
    attendance = Attendance.objects.create(
        id=once or uuid4(), council_id=held.council_id, conference=held, person=person, added_at=at, **facts
    )
    _note(
        held,
        "add_attendance",
        by=by,
        at=at,
        about=attendance,
        values={**facts, "agency": agency.pk if agency else None},
    )
    _write_to_families_anew(held, because="Somebody was added to the record.", by=by, at=at)
    return attendance


def attach_paper(
    *,
    conference: Conference,
    kind: str,
    file_name: str,
    data: bytes,
    agency: Agency | None = None,
    once: UUID | None = None,
    by: Person,
    at: dt.datetime,
) -> Paper:
    """Attach a PDF file to the conference, and keep its hash.

    Raises PermissionDenied, SentBefore, Refused for a report of no agency, and NotAPdf with a sentence that
    says how to make one. Minutes are often finished after the record is closed, so a closed record still
    takes papers.
    """
    check_pdf(data, file_name)  # it may take seconds, which nobody else has to wait for
    with transaction.atomic():
        held = hold_conference(conference, verb="attach", by=by, at=at)
        facts: dict[str, object] = {
            "kind": kind,
            "agency": agency,
            "size": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        if before := _made(held.papers, once, facts):
            return before
        of_this_council(agency, held)
        if kind == Paper.Kind.AGENCY_REPORT and agency is None:
            raise Refused("Say which agency wrote the report.", field="agency")
        paper = Paper.objects.create(
            id=once or uuid4(),
            council_id=held.council_id,
            conference=held,
            file_name=file_name,
            attached_at=at,
            attached_by=by,
            **facts,
        )
        PaperContent.objects.create(paper=paper, data=data)
        _note(held, "attach_paper", by=by, at=at, about=paper, values={"kind": kind, "sha256": paper.sha256})
        return paper


@transaction.atomic
def confirm_explained(*, conference: Conference, by: Person, at: dt.datetime) -> Conference:
    """Record that the chair made sure that those attending understand how to dissent (ST-04).

    Raises PermissionDenied, RecordIsClosed.
    """
    held = _open(conference, "explain", by=by, at=at)
    if held.explained_at is None:
        held.explained_at, held.explained_by = at, by
        held.save(update_fields=["explained_at", "explained_by"])
        _note(held, "confirm_explained", by=by, at=at)
    return held


@transaction.atomic
def close_record(*, conference: Conference, by: Person, at: dt.datetime) -> Conference:
    """Close the conference record. From then on nobody can dissent; time alone never closes it.

    Raises PermissionDenied, RecordIsClosed, and Refused where the process was not said to be explained,
    no child or nobody present is recorded.
    """
    held = _open(conference, "close_record", by=by, at=at)
    if lacks := held.lacks():
        raise Refused(" ".join(lacks))
    held.closed_at, held.closed_by = at, by
    held.save(update_fields=["closed_at", "closed_by"])
    _note(held, "close_record", by=by, at=at)
    return held


def _open(conference: Conference, verb: str, *, by: Person, at: dt.datetime) -> Conference:
    """Hold a conference whose record is still open."""
    held = hold_conference(conference, verb=verb, by=by, at=at)
    if held.is_closed:
        raise RecordIsClosed(
            "The chair has closed the record of this conference, so nothing more can be added. "
            + held.procedure.rules.raising.refused
        )
    return held


Row = TypeVar("Row", bound=models.Model)


def _made(
    rows: models.Manager[Row] | models.QuerySet[Row], once: UUID | None, facts: dict[str, object]
) -> Row | None:
    """Return the row that an earlier press on the same page made, None where there is none.

    A page pressed twice is one row: `once`, which the page draws, is its id. Raises SentBefore where the row
    says something else than `facts`.
    """
    row = rows.filter(pk=once).first() if once else None
    if row and any(getattr(row, name) != value for name, value in facts.items()):
        raise SentBefore(
            "You sent this page before, and what it said then is on the record. "
            "To add something else, open the page again."
        )
    return row


def of_this_council(agency: Agency | None, held: Conference) -> None:
    if agency and agency.council_id != held.council_id:
        raise Refused("Choose an agency of this council.", field="agency")


def _note(
    conference: Conference,
    verb: str,
    *,
    by: Person,
    at: dt.datetime,
    about: object | None = None,
    values: dict[str, object] | None = None,
) -> None:
    ledger.write(
        council=conference.council,
        verb=verb,
        about=about or conference,  # type: ignore[arg-type]
        case=conference,
        by=by,
        happened_at=at,
        recorded_at=at,
        values=values,
    )

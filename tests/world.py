"""A small world to test in: one council, its people, a conference. States are reached by the real actions.

Everybody here is invented, and plainly so.
"""

from __future__ import annotations

import datetime as dt
import functools
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from pypdf import PdfWriter

from councils import procedure as language
from councils.models import Absence, Agency, Appointment, Council, Partnership, Person
from dissent import actions
from dissent.actions import Found
from dissent.actions import childs_record as record_actions
from dissent.actions import letters as letter_actions
from dissent.models import Attendance, Child, Conference, Dissent, RecordPack, Relative
from dissent.models.uploads import children_to_be_uploaded

LONDON = ZoneInfo("Europe/London")


def when(text: str) -> dt.datetime:
    """Return a local time, such as when("2026-12-23 14:30")."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=LONDON)


HELD = when("2026-03-03 10:00")
ENDED = when("2026-03-03 12:00")
RECORDED = when("2026-03-03 12:30")
"""A Tuesday; the form is due on Wednesday 4 March at 12:00."""
PLAINLY = "What the panel found, said plainly."
"""Reasons for a family: without them nothing is decided about which families are written to."""


@functools.cache
def a_pdf(pages: int = 1) -> bytes:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(width=595, height=842)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@dataclass
class World:
    """A council with its people. `world.chair`, `world.service_manager` and so on are Persons."""

    key: str = "testshire"
    partnership_key: str = "south-tyneside"
    quick: bool = False
    """No papers, and letters frozen with a blank page: for tests that read neither; each saves a second."""
    people: dict[str, Person] = field(default_factory=dict)

    ROLES = (
        "conference_administrator",
        "chair",
        "service_manager",
        "nominated_manager",
        "business_manager",
        "administrator",
    )

    def __post_init__(self) -> None:
        partnership, _ = Partnership.objects.get_or_create(
            key=self.partnership_key, defaults={"name": "Partnership of Testshire"}
        )
        self.council = Council.objects.create(
            key=self.key,
            name=f"{self.key.title()} Council",
            partnership=partnership,
            nation="england",
            front_door="Children's Front Door",
            front_door_telephone="01632 960100",
            address="1 Invented Square\nTestshire",
        )
        self.unit = Agency.objects.create(council=self.council, name="Children's Standards Unit")
        for name in ("Police", "Health Trust", "School", "Housing"):
            Agency.objects.create(council=self.council, name=name)
        for role in self.ROLES:
            self.appoint(role, role.replace("_", " ").title())
        self.version = actions.publish_procedure(
            procedure=language.read(language.SHIPPED / "south_tyneside.toml"),
            by=None,
            at=when("2024-01-01 09:00"),
        )

    def follow(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Follow from now on what the shipped document says after `change`, as another might publish it."""
        document = self.version.rules.model_dump(mode="json", by_alias=True)
        change(document)
        document |= {"version": 2, "in_force_from": "2025-01-01"}
        actions.publish_procedure(
            procedure=language.from_document(document), by=None, at=when("2025-01-01 09:00")
        )

    def agency(self, name: str) -> Agency:
        return Agency.objects.get(council=self.council, name=name)

    def person(self, key: str, name: str, agency: str | None = None) -> Person:
        person = Person.objects.create_user(
            f"{key}@{self.key}.example",
            name=name,
            agency=self.agency(agency) if agency else self.unit,
            job=name,
            mobile="01632 960123",
        )
        self.people[key] = person
        return person

    def appoint(self, role: str, name: str, agency: str | None = None, key: str | None = None) -> Person:
        person = self.person(key or role, name, agency)
        Appointment.objects.create(
            council=self.council, person=person, role=role, from_on=dt.date(2020, 1, 1)
        )
        return person

    def away(self, role: str, *, stands_in: Person | None, at: dt.datetime, days: int = 14) -> Absence:
        """Whoever holds `role` is away from the day of `at` on, as they recorded themselves."""
        return actions.record_absence(
            appointment=self.people[role].appointments.get(role=role),
            from_on=at.date(),
            until_on=at.date() + dt.timedelta(days=days),
            stands_in=stands_in,
            by=self.people[role],
            at=at,
        )

    def __getattr__(self, name: str) -> Person:
        people = self.__dict__.get("people", {})
        if name in people:
            return people[name]
        raise AttributeError(name)

    # One dissent, step by step. Each returns what it made.

    def conference(
        self,
        *,
        at: dt.datetime = RECORDED,
        held_at: dt.datetime = HELD,
        ended_at: dt.datetime = ENDED,
        children: int = 1,
    ) -> Conference:
        """A recorded conference: children, three professionals present, one absent, an observer, a parent."""
        by = self.conference_administrator
        conference = actions.record_conference(
            council=self.council,
            kind="initial",
            held_at=held_at,
            ended_at=ended_at,
            chair=self.chair,
            by=by,
            at=at,
        )
        for number in range(children):
            actions.add_child(
                conference=conference,
                name=f"Child {'ABCDEF'[number]} Testson",
                born_on=dt.date(held_at.year - 8, 5, 1 + number),
                due_on=None,
                decision="not_made",
                category="",
                by=by,
                at=at,
            )
        self.attend(conference, "teacher", "School", at=at)
        self.attend(conference, "officer", "Police", at=at)
        self.attend(conference, "nurse", "Health Trust", at=at)
        self.attend(conference, "absentee", "Health Trust", present=False, at=at)
        self.attend(conference, "observer", "Housing", capacity="observer", at=at)
        actions.add_attendance(
            conference=conference, name="Parent Testson", capacity="family", present=True, by=by, at=at
        )
        for kind in () if self.quick else ("minutes", "agency_report"):
            actions.attach_paper(
                conference=conference,
                kind=kind,
                agency=self.agency("Police") if kind == "agency_report" else None,
                file_name=f"{kind}.pdf",
                data=a_pdf(),
                by=by,
                at=at,
            )
        return conference

    def attend(
        self,
        conference: Conference,
        key: str,
        agency: str,
        *,
        at: dt.datetime = RECORDED,
        capacity: str = "professional",
        present: bool = True,
    ) -> Attendance:
        attendance = actions.add_attendance(
            conference=conference,
            name=f"{key.title()} {self.key.title()}",
            capacity=capacity,
            present=present,
            agency=self.agency(agency) if capacity == "professional" else None,
            job=key.title(),
            email=f"{key}@{self.key}.example" if capacity == "professional" else "",
            by=self.conference_administrator,
            at=at,
        )
        if attendance.person:
            self.people[key] = attendance.person
        return attendance

    def relative(
        self,
        child: Child,
        name: str = "Mo Testson",
        *,
        contact: str = "",
        details: str = "",
        same_as: Relative | None = None,
        at: dt.datetime = RECORDED,
        **facts: Any,
    ) -> Relative:
        """Somebody who matters to a child and may be told, unless `facts` say otherwise."""
        said: dict[str, Any] = {"relation": "mother", "may_be_told": "yes", **facts}
        if said["may_be_told"]:
            said.setdefault("may_be_told_said_by", "Worker Testshire")
        if same_as is None:
            said |= {"name": name, "contact": contact, "contact_details": details}
            if contact:
                said |= {
                    "contact_confirmed_safe_by": "Worker Testshire",
                    "contact_confirmed_safe_on": HELD.date(),
                }
        return actions.add_relative(
            child=child, same_as=same_as, by=self.conference_administrator, at=at, **said
        )

    def sat_about(
        self, conference: Conference, *, who: str = "teacher", at: dt.datetime | None = None
    ) -> Dissent:
        """A dissent about this conference, before a panel that sat; `at` puts each step at one time."""
        when_ = {"at": at} if at else {}
        dissent = self.raised(conference, who=who, **when_)
        for step in (self.filed, self.reviewed, self.offered, self.escalated, self.convened, self.sat):
            dissent = step(dissent, **when_)
        return dissent

    def raised(
        self,
        conference: Conference | None = None,
        *,
        who: str = "teacher",
        at: dt.datetime = RECORDED,
        children: list[Child] | None = None,
    ) -> Dissent:
        """A dissent that the chair recorded, waiting for its form."""
        conference = conference or self.conference()
        return actions.raise_dissent(
            conference=conference,
            attendance=conference.attendances.get(person=self.people[who]),
            children=children or list(conference.children.all()),
            by=self.chair,
            at=at,
        )

    def filled_in(
        self, dissent: Dissent, *, at: dt.datetime = RECORDED, late_because: str = "", **answers: str
    ) -> Dissent:
        """Every question answered, not sent."""
        said = {
            "telephone": "01632 960199",
            "reason": "The reason as the teacher wrote it.",
            "evidence": "The chronology that was read out.",
            "passage": "Chapter one.",
            "view": "plan",
            "plan_would_change": "There would be one plan that everybody follows.",
            **answers,
        }
        if late_because:
            said["late_because"] = late_because
        for question, text in said.items():
            actions.keep_answer(dissent=dissent, question=question, text=text, by=dissent.dissenter, at=at)
        return dissent

    def filed(
        self,
        dissent: Dissent | None = None,
        *,
        at: dt.datetime = when("2026-03-03 15:00"),
        late_because: str = "",
    ) -> Dissent:
        """A dissent whose form was sent."""
        dissent = self.filled_in(dissent or self.raised(), at=at, late_because=late_because)
        return actions.file_dissent(dissent=dissent, by=dissent.dissenter, at=at)

    # The same where the conference was not on record.

    def begun(
        self, *, who: str = "newcomer", at: dt.datetime = when("2026-03-03 13:00"), **facts: Any
    ) -> Dissent:
        """A dissent about a conference that is not on record, by somebody whom nobody has recorded."""
        self.people[who] = Person.objects.known_by(f"{who}@{self.key}.example")
        said = {
            "name": f"{who.title()} Testshire",
            "job": who.title(),
            "agency": self.agency("School"),
            "ended_at": ENDED,
            "which": "The Testson children, in the morning.",
            "chair_name": "Chair",
            **facts,
        }
        return actions.begin_dissent(council=self.council, by=self.people[who], at=at, **said)

    def unmatched(self, dissent: Dissent | None = None, **sent: Any) -> Dissent:
        """Its form was sent, and nobody has said yet which conference it was."""
        return self.filed(dissent or self.begun(), **sent)

    def matched(
        self,
        dissent: Dissent | None = None,
        *,
        conference: Conference | None = None,
        agency: Agency | None = None,
        at: dt.datetime = when("2026-03-03 16:00"),
    ) -> Dissent:
        """Its conference was found, and the chair is asked."""
        return actions.match_dissent(
            dissent=dissent or self.unmatched(),
            conference=conference or self.conference(),
            agency=agency,
            by=self.conference_administrator,
            at=at,
        )

    def confirmed(
        self, dissent: Dissent | None = None, *, at: dt.datetime = when("2026-03-04 10:00"), **known: Any
    ) -> Dissent:
        """The chair said that it was raised in the conference."""
        dissent = dissent or self.matched()
        return actions.confirm_raised(
            dissent=dissent, children=dissent.conference.children.all(), by=self.chair, at=at, **known
        )

    def denied(
        self, dissent: Dissent | None = None, *, at: dt.datetime = when("2026-03-04 10:00")
    ) -> Dissent:
        """The chair said that it was not raised in the conference."""
        return actions.deny_raised(
            dissent=dissent or self.matched(),
            statement="They were there and said nothing.",
            by=self.chair,
            at=at,
        )

    def withdrawn(
        self, dissent: Dissent | None = None, *, at: dt.datetime = when("2026-03-10 09:00")
    ) -> Dissent:
        dissent = dissent or self.filed()
        return actions.withdraw(dissent=dissent, reasons="We talked about it.", by=dissent.dissenter, at=at)

    def lapsed(
        self, dissent: Dissent | None = None, *, at: dt.datetime = when("2026-03-10 09:00")
    ) -> Dissent:
        """Ended without its form, by somebody who tried to reach the dissenter."""
        return actions.lapse(
            dissent=dissent or self.raised(),
            tried="I phoned the school, and they have left.",
            tried_at=at - dt.timedelta(hours=1),
            reasons="Nobody can send the form.",
            by=self.service_manager,
            at=at,
        )

    def reviewed(
        self, dissent: Dissent | None = None, *, at: dt.datetime = when("2026-03-05 10:00")
    ) -> Dissent:
        """Both steps of the first review recorded."""
        dissent = dissent or self.filed()
        for step in dissent.rules_of_stage.steps:
            actions.record_step(
                dissent=dissent,
                step=step.key,
                note="What was said.",
                happened_at=at,
                by=self.service_manager,
                at=at,
            )
        return Dissent.objects.get(pk=dissent.pk)

    def proposed(
        self, dissent: Dissent | None = None, *, at: dt.datetime = when("2026-03-05 11:00")
    ) -> Dissent:
        dissent = dissent or self.reviewed()
        actions.propose_resolution(dissent=dissent, text="What is proposed.", by=self.service_manager, at=at)
        return Dissent.objects.get(pk=dissent.pk)

    def offered(
        self, dissent: Dissent | None = None, *, at: dt.datetime = when("2026-03-05 11:00")
    ) -> Dissent:
        """Not resolved, and the panel offered."""
        dissent = dissent or self.reviewed()
        found = Found(outcome="unresolved", reasons="No agreement was reached.")
        actions.decide(
            dissent=dissent,
            findings=dict.fromkeys(dissent.children.all(), found),
            by=self.service_manager,
            at=at,
        )
        return Dissent.objects.get(pk=dissent.pk)

    def escalated(
        self, dissent: Dissent | None = None, *, at: dt.datetime = when("2026-03-06 09:00")
    ) -> Dissent:
        dissent = dissent or self.offered()
        return actions.take_further(dissent=dissent, by=dissent.dissenter, at=at)

    def panellists(self) -> list[Person]:
        """Three people who may sit: senior managers of police and health, and the unit's own."""
        if "superintendent" not in self.people:
            self.appoint("panel_member", "Superintendent", "Police", key="superintendent")
            self.appoint("panel_member", "Head Nurse", "Health Trust", key="head_nurse")
            self.appoint("unit_representative", "Unit Representative", key="unit_representative")
        return [self.people[key] for key in ("superintendent", "head_nurse", "unit_representative")]

    def convened(
        self, dissent: Dissent | None = None, *, at: dt.datetime = when("2026-03-09 09:00")
    ) -> Dissent:
        dissent = dissent or self.escalated()
        chair, *members = self.panellists()
        actions.convene_panel(dissent=dissent, chair=chair, members=members, by=self.business_manager, at=at)
        return Dissent.objects.get(pk=dissent.pk)

    def sat(
        self,
        dissent: Dissent | None = None,
        *,
        at: dt.datetime = when("2026-03-16 12:00"),
        absent: tuple[str, ...] = (),
    ) -> Dissent:
        """The panel declared itself independent and sat."""
        dissent = dissent or self.convened()
        panel = dissent.panel
        for seat in panel.seats.filter(left_at=None, declared_at=None):
            actions.declare(dissent=dissent, independent=True, by=seat.person, at=at)
        gone = {self.people[key].pk for key in absent}
        present = [seat for seat in panel.seats.filter(left_at=None) if seat.person_id not in gone]
        chair = panel.seats.get(is_chair=True, left_at=None).person
        actions.record_sitting(dissent=dissent, present=present, sat_at=at, by=chair, at=at)
        return Dissent.objects.get(pk=dissent.pk)

    def decided(
        self,
        dissent: Dissent | None = None,
        outcome: str = "upheld",
        *,
        at: dt.datetime = when("2026-03-16 13:00"),
    ) -> Dissent:
        """Decided by the panel, letters due."""
        dissent = dissent or self.sat()
        found = Found(
            outcome=outcome,
            reasons="The panel's reasons.",
            ground="B" if outcome == "upheld" else "",
            plain_reasons=PLAINLY,
        )
        chair = dissent.panel.seats.get(is_chair=True, left_at=None).person
        actions.decide(
            dissent=dissent, findings=dict.fromkeys(dissent.children.all(), found), by=chair, at=at
        )
        return Dissent.objects.get(pk=dissent.pk)

    def made(self, *, at: dt.datetime = when("2026-03-17 09:00")) -> None:
        """Every letter that is due has its bytes."""
        if not self.quick:
            actions.make_bytes(at=at)
            return
        while claimed := letter_actions._claim(at=at, most=50):
            for letter in claimed:
                letter_actions._freeze(letter, a_pdf(), at=at)

    def told(self, dissent: Dissent, *, at: dt.datetime = when("2026-03-17 08:00")) -> Dissent:
        """Each child was told by their social worker, as far as the procedure asks for it."""
        for decision in dissent.told_to_families():
            for child in dissent.children_to_be_told(decision):
                actions.record_telling(
                    dissent=dissent,
                    child=child,
                    told_on=at.date(),
                    told_by="Worker Testshire",
                    by=self.service_manager,
                    at=at,
                )
        return Dissent.objects.get(pk=dissent.pk)

    def released(
        self,
        dissent: Dissent | None = None,
        outcome: str = "upheld",
        *,
        at: dt.datetime = when("2026-03-17 09:00"),
    ) -> Dissent:
        """Children told, letters released by a second person; on record unless one is to be handed over."""
        dissent = self.let_out(dissent or self.decided(outcome=outcome), at=at)
        waits = dissent.letters.in_force().filter(who=None, to=None, handed_over_at=None)
        return dissent if waits.exists() else self.on_record(dissent, at=at)

    def let_out(
        self,
        dissent: Dissent | None = None,
        outcome: str = "upheld",
        *,
        at: dt.datetime = when("2026-03-17 09:00"),
    ) -> Dissent:
        """Children told, letters made and released by a second person."""
        dissent = self.told(dissent or self.decided(outcome=outcome), at=at)
        self.made(at=at)
        actions.release_letters(dissent=dissent, by=self.business_manager, at=at)
        return Dissent.objects.get(pk=dissent.pk)

    def numbered(self, dissent: Dissent, *, at: dt.datetime = when("2026-03-17 09:00")) -> None:
        """Each child of the conference has the number of their record."""
        for number, child in enumerate(dissent.conference.children.all()):
            if not child.record_number:
                actions.fill_in_record_number(
                    child=child, record_number=f"REC {number}", by=self.conference_administrator, at=at
                )

    def packed(
        self, dissent: Dissent, child: Child | None = None, *, at: dt.datetime = when("2026-03-17 09:00")
    ) -> RecordPack:
        """What goes onto the record of one child, made by whoever sat for the unit."""
        self.numbered(dissent, at=at)
        child = child or dissent.children.first()
        by = self.for_the_unit(dissent)
        if not self.quick:
            return actions.make_record_pack(dissent=dissent, child=child, by=by, at=at)
        return record_actions._make(dissent, child, write=lambda *said: a_pdf(), by=by, at=at)

    @staticmethod
    def for_the_unit(dissent: Dissent) -> Person:
        return dissent.panel.seats.get(for_the_unit=True, sat=True, left_at=None).person

    def on_record(self, dissent: Dissent, *, at: dt.datetime = when("2026-03-17 09:00")) -> Dissent:
        """The record of the decision uploaded for each child."""
        for child in children_to_be_uploaded(dissent):
            pack = self.packed(dissent, child, at=at)
            actions.record_upload(pack=pack, uploaded_on=at.date(), by=self.for_the_unit(dissent), at=at)
        return Dissent.objects.get(pk=dissent.pk)

    def reheard(
        self, dissent: Dissent | None = None, *, at: dt.datetime = when("2026-04-01 12:00")
    ) -> Dissent:
        dissent = dissent or self.released()
        actions.record_further_conference(
            dissent=dissent,
            held_at=when("2026-04-01 09:00"),
            ended_at=when("2026-04-01 11:00"),
            chair=self.chair,
            by=self.service_manager,
            at=at,
        )
        return Dissent.objects.get(pk=dissent.pk)

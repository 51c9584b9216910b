"""Fill an empty installation with invented people and cases, and say who they are."""

from __future__ import annotations

import datetime as dt
import io
import tomllib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone
from pypdf import PdfWriter

from councils import procedure
from councils.models import Agency, Appointment, Council, Partnership, Person
from dissent import actions
from dissent.actions import Found
from dissent.management.base import DatabaseCommand
from dissent.models import Dissent

PASSWORD = "only-a-demonstration"  # noqa: S105  printed for everybody, and refused in production
SHIPPED = Path(__file__).resolve().parents[3] / "councils" / "demonstration"


class Command(DatabaseCommand):
    help = "Make the demonstration's council, people and cases once, and print who to sign in as."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMONSTRATION:
            raise CommandError(
                "Demonstration data is off here. Set DEMONSTRATION=1, which production refuses."
            )
        now = timezone.now()
        shipped = [tomllib.loads(path.read_text("utf-8")) for path in sorted(SHIPPED.glob("*.toml"))]
        keys = [told["council"]["key"] for told in shipped]
        if Council.objects.exists() and not Council.objects.filter(key__in=keys).exists():
            raise CommandError(
                "This database holds somebody's cases already, where invented people with a known password "
                "do not belong. Give an empty database in DATABASE_URL."
            )
        for told in shipped:
            council = Council.objects.filter(key=told["council"]["key"]).first()
            if council is None:
                self.stdout.write(f"Making {told['council']['name']} with its people and cases ...")
                with transaction.atomic():
                    council = set_up(told, at=now)
                    Stories(council, told, now=now).tell()
                actions.make_bytes(at=now)
            self._say(told)

    def _say(self, told: dict[str, Any]) -> None:
        self.stdout.write(f"\n{told['council']['name']}")
        self.stdout.write(f"  With the password {PASSWORD}:")
        for person in told["staff"]:
            if "agency" not in person:
                self.stdout.write(f"    {person['email']:28} {person['name']}, {person['job']}")
        self.stdout.write("  With a code sent by e-mail (read it at /demonstration/messages/):")
        for person in [*told["attending"], *(one for one in told["staff"] if "agency" in one)]:
            self.stdout.write(
                f"    {person['email']:28} {person['name']}, {person['job']}, {person['agency']}"
            )


def set_up(told: dict[str, Any], *, at: dt.datetime) -> Council:
    """Make a council as the file tells: its agencies, its people, its procedure."""
    partnership, _ = Partnership.objects.get_or_create(
        key=told["partnership"]["key"], defaults={"name": told["partnership"]["name"]}
    )
    unit = told["council"]["unit"]
    facts = {name: value for name, value in told["council"].items() if name != "unit"}
    council = Council.objects.create(partnership=partnership, **facts)
    agencies = {unit: Agency.objects.create(council=council, name=unit)}
    for name, kind in told["agencies"].items():
        agencies[name] = Agency.objects.create(council=council, name=name, kind=kind)
    for number, told_of in enumerate(told["staff"]):
        person = Person.objects.create_user(
            told_of["email"],
            password=None if "agency" in told_of else PASSWORD,
            name=told_of["name"],
            job=told_of["job"],
            agency=agencies[told_of.get("agency", unit)],
            mobile=f"01632 960{200 + number}",
        )
        for role in told_of["roles"]:
            Appointment.objects.create(council=council, person=person, role=role, from_on=dt.date(2020, 1, 1))
    document = procedure.read(procedure.SHIPPED / f"{told['procedure']}.toml")
    actions.publish_procedure(procedure=document, by=None, at=at)
    return council


class Stories:
    """Cases at different points of the way, each reached by the real actions at times gone by."""

    def __init__(self, council: Council, told: dict[str, Any], *, now: dt.datetime) -> None:
        self.council, self.told, self.now = council, told, now
        self.calendar = council.calendar()
        self.who = {
            role: Person.objects.filter(appointments__council=council, appointments__role=role)
            .order_by("name")
            .first()
            for role in ("conference_administrator", "chair", "service_manager", "business_manager")
        }

    def tell(self) -> None:
        self._raised("Sample, Ava", days=0)
        self._reviewing(self._filed(self._raised("Sample, Ben", days=2), days=2))
        self._raised("Sample, Cora", days=3)
        self._proposed(self._filed(self._raised("Sample, Dev", days=5), days=5))
        self._offered(self._filed(self._raised("Sample, Eli", days=6), days=6))
        self._convened(
            self._offered(self._filed(self._raised("Sample, Fay", days=12), days=12), days=11), days=9
        )
        ended = self._convened(
            self._offered(self._filed(self._raised("Sample, Hal", days=40), days=40), days=38), days=30
        )
        # Before the next decision: whatever letter is due is made when these are, and not before its time.
        released = self._released(self._decided(ended, "not_upheld", days=25), days=24)
        self._on_record(released, days=23)
        decided = self._convened(
            self._offered(self._filed(self._raised("Sample, Gus", days=20), days=20), days=18), days=15
        )
        self._decided(decided, "upheld", days=2)
        self._withdrawn(self._filed(self._raised("Sample, Jo", days=8), days=8), days=4)
        self._conference("Sample, Ida", days=0)
        self._unmatched(days=1)
        self._family(days=14)

    def _at(self, days: int, hours: float = 0) -> dt.datetime:
        """A time on the working day `days` before today, counted from 15:00 there, and today from now."""
        moment = self.now
        if days:
            on = timezone.localdate(self.now)
            for _ in range(days):
                on -= dt.timedelta(days=1)
                while not self.calendar.is_working(on):
                    on -= dt.timedelta(days=1)
            moment = dt.datetime.combine(on, dt.time(15), self.calendar.zone)
        return moment + dt.timedelta(hours=hours)

    def _conference(self, family: str, *, days: int, with_parent: bool = True) -> Any:
        by, at = self.who["conference_administrator"], self._at(days, -0.5)
        conference = actions.record_conference(
            council=self.council,
            kind="initial",
            held_at=self._at(days, -4),
            ended_at=self._at(days, -2),
            chair=self.who["chair"],
            by=by,
            at=at,
        )
        surname, first = family.split(", ")
        child = actions.add_child(
            conference=conference,
            name=f"{first} {surname}",
            born_on=dt.date(2017, 4, 9),
            due_on=None,
            decision="not_made",
            category="",
            by=by,
            at=at,
        )
        if with_parent:
            actions.add_relative(
                child=child,
                name=f"Parent {surname}",
                relation="Mother",
                parental_responsibility=True,
                may_be_told="yes",
                may_be_told_said_by="Wanda Worker-Sample",
                contact="email",
                contact_details="parent@family.example",
                contact_confirmed_safe_by="Wanda Worker-Sample",
                contact_confirmed_safe_on=timezone.localdate(at),
                by=by,
                at=at,
            )
        for told in self.told["attending"]:
            actions.add_attendance(
                conference=conference,
                name=told["name"],
                capacity="professional",
                present=True,
                agency=Agency.objects.get(council=self.council, name=told["agency"]),
                job=told["job"],
                email=told["email"],
                by=by,
                at=at,
            )
        actions.add_attendance(
            conference=conference, name=f"Parent {surname}", capacity="family", present=True, by=by, at=at
        )
        actions.attach_paper(
            conference=conference, kind="minutes", file_name="minutes.pdf", data=_blank_pdf(), by=by, at=at
        )
        actions.confirm_explained(conference=conference, by=self.who["chair"], at=at)
        return conference

    def _raised(self, family: str, *, days: int) -> Dissent:
        conference = self._conference(family, days=days)
        first = self.told["attending"][0]["email"]
        return actions.raise_dissent(
            conference=conference,
            attendance=conference.attendances.get(person__email=first),
            children=conference.children.all(),
            by=self.who["chair"],
            at=self._at(days, -0.4),
        )

    def _unmatched(self, *, days: int) -> None:
        """A form about a conference that nobody has recorded, by somebody whom nobody has recorded."""
        begun = actions.begin_dissent(
            council=self.council,
            name="Nell Newcomer-Sample",
            job="Palliative care nurse",
            agency_name="Hospice of Nowhere-Sample",
            ended_at=self._at(days, -2),
            which="Kay Sample, in the town hall.",
            by=Person.objects.known_by("nell@hospice.example"),
            at=self._at(days, -0.5),
        )
        self._filed(begun, days=days)

    def _filed(self, dissent: Dissent, *, days: int) -> Dissent:
        at = self._at(days, -0.1)
        said = {
            "telephone": "01632 960150",
            "reason": "The pattern of missed meals and absences has not changed since the last plan ended.",
            "evidence": "The school's chronology, read out in the conference, lists 14 absences.",
            "passage": "The chapter on thresholds in the procedures manual.",
            "view": "plan",
            "plan_would_change": "Agencies would visit at agreed times and report to one core group.",
        }
        for question, text in said.items():
            actions.keep_answer(dissent=dissent, question=question, text=text, by=dissent.dissenter, at=at)
        return actions.file_dissent(dissent=dissent, by=dissent.dissenter, at=at)

    def _reviewing(self, dissent: Dissent, *, days: int = 1) -> Dissent:
        step = dissent.rules_of_stage.steps[0]
        self._step(dissent, step.key, days=days)
        return dissent

    def _step(self, dissent: Dissent, key: str, *, days: int) -> None:
        at = self._at(days)
        actions.record_step(
            dissent=dissent,
            step=key,
            note="We went through the form and what was shared in the conference.",
            happened_at=at,
            by=self.who["service_manager"],
            at=at,
        )

    def _stepped(self, dissent: Dissent, *, days: int) -> Dissent:
        for step in dissent.rules_of_stage.steps:
            self._step(dissent, step.key, days=days)
        return Dissent.objects.get(pk=dissent.pk)

    def _withdrawn(self, dissent: Dissent, *, days: int) -> Dissent:
        why = "The conference administrator sent the health report that I had not seen. It answers my worry."
        return actions.withdraw(dissent=dissent, reasons=why, by=dissent.dissenter, at=self._at(days))

    def _proposed(self, dissent: Dissent, *, days: int = 2) -> Dissent:
        dissent = self._stepped(dissent, days=days + 1)
        actions.propose_resolution(
            dissent=dissent,
            text="The core professionals meet within two weeks, and the school's chronology goes to each.",
            by=self.who["service_manager"],
            at=self._at(days),
        )
        return Dissent.objects.get(pk=dissent.pk)

    def _offered(self, dissent: Dissent, *, days: int = 2) -> Dissent:
        dissent = self._stepped(dissent, days=days + 1)
        found = Found(
            outcome="unresolved", reasons="We could not agree on whether the threshold was reached."
        )
        actions.decide(
            dissent=dissent,
            findings=dict.fromkeys(dissent.children.all(), found),
            by=self.who["service_manager"],
            at=self._at(days),
        )
        return Dissent.objects.get(pk=dissent.pk)

    def _convened(self, dissent: Dissent, *, days: int) -> Dissent:
        dissent = actions.take_further(dissent=dissent, by=dissent.dissenter, at=self._at(days, 1))
        pool = Person.objects.filter(appointments__council=self.council)
        represented = [told["agency"] for told in self.told["attending"]]
        members = pool.filter(appointments__role="panel_member", agency__name__in=represented).order_by(
            "email"
        )
        unit = pool.filter(appointments__role="unit_representative").order_by("email")
        chair, other = members[:2]
        actions.convene_panel(
            dissent=dissent,
            chair=chair,
            members=[other, unit[0]],
            by=self.who["business_manager"],
            at=self._at(days, 2),
        )
        return Dissent.objects.get(pk=dissent.pk)

    def _decided(self, dissent: Dissent, outcome: str, *, days: int) -> Dissent:
        at = self._at(days)
        seats = list(dissent.panel.seats.select_related("person"))
        for seat in seats:
            actions.declare(dissent=dissent, independent=True, by=seat.person, at=at)
        presiding = next(seat.person for seat in seats if seat.is_chair)
        actions.record_sitting(
            dissent=dissent, present=dissent.panel.seats.all(), sat_at=at, by=presiding, at=at
        )
        found = Found(
            outcome=outcome,
            ground="B" if outcome == "upheld" else "",
            reasons="The panel read the form, the minutes and the reports, and heard nothing else.",
            plain_reasons="The panel read everything that was written for the conference.",
        )
        dissent = Dissent.objects.get(pk=dissent.pk)
        actions.decide(
            dissent=dissent, findings=dict.fromkeys(dissent.children.all(), found), by=presiding, at=at
        )
        return Dissent.objects.get(pk=dissent.pk)

    def _family(self, *, days: int) -> None:
        """Two dissenters about half-siblings, one child unborn: a father who was absent, an address that must
        not be known, somebody who is to be asked first, and somebody who is held back."""
        conference = self._conference("Sample, Kit", days=days, with_parent=False)
        by, at = self.who["conference_administrator"], self._at(days, -0.45)
        kit = conference.children.get()
        lou, unborn = (
            actions.add_child(
                conference=conference,
                name=name,
                born_on=born_on,
                due_on=due_on,
                decision="not_made",
                category="",
                by=by,
                at=at,
            )
            for name, born_on, due_on in (
                ("Lou Other-Sample", dt.date(2019, 6, 2), None),
                ("", None, timezone.localdate(self.now) + dt.timedelta(days=60)),
            )
        )
        yes = {"may_be_told": "yes", "may_be_told_said_by": "Wanda Worker-Sample", "by": by, "at": at}

        def safe(contact: str, details: str) -> dict[str, Any]:
            return {
                "contact": contact,
                "contact_details": details,
                "contact_confirmed_safe_by": "Wanda Worker-Sample",
                "contact_confirmed_safe_on": timezone.localdate(at),
            }

        mum = actions.add_relative(
            child=lou,
            name="Maya Mother-Sample",
            relation="Mother",
            parental_responsibility=True,
            **yes,
            **safe("post", "1 Protected Row\nElsewhere-on-Tyne"),
        )
        actions.add_relative(child=kit, same_as=mum, relation="Mother", parental_responsibility=True, **yes)
        actions.add_relative(child=unborn, same_as=mum, relation="Mother", **yes)
        actions.add_relative(
            child=kit,
            name="Adam Absent-Sample",
            relation="Father, who was not at the conference",
            parental_responsibility=True,
            language="Polish",
            **yes,
            **safe("email", "adam@family.example"),
        )
        other = actions.add_relative(
            child=lou,
            name="Otto Other-Sample",
            relation="Father",
            **yes,
            **safe("email", "otto@family.example"),
        )
        actions.add_relative(
            child=unborn,
            name="Otto Other-Sample",
            relation="Said to be the father",
            may_be_told="ask",
            may_be_told_said_by="Wanda Worker-Sample",
            by=by,
            at=at,
        )
        people = [
            conference.attendances.get(person__email=each["email"]) for each in self.told["attending"][:2]
        ]
        first, second = (
            self._filed(
                actions.raise_dissent(
                    conference=conference,
                    attendance=attendance,
                    children=[kit, lou, unborn],
                    by=self.who["chair"],
                    at=self._at(days, -0.4),
                ),
                days=days,
            )
            for attendance in people
        )
        first = self._convened(self._offered(first, days=days - 2), days=days - 4)
        second = self._offered(second, days=days - 2)
        actions.take_further(dissent=second, by=second.dissenter, at=self._at(days - 4, 3))
        actions.join_panel(
            dissent=Dissent.objects.get(pk=second.pk),
            panel=first.panel,
            by=self.who["business_manager"],
            at=self._at(days - 4, 4),
        )
        decided = self._decided(Dissent.objects.get(pk=first.pk), "not_upheld", days=3)
        actions.hold_back(
            dissent=decided,
            who=other.who,
            kind="court",
            why="The court hears on Monday who may know of the conference.",
            by=self.who["service_manager"],
            at=self._at(2),
        )

    def _released(self, dissent: Dissent, *, days: int) -> Dissent:
        at = self._at(days)
        for child in dissent.children.all():
            actions.record_telling(
                dissent=dissent,
                child=child,
                told_on=timezone.localdate(at),
                told_by="Wanda Worker-Sample",
                by=self.who["service_manager"],
                at=at,
            )
        actions.make_bytes(at=at)
        actions.release_letters(dissent=dissent, by=self.who["business_manager"], at=at)
        return Dissent.objects.get(pk=dissent.pk)

    def _on_record(self, dissent: Dissent, *, days: int) -> None:
        """The record of the decision uploaded by whoever sat for the unit, so that the case can close."""
        at, by = self._at(days), dissent.panel.seats.get(for_the_unit=True, sat=True).person
        for number, child in enumerate(dissent.children.all(), start=1):
            actions.fill_in_record_number(
                child=child, record_number=f"SAMPLE {number}", by=self.who["conference_administrator"], at=at
            )
            pack = actions.make_record_pack(dissent=dissent, child=child, by=by, at=at)
            actions.record_upload(pack=pack, uploaded_on=timezone.localdate(at), by=by, at=at)


def _blank_pdf() -> bytes:
    writer, out = PdfWriter(), io.BytesIO()
    writer.add_blank_page(width=595, height=842)
    writer.write(out)
    return out.getvalue()

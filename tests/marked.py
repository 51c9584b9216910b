"""One case in each of its states, in which everything that somebody wrote carries a mark.

A mark is `zq` and the class of what it stands in, so that a page gives away by plain search what it shows.
Everybody in it is a key of `Marked.people`. States are reached by the real actions.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from councils.models import Agency, Appointment, Council, Person
from dissent import actions
from dissent.actions import Found
from dissent.actions import childs_record as record_actions
from dissent.models import Conference, Dissent
from tests.world import ENDED, HELD, RECORDED, World, a_pdf, when

STATES = (
    "open",
    "raised",
    "lapsed",
    "late",
    "review",
    "proposed",
    "offered",
    "panel_due",
    "convened",
    "sat",
    "withdrawn",
    "decided",
    "released",
    "closed",
)
"""In the order of the trunk. `open`: the record of the conference is open, and nobody has dissented but one
who was not on it, four times: `begun`, `found`,
`asked_of_the_chair` and `doubted`.
`withdrawn`: from the panel that sat."""

MARKS = [
    "admission",
    "attending",
    "chair",
    "child",
    "claim",
    "conflict",
    "elsewhere",
    "fellow",
    "finding",
    "form",
    "hold",
    "lapse",
    "late",
    "management",
    "other",
    "paper",
    "pool",
    "proposal",
    "relative",
    "seat",
    "sibling",
    "staff",
    "step",
    "teacher",
    "telling",
    "unasked",
    "withdrawal",
]
A_MARK = re.compile(rf"zq({'|'.join(MARKS)})")


def seen(text: str, marks: dict[str, str]) -> set[str]:
    """Return the classes of what is marked in `text`; `marks` gives dates and references theirs."""
    return set(A_MARK.findall(text)) | {kind for words, kind in marks.items() if words in text}


@dataclass
class Marked:
    """The case at `state`, the people around it, another case of its council, and one of another council."""

    state: str
    world: World = field(init=False)
    elsewhere: World = field(init=False)
    people: dict[str, Person] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    dissent: Dissent | None = None
    fellow: Dissent | None = None
    begun: Dissent | None = None
    found: Dissent | None = None
    asked_of_the_chair: Dissent | None = None
    doubted: Dissent | None = None

    def __post_init__(self) -> None:
        self.world = World(key="testshire", quick=True)
        self.elsewhere = World(key="elsewhere", quick=True)
        self._staff()
        self.conference = self._conference(
            self.world, self.people["chair"], "", held_at=HELD, ended_at=ENDED, born_on=dt.date(2016, 2, 29)
        )
        self.marks |= {
            "29 February 2016": "child",
            "3 March 2026": "conference",
            self.conference.reference: "conference",
            str(self.conference.pk): "conference",
        }
        self.child, self.sibling = self.conference.children.order_by("born_on")
        self.paper = self.conference.papers.get()
        self.other = self._another_case(self.world, self.people["other_chair"], "other", day=10)
        self.far = self._another_case(self.elsewhere, self.people["elsewhere_chair"], "elsewhere", day=11)
        steps = {
            "open": ("come_by_the_second_way_in",),
            "lapsed": ("raise", "lapse"),
            "late": ("raise", "late"),
            "proposed": ("raise", "file", "review", "propose"),
            "withdrawn": ("raise", "file", "review", "offer", "go_on", "convene", "sit", "withdraw"),
        }.get(self.state)
        if steps is None:
            trunk = (
                "raise",
                "file",
                "review",
                "offer",
                "go_on",
                "convene",
                "sit",
                "decide",
                "release",
                "go_up",
                "hear",
            )
            length = {
                "raised": 1,
                "review": 3,
                "offered": 4,
                "panel_due": 5,
                "convened": 6,
                "sat": 7,
                "decided": 8,
                "released": 9,
                "closed": 11,
            }
            steps = trunk[: length[self.state]]
        for step in steps:
            getattr(self, f"_{step}")()

    # --- who there is --------------------------------------------------------------------------------

    def _staff(self) -> None:
        w, people = self.world, self.people

        def person(key: str, agency: str = "", mark: str = "", **more: object) -> Person:
            people[key] = Person.objects.create_user(
                f"{key}@testshire.example".replace("_", "-"),
                name=f"{key.replace('_', ' ').title()} {mark}".strip(),
                agency=w.agency(agency) if agency else w.unit,
                job="Manager",
                mobile="01632 960123",
                **more,
            )
            return people[key]

        def appoint(key: str, role: str, agency: str = "", mark: str = "", **more: object) -> Person:
            made = person(key, agency, mark)
            Appointment.objects.create(
                council=w.council,
                person=made,
                role=role,
                **{"from_on": dt.date(2020, 1, 1), **more},
            )
            return made

        for key in ("conference_administrator", "service_manager", "nominated_manager", "business_manager"):
            people[key] = w.people[key]
            self._rename(people[key], "zqstaff")
        people["rules_administrator"] = w.people["administrator"]
        people["chair"] = w.people["chair"]
        self._rename(people["chair"], "zqchair")
        appoint("other_chair", "chair", mark="zqstaff")
        appoint("panel_chair", "panel_member", "Police", "zqseat")
        appoint("panel_member", "panel_member", "Health Trust", "zqseat")
        appoint("undeclared", "unit_representative", mark="zqseat")
        appoint("conflicted", "panel_member", "Police", "zqseat")
        appoint("replaced", "panel_member", "Health Trust", "zqseat")
        appoint("pool", "panel_member", "School", "zqpool")
        appoint("past_manager", "service_manager", until_on=dt.date(2026, 3, 31))
        appoint("disabled", "service_manager")
        person("stranger", "Housing")
        person("newcomer", "School", "zqclaim")
        person("observer", "Housing")
        # One person with every role that another council gives.
        elsewhere = self.elsewhere
        people["elsewhere"] = elsewhere.person("everything", "Everything Elsewhere")
        for role in (*World.ROLES, "unit_representative", "panel_member"):
            Appointment.objects.create(
                council=elsewhere.council, person=people["elsewhere"], role=role, from_on=dt.date(2020, 1, 1)
            )
        people["elsewhere_chair"] = elsewhere.people["chair"]

    @staticmethod
    def _rename(person: Person, mark: str) -> None:
        person.name = f"{person.name} {mark}"
        person.save(update_fields=["name"])

    def _conference(
        self,
        world: World,
        chair: Person,
        mark: str,
        *,
        held_at: dt.datetime,
        ended_at: dt.datetime,
        born_on: dt.date,
    ) -> Conference:
        """A conference; where `mark` is given everything in it carries that one."""
        by, at = world.people["conference_administrator"], ended_at + dt.timedelta(minutes=30)

        def marked(kind: str) -> str:
            return f"zq{mark or kind}"

        conference = actions.record_conference(
            council=world.council,
            kind="initial",
            held_at=held_at,
            ended_at=ended_at,
            chair=chair,
            by=by,
            at=at,
        )
        for name, kind in (("Child", "child"), ("Sibling", "sibling")):
            child = actions.add_child(
                conference=conference,
                name=f"{name} {marked(kind)}",
                born_on=born_on if kind == "child" else dt.date(2019, 9, 9),
                due_on=None,
                decision="made",
                category="neglect",
                record_number=f"17 {marked(kind)}",
                by=by,
                at=at,
            )
        actions.add_relative(
            child=child,
            name=f"Aunt {marked('relative')}",
            relation=f"aunt {marked('relative')}",
            may_be_told="no",
            may_be_told_said_by=f"Worker {marked('relative')}",
            may_be_told_why=f"Because {marked('relative')}",
            court_restriction=f"None {marked('relative')}",
            by=by,
            at=at,
        )
        for key, agency, present, kind in (
            ("teacher", "School", True, "teacher"),
            ("officer", "Police", True, "attending"),
            ("nurse", "Health Trust", True, "fellow"),
            ("absentee", "Health Trust", False, "attending"),
        ):
            self._attend(conference, key, world.agency(agency), marked(kind), mark, present=present, at=at)
        actions.add_attendance(
            conference=conference,
            name=f"Observer {marked('attending')}",
            capacity="observer",
            present=True,
            email=f"observer@{world.key}.example",
            by=by,
            at=at,
        )
        actions.add_attendance(
            conference=conference,
            name=f"Parent {marked('attending')}",
            capacity="family",
            present=True,
            by=by,
            at=at,
        )
        if not mark:
            self._family(conference, by=by, at=at)
            actions.attach_paper(
                conference=conference,
                kind="minutes",
                file_name="minutes-zqpaper.pdf",
                data=a_pdf(),
                by=by,
                at=at,
            )
        return conference

    def _family(self, conference: Conference, *, by: Person, at: dt.datetime) -> None:
        """A parent who is told by e-mail, and somebody of whom it has to be asked first."""
        child = conference.children.order_by("born_on").first()
        parent = Person.objects.create_user("parent@family.example", name="Parent zqrelative")
        self.people["parent"] = parent
        said = {"may_be_told_said_by": "Worker zqrelative", "by": by, "at": at}
        actions.add_relative(
            child=child,
            name=parent.name,
            relation="mother zqrelative",
            may_be_told="yes",
            contact="email",
            contact_details=parent.email,
            contact_confirmed_safe_by="Worker zqrelative",
            contact_confirmed_safe_on=at.date(),
            **said,
        )
        self.asked = actions.add_relative(
            child=child, name="Uncle zqrelative", relation="uncle zqrelative", may_be_told="ask", **said
        )

    def _attend(
        self,
        conference: Conference,
        key: str,
        agency: Agency,
        name: str,
        mark: str,
        *,
        present: bool,
        at: dt.datetime,
    ) -> None:
        attendance = actions.add_attendance(
            conference=conference,
            name=f"{key.title()} {name}",
            capacity="professional",
            present=present,
            agency=agency,
            job=f"{key.title()} {name}",
            email=f"{mark}{key}@{conference.council.key}.example",
            by=conference.recorded_by,
            at=at,
        )
        roles = {"teacher": "dissenter", "officer": "present", "nurse": "fellow", "absentee": "absent"}
        self.people[f"{mark}_{roles[key]}" if mark else roles[key]] = attendance.person

    def _another_case(self, world: World, chair: Person, mark: str, *, day: int) -> Dissent:
        """A case of its own, at its review, in which everything carries `mark`."""
        conference = self._conference(
            world,
            chair,
            mark,
            held_at=when(f"2026-02-{day} 09:00"),
            ended_at=when(f"2026-02-{day} 10:00"),
            born_on=dt.date(2015, 7, day),
        )
        dissent = self._raised(conference, f"{mark}teacher", by=chair, at=when(f"2026-02-{day} 10:30"))
        self._filled_in(dissent, f"zq{mark}", at=when(f"2026-02-{day} 11:00"))
        dissent = actions.file_dissent(dissent=dissent, by=dissent.dissenter, at=when(f"2026-02-{day} 12:00"))
        days = [f"{day} July 2015", f"{day} February 2026"]
        names = [dissent.reference, str(dissent.pk), conference.reference, str(conference.pk)]
        self.marks |= dict.fromkeys([*days, *names], mark)
        return dissent

    # --- the way of the case -------------------------------------------------------------------------

    @staticmethod
    def _raised(
        conference: Conference, who: str, *, by: Person, at: dt.datetime, all_children: bool = False
    ) -> Dissent:
        children = list(conference.children.order_by("born_on"))
        return actions.raise_dissent(
            conference=conference,
            attendance=conference.attendances.get(email__startswith=who),
            children=children if all_children else children[:1],
            by=by,
            at=at,
        )

    @staticmethod
    def _filled_in(dissent: Dissent, mark: str, *, at: dt.datetime, late: str = "") -> None:
        said = {
            "telephone": f"01632 960199 {mark}",
            "reason": f"A reason {mark}",
            "evidence": f"Evidence {mark}",
            "passage": f"A passage {mark}",
            "view": "plan",
            "plan_would_change": f"A change {mark}",
            **({"late_because": late} if late else {}),
        }
        for question, text in said.items():
            actions.keep_answer(dissent=dissent, question=question, text=text, by=dissent.dissenter, at=at)

    def _come_by_the_second_way_in(self) -> None:
        """Begun; sent; its chair asked; denied by its chair."""
        by, chair = self.people["newcomer"], self.people["chair"]
        at = ENDED + dt.timedelta(hours=1)
        for name in ("begun", "found", "asked_of_the_chair", "doubted"):
            dissent = actions.begin_dissent(
                council=self.world.council,
                name="Newcomer zqclaim",
                job="Teacher zqclaim",
                agency=self.world.agency("School"),
                ended_at=ENDED,
                which="Which zqclaim",
                chair_name="Chair zqclaim",
                by=by,
                at=at,
            )
            self._filled_in(dissent, "zqunasked", at=at)
            if name != "begun":
                dissent = actions.file_dissent(dissent=dissent, by=by, at=at)
            if name in ("asked_of_the_chair", "doubted"):
                dissent = actions.match_dissent(
                    dissent=dissent,
                    conference=self.conference,
                    by=self.people["conference_administrator"],
                    at=at,
                )
            if name == "doubted":
                dissent = actions.deny_raised(dissent=dissent, statement="No zqclaim", by=chair, at=at)
            setattr(self, name, dissent)
            self.marks |= {dissent.reference: "claimreference", str(dissent.pk): "claimreference"}

    def _again(self) -> None:
        self.dissent = Dissent.objects.get(pk=self.dissent.pk)

    def _raise(self) -> None:
        chair = self.people["chair"]
        self.dissent = self._raised(self.conference, "teacher", by=chair, at=RECORDED)
        self.fellow = self._raised(self.conference, "nurse", by=chair, at=RECORDED, all_children=True)
        self._filled_in(self.fellow, "zqfellow", at=RECORDED)
        self._filled_in(self.dissent, "zqform", at=RECORDED)
        actions.confirm_explained(conference=self.conference, by=chair, at=RECORDED)
        self.conference = actions.close_record(conference=self.conference, by=chair, at=RECORDED)
        self.marks |= {
            self.dissent.reference: "reference",
            str(self.dissent.pk): "reference",
            self.fellow.reference: "fellowreference",
            str(self.fellow.pk): "fellowreference",
        }

    def _file(self) -> None:
        at = when("2026-03-03 15:00")
        actions.tell_management(
            dissent=self.dissent,
            name="Head zqmanagement",
            email="zqmanagement@school.example",
            told_on=at.date(),
            by=self.dissent.dissenter,
            at=at,
        )
        actions.file_dissent(dissent=self.dissent, by=self.dissent.dissenter, at=at)
        self._again()

    def _late(self) -> None:
        at = when("2026-03-05 09:00")
        self._filled_in(self.dissent, "zqform", at=at, late="Ill zqlate")
        actions.file_dissent(dissent=self.dissent, by=self.dissent.dissenter, at=at)
        self._again()

    def _lapse(self) -> None:
        at = when("2026-03-10 09:00")
        actions.lapse(
            dissent=self.dissent,
            tried="Phoned zqlapse",
            tried_at=at,
            reasons="Nobody answers zqlapse",
            by=self.people["service_manager"],
            at=at,
        )
        self._again()

    def _withdraw(self) -> None:
        at = when("2026-03-16 12:30")
        actions.withdraw(
            dissent=self.dissent, reasons="No longer zqwithdrawal", by=self.dissent.dissenter, at=at
        )
        self._again()

    def _review(self) -> None:
        for step in self.dissent.rules_of_stage.steps:
            actions.record_step(
                dissent=self.dissent,
                step=step.key,
                note="Said zqstep",
                happened_at=when("2026-03-05 10:00"),
                by=self.people["service_manager"],
                at=when("2026-03-05 10:00"),
            )
        self._again()

    def _propose(self) -> None:
        at = when("2026-03-05 11:00")
        actions.propose_resolution(
            dissent=self.dissent, text="Propose zqproposal", by=self.people["service_manager"], at=at
        )
        self._again()

    def _offer(self) -> None:
        self._propose()
        at = when("2026-03-05 12:00")
        actions.refuse_resolution(
            dissent=self.dissent, words="No zqproposal", by=self.dissent.dissenter, at=at
        )
        self._again()

    def _go_on(self) -> None:
        actions.take_further(dissent=self.dissent, by=self.dissent.dissenter, at=when("2026-03-06 09:00"))
        self._again()

    def _convene(self) -> None:
        people, by, at = self.people, self.people["business_manager"], when("2026-03-09 09:00")
        named = [people[key] for key in ("replaced", "conflicted", "undeclared")]
        self.panel = actions.convene_panel(
            dissent=self.dissent, chair=people["panel_chair"], members=named, by=by, at=at
        )
        self._again()

        def declare(key: str, **what: object) -> None:
            actions.declare(dissent=self.dissent, by=people[key], at=at, **what)

        declare("replaced", independent=False, conflict="I know them zqconflict")
        actions.replace_member(
            dissent=self.dissent,
            seat=self.panel.seats.get(person=people["replaced"]),
            person=people["panel_member"],
            by=by,
            at=at,
        )
        declare("conflicted", independent=False, conflict="I know them too zqconflict")
        declare("panel_chair", independent=True)
        declare("panel_member", independent=True)
        self._again()

    def _sit(self) -> None:
        at = when("2026-03-16 12:00")
        actions.declare(dissent=self.dissent, independent=True, by=self.people["undeclared"], at=at)
        actions.record_sitting(
            dissent=self.dissent,
            present=self.panel.seats.filter(left_at=None, independent=True),
            sat_at=at,
            by=self.people["panel_chair"],
            at=at,
        )
        self._again()

    def _decide(self) -> None:
        found = Found(outcome="upheld", ground="B", reasons="Found zqfinding", plain_reasons="Plainly.")
        actions.decide(
            dissent=self.dissent,
            findings=dict.fromkeys(self.dissent.children.all(), found),
            by=self.people["panel_chair"],
            at=when("2026-03-16 13:00"),
        )
        self._again()
        self.world.made()

    def _release(self) -> None:
        at = when("2026-03-17 09:00")
        actions.hold_back(
            dissent=self.dissent,
            who=self.asked.who,
            kind="risk",
            why="Wait zqhold",
            by=self.people["business_manager"],
            at=at,
        )
        actions.record_telling(
            dissent=self.dissent,
            child=self.child,
            told_on=at.date(),
            told_by="Worker zqtelling",
            by=self.people["service_manager"],
            at=at,
        )
        actions.release_letters(dissent=self.dissent, by=self.people["business_manager"], at=at)
        self._again()

    def _go_up(self) -> None:
        at, by = when("2026-03-18 09:00"), self.people["undeclared"]
        pack = record_actions._make(self.dissent, self.child, write=lambda *said: a_pdf(), by=by, at=at)
        actions.record_upload(pack=pack, uploaded_on=at.date(), by=by, at=at)
        self._again()

    def _hear(self) -> None:
        actions.record_further_conference(
            dissent=self.dissent,
            held_at=when("2026-04-01 09:00"),
            ended_at=when("2026-04-01 11:00"),
            chair=self.people["chair"],
            by=self.people["service_manager"],
            at=when("2026-04-01 12:00"),
        )
        self._again()

    # --- its addresses -------------------------------------------------------------------------------

    def letter_to(self, key: str) -> UUID:
        """Return the id of the letter to somebody, one of no letter where there is none."""
        letter = self.dissent and self.dissent.letters.filter(to=self.people[key]).first()
        return letter.pk if letter else uuid4()

    @property
    def council(self) -> Council:
        return self.world.council

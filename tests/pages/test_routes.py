"""Who may open what: every address of the product, asked by everybody, in every state of a case.

The tables below say what is served, after the list of who may read what. Everything that they do not
name answers like an address that does not exist, or shows anonymous people the way to sign in, and changes
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import SESSION_KEY
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.urls import get_resolver, reverse

from councils.models import Person
from dissent import notices
from dissent.models import LedgerEntry
from tests.marked import STATES, Marked, seen
from tests.world import a_pdf, when

pytestmark = pytest.mark.django_db

ACTORS = (
    "anonymous",
    "disabled",  # a service manager whose session was open when they were disabled
    "stranger",  # signed in, and nothing to anybody
    "observer",  # has the address that the record says of an observer
    "absent",  # a professional who was invited and did not come
    "present",  # a professional who was there
    "parent",  # of the family, told by e-mail
    "fellow",  # dissented about the same conference
    "newcomer",  # dissented by the second way in, about a conference whose record did not know them
    "other_dissenter",  # dissented about another conference of the council
    "dissenter",
    "chair",
    "other_chair",
    "conference_administrator",
    "service_manager",
    "nominated_manager",
    "past_manager",  # a service manager whose appointment has ended
    "business_manager",
    "panel_chair",
    "panel_member",
    "undeclared",  # has the unit's seat on the panel, and declares only when it sits
    "conflicted",  # on the panel, with a declared conflict
    "replaced",  # was on the panel, until replaced
    "pool",  # may be named for panels, and is not on this one
    "rules_administrator",
    "elsewhere",  # holds every role there is, at another council
)


# --- when, and who ---------------------------------------------------------------------------------


def since(first: str, until: str = "closed") -> frozenset[str]:
    return frozenset(STATES[STATES.index(first) : STATES.index(until) + 1])


ALWAYS = frozenset(STATES)
EACH_KIND = ("sat", "closed", "open")
"""States in which, between them, everything exists that there is an address of. What somebody of the case is
never served is asked for in these; what they are served sometimes, in every state."""
APART = {
    "anonymous",
    "disabled",
    "stranger",
    "other_dissenter",
    "other_chair",
    "pool",
    "rules_administrator",
    "elsewhere",
}
"""Nothing that happens to a case changes anything for them; what they are never served is asked for once."""
OPEN = since("open", "open")
RAISED = since("raised")
REVIEWED = since("review", "offered")
AT_THE_PANEL = since("panel_due")
CONVENED = since("convened")
LET_GO = since("withdrawn", "withdrawn")
PRESIDES = since("convened", "decided") - LET_GO
SITS = since("convened", "sat")
DECLARED = since("sat", "sat")
MADE = since("decided")
RELEASED = since("released")

Allows = dict[str, frozenset[str]]


def may(**when: frozenset[str]) -> Allows:
    """Return who is served when. Names with `__` between them are several people."""
    return {who: states for names, states in when.items() for who in names.split("__")}


def marked(kinds: str) -> set[str]:
    return set(kinds.split())


def either(*tables: Allows) -> Allows:
    return {
        who: frozenset().union(*(table.get(who, frozenset()) for table in tables))
        for who in {who for table in tables for who in table}
    }


IN_OFFICE = (
    "conference_administrator",
    "service_manager",
    "nominated_manager",
    "business_manager",
    "undeclared",
    "rules_administrator",
    "elsewhere",
)
ANYBODY = dict.fromkeys(ACTORS, ALWAYS)
SIGNED_IN = {who: ALWAYS for who in ACTORS if who not in ("anonymous", "disabled")}
NOBODY: Allows = {}

DISSENTER = may(dissenter=RAISED)
NEWCOMER = may(newcomer=ALWAYS)
CHAIR = may(chair=ALWAYS)
ADMINISTRATOR = may(conference_administrator=ALWAYS)
MANAGERS = may(service_manager__nominated_manager=RAISED)
SETTLERS = may(service_manager__nominated_manager=ALWAYS)
REVIEWERS = may(service_manager__nominated_manager=REVIEWED)
LEAD = may(undeclared=MADE)  # whose role leads the further conference, once one is owed (ST-22)
CASE = either(MANAGERS, LEAD, may(business_manager=AT_THE_PANEL))
CONVENER = may(business_manager=AT_THE_PANEL)
PANEL_WHILE_IT_SITS = may(panel_chair=PRESIDES, panel_member__undeclared=SITS)
PANEL_LET_GO = may(panel_chair__panel_member__undeclared=LET_GO)
PANEL = either(PANEL_WHILE_IT_SITS, LEAD, may(service_manager__nominated_manager__business_manager=CONVENED))
PAPERS = either(
    may(panel_chair=PRESIDES, panel_member=SITS, undeclared=DECLARED),
    LEAD,
    may(service_manager__nominated_manager__business_manager=CONVENED),
)
RELEASE = may(service_manager__nominated_manager__business_manager=MADE)
LETTERS = either(LEAD, RELEASE)
CLOSED, OFFERED = since("closed", "closed"), since("offered", "offered")
UPLOADS = either(  # whoever sat for the unit, and where nothing is owed any more whoever reads it in the unit
    LEAD, may(service_manager__nominated_manager=OFFERED | since("lapsed", "lapsed") | LET_GO | CLOSED)
)
RECORD_FILES = ("record_pdf", "record_manifest")


# --- every address ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One address: who may GET it and POST to it, and what a POST says."""

    route: str
    get: Allows
    post: Allows
    args: Callable[[Marked], list[object]] = lambda case: []
    sends: Callable[[Marked], dict[str, Any]] = lambda case: {}
    also: tuple[str, ...] = ("",)
    records: bool = True
    """Whether a GET that shows it must be in the ledger."""
    method: str = ""
    """The one method that it takes, where anything else is answered with 405 whoever asks."""
    hides: dict[str, set[str]] = field(default_factory=dict)
    """What somebody may see elsewhere, and not here."""
    colleagues: frozenset[str] | set[str] = frozenset()
    """What it names of people who work for the council, and of no case."""
    of: frozenset[str] = frozenset(STATES)
    """The states in which there is what it is the address of."""

    def address(self, case: Marked) -> str:
        return reverse(self.route, args=self.args(case))


def row(
    route: str, allows: Allows, args: Any = lambda case: [], *, post: Allows | None = None, **more: Any
) -> Row:
    return Row(route, allows, allows if post is None else post, args, **more)


def of_nobody(*said: Any, **more: Any) -> Row:
    return row(*said, of=frozenset(EACH_KIND), records=False, **more)


def of_a_dissent(*said: Any, **more: Any) -> Row:
    return row(*said, of=RAISED, **more)


def of_a_panel(*said: Any, **more: Any) -> Row:
    return row(*said, of=CONVENED, **more)


def of_a_letter(*said: Any, **more: Any) -> Row:
    return row(*said, of=MADE, **more)


def conference(case: Marked) -> list[object]:
    return [case.conference.pk]


def own_child(case: Marked) -> object:
    return case.child.pk


def child_of(another: str) -> Callable[[Marked], object]:
    return lambda case: getattr(case, another).conference.children.first().pk


def own_dissent(case: Marked) -> object:
    return case.dissent.pk


def dissent(case: Marked) -> list[object]:
    return [own_dissent(case)]


def own_panel(case: Marked) -> object:
    return case.panel.pk


def panel(case: Marked) -> list[object]:
    return [own_panel(case)]


def seat(case: Marked, of: str = "conflicted") -> object:
    return case.panel.seats.get(person=case.people[of]).pk


def letter_to(who: str) -> Callable[[Marked], list[object]]:
    return lambda case: [case.letter_to(who)]


def plus(first: Callable[[Marked], list[object]], *more: object) -> Callable[[Marked], list[object]]:
    """Return the arguments of `first` and after them `more`, read from the case where it is a function."""
    return lambda case: [*first(case), *(one(case) if callable(one) else one for one in more)]


def who_asked(case: Marked) -> object:
    return case.asked.who


def asked_of(case: Marked) -> list[object]:
    return [own_dissent(case), case.asked.who, case.child.pk]


def who_matters(case: Marked) -> list[object]:
    return [own_dissent(case), case.asked.who]


def moment(name: str, on: str = "3 3 2026", at: str = "14:00") -> dict[str, str]:
    day, month, year = on.split()
    return {f"{name}_day": day, f"{name}_month": month, f"{name}_year": year, f"{name}_time": at}


def a_conference(case: Marked) -> dict[str, Any]:
    chair = case.people["chair"].pk
    return {"kind": "initial", **moment("held_at", at="09:00"), "ended_at": "10:00", "chair": chair}


def a_claim(case: Marked) -> dict[str, Any]:
    return {"name": "N", "job": "J", "agency_name": "A", "which": "W", **moment("ended_at", at="12:00")}


def a_match(case: Marked) -> dict[str, Any]:
    return {"conference": case.other.conference.pk}


def a_settlement(case: Marked) -> dict[str, Any]:
    heard = moment("heard_at", "4 3 2026")
    return {**heard, "heard": "Said", "answer": "refuse", "reasons": "Because", "children": []}


def of_the_second_way_in(name: str) -> Callable[[Marked], list[object]]:
    return lambda case: [getattr(case, name).pk]


def a_child(case: Marked) -> dict[str, Any]:
    return {"name": "New", **moment("born_on", "1 1 2020"), "decision": "not_made"}


def an_attendance(case: Marked) -> dict[str, Any]:
    police = case.world.agency("Police").pk
    return {
        "name": "New",
        "capacity": "professional",
        "present": "yes",
        "agency": police,
        "email": "new@police.example",
    }


def a_paper(case: Marked) -> dict[str, Any]:
    return {"kind": "minutes", "paper": SimpleUploadedFile("m.pdf", a_pdf(), "application/pdf")}


def a_corrected_child(case: Marked) -> dict[str, Any]:
    return {**a_child(case), "because": "Wrong", "then": "correct"}


def a_corrected_end(case: Marked) -> dict[str, Any]:
    return {**moment("ended_at", at="11:30"), "because": "Wrong", "then": "correct"}


def who_was_there(case: Marked) -> object:
    return case.conference.attendances.get(person=case.people["present"]).pk


def who_dissented(case: Marked) -> dict[str, Any]:
    there = case.conference.attendances.get(person=case.people["present"])
    return {"attendance": there.pk, "children": [case.child.pk]}


def a_panel(case: Marked) -> dict[str, Any]:
    people = case.people
    return {
        "chair": people["panel_chair"].pk,
        "members": [people["panel_member"].pk, people["undeclared"].pk],
    }


def the_sitting(case: Marked) -> dict[str, Any]:
    present = [seat(case, who) for who in ("panel_chair", "panel_member", "undeclared")]
    return {**moment("sat_at", "16 3 2026", "12:00"), "present": present}


def said(**what: Any) -> Callable[[Marked], dict[str, Any]]:
    return lambda case: what


def a_step(case: Marked) -> dict[str, Any]:
    return {**moment("happened_at", "5 3 2026"), "note": "Said"}


def a_try(case: Marked) -> dict[str, Any]:
    return {**moment("tried_at", "6 3 2026"), "tried": "By telephone", "reasons": "Because"}


def a_further_conference(case: Marked) -> dict[str, Any]:
    held = {**moment("held_at", "1 4 2026", "09:00"), **moment("ended_at", "1 4 2026", "11:00")}
    return {**held, "chair": case.people["chair"].pk}


def a_record(case: Marked) -> list[object]:
    return [case.dissent.record_packs.get().pk]


def an_upload(case: Marked) -> dict[str, Any]:
    pack = case.dissent.record_packs.first()
    day = {"uploaded_on_day": "18", "uploaded_on_month": "3", "uploaded_on_year": "2026"}
    return {**day, "seen": pack.pk if pack else ""}


def another_member(case: Marked) -> dict[str, Any]:
    return {"person": case.people["pool"].pk}


PARTS = ("", "?part=form", "?part=conference", "?part=review", "?part=decision", "?part=history")
UPHELD = {"outcome": "upheld", "ground": "A", "reasons": "Because", "plain_reasons": "So", "then": "decide"}
A_DAY = {"told_on_day": "3", "told_on_month": "3", "told_on_year": "2026"}

ROWS = (
    # before anybody is known
    of_nobody("start", ANYBODY, also=("", "?council=testshire", "?council=elsewhere")),
    of_nobody("account_login", ANYBODY),
    of_nobody("account_request_login_code", ANYBODY),
    of_nobody("account_confirm_login_code", ANYBODY),
    of_nobody("account_inactive", ANYBODY, method="GET"),
    of_nobody("account_logout", ANYBODY),
    of_nobody("begin", ANYBODY),
    of_nobody("begin_code", ANYBODY),
    row("begin_where", SIGNED_IN, also=("", "?council=testshire", "?council=nowhere"), records=False),
    row("begin_claim", SIGNED_IN, lambda case: ["testshire"], sends=a_claim, records=False),
    row("begin_claim", NOBODY, lambda case: ["nowhere"], of=OPEN),
    of_nobody("messages", NOBODY),  # exists only with demonstration data
    # what everybody has of their own
    row("work", SIGNED_IN, also=("", "?state=closed"), records=False),
    row("conferences", SIGNED_IN, records=False),
    *(
        row(
            route,
            may(**dict.fromkeys(IN_OFFICE, ALWAYS)),
            sends=lambda case: {},
            colleagues=marked("staff chair seat"),
        )
        for route in ("absences", "record_absence")
    ),
    row("end_absence", NOBODY, lambda case: [uuid4()], of=OPEN),
    # the conference
    row(
        "record_conference",
        may(conference_administrator__elsewhere=ALWAYS),
        sends=a_conference,
        records=False,
    ),
    row("conference", either(CHAIR, ADMINISTRATOR), conference),
    row("add_child", ADMINISTRATOR, conference, sends=a_child),
    row("add_relative", ADMINISTRATOR, plus(conference, own_child), sends=said(name="New", relation="aunt")),
    row("add_relative", NOBODY, plus(conference, child_of("other")), of=OPEN),
    row("add_relative", NOBODY, plus(conference, child_of("far")), of=OPEN),
    row("add_attendance", ADMINISTRATOR, conference, sends=an_attendance),
    row("attach_paper", ADMINISTRATOR, conference, sends=a_paper),
    row("confirm_explained", CHAIR, conference),
    row("raise_dissent", CHAIR, conference, sends=who_dissented),
    row("close_record", CHAIR, conference),
    of_a_dissent("dissent_recorded", may(chair=RAISED), plus(conference, own_dissent)),
    of_a_dissent("dissent_recorded", NOBODY, plus(conference, lambda case: case.other.pk)),
    of_a_dissent("dissent_recorded", NOBODY, plus(conference, lambda case: case.far.pk)),
    row(
        "paper",
        either(
            CASE,
            may(service_manager__nominated_manager=OPEN),  # of what came by the second way in
            may(
                chair__conference_administrator=ALWAYS,
                panel_chair=PRESIDES,
                panel_member=SITS,
                undeclared=DECLARED,
            ),
        ),
        lambda case: [case.paper.pk],
    ),
    # the dissent: each reader finds the page that is theirs
    of_a_dissent(
        "dissent",
        either(
            DISSENTER, CASE, PANEL_WHILE_IT_SITS, PANEL_LET_GO, may(chair__conference_administrator=RAISED)
        ),
        dissent,
        also=PARTS,
        hides={
            # that it exists and where it stands, and not whose it is
            "conference_administrator": marked("teacher child sibling attending"),
            "chair": marked("management"),
        },
    ),
    # the dissent of somebody whose conference was not on record, or whose conference's record knew them not
    row("dissent", NEWCOMER, of_the_second_way_in("begun"), of=OPEN),
    row("change_claim", NEWCOMER, of_the_second_way_in("begun"), sends=a_claim, of=OPEN),
    row("change_claim", NEWCOMER, of_the_second_way_in("found"), sends=a_claim, of=OPEN),
    row("check_answers", NEWCOMER, of_the_second_way_in("begun"), sends=said(declared="on"), of=OPEN),
    row("form_sent", NEWCOMER, of_the_second_way_in("doubted"), of=OPEN),
    row(
        "dissent",
        either(NEWCOMER, SETTLERS, ADMINISTRATOR),
        of_the_second_way_in("found"),
        also=PARTS,
        of=OPEN,
    ),
    *(
        row(
            "dissent",
            either(NEWCOMER, SETTLERS, ADMINISTRATOR, CHAIR),
            of_the_second_way_in(name),
            also=PARTS,
            of=OPEN,
            hides={"chair": marked("unasked form")},
        )
        for name in ("asked_of_the_chair", "doubted")
    ),
    *(
        row("match", ADMINISTRATOR, of_the_second_way_in(name), sends=a_match, of=OPEN)
        for name in ("found", "asked_of_the_chair", "doubted")
    ),
    row("match", NOBODY, of_the_second_way_in("begun"), sends=a_match, of=OPEN),
    of_a_dissent("match", NOBODY, dissent, sends=a_match),
    row(
        "raised",
        CHAIR,
        of_the_second_way_in("asked_of_the_chair"),
        sends=said(answer="no", statement="No"),
        hides={"chair": marked("unasked form")},
        of=OPEN,
    ),
    row("raised", NOBODY, of_the_second_way_in("found"), of=OPEN),
    of_a_dissent("raised", NOBODY, dissent),
    *(
        row("settle", SETTLERS, of_the_second_way_in(name), sends=a_settlement, of=OPEN)
        for name in ("found", "asked_of_the_chair", "doubted")
    ),
    row("settle", NOBODY, of_the_second_way_in("begun"), of=OPEN),
    # what only its dissenter does
    of_a_dissent("dissent_form", DISSENTER, dissent),
    of_a_dissent("form_question", DISSENTER, plus(dissent, "reason"), sends=said(answer="Another reason")),
    of_a_dissent("form_question", DISSENTER, plus(dissent, "late_because"), sends=said(answer="Ill")),
    of_a_dissent("form_question", NOBODY, plus(dissent, "no-such-question"), sends=said(answer="Ill")),
    of_a_dissent(
        "keep_answer", NOBODY, plus(dissent, "reason"), post=DISSENTER, sends=said(answer="x"), method="POST"
    ),
    of_a_dissent("check_answers", DISSENTER, dissent, sends=said(declared="on")),
    of_a_dissent("form_sent", DISSENTER, dissent),
    of_a_dissent("tell_management", DISSENTER, dissent, sends=said(told="yes", name="Head", **A_DAY)),
    of_a_dissent("agree_to_resolution", DISSENTER, dissent),
    of_a_dissent("refuse_resolution", DISSENTER, dissent, sends=said(words="No")),
    of_a_dissent("take_further", DISSENTER, dissent),
    of_a_dissent("accept", DISSENTER, dissent),
    of_a_dissent("withdraw", DISSENTER, dissent, sends=said(reasons="No longer")),
    # what is done at the review
    of_a_dissent("record_step", REVIEWERS, plus(dissent, "reviewed_with_chair"), sends=a_step),
    row("record_step", NOBODY, plus(dissent, "no_such_step"), sends=a_step, of=since("review", "review")),
    of_a_dissent("propose", REVIEWERS, dissent, sends=said(text="Propose")),
    of_a_dissent("decide", REVIEWERS, dissent, sends=said(outcome="unresolved", reasons="Because")),
    of_a_dissent("admit", MANAGERS, dissent, sends=said(answer="admit", reasons="Because")),
    of_a_dissent("lapse", MANAGERS, dissent, sends=a_try),
    of_a_dissent("further_conference", either(MANAGERS, LEAD), dissent, sends=a_further_conference),
    # the panel
    of_a_dissent("convene", CONVENER, dissent, sends=a_panel),
    of_a_panel("join_panel", NOBODY, plus(dissent, own_panel), post=may(business_manager=CONVENED)),
    of_a_panel("panel_decide", may(panel_chair=PRESIDES | LET_GO), dissent, sends=said(**UPHELD)),
    of_a_panel("panel", PANEL, panel, post=PANEL_WHILE_IT_SITS, sends=said(independent="yes")),
    of_a_panel("panel_bundle", PAPERS, panel),
    of_a_panel("record_sitting", may(panel_chair=PRESIDES), panel, sends=the_sitting),
    of_a_panel("replace_member", may(business_manager=CONVENED), plus(panel, seat), sends=another_member),
    of_a_panel("replace_member", NOBODY, plus(panel, lambda case: uuid4()), sends=another_member),
    # letters
    of_a_dissent("letters", CASE, dissent, sends=said(read="on")),
    *(
        of_a_letter(route, either(LETTERS, may(**{who: RELEASED})), letter_to(who))
        for route in ("letter", "letter_pdf")
        for who in ("dissenter", "present", "fellow", "chair", "parent")
    ),
    *(
        of_a_letter("hand_over_letter", NOBODY, letter_to(who), post=RELEASE)
        for who in ("dissenter", "present")
    ),
    of_a_letter("hand_over_letter", RELEASE, letter_to("parent"), sends=said(how="printed")),
    # the child's record
    of_a_dissent("records", CASE, dissent),
    of_a_dissent("childs_record", CASE, plus(dissent, own_child), post=UPLOADS),
    of_a_dissent("childs_record", NOBODY, plus(dissent, child_of("other"))),
    of_a_dissent("record_uploaded", UPLOADS, plus(dissent, own_child), sends=an_upload),
    *(row(route, either(MANAGERS, LEAD, CONVENER), a_record, of=CLOSED) for route in RECORD_FILES),
    row(
        "fill_in_record_number",
        ADMINISTRATOR,
        plus(conference, own_child),
        sends=said(seen="17 zqchild", record_number="18", because="Mistaken"),
    ),
    row("fill_in_record_number", NOBODY, plus(conference, child_of("other"))),
    # families
    of_a_letter(
        "answer_for_family",
        either(RELEASE, may(conference_administrator=MADE)),
        asked_of,
        sends=said(may="yes", said_by="Worker", why="Asked"),
    ),
    of_a_letter("hold_back", RELEASE, who_matters, sends=said(kind="risk", why="Asked")),
    of_a_letter("let_go", RELEASE, who_matters, sends=said(because="Over")),
    of_a_letter(
        "child_told",
        either(may(service_manager__nominated_manager=MADE), LEAD),
        plus(dissent, own_child),
        sends=said(why_not="age", words="Small"),
    ),
    of_a_letter(
        "answer_for_family", NOBODY, plus(dissent, lambda case: uuid4(), own_child), sends=said(may="yes")
    ),
    row(
        "change_contact", ADMINISTRATOR, plus(conference, who_asked), sends=said(contact="", because="Moved")
    ),
    row("change_contact", NOBODY, plus(conference, lambda case: uuid4())),
    # what was wrong
    row("correct_child", ADMINISTRATOR, plus(conference, own_child), sends=a_corrected_child),
    row("correct_child", NOBODY, plus(conference, child_of("other")), of=OPEN),
    row("correct_child", NOBODY, plus(conference, child_of("far")), of=OPEN),
    row("correct_end", ADMINISTRATOR, conference, sends=a_corrected_end),
    row(
        "correct_attendance",
        ADMINISTRATOR,
        plus(conference, who_was_there),
        sends=lambda case: {**an_attendance(case), "because": "Wrong", "then": "correct"},
    ),
    row("correct_attendance", NOBODY, plus(conference, lambda case: uuid4())),
    of_a_dissent(
        "correct_decision",
        either(REVIEWERS, may(panel_chair=PRESIDES | LET_GO | MADE)),
        dissent,
        sends=said(**{**UPHELD, "because": "Wrong", "then": "correct"}),
    ),
)


CONFERENCE = marked("conference child sibling relative attending teacher fellow chair paper")
EXISTS = marked("reference fellowreference")
FORM = marked("form late management")
CLAIM = marked("claim claimreference")
OWN = marked("reference conference child chair")
PANEL_PAGE = OWN | marked("teacher form late seat")
OF_THE_CASE = (
    CONFERENCE
    | EXISTS
    | FORM
    | marked("admission step proposal finding seat conflict staff pool lapse withdrawal hold telling")
)

SHOWS: dict[str, set[str]] = {
    "present": marked("reference"),  # of the own letter
    "parent": marked("reference"),
    "fellow": OWN | marked("fellow fellowreference sibling"),
    "newcomer": CLAIM | marked("unasked conference chair"),
    "other_dissenter": marked("other"),
    "dissenter": OWN | FORM | marked("teacher proposal admission staff lapse withdrawal"),
    "chair": CONFERENCE | EXISTS | FORM | CLAIM | marked("staff lapse withdrawal"),
    "other_chair": marked("other"),
    "conference_administrator": CONFERENCE | EXISTS | CLAIM | marked("other staff"),
    "service_manager": OF_THE_CASE | CLAIM | marked("other unasked"),
    "nominated_manager": OF_THE_CASE | CLAIM | marked("other unasked"),
    "business_manager": OF_THE_CASE,
    "panel_chair": PANEL_PAGE | marked("finding"),
    "panel_member": PANEL_PAGE,
    "undeclared": OF_THE_CASE,
    "elsewhere": marked("elsewhere"),
}
"""The classes of marks that somebody may come across anywhere, where anything is served to them at all.
Nobody else may see any. What stands in a form that is not sent is nobody's but the dissenter's: `may_see`."""


def test_every_address_of_the_product_is_in_the_table():
    named = [pattern.name for pattern in _patterns(get_resolver().url_patterns)]
    assert all(named), "an address without a name cannot be asked for"
    assert set(named) == {row.route for row in ROWS}
    assert len(named) == len(set(named))


def _patterns(patterns: list[Any]) -> Iterator[Any]:
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from _patterns(pattern.url_patterns)
        else:
            yield pattern


@pytest.fixture(autouse=True)
def no_word_of_each_page_that_was_not_found(caplog):
    caplog.set_level("ERROR", logger="django.request")


# --- asking ----------------------------------------------------------------------------------------

WRITES = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+\"?(\w+)", re.IGNORECASE)
OF_READING = {"dissent_ledgerentry", "dissent_ledgervalues", "dissent_ledgerhead", "django_session"}


@dataclass
class Watch:
    """Which tables were written to."""

    tables: set[str] = field(default_factory=set)

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if found := WRITES.match(sql):
            self.tables.add(found[1])
        return execute(sql, params, many, context)


@dataclass
class Asks:
    """Somebody at a browser of their own."""

    who: str
    session: str | None
    client: Client = field(default_factory=lambda: Client(raise_request_exception=True))

    def ask(self, method: str, address: str, data: dict[str, Any] | None = None) -> tuple[Any, set[str]]:
        """Return the answer, and which tables it wrote to. What it wrote is taken back."""
        self.client.cookies = SimpleCookie(
            {django_settings.SESSION_COOKIE_NAME: self.session} if self.session else {}
        )
        watch = Watch()
        with transaction.atomic(), connection.execute_wrapper(watch):
            answer = self.client.generic(method, address) if data is None else self.client.post(address, data)
            transaction.set_rollback(True)
        return answer, watch.tables


def everybody(case: Marked) -> list[Asks]:
    asking = []
    for who in ACTORS:
        session = None
        if who != "anonymous":
            client = Client()
            client.force_login(case.people[who])
            client.get("/sign-in/inactive/")  # the session notes when it began, once
            session = client.cookies[django_settings.SESSION_COOKIE_NAME].value
        asking.append(Asks(who, session))
    case.people["disabled"].is_active = False
    case.people["disabled"].save()
    return asking


def to_sign_in(answer: Any) -> bool:
    return answer.status_code == 302 and answer.url.startswith(reverse("account_login") + "?")


def is_served(answer: Any) -> bool:
    return answer.status_code in (200, 204, 302, 409, 422) and not to_sign_in(answer)


def is_denied(answer: Any, who: str) -> bool:
    if who in ("anonymous", "disabled"):
        return answer.status_code == 404 or to_sign_in(answer)
    return answer.status_code == 404


@pytest.mark.parametrize("state", STATES)
def test_every_address_is_open_to_those_who_may_read_it_and_to_nobody_else(state, caplog):
    case = Marked(state)
    there = [(row, row.address(case)) for row in ROWS if state in row.of]
    wrong = [
        f"{asks.who}: {method} {row.route}: {fault}"
        for asks in everybody(case)
        for row, address in there
        for method, allows in (("GET", row.get), ("POST", row.post))
        if state in asked_in(asks.who, row)
        for fault in faults(case, asks, row, method, address, served=state in allows.get(asks.who, ()))
    ]
    assert not wrong, f"{len(wrong)} at {state}\n" + "\n".join(wrong)
    assert not seen(caplog.text, {}), "the log names what stands in a case"


def asked_in(who: str, row: Row) -> Collection[str]:
    """Return the states in which `who` asks for `row`."""
    if who in {**row.get, **row.post}:
        return STATES
    there = [state for state in EACH_KIND if state in row.of] or sorted(row.of)
    return there[:1] if who in APART else there


def faults(case: Marked, asks: Asks, row: Row, method: str, address: str, *, served: bool) -> Iterator[str]:
    """Give a sentence for each thing that the answers to `asks` should not have been."""
    by_another_method = bool(row.method) and method != row.method
    for query in row.also if served and method == "GET" else ("",):
        answer, wrote = asks.ask(method, address + query, row.sends(case) if method == "POST" else None)
        status = answer.status_code
        if by_another_method:
            if status != 405:
                yield f"{query} {status}, not 405"
        elif served and not is_served(answer):
            yield f"{query} {status}, and the table serves it"
        elif not served and not is_denied(answer, asks.who):
            yield f"{query} {status}, and the table does not serve it"
        if wrote - may_write(asks, method, served=served):
            yield f"{query} wrote to {sorted(wrote - may_write(asks, method, served=served))}"
        if served and row.records and status == 200 and "dissent_ledgerentry" not in wrote:
            yield f"{query} shown, and not in the ledger"
        if "no-store" not in answer["Cache-Control"]:
            yield f"{query} may be kept by a cache"
        if answer.get("Content-Type", "").startswith("text/"):
            told = seen(answer.content.decode(), case.marks) - may_see(asks, case, row)
            if told:
                yield f"{query} shows {sorted(told)}"


def may_write(asks: Asks, method: str, *, served: bool) -> set[str]:
    """Return the tables that an answer may write to: none for what is denied, for a reading the ledger's."""
    if not served:
        return {"django_session"} if asks.who == "disabled" else set()
    return OF_READING if method == "GET" else set(connection.introspection.table_names())


def may_see(asks: Asks, case: Marked, row: Row) -> set[str]:
    """Return the classes of marks that `asks` may come across at `row`."""
    own_name = seen(case.people[asks.who].name, {}) if asks.who in case.people else set()
    shows = SHOWS.get(asks.who, set()) - row.hides.get(asks.who, set())
    if asks.who == "undeclared" and case.state not in MADE:
        shows = PANEL_PAGE if case.state in DECLARED else PANEL_PAGE - {"form", "late"}
    if case.state in LET_GO and asks.who in PANEL_LET_GO:
        shows = marked("reference conference")
    if case.state in ("raised", "lapsed") and asks.who != "dissenter":
        shows = shows - {"form"}
    return shows | row.colleagues | own_name  # which stands at the head of every page


# --- beside the pages themselves -------------------------------------------------------------------


@pytest.mark.parametrize("state", ["proposed", "closed"])
def test_no_message_and_no_entry_of_the_ledger_says_anything_but_a_reference(state):
    case = Marked(state)
    assert notices.send_due(at=when("2026-06-01 09:00"))
    assert mail.outbox
    for message in mail.outbox:
        assert len(message.recipients()) == 1
        said = message.message().as_string()
        assert seen(said, case.marks) <= {"reference", "fellowreference", "other", "elsewhere"}
        assert not seen(said, {}), said
    entries = [str(entry) for entry in LedgerEntry.objects.values_list()]
    assert entries
    assert not [entry for entry in entries if seen(entry, {})]


def test_an_address_that_is_not_yours_and_one_that_is_nobodys_look_the_same():
    case = Marked("closed")
    client = Client()
    client.force_login(case.people["stranger"])
    for name, pk in (
        ("dissent", case.dissent.pk),
        ("conference", case.conference.pk),
        ("panel", case.panel.pk),
        ("paper", case.paper.pk),
        ("letter", case.letter_to("dissenter")),
    ):
        theirs, nobodys = (client.get(reverse(name, args=[each])) for each in (pk, uuid4()))
        assert theirs.status_code == nobodys.status_code == 404
        assert without_tokens(theirs) == without_tokens(nobodys)
        assert theirs.headers == nobodys.headers


def without_tokens(answer: Any) -> str:
    return re.sub(r'value="[A-Za-z0-9]{64}"', "", answer.content.decode())


def test_what_belongs_to_another_council_is_refused_wherever_it_is_sent():
    """The addresses above ask for what is elsewhere; here it is chosen in the forms of one's own pages."""
    opened = Marked("open")
    far = opened.far
    conference = reverse("conference", args=[opened.conference.pk])
    stranger = far.conference.attendances.get(person=far.dissenter)
    agency, chair = far.attendance.agency, far.conference.chair
    tries = [
        ("conference_administrator", "/conferences/new/", {**a_conference(opened), "chair": chair.pk}),
        (
            "conference_administrator",
            "/conferences/new/?council=elsewhere",
            {**a_conference(opened), "chair": chair.pk},
        ),
        (
            "conference_administrator",
            f"{conference}attendances/new/",
            {**an_attendance(opened), "agency": agency.pk},
        ),
        (
            "conference_administrator",
            f"{conference}papers/new/",
            {**a_paper(opened), "kind": "agency_report", "agency": agency.pk},
        ),
        (
            "chair",
            f"{conference}dissents/new/",
            {"attendance": stranger.pk, "children": [opened.child.pk]},
        ),
        (
            "chair",
            f"{conference}dissents/new/",
            {**who_dissented(opened), "children": [far.conference.children.first().pk]},
        ),
    ]
    refused(opened, tries)


def test_nobody_of_another_council_is_named_for_a_panel():
    case = Marked("panel_due")
    everything = case.people["elsewhere"].pk
    convene = reverse("convene", args=[case.dissent.pk])
    refused(
        case,
        [
            ("business_manager", convene, {**a_panel(case), "chair": everything}),
            ("business_manager", convene, {**a_panel(case), "members": [everything]}),
        ],
    )


def test_nobody_of_another_council_chairs_the_further_conference():
    case = Marked("released")
    further = {**a_further_conference(case), "chair": case.people["elsewhere_chair"].pk}
    refused(case, [("service_manager", reverse("further_conference", args=[case.dissent.pk]), further)])


def refused(case: Marked, tries: list[tuple[str, str, dict[str, Any]]]) -> None:
    """Send each, and expect a page that says what is wrong, and nothing written but that it was read."""
    asking = {asks.who: asks for asks in everybody(case)}
    for who, address, sent in tries:
        answer, wrote = asking[who].ask("POST", address, sent)
        assert answer.status_code == 422, f"{who}: {address}: {answer.status_code}"
        assert wrote <= OF_READING, f"{who}: {address}: wrote to {wrote}"


# --- other ways of asking --------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["open", "offered"])
def test_no_other_method_changes_anything_or_fails(state):
    """Asked by one of those to whom a page is served, and by a stranger."""
    case = Marked(state)
    asking = {asks.who: asks for asks in everybody(case)}
    wrong = []
    for row in (row for row in ROWS if state in row.of):
        served = {**row.get, **row.post}
        readers = [who for who in served if state in served[who]]
        for who in {*readers[-1:], "stranger"}:
            for method in ("HEAD", "OPTIONS", "PUT", "DELETE"):
                answer, wrote = asking[who].ask(method, row.address(case))
                status = answer.status_code
                wrote -= OF_READING | {"cache"}  # which counts the tries to sign in
                if status >= 500 or wrote or (who not in readers and status not in (404, 405)):
                    wrong.append(f"{who}: {method} {row.route}: {status}, wrote to {wrote}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("state", ["open", "review", "offered", "panel_due", "sat", "decided"])
def test_nothing_is_taken_from_a_page_of_another_site(state):
    case = Marked(state)
    for asks in everybody(case):
        asks.client = Client(enforce_csrf_checks=True)
        for row in ROWS:
            if state in row.of and state in row.post.get(asks.who, ()) and row.method != "GET":
                answer, wrote = asks.ask("POST", row.address(case), row.sends(case))
                assert answer.status_code == 403, f"{asks.who}: {row.route}: {answer.status_code}"
                assert not wrote, f"{asks.who}: {row.route}: wrote to {wrote}"


def test_another_spelling_of_an_address_gives_nothing_away():
    case = Marked("closed")
    clients = [Client(), Client()]
    for client, who in zip(clients, ("stranger", "service_manager"), strict=True):
        client.force_login(case.people[who])
    for row in ROWS:
        if case.state not in row.of or not row.args(case):
            continue
        address = row.address(case)
        in_capitals = re.sub(r"[0-9a-f-]{36}", lambda found: found[0].upper(), address)
        for spelled in (in_capitals, address.rstrip("/"), f"{address}/", f"/{address}", f"{address}%00"):
            if spelled != address:
                statuses = {client.get(spelled).status_code for client in clients}
                assert len(statuses) == 1, f"{spelled}: {statuses}"
                assert statuses <= {301, 404}, f"{spelled}: {statuses}"


@pytest.mark.parametrize(
    "next_",
    ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "///evil.example"],
)
def test_signing_in_leads_to_no_other_site(next_, client):
    person = Person.objects.create_user("mo@council.example", "a long sentence nobody guesses", name="Mo")
    said = {"login": person.email, "password": "a long sentence nobody guesses"}
    before = client.get("/sign-in/", {"next": next_})
    assert "evil.example" not in before.content.decode() or 'name="next"' in before.content.decode()
    answer = client.post(f"/sign-in/?{urlencode({'next': next_})}", {**said, "next": next_})
    assert answer.status_code == 302
    assert answer.url == django_settings.LOGIN_REDIRECT_URL


def test_signing_in_leads_back_to_the_page_that_was_asked_for(client):
    Person.objects.create_user("mo@council.example", "a long sentence nobody guesses", name="Mo")
    said = {"login": "mo@council.example", "password": "a long sentence nobody guesses"}
    asked = client.get("/conferences/")
    assert client.post(asked.url, {**said, "next": "/conferences/"}).url == "/conferences/"


def test_a_session_that_somebody_prepared_is_not_the_one_that_is_signed_in(client):
    Person.objects.create_user("mo@council.example", "a long sentence nobody guesses", name="Mo")
    session = client.session
    session["prepared"] = "by somebody else"
    session.save()
    client.cookies[django_settings.SESSION_COOKIE_NAME] = session.session_key
    said = {"login": "mo@council.example", "password": "a long sentence nobody guesses"}
    client.post("/sign-in/", said)
    assert SESSION_KEY in client.session
    assert client.session.session_key != session.session_key
    intruder = Client()
    intruder.cookies[django_settings.SESSION_COOKIE_NAME] = session.session_key
    assert to_sign_in(intruder.get("/work/"))
    signed_in = client.session.session_key
    client.post("/sign-out/")
    intruder.cookies[django_settings.SESSION_COOKIE_NAME] = signed_in
    assert to_sign_in(intruder.get("/work/"))

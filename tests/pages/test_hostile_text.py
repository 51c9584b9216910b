"""Whatever is typed at whatever place: shown as typed, refused with a sentence, and never more than text."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import inspect
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape, unescape
from typing import Any

import pytest
from django.apps import apps
from django.core import mail
from django.db import models, transaction
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from dissent import actions, notices
from dissent.forms import (
    base,
    cases,
    childs_record,
    conferences,
    corrections,
    dissenter,
    families,
    letters,
    panels,
    sign_in,
    start,
    unmatched,
)
from dissent.forms.fields import Email, Text, TextArea
from dissent.models import Dissent, Letter, Relative
from tests.world import World, a_pdf, when

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_word_of_each_form_that_was_refused(caplog):
    caplog.set_level("ERROR", logger="django.request")


CODE = "{{7*7}}{% load x %}<script>alert(1)</script>%s${7*7}"
QUOTES = 'O\'Brien "said" `so` \\ & <b>'
KINDS = {
    "code": CODE,
    "quotes": QUOTES,
    "right to left": "\u202eright to left\u202c \u200f\u2067end",
    "emoji": "👩\u200d👧 ✅ Zoë 漢字",
    "newlines": "Ann\r\nBcc: evil@evil.example\r\n\r\nSubject: x",
    "control": "tab\there, bell\x07, escape\x1b[31m",
    "long": "x" * 100_000,
    "nul": "be\x00fore",
}
FITS = ("code", "quotes", "right to left", "emoji")
"""Short enough, and of one line: every field of names and of free text takes them."""


def on(name: str, moment: dt.datetime) -> dict[str, str]:
    there = timezone.localtime(moment)
    boxes = {"day": there.day, "month": there.month, "year": there.year, "time": f"{there:%H:%M}"}
    return {f"{name}_{box}": str(value) for box, value in boxes.items()}


@dataclass(frozen=True)
class Page:
    """A page with a form: how a case gets to it, who sends what, and who then reads what was typed."""

    form: str
    reach: Callable[[World], Any]
    who: str
    address: str
    typed: dict[str, tuple[str, ...]]
    """The fields that are typed in, each with the pages (reader, address) that show what was."""
    sends: dict[str, Any] = field(default_factory=dict)
    of_the_world: dict[str, Callable[[World], Any]] = field(default_factory=dict)
    """What is sent beside, that this world alone has."""


def now_raised(world: World) -> Dissent:
    """A dissent whose form is not due yet as the pages see it, which go by the real time."""
    ended = timezone.now() - dt.timedelta(hours=2)
    conference = world.conference(held_at=ended - dt.timedelta(hours=2), ended_at=ended, at=ended)
    return world.raised(conference, at=ended)


def filled_in(world: World) -> Dissent:
    return world.filled_in(now_raised(world), at=timezone.now())


def filed_late(world: World) -> Dissent:
    return world.filed(at=when("2026-03-05 09:00"), late_because="Ill.")


def to_be_asked(world: World) -> Dissent:
    """Decided about a child, of whom somebody may perhaps be told."""
    conference = world.conference()
    world.relative(conference.children.get(), may_be_told="ask")
    return world.decided(world.sat_about(conference))


def held_back(world: World) -> Dissent:
    dissent = to_be_asked(world)
    who = Relative.objects.get().who
    actions.hold_back(
        dissent=dissent, who=who, kind="risk", why="Wait.", by=world.business_manager, at=timezone.now()
    )
    return dissent


def with_a_number(world: World) -> Dissent:
    dissent = world.raised()
    actions.fill_in_record_number(
        child=dissent.children.get(), record_number="17", by=world.conference_administrator, at=timezone.now()
    )
    return dissent


HOME = "/conferences/{conference}/"
RECORD = (f"conference_administrator {HOME}", f"chair {HOME}")
NAMED = (*RECORD, "conference_administrator {address}", f"chair {HOME}dissents/new/")
OWN = "teacher /dissents/{dissent}/"
CHECK = "teacher /dissents/{dissent}/check/"
FORM = "service_manager /dissents/{dissent}/?part=form"
REVIEW = "service_manager /dissents/{dissent}/?part=review"
DECISION = "service_manager /dissents/{dissent}/?part=decision"


def born(name: str, day: str) -> dict[str, str]:
    return dict(zip((f"{name}_day", f"{name}_month", f"{name}_year"), day.split(), strict=True))


PAGES = (
    Page(
        "ConferenceForm",
        World.conference,
        "conference_administrator",
        "/conferences/new/",
        {"ended_at": ()},
        {"kind": "initial", **on("held_at", when("2026-03-04 10:00")), "ended_at": "12:00"},
        {"chair": lambda world: world.chair.pk},
    ),
    Page(
        "ChildForm",
        World.conference,
        "conference_administrator",
        f"{HOME}children/new/",
        {"name": NAMED, "record_number": RECORD},
        {
            "name": "New",
            **born("born_on", "1 1 2020"),
            "decision": "made",
            "category": "neglect",
            "record_number": "17",
        },
    ),
    Page(
        "RelativeForm",
        World.conference,
        "conference_administrator",
        f"{HOME}children/{{child}}/people/new/",
        {
            "name": (*RECORD, "conference_administrator {address}"),
            "relation": (*RECORD, "conference_administrator {address}"),
            "may_be_told_said_by": RECORD,
            "may_be_told_why": RECORD,
            "court_restriction": RECORD,
            "contact_details": RECORD,
            "contact_confirmed_safe_by": RECORD,
            "language": RECORD,
            "format": RECORD,
        },
        {
            "name": "Aunt",
            "relation": "aunt",
            "may_be_told": "no",
            "may_be_told_said_by": "Worker",
            "contact": "post",
            "contact_details": "1 Invented Square",
            "contact_confirmed_safe_by": "Worker",
            **born("contact_confirmed_safe_on", "1 3 2026"),
        },
    ),
    Page(
        "AttendanceForm",
        World.conference,
        "conference_administrator",
        f"{HOME}attendances/new/",
        {"name": NAMED, "job": RECORD, "email": RECORD},
        {"name": "New", "capacity": "professional", "present": "yes", "email": "new@police.example"},
        {"agency": lambda world: world.agency("Police").pk},
    ),
    *(
        Page(
            "QuestionForm",
            filled_in,
            "teacher",
            f"/dissents/{{dissent}}/form/{key}/",
            {"answer": (CHECK, "teacher {address}")},
        )
        for key in ("telephone", "reason", "evidence", "passage", "plan_would_change")
    ),
    Page(
        "ManagementForm",
        filled_in,
        "teacher",
        "/dissents/{dissent}/management/",
        {"name": (OWN, CHECK, "teacher {address}", FORM), "email": ("teacher {address}",)},
        {"told": "yes", "name": "Head", "email": "head@school.example", **born("told_on", "3 3 2026")},
    ),
    Page(
        "AdmissionForm",
        filed_late,
        "service_manager",
        "/dissents/{dissent}/admit/",
        {"reasons": (OWN, REVIEW)},
        {"answer": "refuse", "reasons": "Because"},
    ),
    Page(
        "LapseForm",
        World.raised,
        "service_manager",
        "/dissents/{dissent}/lapse/",
        {
            "tried": (OWN, "service_manager /dissents/{dissent}/"),
            "reasons": (OWN, "chair /dissents/{dissent}/"),
        },
        {**on("tried_at", when("2026-03-06 10:00")), "tried": "By telephone", "reasons": "They have left"},
    ),
    Page(
        "WithdrawalForm",
        World.filed,
        "teacher",
        "/dissents/{dissent}/withdraw/",
        {"reasons": (OWN, "service_manager /dissents/{dissent}/", "chair /dissents/{dissent}/")},
    ),
    Page(
        "StepForm",
        World.filed,
        "service_manager",
        "/dissents/{dissent}/steps/reviewed_with_chair/",
        {"note": (REVIEW,)},
        {**on("happened_at", when("2026-03-05 10:00")), "note": "Said"},
    ),
    Page(
        "ProposalForm",
        World.reviewed,
        "service_manager",
        "/dissents/{dissent}/propose/",
        {"text": (OWN, REVIEW, "teacher /dissents/{dissent}/agree/")},
        {"text": "Propose"},
    ),
    Page(
        "RefusalForm",
        World.proposed,
        "teacher",
        "/dissents/{dissent}/refuse/",
        {"words": (REVIEW,)},
    ),
    Page(
        "ReviewForm",
        World.reviewed,
        "service_manager",
        "/dissents/{dissent}/decide/",
        {"reasons": (DECISION,)},
        {"outcome": "unresolved", "reasons": "Because"},
    ),
    Page(
        "DeclareForm",
        World.convened,
        "head_nurse",
        "/panels/{panel}/",
        {"conflict": ("business_manager /panels/{panel}/",)},
        {"independent": "no", "conflict": "I know them"},
    ),
    Page(
        "DecisionForm",
        World.sat,
        "superintendent",
        "/dissents/{dissent}/panel/decide/",
        {
            "reasons": (
                "superintendent /panels/{panel}/",
                "business_manager /dissents/{dissent}/letters/",
                DECISION,
            ),
            "plain_reasons": (
                "superintendent /panels/{panel}/",
                "business_manager /dissents/{dissent}/letters/",
                DECISION,
            ),
        },
        {"outcome": "upheld", "ground": "A", "reasons": "Because", "plain_reasons": "So", "then": "decide"},
    ),
)

PAGES += (
    Page(
        "AnswerForm",
        to_be_asked,
        "business_manager",
        "/dissents/{dissent}/families/{who}/answer/{child}/",
        {"said_by": (), "why": ()},
        {"may": "yes", "said_by": "Worker", "why": "Asked"},
    ),
    Page(
        "HoldBackForm",
        to_be_asked,
        "business_manager",
        "/dissents/{dissent}/families/{who}/hold-back/",
        {"why": ("business_manager /dissents/{dissent}/letters/",)},
        {"kind": "risk", "why": "Asked"},
    ),
    Page(
        "LetGoForm",
        held_back,
        "business_manager",
        "/dissents/{dissent}/families/{who}/let-go/",
        {"because": ()},
        {"because": "Over"},
    ),
    Page(
        "ToldForm",
        to_be_asked,
        "service_manager",
        "/dissents/{dissent}/children/{child}/told/",
        {"told_by": (), "words": ()},
        {"why_not": "told", **born("told_on", "16 3 2026"), "told_by": "Worker", "words": "Nothing"},
    ),
    Page(
        "ChangeContactForm",
        to_be_asked,
        "conference_administrator",
        "/conferences/{conference}/people/{who}/contact/",
        {
            "contact_details": (f"conference_administrator {HOME}",),
            "contact_confirmed_safe_by": (f"conference_administrator {HOME}",),
            "because": (),
        },
        {
            "contact": "post",
            "contact_details": "1 Invented Square",
            "contact_confirmed_safe_by": "Worker",
            **born("contact_confirmed_safe_on", "3 3 2026"),
            "because": "Moved",
        },
    ),
)

NEWCOMER = "newcomer /dissents/{dissent}/"

PAGES += (
    Page(
        "ClaimForm",
        World.begun,
        "newcomer",
        "/dissents/{dissent}/claim/",
        dict.fromkeys(
            ("name", "job", "agency_name", "which", "chair_name"), (NEWCOMER, "newcomer {address}")
        ),
        {
            "name": "New",
            "job": "Teacher",
            "agency_name": "Hospice",
            "which": "Theirs",
            **on("ended_at", when("2026-03-03 12:00")),
        },
    ),
    Page(
        "RaisingForm",
        World.matched,
        "chair",
        "/dissents/{dissent}/raised/",
        {"statement": (NEWCOMER, REVIEW)},
        {"answer": "no", "statement": "They said nothing"},
    ),
    Page(
        "SettlementForm",
        World.denied,
        "service_manager",
        "/dissents/{dissent}/settle/",
        {"heard": (NEWCOMER, REVIEW), "reasons": (NEWCOMER, REVIEW)},
        {
            "answer": "refuse",
            "heard": "Said",
            "reasons": "Because",
            **on("heard_at", when("2026-03-05 09:00")),
        },
    ),
)

PAGES += (
    Page(
        "CorrectChildForm",
        to_be_asked,
        "conference_administrator",
        f"{HOME}children/{{child}}/correct/",
        {"name": RECORD, "because": RECORD},
        {
            "name": "New",
            **born("born_on", "1 1 2020"),
            "decision": "not_made",
            "because": "Wrong",
            "then": "correct",
        },
    ),
    Page(
        "CorrectEndForm",
        World.conference,
        "conference_administrator",
        f"{HOME}end/correct/",
        {"because": RECORD},
        {**on("ended_at", when("2026-03-03 11:30")), "because": "Wrong", "then": "correct"},
    ),
    Page(
        "CorrectAttendanceForm",
        to_be_asked,
        "conference_administrator",
        f"{HOME}attendances/{{attendance}}/correct/",
        {"name": RECORD, "job": RECORD, "because": RECORD},
        {
            "name": "New",
            "job": "Officer",
            "capacity": "professional",
            "present": "yes",
            "because": "Wrong",
            "then": "correct",
        },
        {"agency": lambda world: world.agency("Police").pk},
    ),
    Page(
        "CorrectDecisionForm",
        to_be_asked,
        "superintendent",
        "/dissents/{dissent}/decision/correct/",
        {
            "reasons": ("business_manager /dissents/{dissent}/letters/", DECISION),
            "plain_reasons": ("business_manager /dissents/{dissent}/letters/", DECISION),
            "because": (DECISION,),
        },
        {
            "outcome": "upheld",
            "ground": "A",
            "reasons": "Because",
            "plain_reasons": "So",
            "because": "Wrong",
            "then": "correct",
        },
    ),
)

PAGES += (
    Page(
        "RecordNumberForm",
        with_a_number,
        "conference_administrator",
        "/conferences/{conference}/children/{child}/number/",
        {
            "record_number": (f"conference_administrator {HOME}", "conference_administrator {address}"),
            "because": ("conference_administrator {address}",),
        },
        {"seen": "17", "record_number": "18", "because": "Mistaken"},
    ),
)

UNTYPED = {
    "ContactForm": ("contact_details", "contact_confirmed_safe_by"),  # a part of two forms above
    "WhoCame": ("name", "job"),  # a part of two forms above
    "RequestCodeForm": ("email",),
    "AskForCode": ("email",),
    "Password": ("login", "password"),
    "EnterCode": ("code",),
}
"""Forms of signing in, tried below: nothing that is typed there is shown to anybody."""


def test_every_field_that_is_typed_in_is_tried():
    tried: dict[str, set[str]] = {form: set(fields) for form, fields in UNTYPED.items()}
    for each in PAGES:
        tried.setdefault(each.form, set()).update(each.typed)
    there = {}
    modules = (
        base,
        cases,
        childs_record,
        conferences,
        corrections,
        dissenter,
        families,
        letters,
        panels,
        sign_in,
        start,
        unmatched,
    )
    for module in modules:
        for name, form in inspect.getmembers(module, inspect.isclass):
            if form.__module__ == module.__name__ and hasattr(form, "base_fields"):
                typed = {
                    key for key, one in form.base_fields.items() if isinstance(one, Text | TextArea | Email)
                }
                if typed:
                    there[name] = typed
    assert there
    for name, typed in there.items():
        assert typed <= tried.get(name, set()), f"{name} asks for {typed - tried.get(name, set())}"
    assert {"QuestionForm", "DecisionForm"} <= set(tried), "these make their fields by the procedure"


@pytest.mark.parametrize(
    "form", PAGES, ids=[each.form + each.address.rpartition("/form")[2].replace("/", " ") for each in PAGES]
)
def test_what_is_typed_is_shown_as_typed_or_refused_with_a_sentence(form: Page):
    world = World(quick=True)
    it = form.reach(world)
    places = {**places_of(it), "address": ""}
    places["address"] = form.address.format(**places)
    sends = {**form.sends, **{name: said(world) for name, said in form.of_the_world.items()}}
    readers = {shown.split()[0] for pages in form.typed.values() for shown in pages}
    clients = {who: signed_in(world, who) for who in {form.who, *readers}}
    for name in [*sends, *(name for name in form.typed if name not in sends)]:
        for kind, text in KINDS.items():
            with transaction.atomic():
                answer = clients[form.who].post(places["address"], {**sends, name: text})
                place = f"{name}, {kind}"
                expected = (302, 422) if name in form.typed else (200, 302, 422)
                assert answer.status_code in expected, f"{place}: {answer.status_code}"
                if answer.status_code == 302 and name in form.typed:
                    kept = stored(text)
                    assert kept is not None, f"{place}: not kept as typed"
                    for shown in form.typed[name]:
                        who, address = shown.format(**places).split()
                        _is_shown(clients[who].get(address), kept, f"{place}, at {shown}")
                elif answer.status_code == 422:
                    _is_refused(answer, text if name in form.typed else "", place)
                    assert kind not in FITS or name not in form.typed or name in {"email", "ended_at"}, (
                        f"{place}: refused"
                    )
                transaction.set_rollback(True)


def signed_in(world: World, who: str) -> Client:
    client = Client()
    client.force_login(world.people[who])
    return client


def places_of(it: Any) -> dict[str, Any]:
    if isinstance(it, Dissent):
        who = Relative.objects.filter(child__in=it.children.all()).values_list("who", flat=True).first()
        child = it.children.values_list("pk", flat=True).first()
        return {
            "dissent": it.pk,
            "panel": it.panel_id,
            "conference": it.conference_id,
            "child": child,
            "who": who,
            "attendance": it.conference and it.conference.attendances.first().pk,
        }
    return {"conference": it.pk, "child": it.children.first().pk}


def stored(typed: str) -> str | None:
    """Return the form in which some row keeps what was typed, None where none does."""
    unix = typed.replace("\r\n", "\n")
    for model in [
        *apps.get_app_config("dissent").get_models(),
        *apps.get_app_config("councils").get_models(),
    ]:
        for column in model._meta.get_fields():
            if isinstance(column, models.CharField | models.TextField) and not column.choices:
                for form in dict.fromkeys(
                    [typed, typed.strip(), unix, unix.strip(), typed.replace("\x00", "")]
                ):
                    if "\x00" not in form and model._base_manager.filter(**{column.name: form}).exists():
                        return form
    return None


def _is_shown(answer: Any, text: str, place: str) -> None:
    assert answer.status_code == 200, f"{place}: {answer.status_code}"
    body = answer.content.decode()
    for line in text.splitlines():
        assert escape(line) in body or escape(line.strip()) in body, (
            f"{place}: {line[:60]!r} is not shown as typed"
        )
    assert "<script>alert(1)" not in body, place


def _is_refused(answer: Any, text: str, place: str) -> None:
    body = answer.content.decode()
    assert "govuk-error-summary" in body, f"{place}: no sentence says why"
    assert "<script>alert(1)" not in body, place
    for line in text.replace("\x00", "").splitlines():
        assert line in unescape(body).replace("\x00", ""), f"{place}: {line[:60]!r} is lost"
    if "\x00" in text:
        assert "hidden character" in body, f"{place}: no clear sentence"


# --- other places ----------------------------------------------------------------------------------

ASKED = {**KINDS, "long": "x" * 2_000, "minus": "-1", "huge": "9" * 30, "squared": "²", "arabic": "٣"}


@pytest.mark.parametrize("kind", ASKED)
def test_what_stands_behind_an_address_is_only_looked_up(kind: str):
    world = World(quick=True)
    dissent = world.reviewed()
    for who, address, name in (
        ("service_manager", "/work/", "page"),
        ("service_manager", "/work/", "state"),
        ("service_manager", "/work/", "due"),
        ("service_manager", f"/dissents/{dissent.pk}/", "part"),
        ("service_manager", f"/dissents/{dissent.pk}/decide/", "stage"),
        ("conference_administrator", "/conferences/", "page"),
        ("conference_administrator", "/conferences/new/", "council"),
        ("teacher", f"/dissents/{dissent.pk}/form/reason/", "from"),
        ("teacher", "/", "council"),
        ("teacher", "/sign-in/", "next"),
    ):
        answer = signed_in(world, who).get(address, {name: ASKED[kind]})
        assert answer.status_code in (200, 302, 404, 422), f"{address}?{name}: {answer.status_code}"
        assert "<script>alert(1)" not in answer.content.decode()


@pytest.mark.parametrize("kind", KINDS)
def test_signing_in_takes_nothing_for_more_than_text(client, kind: str):
    for address, sent in (
        ("/sign-in/", {"login": KINDS[kind], "password": KINDS[kind]}),
        ("/sign-in/", {"login": "mo@council.example", "password": KINDS[kind], "next": KINDS[kind]}),
        ("/sign-in/code/", {"email": KINDS[kind]}),
        ("/sign-in/code/", {"email": f"a{KINDS[kind]}@council.example"}),
    ):
        answer = client.post(address, sent)
        assert answer.status_code in (200, 302, 422, 429), f"{address}: {answer.status_code}"
        assert "<script>alert(1)" not in answer.content.decode()
    client.post("/sign-in/code/", {"email": "nobody@council.example"})
    answer = client.post("/sign-in/code/confirm/", {"code": KINDS[kind]})
    assert answer.status_code in (200, 302, 422), answer.status_code


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_typed_into_a_case_that_moved_on_is_given_back_as_text(kind: str):
    world = World(quick=True)
    dissent = world.offered()
    client = signed_in(world, "service_manager")
    sent = {"outcome": "unresolved", "reasons": KINDS[kind], "<script>alert(1)</script>": "a name too"}
    if kind == "nul":
        sent["reasons"] = "x"
        sent["more"] = KINDS[kind]
    answer = client.post(f"/dissents/{dissent.pk}/decide/", sent)
    assert answer.status_code == 409
    body = answer.content.decode()
    assert "<script>alert(1)" not in body
    for line in sent["reasons"].splitlines():
        assert line in unescape(body)


@pytest.mark.parametrize(
    "name", ["{{7*7}}<script>.pdf", "a\r\nX-Evil: 1.pdf", "../../etc/passwd.pdf", "\u202efdp.pdf"]
)
def test_a_file_is_sent_back_under_a_name_of_ours(name: str):
    world = World(quick=True)
    conference = world.conference()
    paper = actions.attach_paper(
        conference=conference,
        kind="minutes",
        file_name=name,
        data=a_pdf(),
        by=world.conference_administrator,
        at=conference.recorded_at,
    )
    client = signed_in(world, "chair")
    answer = client.get(f"/papers/{paper.pk}/")
    assert answer["Content-Disposition"] == f'attachment; filename="{conference.reference}-minutes.pdf"'
    assert escape(name) in client.get(f"/conferences/{conference.pk}/").content.decode()


# --- letters and messages --------------------------------------------------------------------------


def test_hostile_names_and_reasons_stand_in_the_letters_and_alter_neither_them_nor_the_messages():
    """The same case twice, once with plain words: beside those words the letters must say the same."""
    plain = {"child": "Aname", "person": "Bname", "job": "Cname", "agency": "", "reasons": "Dname"}
    hostile = {
        "child": f'{CODE} O\'Brien "x" <b>',
        "person": "Ann\r\nBcc: evil@evil.example\r\n{{7*7}}",
        "job": "\u202eright to left",
        "reasons": f"{CODE}\n\n{QUOTES}\n\u202eturned",
    }
    letters = {}
    for key, words in (("plainshire", plain), ("hostileshire", hostile)):
        dissent = decided_over_http(World(key=key, quick=True), words)
        letters[key] = {letter.to.email.split("@")[0]: text_of(letter) for letter in dissent.letters.all()}
        assert len(letters[key]) == 4
    for who, text in letters["hostileshire"].items():
        assert CODE in text
        assert 'O\'Brien "x" <b>' in text
        assert only_fixed(text, hostile, "hostileshire") == only_fixed(
            letters["plainshire"][who], plain, "plainshire"
        )
    notices.send_due(at=timezone.now())
    assert mail.outbox
    for message in mail.outbox:
        sent = email.message_from_bytes(message.message().as_bytes(), policy=email.policy.default)
        assert set(sent) == {
            "Content-Type",
            "Content-Transfer-Encoding",
            "MIME-Version",
            "Subject",
            "From",
            "To",
            "Date",
            "Message-ID",
            "Auto-Submitted",
        }
        assert re.fullmatch(r"D-[0-9A-Z]{4}-[0-9A-Z]{4}: something to read or to do", sent["Subject"])
        assert message.recipients() == [sent["To"]]
        assert "evil" not in sent.as_string()


def decided_over_http(world: World, words: dict[str, str]) -> Dissent:
    """A case whose names and reasons were typed into the pages, decided, with its letters made."""

    def post(who: str, address: str, sent: dict[str, Any]) -> None:
        answer = signed_in(world, who).post(address, sent)
        assert answer.status_code == 302, unescape(answer.content.decode())

    conference = actions.record_conference(
        council=world.council,
        kind="initial",
        held_at=when("2026-03-03 10:00"),
        ended_at=when("2026-03-03 12:00"),
        chair=world.chair,
        by=world.conference_administrator,
        at=when("2026-03-03 12:30"),
    )
    home = f"/conferences/{conference.pk}"
    born = {"born_on_day": "1", "born_on_month": "5", "born_on_year": "2018"}
    child = {"name": words["child"], **born, "decision": "not_made"}
    post("conference_administrator", f"{home}/children/new/", child)
    for key, agency in (("teacher", "School"), ("officer", "Police"), ("nurse", "Health Trust")):
        said = (
            {"name": words["person"], "job": words["job"]} if key == "teacher" else {"name": key, "job": key}
        )
        address = f"{key}@{world.key}.example"
        there = {
            "capacity": "professional",
            "present": "yes",
            "agency": world.agency(agency).pk,
            "email": address,
        }
        post("conference_administrator", f"{home}/attendances/new/", {**said, **there})
        world.people[key] = conference.attendances.get(email=address).person
    dissent = world.sat(
        world.convened(world.escalated(world.offered(world.reviewed(world.filed(world.raised(conference))))))
    )
    decision = {
        "outcome": "upheld",
        "ground": "A",
        "reasons": words["reasons"],
        "plain_reasons": "So",
        "then": "decide",
    }
    post("superintendent", f"/dissents/{dissent.pk}/panel/decide/", decision)
    assert actions.make_bytes(at=timezone.now()) == 4
    actions.release_letters(dissent=dissent, by=world.business_manager, at=timezone.now())
    return dissent


def text_of(letter: Letter) -> str:
    pages = PdfReader(io.BytesIO(bytes(letter.content.pdf))).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def only_fixed(text: str, words: dict[str, str], key: str) -> str:
    """Return the letters and figures of a letter without what was typed and what differs by case."""
    feet = r"\w+ Council D-\w{4}-\w{4} Ledger \w+ Page \d of \d"  # a page is full a line earlier or later
    left = bare(re.sub(rf"{feet}|D-\w{{4}}-\w{{4}}", "", text))
    members = ["Head Nurse, Health Trust", "Unit Representative, Children's Standards Unit"]  # in any order
    typed = [bare(line) for said in [*words.values(), *members] for line in said.splitlines()]
    for said in sorted(filter(None, typed), key=len, reverse=True):
        left = left.replace(said, "").replace(said[::-1], "")  # what is turned round stands so on the page
    return left.replace(bare(key.title()), "").replace(bare(key), "")


def bare(said: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", said)

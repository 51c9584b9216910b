"""The case page and what is done there: who reads it, what it says, every act by right and wrong people."""

import ast
import datetime as dt
import html
import re
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_fsm import ConcurrentTransition, TransitionNotAllowed

from councils.models import Appointment, Council, Person
from dissent import actions
from dissent.models import Attendance, Child, Conference, Decision, Dissent, LedgerEntry, Proposal, StepRecord
from dissent.views import shown
from dissent.views.cases import PARTS
from dissent.views.common import moved_on, typed_rows
from tests.world import World, when

pytestmark = pytest.mark.django_db

HOSTILE = "{{7*7}} <script>alert(1)</script>\n& \u202eright to left"
FILED = when("2026-03-03 15:00")


@pytest.fixture
def world() -> World:
    return World(quick=True)


@pytest.fixture
def manager(client: Client, world: World) -> Client:
    client.force_login(world.service_manager)
    return client


def text(response) -> str:
    """Return what a page says, without its tags."""
    body = response.content.decode()
    main = body[body.index("<main") : body.index("</main>")]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", main)))


def url(dissent: Dissent, rest: str = "") -> str:
    return f"/dissents/{dissent.pk}/{rest}"


def on(happened_at: str, name: str = "happened_at") -> dict[str, str]:
    """Return the boxes of a date and time, filled in."""
    at = when(happened_at)
    return {
        f"{name}_day": str(at.day),
        f"{name}_month": str(at.month),
        f"{name}_year": str(at.year),
        f"{name}_time": f"{at:%H:%M}",
    }


def late_form(world: World) -> Dissent:
    return world.filed(at=when("2026-03-06 09:00"), late_because="I was in court.")


def fresh(dissent: Dissent) -> Dissent:
    return Dissent.objects.get(pk=dissent.pk)


STATES: dict[str, Callable[[World], Dissent]] = {
    "raised": lambda world: world.raised(),
    "lapsed": lambda world: world.lapsed(),
    "late": late_form,
    "filed": lambda world: world.filed(),
    "reviewed": lambda world: world.reviewed(),
    "proposed": lambda world: world.proposed(),
    "offered": lambda world: world.offered(),
    "escalated": lambda world: world.escalated(),
    "sat": lambda world: world.sat(),
    "withdrawn": lambda world: world.withdrawn(world.sat()),
    "upheld": lambda world: world.decided(),
    "not upheld": lambda world: world.decided(outcome="not_upheld"),
    "released": lambda world: world.released(),
    "reheard": lambda world: world.reheard(),
}


# --- who reads it ----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
def test_the_service_manager_reads_every_part_in_every_state(
    manager: Client, world: World, state: str
) -> None:
    dissent = STATES[state](world)
    for part, words in PARTS.items():
        answer = manager.get(url(dissent, f"?part={part}"))
        assert answer.status_code == 200
        assert dissent.reference in text(answer)
        assert f'<h1 class="govuk-heading-l">{words}</h1>' in answer.content.decode()


def test_a_part_that_there_is_not_is_not_found(manager: Client, world: World) -> None:
    assert manager.get(url(world.filed(), "?part=nonsense")).status_code == 404


@pytest.mark.rule("ST-09")
def test_the_nominated_manager_reads_and_reviews_in_the_managers_absence(
    client: Client, world: World
) -> None:
    Appointment.objects.filter(person=world.service_manager).delete()
    dissent = world.filed()
    client.force_login(world.nominated_manager)
    assert client.get(url(dissent)).status_code == 200
    sent = client.post(
        url(dissent, "steps/reviewed_with_chair/"), {**on("2026-03-04 10:00"), "note": "Seen."}
    )
    assert sent.status_code == 302
    assert StepRecord.objects.get().recorded_by == world.nominated_manager


@pytest.mark.rule("ST-11")
def test_the_business_manager_reads_the_case_from_escalation_and_not_before(
    client: Client, world: World
) -> None:
    client.force_login(world.business_manager)
    dissent = world.offered()
    assert client.get(url(dissent)).status_code == 404
    world.escalated(dissent)
    assert client.get(url(dissent)).status_code == 200
    assert f"/dissents/{dissent.pk}/panel/convene/" in client.get(url(dissent)).content.decode()


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "?part=form",
        "?part=history",
        "steps/reviewed_with_chair/",
        "propose/",
        "decide/",
        "admit/",
        "lapse/",
        "further-conference/",
    ],
)
def test_strangers_find_nothing_at_any_address_of_the_case(client: Client, world: World, rest: str) -> None:
    dissent = world.reviewed()
    other = World(key="elsewhere", quick=True)
    strangers = [
        other.service_manager,
        world.officer,
        world.business_manager,
        world.administrator,
        world.person("stranger", "Stranger", "Police"),
    ]
    for stranger in strangers:
        client.force_login(stranger)
        assert client.get(url(dissent, rest)).status_code == 404
        assert client.post(url(dissent, rest.partition("?")[0]), {"text": "x"}).status_code in (404, 405)


ACTS = {
    "steps/reviewed_with_chair/": ("filed", {**on("2026-03-04 10:00"), "note": "Said."}),
    "propose/": ("reviewed", {"text": "A proposal."}),
    "decide/": ("reviewed", {"outcome": "unresolved", "reasons": "No agreement."}),
    "admit/": ("late", {"answer": "admit", "reasons": "Good ones."}),
    "lapse/": (
        "raised",
        {**on("2026-03-06 10:00", "tried_at"), "tried": "By telephone.", "reasons": "They have left."},
    ),
    "further-conference/": (
        "upheld",
        {**on("2026-04-01 09:00", "held_at"), **on("2026-04-01 11:00", "ended_at")},
    ),
}


@pytest.mark.parametrize("rest", ACTS)
@pytest.mark.parametrize(
    "who", ["teacher", "chair", "conference_administrator", "business_manager", "officer", "administrator"]
)
def test_nobody_else_does_what_is_the_reviewers_to_do(
    client: Client, world: World, rest: str, who: str
) -> None:
    state, sent = ACTS[rest]
    dissent = STATES[state](world)
    before = (fresh(dissent).state, LedgerEntry.objects.exclude(verb__startswith="read_").count())
    client.force_login(world.people[who])
    assert client.get(url(dissent, rest)).status_code == 404
    assert client.post(url(dissent, rest), {**sent, "chair": str(world.chair.pk)}).status_code == 404
    assert before == (fresh(dissent).state, LedgerEntry.objects.exclude(verb__startswith="read_").count())


@pytest.mark.parametrize("rest", ACTS)
def test_the_service_manager_does_each_in_its_time(manager: Client, world: World, rest: str) -> None:
    state, sent = ACTS[rest]
    dissent = STATES[state](world)
    page = manager.get(url(dissent, rest))
    assert page.status_code == 200
    done = manager.post(url(dissent, rest), {**sent, "chair": str(world.chair.pk)}, follow=True)
    assert done.redirect_chain == [(url(dissent), 302)]
    assert 'class="govuk-notification-banner govuk-notification-banner--success"' in done.content.decode()


@pytest.mark.parametrize("rest", ACTS)
def test_an_empty_form_is_answered_with_a_sentence_at_each_field(
    manager: Client, world: World, rest: str
) -> None:
    dissent = STATES[ACTS[rest][0]](world)
    answer = manager.post(url(dissent, rest), {})
    assert answer.status_code == 422
    form = answer.context["form"]
    assert set(form.errors) == set(form.fields)
    for name in form.fields:
        assert str(form.errors[name][0]) in text(answer)


# --- what can be done now --------------------------------------------------------------------------

OFFERED = {
    "raised": {"lapse/"},
    "lapsed": set(),
    "late": {"admit/"},
    "filed": {"steps/reviewed_with_chair/"},
    "reviewed": {"propose/", "decide/"},
    "proposed": set(),
    "offered": set(),
    "escalated": set(),
    "sat": set(),
    "withdrawn": set(),
    "upheld": {"letters/", "further-conference/", "children/…/told/"},
    "not upheld": {"letters/", "children/…/told/"},
    "released": {"further-conference/"},
    "reheard": set(),
}


@pytest.mark.parametrize("state", STATES)
def test_the_page_offers_what_the_machine_lets_through_and_nothing_else(
    manager: Client, world: World, state: str
) -> None:
    dissent = STATES[state](world)
    body = manager.get(url(dissent)).content.decode()
    links = set(re.findall(rf'href="/dissents/{dissent.pk}/([a-z][^"]*)"', body))
    links = {re.sub(r"[0-9a-f-]{36}", "…", link) for link in links}
    assert links == OFFERED[state]
    acts = {rest for rest in ACTS if rest not in OFFERED[state]}
    for rest in acts:
        answer = manager.get(url(dissent, rest))
        assert answer.status_code in (302, 404), (state, rest)


@pytest.mark.parametrize("rest", ACTS)
def test_a_form_that_comes_too_late_is_told_that_the_case_moved_on_and_keeps_what_was_typed(
    manager: Client, world: World, rest: str
) -> None:
    state, sent = ACTS[rest]
    dissent = STATES[state](world)
    page = manager.get(url(dissent, rest)).content.decode().partition("<main")[2]
    action = html.unescape(re.search(r'<form[^>]*action="([^"]*)"', page)[1])
    if state == "upheld":
        world.reheard(world.released(dissent))
    elif state == "late":
        actions.refuse_late(
            dissent=dissent, reasons="No.", by=world.nominated_manager, at=when("2026-03-06 10:00")
        )
    elif state == "raised":
        world.withdrawn(dissent)
    else:
        reviewed = dissent if state == "reviewed" else world.reviewed(dissent)
        world.escalated(world.offered(reviewed))
    answer = manager.post(url(dissent, rest) + action, {**sent, "chair": str(world.chair.pk)})
    assert answer.status_code == 409
    assert "This case has moved on" in text(answer)
    for typed in sent.values():
        assert typed in text(answer)
    assert str(world.chair.pk) not in text(answer)


def test_everything_that_was_typed_comes_back_and_no_ids(rf) -> None:
    chair, *members = (str(uuid.uuid4()) for _ in range(3))
    sent = {
        "once": str(uuid.uuid4()),
        "by_child": "yes",
        "then": "check",
        "chair": chair,
        "members": members,
        "reasons": f"First line\nsee {chair}",
        "ticked": ["police", members[0], "school"],
        "note": "  ",
    }
    assert typed_rows(rf.post("/", sent)) == [
        {"key": "Reasons", "value": f"First line\nsee {chair}", "typed": True},
        {"key": "Ticked", "value": "police\nschool", "typed": True},
    ]


def test_a_second_press_of_ones_own_is_told_what_is_true_of_it(manager: Client, world: World) -> None:
    dissent = world.reviewed()
    sent = {"text": "A plan for school, in writing."}
    assert manager.post(url(dissent, "propose/"), sent).status_code == 302
    answer = manager.post(url(dissent, "propose/"), sent)
    assert answer.status_code == 409
    assert "by something you or somebody else recorded, or because a time ran out" in text(answer)
    assert "nothing was recorded twice" in text(answer)
    assert sent["text"] in text(answer)
    assert Proposal.objects.get().text == sent["text"]


@pytest.mark.parametrize(
    ("refused", "is_said"),
    [
        (TransitionNotAllowed("The panel has decided already."), True),
        (TransitionNotAllowed("propose is not possible", object=Dissent(council=Council())), False),
        (ConcurrentTransition("Cannot save object"), False),
    ],
)
def test_only_a_sentence_that_an_action_wrote_for_people_is_shown(
    rf, refused: Exception, is_said: bool
) -> None:
    request = rf.post("/dissents/")
    said = moved_on(request, refused).content.decode()
    assert (str(refused) in said) is is_said


# --- what it says ----------------------------------------------------------------------------------


def test_a_clock_says_how_it_was_worked_out_with_every_day_that_was_skipped(
    manager: Client, world: World
) -> None:
    said = text(manager.get(url(world.released())))
    assert "Done in time Panel's feedback to everyone who attended: Tuesday 7 April 2026" in said
    assert "20 working days from Fri 6 Mar 2026: counted from Sat 7 Mar" in said
    assert "Friday 3 April 2026 does not count: Good Friday." in said
    assert "Saturday 7 March 2026 does not count: weekend." in said
    assert "It stopped when the last letter went out: Tuesday 17 March 2026, 09:00." in said
    assert "Source: process, paragraph 10" in said


def test_a_clock_that_ran_out_says_so_in_words(manager: Client, world: World) -> None:
    assert re.search(r"Late by \d+ days Send the dissent form", text(manager.get(url(world.raised()))))


def test_a_clock_that_was_stopped_late_says_by_how_much(manager: Client, world: World) -> None:
    assert "Done 1 day late Send the dissent form" in text(manager.get(url(late_form(world))))


def test_a_clock_without_a_date_says_why(manager: Client, world: World) -> None:
    at = when("2099-03-03 12:00")
    conference = world.conference(held_at=when("2099-03-03 09:00"), ended_at=at, at=at)
    dissent = world.filed(world.raised(conference, at=at), at=at)
    dissent = world.offered(world.reviewed(dissent, at=at), at=at)
    said = text(manager.get(url(dissent)))
    assert "Date not known Say whether to go on to the panel" in said
    assert "are confirmed up to" in said


def test_what_keeps_the_case_from_closing_is_said(manager: Client, world: World) -> None:
    said = text(manager.get(url(world.offered())))
    assert "What keeps this case from closing" in said
    assert "The dissenter has not said whether to go further." in said
    said = text(manager.get(url(world.decided(world.sat(world.convened(world.escalated()))))))
    assert "letters are not issued." in said
    assert "The further conference is not recorded." in said


def test_the_plan_goes_on_meanwhile_and_a_closed_case_does_not_say_so(manager: Client, world: World) -> None:
    assert "stays in force" in text(manager.get(url(world.filed())))
    assert "stays in force" not in text(manager.get(url(world.reheard())))


@pytest.mark.rule("ST-15")
def test_the_form_stands_as_it_was_sent_with_the_answers_beside_the_questions(
    manager: Client, world: World
) -> None:
    dissent = world.raised()
    world.filled_in(dissent, reason=HOSTILE)
    dissent = actions.file_dissent(dissent=dissent, by=dissent.dissenter, at=FILED)
    answer = manager.get(url(dissent, "?part=form"))
    assert html.escape(HOSTILE) in answer.content.decode().replace("&#x27;", "'")
    assert "Why do you disagree with what the conference decided?" in text(answer)
    assert "There should be a child protection plan" in text(answer)
    assert "What other kind of involvement" not in text(answer)


def test_what_is_typed_and_not_sent_is_the_dissenters_alone(manager: Client, world: World) -> None:
    dissent = world.filled_in(world.raised(), reason="Still thinking about it.")
    assert "Still thinking about it." not in text(manager.get(url(dissent, "?part=form")))


@pytest.mark.rule("ST-07")
def test_whom_of_their_management_the_dissenter_told_is_shown(manager: Client, world: World) -> None:
    dissent = world.filed()
    assert "has not said yet" in text(manager.get(url(dissent, "?part=form")))
    actions.tell_management(
        dissent=dissent,
        name="Head Teacher",
        email="head@school.example",
        told_on=dt.date(2026, 3, 3),
        by=world.teacher,
        at=FILED,
    )
    said = text(manager.get(url(dissent, "?part=form")))
    assert "Line manager Head Teacher" in said
    assert "Told on 3 March 2026" in said


def test_the_conference_names_its_children_its_people_and_its_papers(client: Client) -> None:
    world = World()
    dissent = world.raised(world.conference(children=2), children=[])
    client.force_login(world.service_manager)
    answer = client.get(url(dissent, "?part=conference"))
    said = text(answer)
    assert "Began Tuesday 3 March 2026, 10:00" in said
    assert "LCS number" in said
    for name, born in (("Child A Testson", "1 May 2018"), ("Child B Testson", "2 May 2018")):
        assert f"{name} The dissent is about this child {born} Not known yet No child protection plan" in said
    assert "Absentee Testshire Not present" in said
    assert f'href="/papers/{dissent.conference.papers.first().pk}/"' in answer.content.decode()


def test_children_that_the_dissent_is_not_about_are_not_marked(manager: Client, world: World) -> None:
    conference = world.conference(children=2)
    first = conference.children.first()
    dissent = world.raised(conference, children=[first])
    said = text(manager.get(url(dissent, "?part=conference")))
    assert said.count("The dissent is about this child") == 1
    assert f"{first} The dissent is about this child" in said


def test_other_dissents_about_the_conference_are_shown(manager: Client, world: World) -> None:
    conference = world.conference()
    one, two = world.raised(conference), world.raised(conference, who="officer")
    answer = manager.get(url(one))
    assert "Other dissents about the same conference" in text(answer)
    assert f'href="/dissents/{two.pk}/"' in answer.content.decode()


@pytest.mark.rule("ST-12")
def test_whoever_reviews_and_sits_for_the_unit_finds_the_panel_from_the_case(
    client: Client, world: World
) -> None:
    dissent = world.escalated()
    met = when("2026-03-16 12:00")
    chair, member, _ = world.panellists()
    sits = [member, world.service_manager]
    actions.convene_panel(dissent=dissent, chair=chair, members=sits, by=world.business_manager, at=met)
    client.force_login(world.service_manager)
    panel = f'href="/panels/{fresh(dissent).panel_id}/"'
    page = client.get(url(dissent)).content.decode()
    assert "Say whether you are independent" in page
    assert panel in page
    actions.declare(dissent=dissent, independent=True, by=world.service_manager, at=met)
    page = client.get(url(dissent)).content.decode()
    assert "Go to the panel" in page
    assert panel in page
    client.force_login(world.business_manager)
    assert panel not in client.get(url(dissent)).content.decode()


@pytest.mark.rule("ST-12")
def test_a_panel_member_who_reviewed_at_first_is_shown_as_such(manager: Client, world: World) -> None:
    dissent = world.escalated()
    superintendent, head_nurse, _ = world.panellists()
    actions.convene_panel(
        dissent=dissent,
        chair=superintendent,
        members=[head_nurse, world.service_manager],
        by=world.business_manager,
        at=when("2026-03-09 09:00"),
    )
    said = text(manager.get(url(dissent, "?part=decision")))
    assert "Reviewed this dissent at an earlier stage" in said
    assert "Has not declared yet" in said
    assert "Superintendent Has not declared yet Chair of the panel, Police" in said


@pytest.mark.rule("ST-14")
def test_a_dissent_that_is_not_upheld_names_the_referral_pathway_as_the_next_door(
    manager: Client, world: World
) -> None:
    said = text(manager.get(url(world.decided(outcome="not_upheld"), "?part=decision")))
    assert "Do not uphold the dissent" in said
    assert "goes through the referral pathway" in said


def test_a_decision_is_shown_with_its_ground_its_reasons_and_its_letters(
    manager: Client, world: World
) -> None:
    answer = manager.get(url(world.decided(), "?part=decision"))
    said = text(answer)
    assert "For Child A Testson Uphold the dissent" in said
    assert "B: A key agency did not provide information" in said
    assert "The panel's reasons." in said
    assert said.count("Being made") == 4
    assert "Sat on Monday 16 March 2026, 12:00." in said


def test_a_decision_that_differs_by_child_is_shown_for_each(manager: Client, world: World) -> None:
    conference = world.conference(children=2)
    dissent = world.sat(
        world.convened(world.escalated(world.offered(world.reviewed(world.filed(world.raised(conference))))))
    )
    one, two = dissent.children.all()
    actions.decide(
        dissent=dissent,
        findings={
            one: actions.Found(
                outcome="upheld", ground="A", reasons="For the one.", plain_reasons="Plainly."
            ),
            two: actions.Found(outcome="not_upheld", reasons="For the other.", plain_reasons="Plainly."),
        },
        by=world.superintendent,
        at=when("2026-03-16 13:00"),
    )
    said = text(manager.get(url(dissent, "?part=decision")))
    assert f"For {one} Uphold the dissent" in said
    assert f"For {two} Do not uphold the dissent" in said


def test_the_proposal_and_its_answer_are_shown(manager: Client, world: World) -> None:
    dissent = world.proposed()
    assert "What is proposed. Answer Not answered yet" in text(manager.get(url(dissent, "?part=review")))
    actions.refuse_resolution(
        dissent=dissent, words="It is not enough.", by=world.teacher, at=when("2026-03-06 09:00")
    )
    said = text(manager.get(url(dissent, "?part=review")))
    assert "Refused, Friday 6 March 2026, 09:00 In the dissenter’s words It is not enough." in said


# --- everything that happened ----------------------------------------------------------------------


def test_everything_that_happened_stands_in_the_history_with_who_and_when(
    manager: Client, world: World
) -> None:
    said = text(manager.get(url(world.reheard(), "?part=history")))
    for words in (
        "Further conference recorded by Service Manager",
        "Letters released by Business Manager Tuesday 17 March 2026, 09:00",
        "Passed on: Dissent Panel",
        "Step recorded: Talked it over with the dissenter by Service Manager",
        "Dissent recorded in the conference by Chair",
        "Case closed by the system",
    ):
        assert words in said


def test_what_was_recorded_late_says_by_how_much(manager: Client, world: World) -> None:
    dissent = world.filed()
    actions.record_step(
        dissent=dissent,
        step="reviewed_with_chair",
        note="By telephone.",
        happened_at=when("2026-03-04 10:00"),
        by=world.service_manager,
        at=when("2026-03-09 10:00"),
    )
    for part in ("review", "history"):
        assert "Recorded 5 days later" in text(manager.get(url(dissent, f"?part={part}")))


def test_who_opened_the_case_is_shown_apart_from_what_happened(manager: Client, world: World) -> None:
    dissent = world.filed()
    for _ in range(2):
        manager.get(url(dissent, "?part=form"))
    said = text(manager.get(url(dissent, "?part=history")))
    happened, opened = said.split("Who has opened it", 1)
    assert "The case: the form" not in happened
    assert "Service Manager, Children's Standards Unit The case: the form 2 times" in opened


@pytest.mark.parametrize("part", PARTS)
def test_each_reading_is_one_entry_that_says_what_was_read(manager: Client, world: World, part: str) -> None:
    dissent = world.filed()
    manager.get(url(dissent, f"?part={part}"))
    entry = LedgerEntry.objects.get(verb__startswith="read_")
    assert entry.verb == (f"read_case_{part}" if part else "read_case")
    assert (entry.by, entry.case_id) == (world.service_manager, dissent.pk)
    assert shown.opened_words(entry.verb) in shown.OPENED.values()


def test_two_people_of_one_name_who_opened_the_case_are_two(
    manager: Client, world: World, client: Client
) -> None:
    dissent = world.filed()
    world.nominated_manager.name = world.service_manager.name
    world.nominated_manager.job = "Deputy"
    world.nominated_manager.save()
    for person in (world.service_manager, world.nominated_manager):
        client.force_login(person)
        client.get(url(dissent, "?part=form"))
    opened = text(client.get(url(dissent, "?part=history"))).split("Who has opened it", 1)[1]
    unit = "Children's Standards Unit The case: the form 1 time"
    assert f"Service Manager Service Manager, {unit}" in opened
    assert f"Service Manager Deputy, {unit}" in opened


def said_in(package: str, argument: str, *, place: dict[str, int], unless: tuple[str, ...] = ()) -> set[str]:
    """Return every text that the source gives as `argument`: by name, as its default, or at its `place`."""
    found: list[ast.expr] = []
    for path in Path("dissent", package).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func).rpartition(".")[2]
                if name not in unless:
                    found += [each.value for each in node.keywords if each.arg == argument]
                if name in place and len(node.args) > place[name]:
                    found.append(node.args[place[name]])
            elif isinstance(node, ast.FunctionDef):
                given = node.args.args[len(node.args.args) - len(node.args.defaults) :]
                pairs = zip(given, node.args.defaults, strict=True)
                found += [default for each, default in pairs if each.arg == argument]
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == argument:
                found.append(node.value)
    return {text for each in found for text in texts_of(each)}


def texts_of(given: ast.expr) -> set[str]:
    """Return the texts that an expression can come to; a text that is put together is not one."""
    match given:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.IfExp():
            return texts_of(given.body) | texts_of(given.orelse)
    return set()


def test_everything_that_a_page_records_as_read_has_words_of_its_own() -> None:
    read = said_in("views", "what", place={"_read": 2}) | {f"case_{part}" for part in PARTS if part}
    assert {"case", "case_act", "dissent", "letter_of_another", "panel_notice"} <= read
    assert {f"read_{what}" for what in read} == set(shown.OPENED)


def test_every_verb_that_the_actions_write_has_words_of_its_own() -> None:
    asked = ("hold", "hold_conference")  # what is asked of the machine, and not what is written
    written = said_in("actions", "verb", place={"_note": 1}, unless=asked)
    assert {"add_child", "accept", "end_offer", "clock_passed"} <= written
    assert written - {"publish_procedure"} == set(shown.HAPPENED)


# --- the acts of the review ------------------------------------------------------------------------


@pytest.mark.rule("ST-10")
def test_the_discussion_cannot_be_recorded_before_the_review_with_the_chair(
    manager: Client, world: World
) -> None:
    dissent = world.filed()
    assert "Talked it over with the dissenter Cannot start yet" in text(manager.get(url(dissent)))
    answer = manager.post(
        url(dissent, "steps/discussed_with_dissenter/"), {**on("2026-03-04 10:00"), "note": HOSTILE}
    )
    assert answer.status_code == 422
    assert "First record: Went through the information with the chair of the conference." in text(answer)
    assert html.escape(HOSTILE) in answer.content.decode()
    assert not StepRecord.objects.exists()


@pytest.mark.rule("ST-10")
def test_no_outcome_before_both_steps(manager: Client, world: World) -> None:
    dissent = world.filed()
    for rest in ("propose/", "decide/"):
        answer = manager.post(url(dissent, rest), ACTS[rest][1])
        assert answer.status_code == 422
        assert "First record:" in text(answer)
    assert not Proposal.objects.exists()
    assert not Decision.objects.exists()


@pytest.mark.rule("ST-10")
def test_the_discussion_comes_after_the_review_with_the_chair_in_time_too(
    manager: Client, world: World
) -> None:
    dissent = world.filed()
    manager.post(url(dissent, "steps/reviewed_with_chair/"), {**on("2026-03-05 10:00"), "note": "Seen."})
    answer = manager.post(
        url(dissent, "steps/discussed_with_dissenter/"), {**on("2026-03-04 10:00"), "note": "Spoken."}
    )
    assert answer.status_code == 422
    assert "so it cannot have happened earlier" in answer.context["form"].errors["happened_at"][0]
    assert 'value="10:00"' in answer.content.decode()


def test_a_step_cannot_lie_in_the_future(manager: Client, world: World) -> None:
    dissent = world.filed()
    tomorrow = f"{timezone.localtime() + dt.timedelta(days=1):%Y-%m-%d %H:%M}"
    answer = manager.post(url(dissent, "steps/reviewed_with_chair/"), {**on(tomorrow), "note": "Seen."})
    assert "This time has not come yet" in answer.context["form"].errors["happened_at"][0]


def test_a_step_keeps_when_it_happened_and_what_was_said(manager: Client, world: World) -> None:
    dissent = world.filed()
    manager.post(url(dissent, "steps/reviewed_with_chair/"), {**on("2026-03-04 10:30"), "note": HOSTILE})
    step = StepRecord.objects.get()
    assert step.happened_at == when("2026-03-04 10:30")
    assert step.note == HOSTILE
    assert html.escape(HOSTILE) in manager.get(url(dissent, "?part=review")).content.decode()


def test_a_step_that_the_procedure_does_not_have_is_not_found(manager: Client, world: World) -> None:
    assert manager.get(url(world.filed(), "steps/nonsense/")).status_code == 404


@pytest.mark.rule("ST-11")
def test_a_proposal_is_put_to_the_dissenter_in_writing(manager: Client, world: World) -> None:
    dissent = world.reviewed()
    assert "do not answer within 5 working days" in text(manager.get(url(dissent, "propose/")))
    manager.post(url(dissent, "propose/"), {"text": HOSTILE})
    assert fresh(dissent).state == "proposed"
    assert Proposal.objects.get().text == HOSTILE
    assert Proposal.objects.get().proposed_by == world.service_manager


@pytest.mark.rule("ST-11")
def test_a_review_that_does_not_resolve_offers_the_panel(manager: Client, world: World) -> None:
    dissent = world.reviewed(world.filed(world.raised(world.conference(children=2))))
    page = manager.get(url(dissent, "decide/"))
    assert "Not resolved: the panel is offered" in text(page)
    assert "Resolved with the dissenter" not in text(page)
    manager.post(url(dissent, "decide/"), {"outcome": "unresolved", "reasons": "No agreement."})
    dissent = fresh(dissent)
    assert dissent.offered_at
    assert dissent.decisions.get().findings.count() == 2


@pytest.mark.rule("ST-11")
def test_nobody_says_for_the_dissenter_that_it_is_resolved(manager: Client, world: World) -> None:
    dissent = world.reviewed()
    answer = manager.post(url(dissent, "decide/"), {"outcome": "resolved", "reasons": "All agreed."})
    assert answer.status_code == 422
    assert "outcome" in answer.context["form"].errors
    assert "All agreed." in text(answer)
    assert fresh(dissent).state == "at_stage"


@pytest.mark.rule("ST-08")
def test_a_late_form_shows_how_late_it_is_and_why_before_it_is_let_in(manager: Client, world: World) -> None:
    dissent = late_form(world)
    said = text(manager.get(url(dissent, "admit/")))
    assert "Due Wednesday 4 March 2026, 12:00" in said
    assert "Sent Friday 6 March 2026, 09:00" in said
    assert "Late by 1 day" in said
    assert "I was in court." in said


@pytest.mark.rule("ST-08")
@pytest.mark.parametrize(
    ("answer", "state", "words"), [("admit", "at_stage", "Let in"), ("refuse", "closed", "Refused")]
)
def test_a_late_form_is_let_in_or_refused_with_reasons(
    manager: Client, world: World, answer: str, state: str, words: str
) -> None:
    dissent = late_form(world)
    manager.post(url(dissent, "admit/"), {"answer": answer, "reasons": "Because of it."})
    assert fresh(dissent).state == state
    said = text(manager.get(url(dissent, "?part=review")))
    assert f"Late form {words}" in said
    assert "Because of it." in said


@pytest.mark.rule("ST-22")
def test_one_further_conference_led_by_the_unit_answers_every_dissent(manager: Client, world: World) -> None:
    conference = world.conference()
    both = [
        world.escalated(world.offered(world.reviewed(world.filed(world.raised(conference, who=who)))))
        for who in ("teacher", "officer")
    ]
    world.panellists()
    dissent = world.sat(world.convened(both[0]))
    for each in both:
        world.released(world.decided(fresh(each)))
    assert {fresh(each).state for each in both} == {"reconvening"}
    page = text(manager.get(url(dissent, "further-conference/")))
    assert "You are recorded as the person in the lead." in page
    assert "One further conference answers every dissent" in page
    assert "Nothing here sets a child’s plan." in page
    manager.post(
        url(dissent, "further-conference/"),
        {**ACTS["further-conference/"][1], "chair": str(world.chair.pk)},
    )
    further = Conference.objects.get(answers=conference)
    assert further.led_by == world.service_manager
    assert {fresh(each).state for each in both} == {"closed"}
    assert further.children.count() == 0


def test_a_further_conference_with_a_mistake_keeps_what_was_typed(manager: Client, world: World) -> None:
    dissent = world.decided()
    sent = {**on("2026-04-01 11:00", "held_at"), **on("2026-04-01 09:00", "ended_at")}
    answer = manager.post(url(dissent, "further-conference/"), {**sent, "chair": str(world.chair.pk)})
    assert answer.status_code == 422
    assert "cannot have ended before it began" in answer.context["form"].errors["ended_at"][0]
    assert f'<option value="{world.chair.pk}" selected>' in answer.content.decode()
    early = {**on("2026-03-10 09:00", "held_at"), **on("2026-03-10 11:00", "ended_at")}
    answer = manager.post(url(dissent, "further-conference/"), {**early, "chair": str(world.chair.pk)})
    assert "comes after the decision" in answer.context["form"].errors["held_at"][0]
    somebody = {**early, "chair": str(world.teacher.pk)}
    answer = manager.post(url(dissent, "further-conference/"), somebody)
    assert "chair" in answer.context["form"].errors


@pytest.mark.rule("ST-21")
def test_no_form_of_a_case_has_a_field_that_could_set_a_plan(manager: Client, world: World) -> None:
    asked = {}
    for rest, (state, _) in ACTS.items():
        world = World(key=f"council{len(asked)}", quick=True)
        manager.force_login(world.service_manager)
        body = manager.get(url(STATES[state](world), rest)).content.decode()
        main = body[body.index("<main") : body.index("</main>")]
        names = re.findall(r'<(?:input|select|textarea|button)[^>]*? name="([^"]+)"', main)
        asked[rest] = set(names) - {"csrfmiddlewaretoken"}
    assert asked == {
        "steps/reviewed_with_chair/": {*on("2026-01-01 00:00"), "note"},
        "propose/": {"text"},
        "decide/": {"outcome", "reasons"},
        "admit/": {"answer", "reasons"},
        "lapse/": {*on("2026-01-01 00:00", "tried_at"), "tried", "reasons"},
        "further-conference/": {
            *on("2026-01-01 00:00", "held_at"),
            *on("2026-01-01 00:00", "ended_at"),
            "chair",
        },
    }


@pytest.mark.rule("ST-21")
def test_what_is_sent_beside_the_form_leaves_the_childs_plan_alone(manager: Client, world: World) -> None:
    dissent = world.decided()
    sent = {**ACTS["further-conference/"][1], "chair": str(world.chair.pk), "decision": "made"}
    manager.post(url(dissent, "further-conference/"), {**sent, "category": "neglect"})
    assert Conference.objects.filter(answers=dissent.conference).exists()
    assert set(Child.objects.values_list("decision", "category")) == {("not_made", "")}


# --- those who read less ---------------------------------------------------------------------------


def test_the_chair_reads_the_form_once_it_is_sent_and_the_outcome_in_words(
    client: Client, world: World
) -> None:
    client.force_login(world.chair)
    dissent = world.filled_in(world.raised(), reason="Not sent yet.")
    assert "Not sent yet." not in text(client.get(url(dissent)))
    actions.file_dissent(dissent=dissent, by=dissent.dissenter, at=FILED)
    assert "Not sent yet." in text(client.get(url(dissent)))
    world.decided(world.sat(world.convened(world.escalated(world.offered(world.reviewed(fresh(dissent)))))))
    said = text(client.get(url(dissent)))
    assert "Dissent Panel Uphold the dissent, Monday 16 March 2026, 13:00" in said
    assert "The panel's reasons." not in said
    assert "What was said." not in said


def test_the_conference_administrator_reads_where_it_stands_and_no_more(client: Client, world: World) -> None:
    client.force_login(world.conference_administrator)
    dissent = world.decided(outcome="not_upheld")
    said = text(client.get(url(dissent)))
    assert "Dissent Panel: decided" in said
    assert "Began Tuesday 3 March 2026, 10:00" in said
    for hidden in ("The reason as the teacher wrote it.", "uphold", "The panel's reasons.", "What was said."):
        assert hidden not in said


@pytest.mark.parametrize("who", ["chair", "conference_administrator"])
def test_reading_where_it_stands_is_recorded(client: Client, world: World, who: str) -> None:
    dissent = world.filed()
    client.force_login(world.people[who])
    client.get(url(dissent))
    assert LedgerEntry.objects.get(verb="read_standing").by == world.people[who]


# --- what it costs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("part", PARTS)
def test_a_page_of_a_case_asks_the_database_as_much_with_many_rows_as_with_few(
    manager: Client, world: World, part: str
) -> None:
    conference = world.conference(children=1)
    dissent = world.decided(
        world.sat(
            world.convened(
                world.escalated(world.offered(world.reviewed(world.filed(world.raised(conference)))))
            )
        )
    )
    counts = [queries(manager, dissent, part)]
    for number in range(30):
        who = f"worker{number}"
        # Past the action, which takes nobody more as present once letters are made.
        world.people[who] = Person.objects.create_user(f"{who}@testshire.example", name=who)
        Attendance.objects.create(
            council=world.council,
            conference=conference,
            person=world.people[who],
            name=who,
            agency=world.agency("School"),
            capacity="professional",
            present=True,
            added_at=conference.recorded_at,
        )
        world.raised(conference, who=who)
        manager.get(url(dissent))
    counts.append(queries(manager, dissent, part))
    assert counts[0] == counts[1] <= 24


def queries(client: Client, dissent: Dissent, part: str) -> int:
    client.get(url(dissent))  # the first page after signing in also writes the session
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url(dissent, f"?part={part}")).status_code == 200
    # The savepoint of the ledger's transaction is the test's own: it runs inside another one.
    return sum("SAVEPOINT" not in each["sql"] for each in asked)


# --- how it ended ----------------------------------------------------------------------------------

ENDED = {
    "withdrawn": ("Withdrawn by the dissenter on 10 March 2026", "We talked about it."),
    "lapsed": ("Lapsed on 10 March 2026: the dissent form was not sent", "Nobody can send the form."),
}


@pytest.mark.parametrize("state", ENDED)
def test_each_who_reads_of_a_dissent_reads_how_it_ended_and_the_reasons_only_in_the_case(
    client: Client, world: World, state: str
) -> None:
    dissent = getattr(world, state)()
    ended, reasons = ENDED[state]
    conference = f"/conferences/{dissent.conference_id}/"
    for who, address, gives_reasons in (
        ("service_manager", url(dissent), True),
        ("service_manager", "/work/?state=closed", False),
        ("chair", url(dissent), True),
        ("chair", conference, False),
        ("conference_administrator", url(dissent), False),
        ("conference_administrator", conference, False),
    ):
        client.force_login(world.people[who])
        said = text(client.get(address))
        assert ended in said, f"{who} at {address}"
        assert (reasons in said) == gives_reasons, f"{who} at {address}"


def test_whoever_was_to_hear_it_reads_that_it_was_withdrawn_and_nothing_else(
    client: Client, world: World
) -> None:
    dissent = world.withdrawn(world.convened())
    for who in ("superintendent", "head_nurse", "unit_representative"):
        client.force_login(world.people[who])
        said = text(client.get(url(dissent)))
        assert "Withdrawn by the dissenter on 10 March 2026" in said
        for hidden in ("Teacher", "Child A", "We talked about it.", "The reason as", world.chair.name):
            assert hidden not in said
        assert client.get(f"/panels/{dissent.panel_id}/").status_code == 404


def test_a_panels_chair_who_was_writing_its_decision_is_told_and_loses_nothing(
    client: Client, world: World
) -> None:
    dissent = world.withdrawn(world.sat(), at=when("2026-03-16 13:00"))
    client.force_login(world.superintendent)
    sent = {
        "outcome": "upheld",
        "ground": "A",
        "reasons": "What was typed.",
        "plain_reasons": "So",
        "then": "decide",
    }
    answer = client.post(url(dissent, "panel/decide/"), sent)
    assert answer.status_code == 409
    assert "What was typed." in text(answer)
    assert client.get(url(dissent, "panel/decide/")).url == url(dissent)


def test_the_panels_page_says_which_dissent_it_no_longer_hears(client: Client, world: World) -> None:
    dissent = world.withdrawn(world.convened())
    client.force_login(world.business_manager)
    said = text(client.get(f"/panels/{dissent.panel_id}/"))
    assert "Withdrawn by the dissenter on 10 March 2026. The panel no longer hears it." in said
    assert "Decided" not in said


def test_a_dissent_is_not_offered_to_lapse_while_its_form_can_be_sent_in_time(
    manager: Client, world: World
) -> None:
    ended = timezone.now() - dt.timedelta(hours=2)
    conference = world.conference(held_at=ended - dt.timedelta(hours=2), ended_at=ended, at=ended)
    dissent = world.raised(conference, at=ended)
    assert url(dissent, "lapse/") not in manager.get(url(dissent)).content.decode()
    answer = manager.get(url(dissent, "lapse/"), follow=True)
    assert "The dissenter still has time to send the form." in text(answer)
    sent = {**on("2026-03-06 10:00", "tried_at"), "tried": "By telephone.", "reasons": "They have left."}
    answer = manager.post(url(dissent, "lapse/"), sent)
    assert answer.status_code == 422
    assert "The dissenter still has time to send the form." in text(answer)
    assert fresh(dissent).state == "raised"


def test_whoever_lets_a_dissent_lapse_reads_where_to_reach_the_dissenter(
    manager: Client, world: World
) -> None:
    said = text(manager.get(url(world.raised(), "lapse/")))
    assert "teacher@testshire.example" in said
    assert "they can still send it" in said

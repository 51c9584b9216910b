"""What a dissenter sees: their own page, the form one question a page, and their answers.

Pages go by the real time. A dissent here is about a conference that ended a while ago, so that its form
is due, or late; later states come from the world as it is.
"""

import datetime as dt
import functools
import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dissent import actions
from dissent.models import Conference, Dissent, LedgerEntry, Letter, Moment
from tests.dissent.together import at_once
from tests.world import World, when

pytestmark = pytest.mark.django_db

ANSWERS = {
    "telephone": "01632 960199",
    "reason": "The bruise was not talked about.\n\nThat is why.",
    "evidence": "The school's chronology.",
    "passage": "Chapter one.",
    "view": "plan",
    "plan_would_change": "One plan for everybody.",
}
HOSTILE = "{{7*7}} <script>alert(1)</script>\n\u202eright to left & {% now %}"


@pytest.fixture
def world() -> World:
    return World()


def conference(world: World, *, ended: dt.timedelta) -> Conference:
    """A conference that ended that long ago."""
    then = timezone.now() - ended
    return world.conference(held_at=then - dt.timedelta(hours=2), ended_at=then, at=then)


def due(world: World) -> Dissent:
    """A dissent whose form can still be sent in time."""
    return world.raised(conference(world, ended=dt.timedelta(hours=2)), at=timezone.now())


def overdue(world: World) -> Dissent:
    """A dissent whose form was due a day ago."""
    return world.raised(conference(world, ended=dt.timedelta(hours=48)), at=timezone.now())


@pytest.fixture
def raised(world: World) -> Dissent:
    return due(world)


@pytest.fixture
def teacher(client: Client, world: World, raised: Dissent) -> Client:
    client.force_login(world.teacher)
    return client


def own(dissent: Dissent) -> str:
    return reverse("dissent", args=[dissent.pk])


def question(dissent: Dissent, key: str) -> str:
    return reverse("form_question", args=[dissent.pk, key])


def keep(dissent: Dissent, key: str) -> str:
    return reverse("keep_answer", args=[dissent.pk, key])


def check(dissent: Dissent) -> str:
    return reverse("check_answers", args=[dissent.pk])


def sent(dissent: Dissent) -> str:
    return reverse("form_sent", args=[dissent.pk])


def management(dissent: Dissent) -> str:
    return reverse("tell_management", args=[dissent.pk])


def fill_in(client: Client, dissent: Dissent, **answers: str) -> str:
    """Answer each question as Continue leads on; return where the last one led."""
    said = {**ANSWERS, **answers}
    where = client.get(reverse("dissent_form", args=[dissent.pk])).url
    while (key := where.partition("?")[0].rstrip("/").rpartition("/")[2]) in said:
        answer = client.post(where, {"answer": said[key]})
        assert answer.status_code == 302, text_of(answer)
        where = answer.url
    return where


def declare(client: Client, dissent: Dissent):
    """Read the answers, declare and send."""
    seen = client.get(check(dissent)).context["form"]["seen"].value()
    return client.post(check(dissent), {"declared": "on", "seen": seen})


def text_of(response) -> str:
    return response.content.decode()


def words_of(response) -> str:
    """What a page says, without its tags."""
    body = re.sub(r"(?s)<(script|title).*?</\1>", "", text_of(response))
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def kept(dissent: Dissent, key: str) -> str | None:
    return Dissent.objects.get(pk=dissent.pk).answers_by_question().get(key)


def again(dissent: Dissent) -> Dissent:
    return Dissent.objects.get(pk=dissent.pk)


# --- the whole way ---------------------------------------------------------------------------------


@pytest.mark.rule("ST-08", "ST-15")
def test_a_dissenter_fills_in_the_form_and_sends_it(teacher: Client, raised: Dissent) -> None:
    assert "Form to send" in text_of(teacher.get(own(raised)))
    assert fill_in(teacher, raised) == management(raised)
    told = timezone.localdate()
    day = {"told_on_day": told.day, "told_on_month": told.month, "told_on_year": told.year}
    answer = teacher.post(management(raised), {"told": "yes", "name": "Head Teacher", **day})
    assert answer.url == check(raised)
    page = text_of(teacher.get(check(raised)))
    assert ANSWERS["reason"] in page
    assert "There should be a child protection plan" in page
    assert "Head Teacher" in page
    assert declare(teacher, raised).url == sent(raised)
    receipt = text_of(teacher.get(sent(raised)))
    for shown in (raised.reference, "Form sent", ANSWERS["reason"], "Child A Testson", "Initial conference"):
        assert shown in receipt
    dissent = again(raised)
    assert dissent.state == "at_stage"
    assert dissent.answers_by_question() == ANSWERS
    there = timezone.localtime(dissent.filed_at)
    assert f"{there.day} {there:%B %Y}, {there:%H:%M}" in receipt
    assert "Read what you sent" in text_of(teacher.get(own(raised)))


# --- who sees it -----------------------------------------------------------------------------------

PAGES = [
    "dissent_form",
    "check_answers",
    "form_sent",
    "tell_management",
    "agree_to_resolution",
    "refuse_resolution",
    "take_further",
    "accept",
    "withdraw",
]


@pytest.mark.parametrize(
    "who", ["officer", "chair", "service_manager", "conference_administrator", "stranger"]
)
def test_nobody_else_finds_the_dissenters_pages(
    client: Client, world: World, raised: Dissent, who: str
) -> None:
    world.person("stranger", "Sam Stranger", "School")
    client.force_login(world.people[who])
    addresses = [reverse(name, args=[raised.pk]) for name in PAGES]
    for address in [*addresses, question(raised, "reason")]:
        assert client.get(address).status_code == 404, address
        assert client.post(address, {"answer": "Mine", "declared": "on"}).status_code == 404, address
    assert client.post(keep(raised, "reason"), {"answer": "Mine"}).status_code == 404
    assert kept(raised, "reason") is None


def test_without_signing_in_every_page_leads_to_signing_in(client: Client, raised: Dissent) -> None:
    for address in [*(reverse(name, args=[raised.pk]) for name in PAGES), question(raised, "reason")]:
        answer = client.get(address)
        assert answer.status_code == 302
        assert answer.url.startswith("/sign-in/?next=/dissents/")


def test_each_page_that_is_read_stands_in_the_ledger_once(
    teacher: Client, raised: Dissent, world: World
) -> None:
    before = LedgerEntry.objects.count()
    for address in (own(raised), question(raised, "reason"), check(raised)):
        teacher.get(address)
    entries = LedgerEntry.objects.order_by("sequence")[before:]
    assert [entry.verb for entry in entries] == ["read_dissent", "read_form", "read_form"]
    assert {entry.by_id for entry in entries} == {world.teacher.pk}
    assert {entry.case_id for entry in entries} == {raised.pk}


# --- the own page ----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["raised", "proposed", "released"])
def test_the_own_page_asks_the_database_little(
    client: Client, world: World, state: str, django_assert_max_num_queries
) -> None:
    dissent = getattr(world, state)()
    client.force_login(world.teacher)
    client.get("/")  # the first page of a session writes when it began
    with django_assert_max_num_queries(18):  # two of them are the savepoint around the ledger's entry
        client.get(own(dissent))


def test_danger_comes_first_and_in_full_before_the_form(teacher: Client, raised: Dissent) -> None:
    first = text_of(teacher.get(own(raised))).partition("<h1")[0]
    assert "If a child is in danger now" in first
    assert "01632 960100" in first


@pytest.mark.rule("ST-15")
def test_what_the_conference_recorded_is_shown_and_not_asked(teacher: Client, raised: Dissent) -> None:
    for page in (teacher.get(own(raised)), teacher.get(check(raised))):
        said = words_of(page)
        for known in (
            "Child A Testson, born on 1 May 2018",
            "Teacher Testshire",
            "School",
            "Initial conference",
            "Independent Reviewing Officer Chair",
        ):
            assert known in said
    asked = [each.key for each in raised.rules.filing.questions]
    assert not set(asked) & {"children", "name", "agency", "chair", "conference"}


def test_an_unborn_child_is_named_by_when_it_is_expected(
    client: Client, world: World, raised: Dissent
) -> None:
    actions.add_child(
        conference=raised.conference,
        name="",
        born_on=None,
        due_on=dt.date(2027, 1, 5),
        decision="not_made",
        category="",
        by=world.conference_administrator,
        at=timezone.now(),
    )
    dissent = world.raised(
        raised.conference, who="officer", children=list(raised.conference.children.filter(born_on=None))
    )
    client.force_login(world.officer)
    assert "Unborn child, expected on 5 January 2027" in words_of(client.get(own(dissent)))


@pytest.mark.rule("ST-06")
def test_the_record_number_is_never_asked_of_the_dissenter(
    teacher: Client, world: World, raised: Dissent
) -> None:
    raised.conference.children.update(record_number="REC-900")
    term = raised.rules.words.record_number.one
    addresses = [own(raised), check(raised), management(raised)]
    addresses += [question(raised, each.key) for each in raised.rules.filing.questions]
    for address in addresses:
        page = text_of(teacher.get(address))
        assert term not in page, address
        assert "REC-900" not in page, address
    fill_in(teacher, raised)
    declare(teacher, raised)
    assert term not in text_of(teacher.get(sent(raised)))
    assert "REC-900" not in text_of(teacher.get(sent(raised)))


@pytest.mark.rule("ST-06")
def test_nothing_that_the_dissenter_sends_sets_the_record_number(teacher: Client, raised: Dissent) -> None:
    children = raised.conference.children
    children.update(record_number="REC-900")
    of_their_own = {"record_number": "MINE", "children": str(children.first().pk)}
    for each in raised.rules.filing.questions:
        teacher.post(keep(raised, each.key), {"answer": "x", **of_their_own})
        teacher.post(question(raised, each.key), {"answer": ANSWERS.get(each.key, "x"), **of_their_own})
    day = {"told_on_day": "1", "told_on_month": "3", "told_on_year": "2026"}
    teacher.post(management(raised), {"told": "yes", "name": "Head", **day, **of_their_own})
    seen = teacher.get(check(raised)).context["form"]["seen"].value()
    teacher.post(check(raised), {"declared": "on", "seen": seen, **of_their_own})
    assert again(raised).filed_at
    assert teacher.post(f"/conferences/{raised.conference_id}/children/new/", of_their_own).status_code == 404
    assert set(children.values_list("record_number", flat=True)) == {"REC-900"}


def test_when_it_is_due_can_be_followed(teacher: Client, raised: Dissent) -> None:
    page = teacher.get(own(raised))
    clock = raised.clocks.get()
    there = timezone.localtime(clock.due_at)
    assert f"Send it by {there:%A} {there.day} {there:%B %Y}, {there:%H:%M}." in words_of(page)
    assert "How this was worked out" in words_of(page)
    assert "24 hours from" in words_of(page)


def test_the_own_page_says_which_questions_are_answered(teacher: Client, raised: Dissent) -> None:
    assert words_of(teacher.get(own(raised))).count("Not answered yet") == 5
    teacher.post(question(raised, "view"), {"answer": "differs"})
    said = words_of(teacher.get(own(raised)))
    assert said.count("Not answered yet") == 6
    assert "Go on with the form" in said


MEANWHILE = "stays in force"
STATES = {
    "raised": ["Form is late", "You can still send it", MEANWHILE],
    "filed": ["Being looked at", "Review by the Service Manager", "To come", MEANWHILE],
    "reviewed": ["Being looked at", "Done", MEANWHILE],
    "proposed": [
        "Your answer is needed",
        "What is proposed.",
        "Answer by Thursday 12 March 2026.",
        "counts as not resolved",
        MEANWHILE,
    ],
    "offered": [
        "Your choice",
        "Take it further",
        "Say which by Thursday 19 March 2026.",
        "the offer ends by itself",
        MEANWHILE,
    ],
    "escalated": ["Dissent Panel", "Partnership Business Manager", MEANWHILE],
    "convened": ["The Dissent Panel has been named", MEANWHILE],
    "decided": ["A decision has been recorded", "comes to you in a letter", MEANWHILE],
    "released": ["The decision is in your letter", "What the dissent panel decided"],
    "reheard": ["The dissent closed on", "The decision is in your letter"],
    "withdrawn": [
        "You withdrew this dissent on 10 March 2026.",
        "by the dissenter Reasons We talked about it.",
        "Read what you sent",
    ],
    "lapsed": [
        "This dissent ended on 10 March 2026 without its dissent form. It lapsed.",
        "Reasons Nobody can send the form.",
        "What was tried I phoned the school, and they have left.",
        "You did not send the form.",
    ],
}


@pytest.mark.parametrize("state", STATES)
def test_the_own_page_says_where_it_stands(client: Client, world: World, state: str) -> None:
    dissent = getattr(world, state)()
    client.force_login(world.teacher)
    page = client.get(own(dissent))
    assert page.status_code == 200
    for said in STATES[state]:
        assert said in words_of(page)


def test_the_decision_is_not_to_be_told_from_the_page_before_the_letter(client: Client, world: World) -> None:
    pages = []
    for outcome in ("upheld", "not_upheld"):
        here = World(key=f"place-{outcome.replace('_', '-')}")
        dissent = here.decided(outcome=outcome)
        assert dissent.state == ("reconvening" if outcome == "upheld" else "decided")
        client.force_login(here.teacher)
        said = words_of(client.get(own(dissent)))
        for differs in (dissent.reference, here.key, here.key.title()):
            said = said.replace(differs, "X")
        pages.append(said)
    assert pages[0] == pages[1]
    assert "The panel's reasons." not in pages[0]


def test_own_letters_are_there_once_released_and_only_own(client: Client, world: World) -> None:
    dissent = world.decided()
    client.force_login(world.teacher)
    assert "/letters/" not in text_of(client.get(own(dissent)))
    dissent = world.released(dissent)
    page = text_of(client.get(own(dissent)))
    mine = Letter.objects.get(to=world.teacher)
    assert re.findall(r'href="/letters/([^/]+)/"', page) == [str(mine.pk)]


# --- one question a page ---------------------------------------------------------------------------


def test_an_empty_answer_is_an_error_at_the_question(teacher: Client, raised: Dissent) -> None:
    page = teacher.post(question(raised, "reason"), {"answer": "   "})
    assert page.status_code == 422
    assert "Write your answer to this question" in words_of(page)
    assert 'href="#id_answer"' in text_of(page)
    assert kept(raised, "reason") == "   "
    page = teacher.post(question(raised, "view"), {})
    assert "Choose one of the answers" in words_of(page)


def test_continue_keeps_and_leads_to_the_next_question(teacher: Client, raised: Dissent) -> None:
    answer = teacher.post(question(raised, "reason"), {"answer": "Because."})
    assert answer.url == question(raised, "evidence")
    assert kept(raised, "reason") == "Because."
    assert "Because." in text_of(teacher.get(question(raised, "reason")))


def test_back_leads_to_the_question_before(teacher: Client, raised: Dissent) -> None:
    assert f'href="{question(raised, "telephone")}"' in text_of(teacher.get(question(raised, "reason")))
    assert f'govuk-back-link" href="{own(raised)}"' in text_of(teacher.get(question(raised, "telephone")))


def test_saving_for_later_keeps_what_could_not_stand_yet(teacher: Client, raised: Dissent) -> None:
    answer = teacher.post(question(raised, "view"), {"then": "later"})
    assert answer.url == own(raised)
    teacher.post(question(raised, "reason"), {"answer": "Half a sent", "then": "later"})
    assert kept(raised, "reason") == "Half a sent"
    assert "What you typed is kept" in words_of(teacher.get(own(raised)))


@pytest.mark.parametrize(
    ("view", "asked"),
    [
        ("plan", ["plan_would_change"]),
        ("no_plan", ["other_involvement"]),
        ("differs", ["plan_would_change", "other_involvement"]),
    ],
)
@pytest.mark.rule("ST-15")
def test_the_last_questions_follow_from_what_should_happen(
    teacher: Client, raised: Dissent, view: str, asked: list[str]
) -> None:
    led = []
    where = teacher.post(question(raised, "view"), {"answer": view}).url
    while where.startswith(question(raised, "x").removesuffix("x/")):
        led.append(where.rstrip("/").rpartition("/")[2])
        where = teacher.post(where, {"answer": "Words."}).url
    assert led == asked
    assert where == management(raised)


def test_an_answer_that_is_no_longer_asked_is_kept_and_not_shown(teacher: Client, raised: Dissent) -> None:
    fill_in(teacher, raised)
    teacher.post(question(raised, "view"), {"answer": "no_plan"})
    page = text_of(teacher.get(check(raised)))
    assert ANSWERS["plan_would_change"] not in page
    assert "What other kind of involvement" in page
    assert kept(raised, "plan_would_change") == ANSWERS["plan_would_change"]


def test_a_choice_that_is_none_of_the_questions_is_no_answer(teacher: Client, raised: Dissent) -> None:
    page = teacher.post(question(raised, "view"), {"answer": "something else"})
    assert page.status_code == 422
    assert kept(raised, "view") == ""


def test_there_are_no_other_questions(teacher: Client, raised: Dissent) -> None:
    assert teacher.get(question(raised, "record_number")).status_code == 404
    assert teacher.post(question(raised, "record_number"), {"answer": "1"}).status_code == 404
    assert teacher.post(keep(raised, "record_number"), {"answer": "1"}).status_code == 404


@pytest.mark.parametrize("text", [HOSTILE, "x" * 100_000, " spaces \r\nat both ends ", "{{ form }}"])
def test_what_is_typed_is_kept_and_shown_as_it_was(teacher: Client, raised: Dissent, text: str) -> None:
    assert teacher.post(keep(raised, "reason"), {"answer": text}).status_code == 204
    plain = text.replace("\r\n", "\n")
    assert kept(raised, "reason") == plain
    fill_in(teacher, raised, reason=text)
    for address in (question(raised, "reason"), check(raised)):
        page = text_of(teacher.get(address))
        assert plain in unescape(page)
        assert "<script>alert" not in page
    declare(teacher, raised)
    assert plain in unescape(text_of(teacher.get(sent(raised))))
    assert "<script>alert" not in text_of(teacher.get(sent(raised)))


def test_a_character_that_no_database_keeps_does_not_take_the_rest_with_it(
    teacher: Client, raised: Dissent
) -> None:
    assert teacher.post(keep(raised, "reason"), {"answer": "be\x00fore"}).status_code == 204
    assert kept(raised, "reason") == "before"


# --- kept as it is typed ---------------------------------------------------------------------------


def test_what_is_typed_is_kept_without_being_looked_at(teacher: Client, raised: Dissent) -> None:
    page = text_of(teacher.get(question(raised, "reason")))
    assert f'data-keep-url="{keep(raised, "reason")}"' in page
    assert teacher.post(keep(raised, "reason"), {"answer": "  Bec"}).status_code == 204
    assert kept(raised, "reason") == "  Bec"
    assert teacher.post(keep(raised, "reason"), {"answer": ""}).status_code == 204
    assert kept(raised, "reason") == ""
    assert teacher.get(keep(raised, "reason")).status_code == 405


def test_signed_out_nothing_is_kept_and_the_script_is_told(client: Client, raised: Dissent) -> None:
    answer = client.post(keep(raised, "reason"), {"answer": "Lost?"})
    assert answer.status_code == 302
    assert kept(raised, "reason") is None


def test_after_the_form_was_sent_nothing_more_is_kept_or_lost(teacher: Client, raised: Dissent) -> None:
    fill_in(teacher, raised)
    declare(teacher, raised)
    refused = teacher.post(keep(raised, "reason"), {"answer": "Too late"})
    assert refused.status_code == 409
    assert refused.content.decode().startswith("Not saved: the form was sent")
    page = teacher.post(
        question(raised, "reason"), {"answer": "Too late", "opened": "sealed", "then": "later"}
    )
    assert page.status_code == 409
    assert "Too late" in words_of(page)
    assert "sealed" not in words_of(page)
    assert kept(raised, "reason") == ANSWERS["reason"]
    assert teacher.get(question(raised, "reason")).url == sent(raised)
    assert teacher.get(check(raised)).url == sent(raised)


# --- two windows -----------------------------------------------------------------------------------


def opened(client: Client, address: str) -> dict[str, str]:
    """Open a page and return what it carries along."""
    return {"opened": client.get(address).context["form"]["opened"].value()}


def test_a_second_window_does_not_write_over_the_first(teacher: Client, raised: Dissent) -> None:
    address = question(raised, "reason")
    first, second = opened(teacher, address), opened(teacher, address)
    teacher.post(keep(raised, "reason"), {"answer": "From the first", **first})
    refused = teacher.post(keep(raised, "reason"), {"answer": "From the second", **second})
    assert refused.status_code == 409
    assert "changed in another window" in refused.content.decode()
    page = teacher.post(address, {"answer": "From the second", **second})
    assert page.status_code == 409
    assert "From the first" in words_of(page)
    assert "From the second" in words_of(page)
    assert kept(raised, "reason") == "From the first"
    both = {"answer": "From both", "opened": page.context["form"]["opened"].value()}
    assert teacher.post(address, both).url == question(raised, "evidence")
    assert kept(raised, "reason") == "From both"


def test_a_page_goes_on_changing_what_it_kept_itself(teacher: Client, raised: Dissent) -> None:
    address = question(raised, "reason")
    page = opened(teacher, address)
    for text in ("One", "Two", "", "Three"):
        assert teacher.post(keep(raised, "reason"), {"answer": text, **page}).status_code == 204
    assert teacher.post(address, {"answer": "Four", **page}).url == question(raised, "evidence")
    assert kept(raised, "reason") == "Four"


def test_another_browser_counts_as_another_window(teacher: Client, world: World, raised: Dissent) -> None:
    address = question(raised, "reason")
    here = opened(teacher, address)
    elsewhere = Client()
    elsewhere.force_login(world.teacher)
    elsewhere.post(address, {"answer": "Typed on a telephone", **opened(elsewhere, address)})
    assert teacher.post(address, {"answer": "Typed at a desk", **here}).status_code == 409
    assert kept(raised, "reason") == "Typed on a telephone"


# --- a sign-in that ended --------------------------------------------------------------------------


def test_what_was_sent_signed_out_is_kept_after_signing_in_again(
    teacher: Client, world: World, raised: Dissent
) -> None:
    address = question(raised, "reason")
    page = opened(teacher, address)
    teacher.logout()
    answer = teacher.post(address, {"answer": "An hour of work", **page})
    assert answer.url == f"/sign-in/?next={address}"
    assert kept(raised, "reason") is None
    teacher.force_login(world.teacher)
    back = teacher.get(address)
    assert "You had been signed out. What you typed is kept." in words_of(back)
    assert "An hour of work" in text_of(back)
    assert kept(raised, "reason") == "An hour of work"
    assert "signed out" not in words_of(teacher.get(address))


def test_what_was_sent_signed_out_does_not_write_over_another_window(
    teacher: Client, world: World, raised: Dissent
) -> None:
    address = question(raised, "reason")
    page = opened(teacher, address)
    actions.keep_answer(
        dissent=raised, question="reason", text="Elsewhere", by=world.teacher, at=timezone.now()
    )
    teacher.logout()
    teacher.post(address, {"answer": "Here", **page})
    teacher.force_login(world.teacher)
    back = teacher.get(address)
    assert "Elsewhere" in words_of(back)
    assert "Here" in words_of(back)
    assert kept(raised, "reason") == "Elsewhere"


def test_somebody_else_who_signs_in_there_gets_nothing_of_it(
    teacher: Client, world: World, raised: Dissent
) -> None:
    address = question(raised, "reason")
    page = opened(teacher, address)
    teacher.logout()
    teacher.post(address, {"answer": "Not for others", **page})
    teacher.force_login(world.officer)
    assert teacher.get(address).status_code == 404
    assert kept(raised, "reason") is None


def test_a_stranger_cannot_have_anything_put_aside(client: Client, raised: Dissent) -> None:
    for note in ("", "forged", "2026-01-01T00:00:00+00:00:forged"):
        client.post(question(raised, "reason"), {"answer": "x", "opened": note})
    assert not client.session.keys()


# --- their own management --------------------------------------------------------------------------


@pytest.mark.rule("ST-07")
def test_that_their_own_management_was_told_is_recorded_with_name_and_day(
    teacher: Client, raised: Dissent
) -> None:
    page = words_of(teacher.get(management(raised)))
    assert raised.rules.filing.management.question in page
    told = {"told": "yes", "name": "Head Teacher", "email": "head@school.example"}
    day = {"told_on_day": "1", "told_on_month": "3", "told_on_year": "2026"}
    teacher.post(management(raised), {**told, **day})
    dissent = again(raised)
    assert (dissent.manager_name, dissent.manager_email) == ("Head Teacher", "head@school.example")
    assert dissent.manager_told_on == dt.date(2026, 3, 1)
    assert "Head Teacher, on 1 March 2026" in words_of(teacher.get(own(raised)))


@pytest.mark.rule("ST-07")
def test_telling_them_can_be_left_and_done_after_the_form_was_sent(teacher: Client, raised: Dissent) -> None:
    fill_in(teacher, raised)
    assert teacher.post(management(raised), {"told": "no"}).url == check(raised)
    declare(teacher, raised)
    page = text_of(teacher.get(own(raised)))
    assert f'href="{management(raised)}"' in page
    day = {"told_on_day": "1", "told_on_month": "3", "told_on_year": "2026"}
    answer = teacher.post(management(raised), {"told": "yes", "name": "Head Teacher", **day})
    assert answer.url == own(raised)
    assert again(raised).manager_name == "Head Teacher"


def test_saying_not_yet_after_it_was_recorded_changes_nothing_and_says_so(
    teacher: Client, raised: Dissent
) -> None:
    day = {"told_on_day": "1", "told_on_month": "3", "told_on_year": "2026"}
    teacher.post(management(raised), {"told": "yes", "name": "Head Teacher", **day})
    teacher.get(own(raised))
    answer = teacher.post(management(raised), {"told": "no"}, follow=True)
    assert "What you recorded before stays: you told Head Teacher on 1 March 2026." in words_of(answer)
    assert again(raised).manager_told_on == dt.date(2026, 3, 1)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({}, "Choose yes if you have told your own management"),
        ({"told": "yes", "told_on_day": "1", "told_on_month": "3", "told_on_year": "2026"}, "Enter the name"),
        ({"told": "yes", "name": "Head Teacher"}, "Enter the day on which you told them"),
        (
            {"told": "yes", "name": "H", "told_on_day": "1", "told_on_month": "3", "told_on_year": "2099"},
            "This day has not come yet",
        ),
        ({"told": "yes", "name": "H", "email": "nobody"}, "Enter an e-mail address in full"),
        ({"told": "yes", "name": "H" * 201}, "Shorten this to 200 characters"),
    ],
)
def test_what_is_wrong_about_management_is_said_at_its_place(
    teacher: Client, raised: Dissent, said: dict[str, str], sentence: str
) -> None:
    page = teacher.post(management(raised), said)
    assert page.status_code == 422
    assert sentence in words_of(page)
    for typed in said.values():
        assert typed in text_of(page)
    assert again(raised).manager_told_on is None


# --- all the answers, and sending them -------------------------------------------------------------


def test_a_change_leads_back_to_all_the_answers(teacher: Client, raised: Dissent) -> None:
    fill_in(teacher, raised)
    change = f"{question(raised, 'evidence')}?from=check"
    assert f'href="{change}"' in text_of(teacher.get(check(raised)))
    assert f'govuk-back-link" href="{check(raised)}"' in text_of(teacher.get(change))
    assert teacher.post(change, {"answer": "Changed."}).url == check(raised)
    view = f"{question(raised, 'view')}?from=check"
    assert (
        teacher.post(view, {"answer": "differs"}).url == f"{question(raised, 'other_involvement')}?from=check"
    )


def test_a_missing_answer_leads_to_its_question_with_a_sentence(teacher: Client, raised: Dissent) -> None:
    fill_in(teacher, raised)
    teacher.post(keep(raised, "evidence"), {"answer": " "})
    page = teacher.get(check(raised))
    assert "Not answered yet" in words_of(page)
    answer = declare(teacher, raised)
    assert answer.url == f"{question(raised, 'evidence')}?from=check"
    assert "Answer this question before you send the form." in words_of(teacher.get(answer.url))
    assert again(raised).state == "raised"


def test_the_declaration_has_to_be_ticked(teacher: Client, raised: Dissent) -> None:
    fill_in(teacher, raised)
    page = teacher.get(check(raised))
    assert raised.rules.filing.declaration in words_of(page)
    page = teacher.post(check(raised), {"seen": page.context["form"]["seen"].value()})
    assert page.status_code == 422
    assert "Tick to say that the declaration is true" in words_of(page)
    assert again(raised).state == "raised"


def test_what_is_declared_is_what_was_shown(teacher: Client, raised: Dissent) -> None:
    fill_in(teacher, raised)
    seen = teacher.get(check(raised)).context["form"]["seen"].value()
    teacher.post(keep(raised, "reason"), {"answer": "Changed in another window."})
    page = teacher.post(check(raised), {"declared": "on", "seen": seen})
    assert page.status_code == 422
    assert "An answer changed after this page was opened" in words_of(page)
    assert "Changed in another window." in words_of(page)
    assert again(raised).state == "raised"
    renewed = {"declared": "on", "seen": page.context["form"]["seen"].value()}
    assert teacher.post(check(raised), renewed).url == sent(raised)


def test_pressing_send_twice_sends_it_once(teacher: Client, raised: Dissent) -> None:
    fill_in(teacher, raised)
    seen = teacher.get(check(raised)).context["form"]["seen"].value()
    for _ in range(2):
        assert teacher.post(check(raised), {"declared": "on", "seen": seen}).url == sent(raised)
    assert Moment.objects.filter(dissent=raised, name="filed").count() == 1


@pytest.mark.django_db(transaction=True)
def test_pressing_send_twice_at_the_same_moment_sends_it_once(world: World) -> None:
    for who in ("teacher", "officer"):
        dissent = world.filled_in(world.raised(conference(world, ended=dt.timedelta(hours=2)), who=who))
        desks = [Client(), Client()]
        for desk in desks:
            desk.force_login(dissent.dissenter)
        gave = at_once(*(functools.partial(declare, desk, dissent) for desk in desks))
        assert [answer.url for answer in gave] == [sent(dissent)] * 2
        assert Moment.objects.filter(dissent=dissent, name="filed").count() == 1


def test_there_is_no_receipt_before_the_form_is_sent(teacher: Client, raised: Dissent) -> None:
    assert teacher.get(sent(raised)).url == own(raised)


# --- a late form -----------------------------------------------------------------------------------


@pytest.mark.rule("ST-08")
def test_a_late_form_is_asked_why_and_waits_to_be_let_in(client: Client, world: World) -> None:
    dissent = overdue(world)
    client.force_login(world.teacher)
    said = words_of(client.get(own(dissent)))
    assert "Form is late" in said
    assert "The time to send the dissent form ran out" in said
    assert dissent.rules.filing.late.question in said
    fill_in(client, dissent, late_because="I was in court.")
    assert dissent.rules.filing.late.question in words_of(client.get(check(dissent)))
    assert declare(client, dissent).url == sent(dissent)
    receipt = words_of(client.get(sent(dissent)))
    assert "I was in court." in receipt
    assert "after its time" in receipt
    dissent = again(dissent)
    assert dissent.state == "awaiting_admission"
    assert dissent.late_because == "I was in court."
    assert "Sent late" in words_of(client.get(own(dissent)))


@pytest.mark.rule("ST-08")
def test_a_late_form_without_a_reason_leads_to_that_question(client: Client, world: World) -> None:
    dissent = overdue(world)
    client.force_login(world.teacher)
    for key, text in ANSWERS.items():
        client.post(keep(dissent, key), {"answer": text})
    answer = declare(client, dissent)
    assert answer.url == f"{question(dissent, 'late_because')}?from=check"
    assert "Say why it is late" in words_of(client.get(answer.url))
    assert again(dissent).state == "raised"


def test_in_time_nobody_is_asked_why_it_is_late(teacher: Client, raised: Dissent) -> None:
    late = raised.rules.filing.late.question
    for address in (own(raised), check(raised)):
        assert late not in words_of(teacher.get(address))


@pytest.mark.parametrize(("admit", "says"), [(True, "was let in"), (False, "was not let in")])
def test_what_was_said_to_a_late_form_is_there_to_read(
    client: Client, world: World, admit: bool, says: str
) -> None:
    late = when("2026-03-05 15:00")
    dissent = world.filed(at=late, late_because="I was in court.")
    verb = actions.admit if admit else actions.refuse_late
    verb(dissent=dissent, reasons=HOSTILE, by=world.service_manager, at=late)
    client.force_login(world.teacher)
    page = client.get(own(dissent))
    assert says in words_of(page)
    assert HOSTILE in unescape(text_of(page))
    assert "<script>alert" not in text_of(page)


# --- answering -------------------------------------------------------------------------------------


def address(name: str, dissent: Dissent) -> str:
    return reverse(name, args=[dissent.pk])


@pytest.mark.rule("ST-11")
def test_a_proposal_is_agreed_to_on_a_page_that_says_what_it_brings(client: Client, world: World) -> None:
    dissent = world.proposed()
    client.force_login(world.teacher)
    page = words_of(client.get(address("agree_to_resolution", dissent)))
    assert "What is proposed." in page
    assert "it closes" in page
    answer = client.post(address("agree_to_resolution", dissent))
    assert answer.url == own(dissent)
    assert again(dissent).proposals.get().answer == "agreed"
    assert "You agreed to the resolution" in words_of(client.get(own(dissent)))


@pytest.mark.rule("ST-11")
@pytest.mark.parametrize("words", ["", HOSTILE])
def test_a_proposal_is_refused_with_words_or_without(client: Client, world: World, words: str) -> None:
    dissent = world.proposed()
    client.force_login(world.teacher)
    client.post(address("refuse_resolution", dissent), {"words": words})
    dissent = again(dissent)
    assert dissent.proposals.get().answer == "refused"
    assert dissent.proposals.get().words == words
    assert "Your choice" in words_of(client.get(own(dissent)))


@pytest.mark.parametrize(
    ("state", "first", "second"),
    [
        ("proposed", "agree_to_resolution", "refuse_resolution"),
        ("proposed", "refuse_resolution", "agree_to_resolution"),
        ("offered", "take_further", "accept"),
        ("offered", "accept", "take_further"),
        ("offered", "take_further", "take_further"),
        ("proposed", "agree_to_resolution", "withdraw"),
        ("proposed", "withdraw", "refuse_resolution"),
        ("filed", "withdraw", "withdraw"),
    ],
)
def test_the_second_window_is_told_that_the_case_has_moved_on(
    client: Client, world: World, state: str, first: str, second: str
) -> None:
    dissent = getattr(world, state)()
    client.force_login(world.teacher)
    assert client.post(address(first, dissent)).status_code == 302
    stands = again(dissent).state
    page = client.post(address(second, dissent), {"words": "I changed my mind."})
    assert page.status_code == 409
    assert "I changed my mind." in words_of(page)
    assert again(dissent).state == stands
    assert client.get(address(second, dissent)).url == own(dissent)


@pytest.mark.rule("ST-11")
def test_taking_it_further_is_the_dissenters_own_choice(client: Client, world: World) -> None:
    dissent = world.offered()
    client.force_login(world.teacher)
    page = words_of(client.get(own(dissent)))
    assert "Take it further" in page
    assert "Leave it there" in page
    assert "Partnership Business Manager" in words_of(client.get(address("take_further", dissent)))
    assert client.post(address("take_further", dissent)).url == own(dissent)
    assert again(dissent).stage == "panel"


@pytest.mark.rule("ST-11")
def test_leaving_it_there_closes_the_dissent(client: Client, world: World) -> None:
    dissent = world.offered()
    client.force_login(world.teacher)
    assert "the dissent closes" in words_of(client.get(address("accept", dissent)))
    client.post(address("accept", dissent))
    assert again(dissent).state == "closed"
    page = words_of(client.get(own(dissent)))
    assert "It was not taken further" in page
    assert MEANWHILE not in page


@pytest.mark.parametrize("state", [state for state in STATES if state not in ("proposed", "offered")])
def test_a_button_is_there_only_where_it_works(client: Client, world: World, state: str) -> None:
    dissent = getattr(world, state)()
    client.force_login(world.teacher)
    page = text_of(client.get(own(dissent)))
    for name in ("agree_to_resolution", "refuse_resolution", "take_further", "accept"):
        assert address(name, dissent) not in page
        assert client.post(address(name, dissent)).status_code == 409
    assert again(dissent).state == dissent.state


# --- withdrawing it --------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["raised", "filed", "proposed", "sat"])
def test_a_dissent_is_withdrawn_from_its_page_until_it_is_decided(
    client: Client, world: World, state: str
) -> None:
    dissent = getattr(world, state)()
    client.force_login(world.teacher)
    assert address("withdraw", dissent) in text_of(client.get(own(dissent)))
    page = words_of(client.get(address("withdraw", dissent)))
    assert "nobody decides it" in page
    answer = client.post(address("withdraw", dissent), {"reasons": HOSTILE})
    assert answer.url == own(dissent)
    assert again(dissent).withdrawal_reasons == HOSTILE
    page = words_of(client.get(own(dissent)))
    assert "You withdrew your dissent." in page
    assert MEANWHILE not in page
    assert address("withdraw", dissent) not in text_of(client.get(own(dissent)))


@pytest.mark.parametrize("state", ["offered", "decided", "released", "withdrawn", "lapsed"])
def test_a_dissent_that_is_decided_or_has_ended_is_not_withdrawn(
    client: Client, world: World, state: str
) -> None:
    dissent = getattr(world, state)()
    client.force_login(world.teacher)
    assert address("withdraw", dissent) not in text_of(client.get(own(dissent)))
    assert client.get(address("withdraw", dissent)).url == own(dissent)
    assert client.post(address("withdraw", dissent), {"reasons": "Late."}).status_code == 409
    assert again(dissent).state == dissent.state


def told_by_the_page(client: Client, dissent: Dissent) -> str:
    client.force_login(dissent.dissenter)
    page = words_of(client.get(address("withdraw", dissent)))
    return page.partition("told that you withdrew it: ")[2].partition(". ")[0]


def test_the_page_says_who_is_told_where_the_case_stands(client: Client, world: World) -> None:
    dissent = world.filed()
    unit = "Independent Reviewing Officer and Service Manager, Children's Standards Unit"
    assert told_by_the_page(client, dissent) == unit
    escalated = world.escalated(world.offered(world.reviewed(dissent)))
    in_hand = (
        "Independent Reviewing Officer, Service Manager, Children's Standards Unit"
        "{} Partnership Business Manager{}"
    )
    assert told_by_the_page(client, escalated) == in_hand.format(" and", "")
    assert told_by_the_page(client, world.convened(escalated)) == in_hand.format(",", " and Dissent Panel")


@pytest.mark.parametrize("state", ["withdrawn", "lapsed"])
def test_a_form_that_was_not_sent_stays_with_whoever_typed_it(
    client: Client, world: World, state: str
) -> None:
    raised = world.filled_in(world.raised(), late_because="I was ill.")
    dissent = getattr(world, state)(raised)
    client.force_login(world.teacher)
    page = words_of(client.get(own(dissent)))
    assert "What you typed is kept, and nobody else can read it." in page
    for typed in (
        "The reason as the teacher wrote it.",
        "There should be a child protection plan",
        "I was ill.",
    ):
        assert typed in page
    assert client.get(reverse("dissent_form", args=[dissent.pk]), follow=True).status_code == 200
    assert client.post(keep(dissent, "reason"), {"answer": "Typed since."}).status_code == 409
    for who, part in (("service_manager", "?part=form"), ("chair", "")):
        client.force_login(world.people[who])
        page = words_of(client.get(own(dissent) + part))
        assert "The reason as the teacher wrote it." not in page

"""What administrator, chair and Service Manager do about a form whose conference was not known."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client

from dissent import actions
from dissent.models import Conference, Dissent
from tests.world import RECORDED, World, when

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return World(quick=True)


def as_(world: World, who: str) -> Client:
    client = Client()
    client.force_login(world.people[who])
    return client


def text(answer: Any) -> str:
    body = answer.content.decode()
    main = body[body.index("<main") : body.index("</main>")]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", main)))


def url(dissent: Dissent, rest: str = "") -> str:
    return f"/dissents/{dissent.pk}/{rest}"


def fresh(dissent: Dissent) -> Dissent:
    return Dissent.objects.get(pk=dissent.pk)


# --- which conference it was -----------------------------------------------------------------------


def test_the_administrator_has_a_task_and_finds_the_conference_by_what_was_said_of_it(world: World) -> None:
    conference = world.conference()
    dissent = world.unmatched()
    ada = as_(world, "conference_administrator")
    assert f'href="{url(dissent, "match/")}"' in ada.get("/work/").content.decode()
    page = text(ada.get(url(dissent, "match/")))
    assert "The Testson children, in the morning." in page
    assert "10:00 to 12:00, Chair, Child A Testson" in page
    assert "The reason as the teacher wrote it." not in page
    answer = ada.post(url(dissent, "match/"), {"conference": conference.pk}, follow=True)
    assert "is asked whether it was raised there" in text(answer)
    assert (fresh(dissent).state, fresh(dissent).conference) == ("matched", conference)
    assert url(dissent, "match/") not in ada.get("/work/").content.decode()


def test_a_conference_whose_record_knows_the_address_says_so(world: World) -> None:
    world.conference()
    ada = as_(world, "conference_administrator")
    theirs, others = world.unmatched(world.begun(who="absentee")), world.unmatched()
    assert "address is on its record" in text(ada.get(url(theirs, "match/")))
    assert "address is on its record" not in text(ada.get(url(others, "match/")))


def test_only_conferences_near_the_day_are_offered_and_another_day_can_be_asked_for(world: World) -> None:
    dissent = world.unmatched()
    far = world.conference(held_at=when("2026-02-01 10:00"), ended_at=when("2026-02-01 12:00"))
    ada = as_(world, "conference_administrator")
    page = ada.get(url(dissent, "match/"))
    assert "No child protection conference on record ended within two weeks" in text(page)
    assert str(far.pk) not in page.content.decode()
    around = {"around_day": "3", "around_month": "2", "around_year": "2026"}
    assert str(far.pk) in ada.get(url(dissent, "match/"), around).content.decode()
    wrong = ada.get(url(dissent, "match/"), {**around, "around_day": "31"})
    assert wrong.status_code == 422
    assert "There is a problem" in text(wrong)
    there = f"{url(dissent, 'match/')}?around_day=3&around_month=2&around_year=2026"
    assert ada.post(there, {"conference": far.pk}).status_code == 302
    assert fresh(dissent).conference == far


def test_without_a_choice_or_with_a_conference_elsewhere_nothing_is_matched(world: World) -> None:
    elsewhere = World(key="elsewhere", quick=True)
    dissent = world.unmatched()
    world.conference()
    ada = as_(world, "conference_administrator")
    for sent in ({}, {"conference": elsewhere.conference().pk}, {"conference": "nothing"}):
        answer = ada.post(url(dissent, "match/"), sent)
        assert answer.status_code == 422
        assert "govuk-error-summary" in answer.content.decode()
    assert fresh(dissent).state == "unmatched"


def test_the_administrator_is_told_where_the_chair_had_recorded_it_meanwhile(world: World) -> None:
    sent = world.unmatched(world.begun(who="teacher"))
    conference = world.conference()
    recorded = world.raised(conference)
    ada = as_(world, "conference_administrator")
    answer = ada.post(url(sent, "match/"), {"conference": conference.pk}, follow=True)
    assert f"had recorded this dissent as {recorded.reference}" in text(answer)
    assert "went to the dissent that the" in text(answer)
    own = text(as_(world, "teacher").get(url(sent)))
    assert "your form went to that record" in own
    assert ada.get(url(sent, "match/")).status_code == 302


def test_a_wrong_match_is_put_right_on_the_same_page(world: World) -> None:
    wrong, right = world.conference(), world.conference()
    dissent = world.matched(conference=wrong)
    ada = as_(world, "conference_administrator")
    page = ada.get(url(dissent))
    assert "Say that it was another child protection conference" in text(page)
    offered = ada.get(url(dissent, "match/")).content.decode()
    assert str(right.pk) in offered
    assert f'value="{wrong.pk}"' not in offered
    assert ada.post(url(dissent, "match/"), {"conference": right.pk}).status_code == 302
    again = ada.post(url(dissent, "match/"), {"conference": right.pk})
    assert "matched to this conference already" in text(again)


def test_an_agency_that_the_dissenter_typed_is_added_or_chosen_from_the_list(world: World) -> None:
    conference = world.conference()
    called = {"agency": None, "agency_name": "Hospice of Nowhere"}
    dissent = world.unmatched(world.begun(**called))
    ada = as_(world, "conference_administrator")
    assert "Which agency of the list is “Hospice of Nowhere”?" in text(ada.get(url(dissent, "match/")))
    lacks = ada.post(url(dissent, "match/"), {"conference": conference.pk})
    assert "Choose the agency, or that it is to be added" in text(lacks)
    health = world.agency("Health Trust")
    sent = {"conference": conference.pk, "agency": health.pk}
    assert ada.post(url(dissent, "match/"), sent).status_code == 302
    assert fresh(dissent).claim.agency == health
    second = world.unmatched(world.begun(who="second", **called))
    assert ada.post(url(second, "match/"), {**sent, "agency": "added"}).status_code == 302
    assert fresh(second).claim.agency.name == "Hospice of Nowhere"


def test_the_dissenters_pages_do_not_change_when_a_conference_is_found(world: World) -> None:
    dissent = world.unmatched()
    nell = as_(world, "newcomer")
    pages = ("/work/", url(dissent), url(dissent, "sent/"))
    before = [text(nell.get(page)) for page in pages]
    world.matched(dissent, conference=world.conference(children=2))
    assert [text(nell.get(page)) for page in pages] == before
    assert world.newcomer.pk not in {
        notice.to_id for notice in dissent.notices.all() if notice.occasion == "matched"
    }


# --- whether it was raised -------------------------------------------------------------------------


def test_the_chair_has_a_task_and_confirms_about_which_children(world: World) -> None:
    conference = world.conference(children=2)
    dissent = world.matched(conference=conference)
    clara = as_(world, "chair")
    assert f'href="{url(dissent, "raised/")}"' in clara.get("/work/").content.decode()
    assert "Newcomer Testshire" in text(clara.get(f"/conferences/{conference.pk}/"))
    assert "The reason as the teacher wrote it." not in text(clara.get(url(dissent)))
    child = conference.children.first()
    answer = clara.post(url(dissent, "raised/"), {"answer": "yes", "children": [child.pk]}, follow=True)
    assert "it was raised. The dissent goes on." in text(answer)
    assert list(fresh(dissent).children.all()) == [child]
    assert "The reason as the teacher wrote it." in text(clara.get(url(dissent)))
    own = text(as_(world, "newcomer").get(url(dissent)))
    assert "It was raised" in own
    assert "Newcomer Testshire" in own


def test_the_chair_says_no_and_the_dissenter_reads_what_was_said(world: World) -> None:
    dissent = world.matched()
    clara = as_(world, "chair")
    answer = clara.post(
        url(dissent, "raised/"), {"answer": "no", "statement": "They said nothing."}, follow=True
    )
    assert "It is now decided whether the dissent goes on" in text(answer)
    own = text(as_(world, "newcomer").get(url(dissent)))
    assert "They said nothing." in own
    assert "You are asked for your side of it" in own


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({}, "Choose yes if they said in the conference that they dissent"),
        ({"answer": "yes"}, "Choose the child or children it is about"),
        ({"answer": "no", "statement": " "}, "Say what you know of it"),
    ],
)
def test_an_answer_without_what_goes_with_it_is_refused_beside_it(
    world: World, sent: dict[str, str], sentence: str
) -> None:
    dissent = world.matched()
    answer = as_(world, "chair").post(url(dissent, "raised/"), sent)
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert fresh(dissent).state == "matched"


def test_somebody_known_by_name_alone_is_chosen_or_said_to_be_nobody_of_them(world: World) -> None:
    conference = world.conference()
    by_name = actions.add_attendance(
        conference=conference,
        name="N. Testshire",
        capacity="professional",
        present=True,
        agency=world.agency("School"),
        by=world.conference_administrator,
        at=RECORDED,
    )
    dissent = world.matched(conference=conference)
    clara = as_(world, "chair")
    yes = {"answer": "yes", "children": [conference.children.get().pk]}
    assert "Choose who of these it is" in text(clara.post(url(dissent, "raised/"), yes))
    assert clara.post(url(dissent, "raised/"), {**yes, "attendance": by_name.pk}).status_code == 302
    assert fresh(dissent).attendance == by_name
    second = world.matched(world.unmatched(world.begun(who="second")), conference=conference)
    assert clara.post(url(second, "raised/"), yes).status_code == 302  # nobody is left to choose from
    assert fresh(second).attendance.name == "Second Testshire"


def test_an_answer_given_in_another_window_has_moved_the_case_on(world: World) -> None:
    dissent = world.denied()
    clara = as_(world, "chair")
    assert clara.get(url(dissent, "raised/")).status_code == 302
    answer = clara.post(url(dissent, "raised/"), {"answer": "no", "statement": "Typed again."})
    assert answer.status_code == 409
    assert "Typed again." in answer.content.decode()


# --- settled ---------------------------------------------------------------------------------------


def settlement(**more: Any) -> dict[str, Any]:
    heard = {"heard_at_day": "5", "heard_at_month": "3", "heard_at_year": "2026", "heard_at_time": "9:00"}
    return {**heard, "heard": "She said it aloud.", "reasons": "Two heard it.", **more}


def test_the_service_manager_reads_the_form_and_what_the_chair_says_and_lets_it_in(world: World) -> None:
    dissent = world.denied()
    sunil = as_(world, "service_manager")
    case = sunil.get(url(dissent))
    assert f'href="{url(dissent, "settle/")}"' in case.content.decode()
    assert "hears the dissenter, and lets it in or refuses it" in text(case)
    assert "The reason as the teacher wrote it." in text(sunil.get(url(dissent, "?part=form")))
    page = text(sunil.get(url(dissent, "settle/")))
    assert "They were there and said nothing." in page
    child = dissent.conference.children.get()
    lacks = sunil.post(url(dissent, "settle/"), settlement(answer="let_in"))
    assert "Choose the child or children it is about" in text(lacks)
    answer = sunil.post(
        url(dissent, "settle/"), settlement(answer="let_in", children=[child.pk]), follow=True
    )
    assert "The dissent is let in." in text(answer)
    review = text(sunil.get(url(dissent, "?part=review")))
    assert "She said it aloud." in review
    assert "Two heard it." in review
    assert fresh(dissent).state == "at_stage"


def test_refused_is_shown_with_its_reasons_to_both_and_kept(world: World) -> None:
    dissent = world.denied()
    sunil = as_(world, "service_manager")
    answer = sunil.post(url(dissent, "settle/"), settlement(answer="refuse"), follow=True)
    assert "Refused on" in text(answer)
    own = text(as_(world, "newcomer").get(url(dissent)))
    assert "It was not taken on" in own
    assert "Two heard it." in own
    assert "Read what you sent" in own
    assert "The reason as the teacher wrote it." in text(sunil.get(url(dissent, "?part=form")))
    again = sunil.post(url(dissent, "settle/"), settlement(answer="refuse", reasons="Typed again."))
    assert again.status_code == 409
    assert "Typed again." in again.content.decode()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"heard": ""}, "Say what the dissenter said, or how you tried to reach them"),
        ({"reasons": ""}, "Give your reasons"),
        ({"answer": ""}, "Choose whether the dissent goes on"),
        ({"heard_at_month": "2"}, "Give a time after the form was sent"),
        ({"heard_at_year": "2099"}, "has not come yet"),
    ],
)
def test_what_a_settlement_lacks_is_said_where_it_was_typed(
    world: World, wrong: dict[str, str], sentence: str
) -> None:
    dissent = world.denied()
    sent = settlement(answer="refuse") | wrong
    answer = as_(world, "service_manager").post(url(dissent, "settle/"), sent)
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert fresh(dissent).state == "doubted"


def test_one_whose_conference_is_not_found_can_only_be_refused(world: World) -> None:
    dissent = world.unmatched()
    sunil = as_(world, "service_manager")
    assert "Refuse it: no such conference" in text(sunil.get(url(dissent)))
    page = sunil.get(url(dissent, "settle/")).content.decode()
    assert 'value="let_in"' not in page
    assert sunil.post(url(dissent, "settle/"), settlement(answer="let_in")).status_code == 422
    assert sunil.post(url(dissent, "settle/"), settlement(answer="refuse")).status_code == 302
    assert fresh(dissent).state == "closed"


def test_a_late_form_that_nobody_asked_about_says_so_to_whoever_lets_it_in(world: World) -> None:
    conference = world.conference(ended_at=when("2026-03-03 10:30"))
    begun = world.begun(ended_at=when("2026-03-03 12:30"))
    sent = world.unmatched(begun, at=when("2026-03-04 12:00"))
    late = world.confirmed(
        world.matched(sent, conference=conference, at=when("2026-03-04 13:00")), at=when("2026-03-04 14:00")
    )
    assert "The dissenter was not asked" in text(as_(world, "service_manager").get(url(late, "admit/")))


def test_the_queue_lists_it_from_the_moment_of_sending_by_what_the_dissenter_says(world: World) -> None:
    dissent = world.unmatched(world.begun(agency=None, agency_name="Hospice of Nowhere"))
    queue = text(as_(world, "service_manager").get("/work/"))
    assert dissent.reference in queue
    assert "Hospice of Nowhere. Conference on 3 March 2026, as the dissenter says" in queue
    assert "its child protection conference is to be found" in queue
    assert "Date not known" in queue


def test_the_case_shows_what_the_dissenter_says_until_the_conference_is_found(world: World) -> None:
    dissent = world.unmatched()
    sunil = as_(world, "service_manager")
    before = text(sunil.get(url(dissent, "?part=conference")))
    assert "This is what the dissenter says of it." in before
    world.matched(dissent, conference=world.conference())
    after = text(sunil.get(url(dissent, "?part=conference")))
    assert "Child A Testson" in after
    assert "This is what the dissenter says of it." not in after


def test_the_history_says_each_step_of_it(world: World) -> None:
    dissent = world.denied()
    history = text(as_(world, "service_manager").get(url(dissent, "?part=history")))
    for happened in (
        "Dissent begun about a conference that was not on record",
        "Conference of the dissent found",
        "Chair said that it was not raised in the conference",
    ):
        assert happened in history
    assert Conference.objects.count() == 1

"""The work page: what waits for whom, in which order, and in words."""

import datetime as dt
import html
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from councils.models import Appointment
from dissent import actions
from dissent.models import Conference, Dissent, LedgerEntry, ledger
from dissent.views import shown, work
from tests.world import World, when

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return World(quick=True)


def ago(**since: float) -> dt.datetime:
    """Return a time before now: the pages go by the real one."""
    return timezone.now() - dt.timedelta(**since)


def conference_that_ended(world: World, ended_at: dt.datetime) -> Conference:
    return world.conference(held_at=ended_at - dt.timedelta(hours=2), ended_at=ended_at, at=ended_at)


def raised(world: World, at: dt.datetime) -> Dissent:
    return world.raised(conference_that_ended(world, at), at=at)


def filed(world: World, at: dt.datetime) -> Dissent:
    return world.filed(raised(world, at), at=at)


def offered(world: World, at: dt.datetime) -> Dissent:
    return world.offered(world.reviewed(filed(world, at), at=at), at=at)


def many(world: World, number: int) -> list[Dissent]:
    """That many dissents of as many people about one conference that ended two hours ago."""
    at = ago(hours=2)
    conference = conference_that_ended(world, at)
    for each in range(number):
        world.attend(conference, f"worker{each}", "School", at=at)
    return [world.raised(conference, who=f"worker{each}", at=at) for each in range(number)]


def text(response) -> str:
    """Return what a page says, without its tags."""
    body = response.content.decode()
    main = body[body.index("<main") : body.index("</main>")]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", main)))


def page(client: Client, person, query: str = ""):
    client.force_login(person)
    return client.get(f"/work/{query}")


def listed(response) -> list[str]:
    """Return the references that a page lists, in its order."""
    return re.findall(r"D-[A-Z0-9]{4}-[A-Z0-9]{4}", text(response))


# --- the queue -------------------------------------------------------------------------------------


def test_cases_stand_in_order_of_the_next_thing_due_with_unknown_dates_first(
    client: Client, world: World
) -> None:
    no_limit = filed(world, ago(hours=3))
    in_days = offered(world, ago(minutes=1))
    tomorrow = raised(world, ago(hours=2))
    late = raised(world, ago(days=4))
    later = raised(world, ago(days=9))
    unknown = offered(world, when("2099-03-03 10:00"))
    shown_in_order = listed(page(client, world.service_manager))
    assert shown_in_order == [each.reference for each in (unknown, later, late, tomorrow, in_days, no_limit)]


def test_closed_cases_leave_the_queue_and_stand_on_a_page_of_their_own(client: Client, world: World) -> None:
    at = ago(days=2)
    gone = offered(world, at)
    actions.accept(dissent=gone, by=gone.dissenter, at=at)
    open_case = filed(world, at)
    assert listed(page(client, world.service_manager)) == [open_case.reference]
    closed = page(client, world.service_manager, "?state=closed")
    assert listed(closed) == [gone.reference]
    assert "Closed on" in text(closed)


def test_whatever_work_leads_to_is_marked_as_work_in_the_menu(client: Client, world: World) -> None:
    dissent = world.released()
    letter = dissent.letters.first()
    manager = world.business_manager
    for person, address in (
        (manager, "/work/"),
        (manager, f"/dissents/{dissent.pk}/"),
        (manager, f"/dissents/{dissent.pk}/letters/"),
        (manager, f"/letters/{letter.pk}/"),
        (manager, f"/panels/{dissent.panel_id}/"),
        (dissent.dissenter, f"/dissents/{dissent.pk}/"),
        (dissent.dissenter, f"/dissents/{dissent.pk}/sent/"),
    ):
        client.force_login(person)
        assert 'href="/work/" aria-current="true"' in client.get(address).content.decode(), address


@pytest.mark.parametrize("due", ["late", "unknown"])
def test_closed_cases_in_which_something_is_due_are_refused_with_a_sentence(
    client: Client, world: World, due: str
) -> None:
    at = ago(days=2)
    filed(world, at)
    answer = page(client, world.service_manager, f"?state=closed&due={due}")
    assert answer.status_code == 422
    assert "Choose “At any time”: in a closed case nothing is due any more" in text(answer)
    assert f'<option value="{due}" selected>' in answer.content.decode()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda world: raised(world, ago(days=4)), r"Late by 3 days Send the dissent form: \w+day \d"),
        (lambda world: raised(world, ago(hours=2)), r"Due (today|tomorrow) by \d\d:\d\d"),
        (lambda world: offered(world, ago(minutes=1)), r"Due in \d+ days Say whether to go on to the panel:"),
        (lambda world: offered(world, when("2099-03-03 10:00")), "Date not known Say whether"),
        (lambda world: filed(world, ago(hours=2)), "No time limit runs"),
    ],
)
def test_how_far_off_it_is_stands_in_words_and_not_in_colour_alone(
    client: Client, world: World, make, words: str
) -> None:
    make(world)
    assert re.search(words, text(page(client, world.service_manager)))


def test_a_row_says_where_the_case_stands_and_what_comes_next(client: Client, world: World) -> None:
    filed(world, ago(hours=2))
    said = text(page(client, world.service_manager))
    assert "School. Initial conference on" in said
    assert "Review by the Service Manager Next: Record: Went through the information with the chair" in said


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("?due=late", "late"),
        ("?due=unknown", "unknown"),
        ("?state=at_stage", "review"),
        ("?state=raised&due=late", "late"),
    ],
)
def test_the_list_can_be_narrowed_by_an_address(client: Client, world: World, query: str, kept: str) -> None:
    made = {
        "late": raised(world, ago(days=4)),
        "review": filed(world, ago(hours=2)),
        "unknown": offered(world, when("2099-03-03 10:00")),
    }
    assert listed(page(client, world.service_manager, query)) == [made[kept].reference]


def test_a_filter_that_there_is_not_is_answered_with_a_sentence(client: Client, world: World) -> None:
    case = raised(world, ago(hours=2))
    answer = page(client, world.service_manager, "?state=nonsense")
    assert answer.status_code == 422
    assert "Choose one of the answers in the list" in text(answer)
    assert listed(answer) == [case.reference]


def test_fifty_cases_fill_a_page_and_the_rest_are_on_the_next(client: Client, world: World) -> None:
    cases = many(world, 51)
    first = page(client, world.service_manager)
    second = page(client, world.service_manager, "?page=2&due=")
    assert (len(listed(first)), len(listed(second))) == (50, 1)
    assert set(listed(first)) | set(listed(second)) == {case.reference for case in cases}
    assert 'href="/work/?page=2"' in first.content.decode()
    assert 'href="/work/?page=1"' in second.content.decode()


@pytest.mark.parametrize("said", ["0", "-1", "x", "99999", "²", "1e9"])
def test_a_page_number_that_is_none_shows_a_page_all_the_same(
    client: Client, world: World, said: str
) -> None:
    raised(world, ago(hours=2))
    assert page(client, world.service_manager, f"?page={said}").status_code == 200


def test_the_queue_asks_the_database_as_much_for_thirty_cases_as_for_three(
    client: Client, world: World
) -> None:
    counts = []
    for number in (3, 27):
        for case in many(world, number):
            world.filed(case, at=ago(hours=1))
        page(client, world.service_manager)
        with CaptureQueriesContext(connection) as asked:
            answer = client.get("/work/")
        counts.append(len(asked))
    assert len(listed(answer)) == 30
    assert counts[0] == counts[1] <= 15


def test_the_list_is_one_entry_in_the_ledger(client: Client, world: World) -> None:
    cases = many(world, 3)
    page(client, world.service_manager)
    entry = LedgerEntry.objects.get(verb="read_work")
    assert entry.by == world.service_manager
    assert set(entry.values.values["listed"]) == {str(case.pk) for case in cases}


def test_a_list_that_cannot_be_recorded_is_not_shown(client: Client, world: World, monkeypatch) -> None:
    raised(world, ago(hours=2))

    def broken(**_: object) -> None:
        raise RuntimeError("the ledger cannot be written")

    client.force_login(world.service_manager)
    monkeypatch.setattr(ledger, "write", broken)
    with pytest.raises(RuntimeError, match="the ledger cannot be written"):
        client.get("/work/")


# --- whose work ------------------------------------------------------------------------------------


@pytest.mark.rule("ST-09")
def test_the_nominated_manager_has_the_same_queue(client: Client, world: World) -> None:
    case = filed(world, ago(hours=2))
    assert listed(page(client, world.nominated_manager)) == [case.reference]


def test_the_business_manager_has_a_case_from_escalation(client: Client, world: World) -> None:
    case = offered(world, ago(hours=2))
    assert listed(page(client, world.business_manager)) == []
    world.escalated(case, at=ago(hours=1))
    assert listed(page(client, world.business_manager)) == [case.reference]


def test_another_councils_manager_sees_none_of_it(client: Client, world: World) -> None:
    other = World(key="elsewhere", quick=True)
    raised(world, ago(hours=2))
    answer = page(client, other.service_manager)
    assert listed(answer) == []
    assert "No case waits for you." in text(answer)
    assert "School" not in text(answer)


def test_an_appointment_that_ended_shows_nothing(client: Client, world: World) -> None:
    raised(world, ago(hours=2))
    Appointment.objects.filter(person=world.service_manager).update(until_on=ago(days=2).date())
    assert "Nothing waits for you here" in text(page(client, world.service_manager))


def test_a_dissenter_sees_their_own_dissents_and_no_queue(client: Client, world: World) -> None:
    case = raised(world, ago(hours=2))
    answer = page(client, world.teacher)
    assert "Your dissents" in text(answer)
    assert "Cases in order" not in text(answer)
    assert f'href="/dissents/{case.pk}/"' in answer.content.decode()


@pytest.mark.parametrize("who", ["chair", "conference_administrator"])
def test_who_works_on_conferences_is_led_to_them(client: Client, world: World, who: str) -> None:
    raised(world, ago(hours=2))
    answer = page(client, world.people[who])
    assert 'href="/conferences/"' in answer.content.decode()
    assert listed(answer) == []


def test_who_chaired_is_led_to_the_conference_after_the_appointment_ended(
    client: Client, world: World
) -> None:
    raised(world, ago(hours=2))
    Appointment.objects.filter(person=world.chair).delete()
    assert 'href="/conferences/"' in page(client, world.chair).content.decode()


def test_somebody_with_no_part_in_anything_is_told_so(client: Client, world: World) -> None:
    raised(world, ago(hours=2))
    answer = page(client, world.person("stranger", "Stranger", "Police"))
    assert "Nothing waits for you here" in text(answer)
    assert listed(answer) == []
    assert "Conferences" not in text(answer)


def test_a_panellist_sees_the_panel_until_it_has_decided(client: Client, world: World) -> None:
    case = world.sat(world.convened(world.escalated()))
    panel = f'href="/panels/{case.panel_id}/"'
    assert panel in page(client, world.head_nurse).content.decode()
    world.decided(case)
    answer = page(client, world.head_nurse)
    assert panel not in answer.content.decode()
    assert listed(answer) == []


def test_somebody_who_attended_sees_their_letter_once_it_is_released(client: Client, world: World) -> None:
    case = world.decided()
    assert "Letters to you" not in text(page(client, world.officer))
    world.released(case)
    letter = case.letters.get(to=world.officer)
    answer = page(client, world.officer)
    assert f'href="/letters/{letter.pk}/"' in answer.content.decode()
    assert str(case.letters.get(to=world.nurse).pk) not in answer.content.decode()


def test_nobody_reads_the_page_without_signing_in(client: Client) -> None:
    answer = client.get("/work/")
    assert answer.status_code == 302
    assert "/sign-in/" in answer.url


# --- words for times -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("due", "at", "words"),
    [
        ("2026-03-04 12:00", "2026-03-04 12:00", "Due today by 12:00"),
        ("2026-03-04 12:00", "2026-03-04 12:20", "Late by less than an hour"),
        ("2026-03-04 12:00", "2026-03-04 13:00", "Late by 1 hour"),
        ("2026-03-04 12:00", "2026-03-05 11:00", "Late by 23 hours"),
        ("2026-03-04 12:00", "2026-03-05 12:30", "Late by 1 day"),
        ("2026-03-04 12:00", "2026-03-03 23:50", "Due tomorrow by 12:00"),
        ("2026-03-04 23:59:59.999999", "2026-03-04 00:10", "Due today"),
        ("2026-03-04 23:59:59.999999", "2026-03-03 09:00", "Due tomorrow"),
        ("2026-03-04 23:59:59.999999", "2026-03-05 00:10", "Late by 1 day"),
        ("2026-03-31 23:59:59.999999", "2026-03-27 09:00", "Due in 4 days"),
    ],
)
def test_when_something_is_due_in_words(due: str, at: str, words: str) -> None:
    assert shown.when_due(when(due), at=when(at)).words == words


def test_what_a_text_only_expects_is_worded_as_an_expectation_not_met() -> None:
    late = shown.when_due(when("2026-03-04 12:00"), at=when("2026-03-06 12:00"), aim=True)
    assert late.words == "Expectation not met: 2 days over"


def test_addresses_that_rows_make_by_hand_are_those_of_the_pages(world: World) -> None:
    from django.urls import resolve

    case = world.decided()
    letter = case.letters.first()
    for address, name in (
        (f"/dissents/{case.pk}/", "dissent"),
        (f"/panels/{case.panel_id}/", "panel"),
        (f"/letters/{letter.pk}/", "letter"),
        (f"/papers/{letter.pk}/", "paper"),
        (f"/conferences/{case.conference_id}/", "conference"),
        ("/conferences/", "conferences"),
        ("/work/", "work"),
    ):
        assert resolve(address).url_name == name
    assert work.A_PAGE == 50


@pytest.mark.parametrize("who", ["teacher", "conference_administrator"])
def test_what_a_panel_decided_shows_in_no_list_of_those_who_learn_it_by_letter(
    client: Client, world: World, who: str
) -> None:
    dissent = world.decided(outcome="upheld")
    client.force_login(world.people[who])
    for path in ("/work/", f"/dissents/{dissent.pk}/", f"/conferences/{dissent.conference_id}/"):
        body = client.get(path).content.decode()
        assert "is owed" not in body
    client.force_login(world.service_manager)
    assert "a further conference is owed" in text(client.get("/work/"))


# --- the administrator of the procedure ------------------------------------------------------------


@pytest.mark.rule("ST-09")
def test_the_administrator_sees_which_role_nobody_fills_and_no_case(client: Client, world: World) -> None:
    world.panellists()
    dissent = raised(world, ago(hours=2))
    client.force_login(world.administrator)
    assert "Nobody is appointed" not in text(client.get("/work/"))
    Appointment.objects.filter(role="service_manager").delete()
    assert "Nobody is appointed" not in text(client.get("/work/"))  # a deputy stands in
    Appointment.objects.filter(role="nominated_manager").delete()
    said = text(client.get("/work/"))
    assert "Nobody is appointed as: Service Manager, Children's Standards Unit." in said
    assert said.count("Nobody is appointed") == 1
    assert dissent.reference not in said


def test_the_administrator_sees_that_a_date_waits_for_the_calendar(client: Client, world: World) -> None:
    world.panellists()
    dissent = offered(world, ago(hours=2))
    clock = dissent.clocks.get(rule="offer")
    clock.due_at, clock.derivation = None, {"not_known": "The closed days end with 2028."}
    clock.save()
    client.force_login(world.administrator)
    said = text(client.get("/work/"))
    assert "The date of a time limit is not known. The closed days end with 2028." in said
    client.force_login(world.service_manager)
    assert "The date of a time limit is not known" not in text(client.get("/work/"))

"""The conference record: who came, what was decided, who dissented, and when it is closed."""

import re
from functools import partial
from html import unescape

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from councils.models import Appointment
from dissent import actions
from dissent.models import Attendance, Child, Conference, Dissent, LedgerEntry, Notice, Paper, Relative
from tests.dissent.together import at_once
from tests.journeys.look import land
from tests.world import ENDED, HELD, RECORDED, World, a_pdf, when

pytestmark = pytest.mark.django_db
HOSTILE = "{{7*7}} <script>alert(1)</script> & \u202eleft"


@pytest.fixture
def world() -> World:
    return World()


def as_(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def administrator(world: World) -> Client:
    return as_(world.conference_administrator)


@pytest.fixture
def chair(world: World) -> Client:
    return as_(world.chair)


def words(response) -> str:
    """The page's words, as somebody reads them."""
    body = re.sub(r"(?s)<head>.*?</head>", "", response.content.decode())
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def a_conference(world: World, **changes: str) -> dict[str, str]:
    return {
        "kind": "initial",
        "held_at_day": "3",
        "held_at_month": "3",
        "held_at_year": "2026",
        "held_at_time": "10:00",
        "ended_at": "12.30pm",
        "chair": str(world.chair.pk),
        **changes,
    }


A_CHILD = {
    "name": "Child A Testson",
    "born_on_day": "1",
    "born_on_month": "5",
    "born_on_year": "2018",
    "decision": "made",
    "category": "neglect",
}
NOT_BORN = {"born_on_day": "", "born_on_month": "", "born_on_year": ""}


def an_attendance(world: World, **changes: str) -> dict[str, str]:
    return {
        "name": "Teacher Testshire",
        "capacity": "professional",
        "present": "yes",
        "agency": str(world.agency("School").pk),
        "job": "Teacher",
        "email": "teacher@testshire.example",
        **changes,
    }


def empty(world: World) -> Conference:
    """A conference of which only the time and the chair are recorded."""
    return actions.record_conference(
        council=world.council,
        kind="initial",
        held_at=HELD,
        ended_at=ENDED,
        chair=world.chair,
        by=world.conference_administrator,
        at=RECORDED,
    )


# --- from the first page to the closed record ------------------------------------------------------


def test_a_conference_is_recorded_page_by_page_until_its_chair_closes_it(world, administrator, chair):
    answer = administrator.post("/conferences/new/", a_conference(world))
    conference = Conference.objects.get()
    home = f"/conferences/{conference.pk}/"
    assert answer.url == home
    assert conference.held_at == when("2026-03-03 10:00")
    assert conference.ended_at == when("2026-03-03 12:30")

    assert administrator.post(f"{home}children/new/", A_CHILD).url == home
    child = Child.objects.get()
    mother = {"name": "Mother Testson", "relation": "mother", "parental_responsibility": "yes"}
    assert administrator.post(f"{home}children/{child.pk}/people/new/", mother).url == home
    assert Relative.objects.get().parental_responsibility is True
    assert administrator.post(f"{home}attendances/new/", an_attendance(world)).url == home
    paper = SimpleUploadedFile("minutes.pdf", a_pdf(), "application/pdf")
    assert administrator.post(f"{home}papers/new/", {"kind": "minutes", "paper": paper}).url == home
    page = words(administrator.get(home))
    for said in (
        "Child A Testson",
        "1 May 2018",
        "Neglect",
        "Mother Testson",
        "Teacher Testshire",
        "Minutes",
    ):
        assert said in page

    assert chair.post(f"{home}explained/").url == home
    teacher = Attendance.objects.get()
    raised = chair.post(f"{home}dissents/new/", {"attendance": teacher.pk, "children": [child.pk]})
    dissent = Dissent.objects.get()
    assert raised.url == f"{home}dissents/{dissent.pk}/recorded/"
    confirmed = words(chair.get(raised.url))
    assert dissent.reference in confirmed
    assert "Wednesday 4 March 2026, 12:30" in confirmed
    assert Notice.objects.filter(to=dissent.dissenter).exists()
    assert chair.post(f"{home}close/").url == home
    assert "Record of the conference Closed on" in words(chair.get(home))


# --- who finds it ----------------------------------------------------------------------------------


PAGES = ("", "children/new/", "attendances/new/", "papers/new/", "explained/", "dissents/new/", "close/")
OF_THE_ADMINISTRATOR = ("children/new/", "attendances/new/", "papers/new/")


@pytest.mark.parametrize("who", ["teacher", "service_manager", "other_chair", "elsewhere"])
def test_a_stranger_finds_no_page_of_the_record_and_nothing_of_it_in_the_list(world, who):
    conference = world.conference()
    child = conference.children.get()
    world.appoint("chair", "Other Chair", key="other_chair")
    world.people["elsewhere"] = World(key="othershire").conference_administrator
    stranger = as_(world.people[who])
    for path in (*PAGES, f"children/{child.pk}/people/new/"):
        for ask in (stranger.get, stranger.post):
            assert ask(f"/conferences/{conference.pk}/{path}").status_code == 404
    page = stranger.get("/conferences/")
    assert conference.reference not in page.content.decode()
    assert Child.objects.count() == 1
    assert not Conference.objects.get(pk=conference.pk).is_closed


def test_the_chair_does_not_write_the_record_and_the_administrator_does_not_do_what_is_the_chairs(
    world, administrator, chair
):
    conference = world.conference()
    for path in PAGES[1:]:
        writer, other = (administrator, chair) if path in OF_THE_ADMINISTRATOR else (chair, administrator)
        assert writer.get(f"/conferences/{conference.pk}/{path}").status_code == 200
        assert other.get(f"/conferences/{conference.pk}/{path}").status_code == 404
        assert other.post(f"/conferences/{conference.pk}/{path}").status_code == 404
    shown = {
        who: as_(world.people[who]).get(f"/conferences/{conference.pk}/").content.decode()
        for who in world.ROLES[:2]
    }
    for path in PAGES[1:]:
        link = f'href="/conferences/{conference.pk}/{path}"'
        assert (link in shown["conference_administrator"]) == (path in OF_THE_ADMINISTRATOR)
        assert (link in shown["chair"]) == (path not in OF_THE_ADMINISTRATOR)


def test_a_child_of_another_conference_is_not_found_through_this_one(world, administrator):
    conference, other = world.conference(), empty(world)
    child = conference.children.get()
    assert administrator.get(f"/conferences/{other.pk}/children/{child.pk}/people/new/").status_code == 404


def test_the_administrator_reads_that_a_dissent_exists_and_where_it_stands_but_not_whose_it_is(
    world, administrator, chair
):
    dissent = world.raised()

    def row(client: Client) -> str:
        body = client.get(f"/conferences/{dissent.conference_id}/").content.decode()
        return next(row for row in re.findall(r"(?s)<tr.*?</tr>", body) if dissent.reference in row)

    assert "Waiting for the dissent form" in row(administrator)
    assert "Teacher" not in row(administrator)
    assert "href" not in row(administrator)
    assert "Teacher" in row(chair)
    assert f'href="/dissents/{dissent.pk}/"' in row(chair)


# --- the list --------------------------------------------------------------------------------------


def many(world: World, number: int) -> None:
    for hour in range(number):
        actions.record_conference(
            council=world.council,
            kind="review",
            held_at=HELD - hour * (ENDED - HELD),
            ended_at=ENDED - hour * (ENDED - HELD),
            chair=world.chair,
            by=world.conference_administrator,
            at=RECORDED,
        )


def test_the_list_is_newest_first_says_where_each_record_stands_and_is_read_once_in_the_ledger(
    world, administrator
):
    many(world, 2)
    newest, older = Conference.objects.order_by("-held_at")
    explained = actions.confirm_explained(conference=older, by=world.chair, at=RECORDED)
    before = LedgerEntry.objects.count()
    page = words(administrator.get("/conferences/"))
    assert page.index(newest.reference) < page.index(explained.reference)
    assert (
        f"{newest.reference} Review conference 3 March 2026 Chair Open "
        "Process not confirmed as explained None" in page
    )
    assert f"{older.reference} Review conference 3 March 2026 Chair Open Process explained None" in page
    assert "Record a conference" in page
    entry = LedgerEntry.objects.order_by("-sequence").first()
    assert LedgerEntry.objects.count() == before + 1
    assert entry.verb == "read_conferences"
    assert sorted(entry.values.values["conferences"]) == sorted([str(newest.pk), str(older.pk)])


def test_the_list_counts_each_conferences_dissents_and_the_chair_cannot_record_conferences(world, chair):
    world.raised()
    page = words(chair.get("/conferences/"))
    assert "Process not confirmed as explained 1" in page
    assert "Record a conference" not in page
    assert chair.get("/conferences/new/").status_code == 404


def test_the_list_turns_its_page_after_fifty(world, administrator):
    many(world, 51)
    first, second = (administrator.get(f"/conferences/?page={page}").content.decode() for page in (1, 2))
    references = [one.reference for one in Conference.objects.order_by("-held_at")]
    assert all(reference in first for reference in references[:50])
    assert references[50] not in first
    assert references[50] in second
    assert references[49] not in second
    assert "?page=2" in first
    assert "?page=1" in second
    for odd in ("0", "-1", "x", "9" * 5000, "²", ""):
        assert administrator.get("/conferences/", {"page": odd}).status_code == 200


def queries(client: Client, address: str) -> int:
    client.get("/conferences/")  # that somebody was here is written once in a while, and not by each page
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


def test_the_list_asks_the_same_few_questions_for_three_conferences_and_for_thirty(world, administrator):
    many(world, 3)
    few = queries(administrator, "/conferences/")
    many(world, 30)
    assert queries(administrator, "/conferences/") == few <= 15


def test_the_record_asks_the_same_few_questions_for_a_small_conference_and_for_a_large_one(
    world, administrator, chair
):
    small, large = world.conference(), world.conference(children=6)
    for number in range(30):
        world.attend(large, f"visitor{number}", "School")
    for child in large.children.all():
        for number in range(5):
            actions.add_relative(
                child=child,
                name=f"Relative {number}",
                relation="aunt",
                by=world.conference_administrator,
                at=RECORDED,
            )
    for conference in (small, large):
        for who in ("teacher", "officer", "nurse")[: 3 if conference == large else 1]:
            world.raised(conference, who=who)
    for reader in (administrator, chair):
        few = queries(reader, f"/conferences/{small.pk}/")
        assert queries(reader, f"/conferences/{large.pk}/") == few <= 16


# --- recording -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kind": ""}, "Choose the kind of conference"),
        ({"held_at_day": "31", "held_at_month": "2"}, "February 2026 has no day 31"),
        ({"ended_at": "9:30"}, "The conference cannot have ended before it began"),
        ({"ended_at": "3:30"}, "Say whether 3:30 is morning or afternoon"),
        ({"ended_at": "late"}, "Enter the time like 14:30 or 2.30pm"),
        ({"ended_at": ""}, "Enter the time at which the conference ended"),
        ({"held_at_year": "2126"}, "This time has not come yet"),
        ({"held_at_year": "2019"}, "No dissent procedure was in force here on that day"),
        ({"chair": ""}, "Choose who chaired the conference"),
    ],
)
def test_a_conference_that_cannot_be_is_refused_where_it_was_typed_and_nothing_typed_is_lost(
    world, administrator, changes, says
):
    sent = a_conference(world, **changes)
    answer = administrator.post("/conferences/new/", sent)
    assert answer.status_code == 422
    assert says in words(answer)
    assert "Error: Record a conference" in answer.content.decode()
    assert not Conference.objects.exists()
    body = answer.content.decode()
    for name in ("held_at_day", "held_at_month", "held_at_year", "held_at_time", "ended_at"):
        if sent[name]:
            assert re.search(rf'name="{name}"[^>]*value="{re.escape(sent[name])}"', body)
    assert bool(re.search(r'value="initial"[^>]*checked', body)) == bool(sent["kind"])
    assert bool(re.search(rf'value="{world.chair.pk}"\s+selected', body)) == bool(sent["chair"])


def test_only_somebody_appointed_to_chair_here_can_be_chosen_as_chair(world, administrator):
    other = World(key="othershire")
    assert str(other.chair.pk) not in administrator.get("/conferences/new/").content.decode()
    answer = administrator.post("/conferences/new/", a_conference(world, chair=str(other.chair.pk)))
    assert answer.status_code == 422
    assert not Conference.objects.exists()


def test_somebody_who_administers_for_two_councils_says_first_for_which(world, administrator):
    other = World(key="othershire")
    Appointment.objects.create(
        council=other.council,
        person=world.conference_administrator,
        role="conference_administrator",
        from_on=HELD.date(),
    )
    asked = words(administrator.get("/conferences/new/"))
    assert "Which council held the conference?" in asked
    assert "Choose a council" in words(administrator.post("/conferences/new/"))
    answer = administrator.post("/conferences/new/", {"council": "othershire"})
    assert answer.url == "/conferences/new/?council=othershire"
    recorded = administrator.post(answer.url, a_conference(world, chair=str(other.chair.pk)))
    assert recorded.status_code == 302
    assert Conference.objects.get().council == other.council
    assert "Othershire Council" in words(administrator.get("/conferences/new/?council=othershire"))
    assert "Which council" in words(administrator.get("/conferences/new/?council=elsewhere"))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (NOT_BORN, "Enter the date of birth, or for an unborn"),
        ({"due_on_day": "1", "due_on_month": "5", "due_on_year": "2026"}, "and not both"),
        ({"born_on_year": "2126"}, "This date of birth has not come yet"),
        ({"name": ""}, "Enter the child’s name"),
        ({"born_on_year": "1918"}, "more than 25 years before the conference. Check the year"),
        (
            {**NOT_BORN, "due_on_day": "1", "due_on_month": "5", "due_on_year": "2027"},
            "expected at most 300 days after the conference",
        ),
        ({"category": ""}, "Choose under which category the child has a plan"),
        ({"decision": "not_made"}, "No plan was made for this child, so there is no category"),
        ({"decision": ""}, "Choose what the conference decided"),
    ],
)
def test_a_child_that_cannot_be_is_refused_with_a_sentence_and_kept_on_the_page(
    world, administrator, changes, says
):
    conference = empty(world)
    answer = administrator.post(
        f"/conferences/{conference.pk}/children/new/", {**A_CHILD, "record_number": "as typed", **changes}
    )
    assert answer.status_code == 422
    assert says in words(answer)
    assert 'value="as typed"' in answer.content.decode()
    assert not Child.objects.exists()


def test_an_unborn_child_needs_no_name_and_two_of_them_are_two(world, administrator, chair):
    conference = empty(world)
    address = f"/conferences/{conference.pk}/children/new/"
    unborn = {"due_on_day": "1", "due_on_month": "June", "due_on_year": "2026", "decision": "not_made"}
    assert administrator.post(address, {**unborn, "then": "another"}).url == address
    administrator.post(address, unborn)
    assert Child.objects.count() == 2
    page = words(administrator.get(f"/conferences/{conference.pk}/"))
    assert "Unborn child Born Expected on 1 June 2026" in page
    assert "LCS number Not known yet" in page


def test_what_is_not_known_of_a_person_who_matters_is_allowed_and_says_that_nothing_is_sent(
    world, administrator
):
    conference = world.conference()
    child = conference.children.get()
    address = f"/conferences/{conference.pk}/children/{child.pk}/people/new/"
    assert administrator.post(address, {"name": "Aunt Testson", "relation": "aunt"}).status_code == 302
    relative = Relative.objects.get()
    assert (relative.parental_responsibility, relative.may_be_told, relative.contact) == (None, "", "")
    page = words(administrator.get(f"/conferences/{conference.pk}/"))
    assert "May be told Not known yet Nothing is sent to them until this is answered." in page
    assert "None that is known to be safe Their letter is printed, and given to them in person." in page


KNOWN = {
    "name": "Mother Testson",
    "relation": "mother",
    "parental_responsibility": "yes",
    "may_be_told": "ask",
    "may_be_told_said_by": "The social worker",
    "may_be_told_why": "Because of the hearing",
    "court_restriction": "An invented order",
    "contact": "email",
    "contact_details": "mother@family.example",
    "contact_confirmed_safe_by": "Social Worker Testshire",
    "contact_confirmed_safe_on_day": "2",
    "contact_confirmed_safe_on_month": "3",
    "contact_confirmed_safe_on_year": "2026",
    "language": "Welsh",
    "format": "large print",
}


def test_everything_that_is_known_of_a_person_who_matters_stands_on_the_record(world, administrator):
    conference = world.conference()
    child = conference.children.get()
    address = f"/conferences/{conference.pk}/children/{child.pk}/people/new/"
    assert administrator.post(address, {**KNOWN, "then": "another"}).url == address
    page = words(administrator.get(f"/conferences/{conference.pk}/"))
    for name, said in KNOWN.items():
        if name not in {"parental_responsibility", "may_be_told", "contact"} and "_on_" not in name:
            assert said in page
    assert "Confirmed as safe by Social Worker Testshire on 2 March 2026" in page
    assert "Ask first" in page
    assert "Nothing is sent" not in page


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"may_be_told_said_by": ""}, "Enter who said so"),
        ({"contact_details": ""}, "Enter the e-mail address that is safe"),
        ({"contact_details": "", "contact": "post"}, "Enter the address that is safe"),
        ({"contact_details": "not an address"}, "Enter one e-mail address in full"),
        ({"contact_confirmed_safe_by": ""}, "Enter who confirmed that this is safe"),
        (
            {f"contact_confirmed_safe_on_{part}": "" for part in ("day", "month", "year")},
            "Enter the day on which it was confirmed as safe",
        ),
        ({"contact_confirmed_safe_on_year": "2126"}, "This day has not come yet"),
    ],
)
def test_a_contact_is_not_taken_until_it_is_said_who_confirmed_that_it_is_safe(
    world, administrator, changes, says
):
    conference = world.conference()
    child = conference.children.get()
    address = f"/conferences/{conference.pk}/children/{child.pk}/people/new/"
    answer = administrator.post(address, {**KNOWN, **changes})
    assert answer.status_code == 422
    assert says in words(answer)
    assert "An invented order" in words(answer)
    assert not Relative.objects.exists()


# --- who came --------------------------------------------------------------------------------------


def test_ten_people_are_added_in_a_row_without_leaving_the_page(world, administrator):
    conference = empty(world)
    address = f"/conferences/{conference.pk}/attendances/new/"
    for number in range(10):
        person = an_attendance(world, name=f"Person {number}", email=f"person{number}@testshire.example")
        assert administrator.post(address, {**person, "then": "another"}).url == address
    page = words(administrator.get(address))
    assert "On the record so far: 10" in page
    assert "Person 9, School" in page


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"agency": ""}, "Say for which agency this professional came"),
        ({"present": ""}, "Choose yes if they were at the conference"),
        ({"capacity": "family"}, "How they can be reached safely is recorded with each child"),
        ({"capacity": "family", "email": ""}, "a family member does not come for an agency"),
        ({"email": "teacher"}, "Enter an e-mail address in full"),
        ({"email": "chair@testshire.example"}, "This is the chair of the conference"),
        ({"name": "n" * 201}, "Shorten this to 200 characters or fewer"),
    ],
)
def test_an_attendance_that_cannot_be_is_refused_with_a_sentence_and_kept_on_the_page(
    world, administrator, changes, says
):
    conference = empty(world)
    sent = an_attendance(world, **changes)
    answer = administrator.post(f"/conferences/{conference.pk}/attendances/new/", sent)
    assert answer.status_code == 422
    assert says in words(answer)
    assert f'value="{sent["name"]}"' in answer.content.decode()
    assert not Attendance.objects.exists()


def test_the_same_address_twice_and_another_councils_agency_are_refused(world, administrator):
    conference = empty(world)
    address = f"/conferences/{conference.pk}/attendances/new/"
    administrator.post(address, an_attendance(world))
    again = administrator.post(address, an_attendance(world, name="Somebody Else"))
    assert "Teacher Testshire is recorded at this conference with this address." in words(again)
    other = World(key="othershire").agency("School")
    foreign = an_attendance(world, name="Foreign", email="foreign@testshire.example", agency=str(other.pk))
    assert administrator.post(address, foreign).status_code == 422
    assert Attendance.objects.count() == 1


# --- papers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        (
            "minutes.docx",
            b"PK\x03\x04",
            "“minutes.docx” is not a PDF file. Open it in Word and choose Save as, PDF",
        ),
        ("photo.jpg", b"\xff\xd8\xff", "Open the picture, choose Print, Save as PDF"),
        ("minutes.pdf", b"", "“minutes.pdf” is empty"),
        ("minutes.pdf", b"%PDF-1.7 cut short", "is damaged"),
    ],
)
def test_a_paper_that_is_not_a_pdf_is_refused_at_its_field_with_how_to_make_one(
    world, administrator, name, data, says
):
    conference = empty(world)
    sent = {"kind": "minutes", "paper": SimpleUploadedFile(name, data)}
    answer = administrator.post(f"/conferences/{conference.pk}/papers/new/", sent)
    assert answer.status_code == 422
    assert says in words(answer)
    assert 'id="id_paper_error_1"' in answer.content.decode()
    assert re.search(r'value="minutes"[^>]*checked', answer.content.decode())
    assert not Paper.objects.exists()


def test_a_paper_that_is_too_large_or_missing_or_of_no_agency_is_refused(world, administrator, settings):
    conference = empty(world)
    address = f"/conferences/{conference.pk}/papers/new/"
    large = SimpleUploadedFile("large.pdf", a_pdf() + b" " * settings.PAPER_MAX_BYTES)
    assert "the limit is 25 MB" in words(administrator.post(address, {"kind": "minutes", "paper": large}))
    assert "Choose a PDF file" in words(administrator.post(address, {"kind": "minutes"}))
    report = {"kind": "agency_report", "paper": SimpleUploadedFile("report.pdf", a_pdf())}
    assert "Say which agency wrote the report." in words(administrator.post(address, report))
    assert not Paper.objects.exists()


def test_a_paper_is_a_download_said_to_be_what_it_is_and_a_closed_record_still_takes_one(
    world, administrator, chair
):
    conference = world.conference()
    actions.confirm_explained(conference=conference, by=world.chair, at=RECORDED)
    actions.close_record(conference=conference, by=world.chair, at=RECORDED)
    police = str(world.agency("Police").pk)
    report = {"kind": "agency_report", "agency": police, "paper": SimpleUploadedFile("r.pdf", a_pdf())}
    assert administrator.post(f"/conferences/{conference.pk}/papers/new/", report).status_code == 302
    paper = Paper.objects.get(file_name="r.pdf")
    for reader in (administrator, chair):
        page = reader.get(f"/conferences/{conference.pk}/")
        assert "An agency's report: Police" in words(page)
        assert f'href="/papers/{paper.pk}/" download' in page.content.decode()


def test_another_councils_agency_is_refused_by_the_actions_too(world):
    conference, police = empty(world), World(key="othershire").agency("Police")
    who = {"conference": conference, "agency": police, "by": world.conference_administrator, "at": RECORDED}
    with pytest.raises(actions.Refused, match="Choose an agency of this council"):
        actions.attach_paper(kind="agency_report", file_name="report.pdf", data=a_pdf(), **who)
    for capacity in ("professional", "observer"):
        with pytest.raises(actions.Refused, match="Choose an agency of this council"):
            actions.add_attendance(name="Foreign", capacity=capacity, present=True, **who)
    assert not Paper.objects.exists()
    assert not Attendance.objects.exists()


# --- the chair -------------------------------------------------------------------------------------


@pytest.mark.rule("ST-04")
def test_the_chair_confirms_in_the_procedures_words_that_the_process_was_explained(world, chair):
    conference = empty(world)
    address = f"/conferences/{conference.pk}/explained/"
    assert world.version.rules.explaining.text in words(chair.get(address))
    assert not Conference.objects.get().explained_at
    assert chair.post(address).status_code == 302
    explained = Conference.objects.get()
    assert explained.explained_by == world.chair
    chair.post(address)
    assert Conference.objects.get().explained_at == explained.explained_at


@pytest.mark.rule("ST-02")
@pytest.mark.parametrize(
    ("who", "says"),
    [
        ("Absentee Testshire", "Absentee Testshire did not attend the conference."),
        (
            "Observer Testshire",
            "Observer Testshire was there as an observer, and only professionals dissent.",
        ),
        ("Parent Testson", "Parent Testson was there as a family member, and only professionals dissent."),
    ],
)
def test_who_cannot_dissent_is_no_choice_and_is_refused_with_the_same_sentence_where_to_go_instead(
    world, chair, who, says
):
    conference = world.conference()
    attendance = conference.attendances.get(name=who)
    address = f"/conferences/{conference.pk}/dissents/new/"
    page = chair.get(address)
    assert str(attendance.pk) not in page.content.decode()
    assert says in words(page)
    instead = world.version.rules.raising.refused
    assert instead in words(page)
    children = [str(child.pk) for child in conference.children.all()]
    answer = chair.post(address, {"attendance": attendance.pk, "children": children})
    assert answer.status_code == 422
    assert f"Error: {says} {instead}" in words(answer)
    assert not Dissent.objects.exists()


def test_a_single_child_is_ticked_already_and_several_are_not(world, chair):
    def ticked(conference: Conference) -> int:
        page = chair.get(f"/conferences/{conference.pk}/dissents/new/").content.decode()
        return len(re.findall(r'name="children"[^>]*checked', page))

    assert ticked(world.conference()) == 1
    assert ticked(world.conference(children=2)) == 0


def test_somebody_who_cannot_be_reached_is_refused_with_what_to_do(world, chair):
    conference = world.conference()
    silent = actions.add_attendance(
        conference=conference,
        name="Silent Testshire",
        capacity="professional",
        present=True,
        agency=world.agency("School"),
        by=world.conference_administrator,
        at=RECORDED,
    )
    sent = {"attendance": silent.pk, "children": [child.pk for child in conference.children.all()]}
    answer = chair.post(f"/conferences/{conference.pk}/dissents/new/", sent)
    assert "No e-mail address is recorded for Silent Testshire" in words(answer)
    assert not Dissent.objects.exists()


def test_a_second_dissent_about_the_same_child_leads_to_the_first(world, chair):
    first = world.raised()
    conference = first.conference
    sent = {"attendance": first.attendance_id, "children": [child.pk for child in conference.children.all()]}
    answer = chair.post(f"/conferences/{conference.pk}/dissents/new/", sent)
    assert answer.status_code == 422
    assert f"has already dissented about a child you chose: {first.reference}" in words(answer)
    assert f'href="/dissents/{first.pk}/"' in answer.content.decode()
    assert re.search(rf'value="{first.attendance_id}"[^>]*checked', answer.content.decode())
    assert Dissent.objects.count() == 1


@pytest.mark.rule("ST-05")
def test_every_dissent_stands_on_the_record_of_its_conference(world, chair):
    conference = world.conference()
    dissents = [world.raised(conference, who=who) for who in ("teacher", "officer", "nurse")]
    page = words(chair.get(f"/conferences/{conference.pk}/"))
    assert all(dissent.reference in page for dissent in dissents)
    assert "3 dissents" in page
    reviewer = as_(world.service_manager)
    for dissent in dissents:
        case = words(reviewer.get(f"/dissents/{world.filed(dissent).pk}/"))
        assert "Initial conference on 3 March 2026" in case


@pytest.mark.rule("ST-02")
def test_nobody_can_dissent_when_the_chair_has_closed_the_record(world, administrator, chair):
    conference = world.conference()
    home = f"/conferences/{conference.pk}/"
    chair.post(f"{home}explained/")
    told = words(chair.get(f"{home}close/"))
    assert "nobody can dissent from this conference any more" in told
    assert "Time alone never does" in told
    assert chair.post(f"{home}close/").url == home
    assert chair.post(f"{home}close/").url == home
    instead = world.version.rules.raising.refused
    page = chair.get(f"{home}dissents/new/")
    assert page.status_code == 409
    assert instead in words(page)
    teacher = conference.attendances.get(name="Teacher Testshire")
    sent = {"attendance": teacher.pk, "children": [child.pk for child in conference.children.all()]}
    refused = chair.post(f"{home}dissents/new/", sent)
    assert refused.status_code == 422
    assert f"You closed the record of this conference. {instead}" in words(refused)
    assert not Dissent.objects.exists()
    for path, added in (("children/new/", A_CHILD), ("attendances/new/", an_attendance(world, email=""))):
        assert administrator.get(home + path).status_code == 409
        answer = administrator.post(home + path, added)
        assert "nothing more can be added" in words(answer)
        assert f'value="{added["name"]}"' in answer.content.decode()
    assert "/children/new/" not in administrator.get(home).content.decode()
    assert "/dissents/new/" not in chair.get(home).content.decode()


@pytest.mark.rule("ST-02")
def test_time_alone_never_closes_a_record(world, chair):
    conference = world.conference()
    actions.pass_clocks(at=when("2026-11-03 12:00"))
    home = f"/conferences/{conference.pk}/"
    assert "Record of the conference Open" in words(chair.get(home))
    assert chair.get(f"{home}dissents/new/").status_code == 200


def test_a_record_that_lacks_something_says_what_and_is_not_closed(world, chair):
    conference = empty(world)
    home = f"/conferences/{conference.pk}/"
    lacking = (
        "The chair has not confirmed that the dissent process was explained.",
        "The record names no child.",
        "The record says of nobody that they were present.",
    )
    answer = chair.post(f"{home}close/")
    assert answer.status_code == 422
    for sentence in lacking:
        assert sentence in words(answer)
        assert sentence in words(chair.get(home))
    assert not Conference.objects.get().is_closed


def test_a_dissent_recorded_late_says_that_the_time_for_the_form_has_run_out(world, chair):
    dissent = world.raised()
    page = words(chair.get(f"/conferences/{dissent.conference_id}/dissents/{dissent.pk}/recorded/"))
    assert "ran out on Wednesday 4 March 2026, 12:00" in page
    assert "can still be sent, with a reason" in page


# --- pressed twice, read, hostile ------------------------------------------------------------------


def drawn(client: Client, address: str) -> str:
    """Return the once that the page at `address` draws when it is opened."""
    return re.search(r'name="once" value="([^"]+)"', client.get(address).content.decode())[1]


def test_a_page_sent_twice_is_one_row_and_sent_with_something_else_is_refused(world, administrator):
    new = "/conferences/new/"
    sent = a_conference(world, once=drawn(administrator, new))
    assert administrator.post(new, sent).url == administrator.post(new, sent).url
    conference = Conference.objects.get()
    home = f"/conferences/{conference.pk}/"
    child = {**A_CHILD, "once": drawn(administrator, f"{home}children/new/")}
    attendance = an_attendance(world, email="", once=drawn(administrator, f"{home}attendances/new/"))
    for path, added, rows in (
        ("children/new/", child, Child),
        ("attendances/new/", attendance, Attendance),
    ):
        assert administrator.post(home + path, added).url == home
        assert administrator.post(home + path, added).url == home
        assert rows.objects.count() == 1
        other = administrator.post(home + path, {**added, "name": "Another Name"})
        assert "You sent this page before" in words(other)
        assert 'value="Another Name"' in other.content.decode()
        assert rows.objects.count() == 1
    people = f"{home}children/{Child.objects.get().pk}/people/new/"
    relative = {**KNOWN, "once": drawn(administrator, people)}
    for _ in range(2):
        assert administrator.post(people, relative).url == home
    assert Relative.objects.count() == 1
    paper = {"kind": "minutes", "once": drawn(administrator, f"{home}papers/new/")}
    for _ in range(2):
        file = SimpleUploadedFile("minutes.pdf", a_pdf())
        assert administrator.post(f"{home}papers/new/", {**paper, "paper": file}).url == home
    assert Paper.objects.count() == 1


def test_a_draw_that_no_page_of_ours_made_counts_as_none(world, administrator):
    conference = empty(world)
    home = f"/conferences/{conference.pk}/"
    child = {**A_CHILD, "once": "<script>"}
    refused = words(administrator.post(f"{home}children/new/", {**child, "name": ""}))
    assert "Enter the child’s name" in refused
    assert "UUID" not in refused
    assert administrator.post(f"{home}children/new/", child).url == home
    assert Child.objects.count() == 1


def test_one_pages_draw_used_at_another_conference_makes_a_row_there(world, administrator):
    conference, other = empty(world), empty(world)
    child = {**A_CHILD, "once": drawn(administrator, f"/conferences/{conference.pk}/children/new/")}
    for one in (conference, other):
        assert administrator.post(f"/conferences/{one.pk}/children/new/", child).status_code == 302
        assert one.children.count() == 1


def test_each_page_of_the_record_is_read_once_in_the_ledger(world, administrator, chair):
    conference = world.conference()
    for path in PAGES:
        reader = administrator if path in OF_THE_ADMINISTRATOR else chair
        before = LedgerEntry.objects.count()
        reader.get(f"/conferences/{conference.pk}/{path}")
        entry = LedgerEntry.objects.order_by("-sequence").first()
        assert LedgerEntry.objects.count() == before + 1
        assert (entry.verb, entry.case_id) == ("read_conference", conference.pk)


def test_hostile_text_is_shown_as_it_was_typed(world, administrator, chair):
    conference = empty(world)
    home = f"/conferences/{conference.pk}/"
    administrator.post(f"{home}children/new/", {**A_CHILD, "name": HOSTILE, "record_number": "<b>{{7*7}}"})
    child = Child.objects.get()
    known = {name: said for name, said in KNOWN.items() if name.startswith("contact") or "_on_" in name}
    typed = {
        name: f"{name} {HOSTILE}"
        for name in KNOWN
        if name not in known and name not in {"parental_responsibility"}
    }
    administrator.post(
        f"{home}children/{child.pk}/people/new/",
        {
            **KNOWN,
            **typed,
            "may_be_told": "ask",
            "court_restriction": f"{HOSTILE}\r\nsecond line" + "x" * 100_000,
        },
    )
    administrator.post(f"{home}attendances/new/", an_attendance(world, name=f"Name {HOSTILE}", job=HOSTILE))
    for reader in (administrator, chair):
        body = reader.get(home).content.decode()
        assert "<script>alert" not in body
        assert "<b>" not in body
        text = unescape(body)
        assert HOSTILE in text
        assert f"{HOSTILE}\nsecond line" in text
        assert f"Name {HOSTILE}" in text
        assert "x" * 100_000 in text
    assert HOSTILE in unescape(chair.get(f"{home}dissents/new/").content.decode())


# --- at the same moment ----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_new_person_recorded_at_four_conferences_at_once_is_one_person(world):
    conferences = [empty(world) for _ in range(4)]
    readers = [as_(world.conference_administrator) for _ in conferences]
    sent = an_attendance(world)

    def post(client: Client, conference: Conference) -> int:
        return client.post(f"/conferences/{conference.pk}/attendances/new/", sent).status_code

    answers = at_once(*(partial(post, *pair) for pair in zip(readers, conferences, strict=True)))
    assert answers == [302] * 4
    assert Attendance.objects.values("person").distinct().count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_button_pressed_eight_times_at_once_records_one_conference_one_child_and_one_dissent(world):
    administrator, chair = world.conference_administrator, world.chair
    new = "/conferences/new/"
    sent = a_conference(world, once=drawn(as_(administrator), new))
    pressed(administrator, new, sent)
    conference = Conference.objects.get()
    home = f"/conferences/{conference.pk}/"
    pressed(
        administrator,
        f"{home}children/new/",
        {**A_CHILD, "once": drawn(as_(administrator), f"{home}children/new/")},
    )
    child = Child.objects.get()
    as_(administrator).post(f"{home}attendances/new/", an_attendance(world))
    teacher = Attendance.objects.get()
    raised = {"attendance": teacher.pk, "children": [child.pk]}
    answers = pressed(chair, f"{home}dissents/new/", raised, refused=422)
    assert answers.count(302) == 1
    assert Dissent.objects.count() == 1


def pressed(person, address: str, sent: dict, *, refused: int = 302) -> list[int]:
    """Send the same form eight times at once, and return how each was answered."""
    clients = [as_(person) for _ in range(8)]
    answers = at_once(
        *(partial(lambda client: client.post(address, sent).status_code, one) for one in clients)
    )
    assert set(answers) <= {302, refused}
    return answers


# --- in a browser ----------------------------------------------------------------------------------


@pytest.mark.journey
@pytest.mark.parametrize("scripts", [True, False])
def test_every_page_of_the_record_works_on_a_small_telephone_and_is_accessible(
    world, live, new_page, accessible, scripts
):
    conference = world.conference(children=2)
    world.raised(conference)
    home = f"/conferences/{conference.pk}/"
    people = f"{home}children/{conference.children.first().pk}/people/new/"
    dissent = f"{home}dissents/{Dissent.objects.get().pk}/recorded/"
    pages = {
        "conference_administrator": [
            "/conferences/",
            "/conferences/new/",
            home,
            people,
            *(home + path for path in OF_THE_ADMINISTRATOR),
        ],
        "chair": [home, f"{home}explained/", f"{home}dissents/new/", dissent, f"{home}close/"],
    }
    for who, addresses in pages.items():
        page = new_page(scripts=scripts, width=320)
        session = as_(world.people[who]).cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live.url}])
        for address in addresses:
            looked_at(page, address, accessible, scripts)
            button = page.locator("main form button").first
            if button.count() and not address.endswith(("explained/", "close/")):
                land(page, button)
                assert page.title().startswith("Error: ")
                looked_at(page, "", accessible, scripts)


def looked_at(page, address: str, accessible, scripts: bool) -> None:
    if address:
        page.goto(address)
    assert page.locator("h1").count() == 1
    if scripts:  # axe is a script
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

"""The front-end kit: every kind of field, its errors, and what stands on every page."""

import gzip
import hashlib
import re
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.http import HttpResponse, JsonResponse
from django.template import engines
from django.template.loader import render_to_string
from django.urls import path

import config.urls
from dissent.forms.base import Button, Form
from dissent.forms.fields import (
    Checkboxes,
    DateField,
    DateTimeField,
    Email,
    PdfField,
    Radios,
    Select,
    Text,
    TextArea,
    Tick,
    YesNo,
)
from tests.journeys.look import land

COUNCIL = SimpleNamespace(
    name="Fictional Borough Council",
    accent="teal",
    front_door="Contact and Referral",
    front_door_telephone="01632 960123",
    out_of_hours_telephone="01632 960124",
)
HOSTILE = "{{7*7}} <script>alert(1)</script> & \u202eright to left"


class Everything(Form):
    groups = ((f"The conference {HOSTILE}", ("held", "ended", "kind")),)
    buttons = (
        Button("Continue"),
        Button("Save for later", "then", "later", "secondary"),
        Button("Back", href="/"),
    )

    who = Text(label="Full name of the chair", missing="Enter the chair’s full name", width=20)
    email = Email(label="E-mail address", missing="Enter an e-mail address")
    reason = TextArea(label="Why do you dissent?", help_text="Say what you saw.\nUse your own words.")
    short = TextArea(label="In one line", max_length=20, rows=2)
    held = DateField(label="When was the conference?", name="date of the conference")
    ended = DateTimeField(label="When did it end?", name="end of the conference")
    kind = Radios(
        label="Kind of conference",
        choices=[("initial", "Initial", "The first conference about a child"), ("review", "Review")],
        missing="Choose initial or review",
    )
    explained = YesNo(label="Was the process explained?", missing="Choose yes if the process was explained")
    children = Checkboxes(
        label="Which children?", choices=[("1", "Ann"), ("2", HOSTILE)], missing="Choose a child"
    )
    agency = Select(
        label="Agency", choices=[("", "Choose an agency"), ("h", "Health")], missing="Choose an agency"
    )
    minutes = PdfField(label="Minutes", missing="Choose the minutes as a PDF file")
    agreed = Tick(
        label="What I have written is true", missing="Tick to say that what you have written is true"
    )


class OneQuestion(Form):
    question = True
    reason = TextArea(label="Why do you dissent?", missing="Say why you dissent", required=False)


PAGE = """{% extends "base.html" %}{% load kit %}
{% block title %}Everything{% endblock %}
{% block content %}{% if not form.question %}<h1 class="govuk-heading-l">Everything</h1>{% endif %}
{% render form %}{% endblock %}"""
COMPONENTS = """{% extends "base.html" %}{% load kit %}
{% block title %}Components{% endblock %}
{% block danger %}{% include "components/danger.html" %}{% endblock %}
{% block back %}{% include "components/back.html" with href="/" %}{% endblock %}
{% block content %}
{% include "components/case_header.html" with reference="FB-2026-0012" about="Ann Example" pages=pages %}
{% include "components/panel.html" with heading="Dissent sent" reference="FB-2026-0012" %}
{% include "components/alert.html" with text="The window passed." kind="warning" heading="Late" %}
{% include "components/summary_list.html" with rows=summary %}
{% for clock in clocks %}{% include "components/clock.html" %}{% endfor %}
<h2 class="govuk-heading-m">Everything that happened</h2>
{% include "components/timeline.html" with items=timeline %}
{% include "components/people.html" with people=people %}
{% include "components/people.html" with people=nobody empty="No panel members yet." %}
{% table "Work" headings rows %}
{% table "Elsewhere" headings nobody "You have nothing to do." %}
{% include "components/task_list.html" with id="tasks" tasks=tasks %}
{% include "components/papers.html" with papers=papers %}
{% include "components/pagination.html" with previous="?page=1" next="?page=3" position="51 to 100" %}
{% include "components/tag.html" with words="At the first stage" colour="blue" %}
{% endblock %}"""
LATE = "Late by 2 working days"
SAMPLES = {
    "pages": [{"words": "The case", "href": "/", "current": True}, {"words": "Papers", "href": "/papers/"}],
    "summary": [
        {
            "key": "Reason",
            "value": f"one\n\n{HOSTILE}{'x' * 300}",
            "typed": True,
            "href": "/",
            "what": "the reason",
        },
        {"key": "Address", "lines": ["1 Fictional Road", "Fictional Town"]},
    ],
    "clocks": [
        {
            "state": "late",
            "words": LATE,
            "name": "Feedback",
            "due": "Friday 15 January 2027",
            "derivation": ["Friday 25 December 2026 is not counted: Christmas Day"],
            "source": "paragraph 4",
        },
        {"state": "unknown", "words": "Date not known", "name": "Letter"},
    ],
    "timeline": [
        {
            "title": "Reviewed with the chair",
            "at": "Thursday 24 December 2026, 10am",
            "iso": "2026-12-24T10:00:00+00:00",
            "by": "Ann Manager",
            "text": HOSTILE,
            "late": "Recorded 2 days later",
        }
    ],
    "people": [{"name": HOSTILE, "role": "Dissenter", "agency": "Health", "words": "Absent", "href": "/"}],
    "nobody": [],
    "headings": ["Case", "Next", "Stands"],
    "rows": [
        [
            {"words": "FB-1", "href": "/"},
            {"words": LATE, "tag": "red", "note": HOSTILE},
            "y" * 300,
        ]
    ],
    "tasks": [
        {"words": "Record the review", "state": "Completed"},
        {
            "words": "Record the discussion",
            "state": "Not yet started",
            "href": "/",
            "colour": "blue",
            "hint": "Next",
        },
    ],
    "papers": [{"words": "Minutes", "href": "/", "about": "PDF, 214 KB"}],
}
CHANGED_ELSEWHERE = "Changed in another window."
kept: list[dict[str, str]] = []


def filled(request, template, context):
    return HttpResponse(engines["django"].from_string(template).render(context, request))


def shown(request, form):
    return filled(request, PAGE, {"form": form, "council": COUNCIL})


def everything(request):
    return shown(request, Everything(request.POST or None, request.FILES or None))


def empty(request):
    return shown(request, Everything({}))


def question(request):
    form = OneQuestion(request.POST or None)
    form.keep_url = "/keep/"
    return shown(request, form)


def keep(request):
    kept.append(request.POST.dict())
    if request.POST["reason"].startswith("elsewhere"):
        return HttpResponse(CHANGED_ELSEWHERE, content_type="text/plain", status=409)
    return JsonResponse({}, status=503 if request.POST["reason"].startswith("refuse") else 200)


def components(request):
    return filled(request, COMPONENTS, {"council": COUNCIL, **SAMPLES})


urlpatterns = [
    *config.urls.urlpatterns,
    path("components/", components),
    path("everything/", everything),
    path("empty/", empty),
    path("question/", question),
    path("keep/", keep),
]


@pytest.fixture
def live(live_server, settings, _static_files):
    """Serve the pages of this module beside the product's own."""
    settings.ROOT_URLCONF = __name__
    kept.clear()
    return SimpleNamespace(url=live_server.url.replace("localhost", "127.0.0.1"))


def refusal(field, value) -> str:
    """Return the sentence that `field` refuses `value` with, empty where it takes it."""
    form = type("One", (Form,), {"one": field})(
        {f"one_{part}": typed for part, typed in value.items()}
        if isinstance(value, dict)
        else {"one": value},
        {"one": value} if isinstance(value, SimpleUploadedFile) else None,
    )
    return " ".join(form.errors.get("one", []))


# --- what is wrong is said, and leads to where it is mended -------------------------------------------


@pytest.mark.journey
@pytest.mark.parametrize("scripts", [True, False])
def test_every_link_of_the_error_summary_puts_the_focus_where_the_answer_goes(new_page, scripts):
    page = new_page(scripts=scripts)
    page.goto("/empty/")
    links = page.locator(".govuk-error-summary__list a")
    expected = {
        "Enter the date of the conference": "id_held_day",
        "Enter the end of the conference": "id_ended_day",
        "Choose initial or review": "id_kind_0",
        "Enter the chair’s full name": "id_who",
        "Enter an e-mail address": "id_email",
        "Answer the question “Why do you dissent?”": "id_reason",
        "Enter an answer for “In one line”": "id_short",
        "Choose yes if the process was explained": "id_explained_0",
        "Choose a child": "id_children_0",
        "Choose an agency": "id_agency",
        "Choose the minutes as a PDF file": "id_minutes",
        "Tick to say that what you have written is true": "id_agreed",
    }
    assert links.all_inner_texts() == list(expected)
    for sentence, id in expected.items():
        page.get_by_role("link", name=sentence, exact=True).click()
        assert page.locator(":focus").get_attribute("id") == id
        assert page.locator(":focus").evaluate("e => ['INPUT', 'TEXTAREA', 'SELECT'].includes(e.tagName)")


@pytest.mark.journey
@pytest.mark.parametrize("scripts", [True, False])
def test_a_page_with_errors_opens_at_their_summary_and_says_so_in_its_title(new_page, scripts):
    page = new_page(scripts=scripts)
    page.goto("/empty/")
    assert page.locator(".govuk-error-summary").evaluate("e => e === document.activeElement")
    assert page.title().startswith("Error: Everything – ")


@pytest.mark.journey
def test_the_link_of_an_unfinished_date_leads_to_the_box_that_is_missing(page):
    page.goto("/everything/")
    held = page.get_by_role("group", name="When was the conference?")
    held.get_by_label("Day").fill("3")
    held.get_by_label("Year").fill("2026")
    land(page, page.get_by_role("button", name="Continue"))
    page.get_by_role("link", name="Add the month to the date of the conference").click()
    assert page.locator(":focus").get_attribute("id") == "id_held_month"


@pytest.mark.journey
@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize(
    "address", ["/everything/", "/empty/", "/question/", "/components/", "/sign-in/", "/sign-in/code/"]
)
def test_a_page_is_accessible_and_fits_a_small_telephone(new_page, accessible, address, width):
    page = new_page(width=width)
    page.goto(address)
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.journey
def test_on_a_small_telephone_each_cell_of_a_table_stands_under_the_last_with_its_heading(new_page):
    page = new_page(width=320)
    page.goto("/components/")
    cells = page.get_by_role("row", name="FB-1").get_by_role("cell")
    first, second = (cells.nth(number).bounding_box() for number in (0, 1))
    assert first["x"] == second["x"]
    assert first["y"] < second["y"]
    heading = cells.first.evaluate("cell => getComputedStyle(cell, '::before').content")
    assert heading.replace('" "', "") == '"Next: "'


# --- what was typed is still there --------------------------------------------------------------------


@pytest.mark.journey
def test_what_was_typed_is_still_there_when_something_else_is_wrong(page):
    page.goto("/everything/")
    text = f"\n  {HOSTILE}\n\nlast line  "
    page.get_by_label("Full name of the chair").fill(HOSTILE)
    page.get_by_label("Why do you dissent?").fill(text)
    page.get_by_label("In one line").fill("far too long for twenty characters")
    ended = page.get_by_role("group", name="When did it end?")
    for box, typed in {"Day": "31", "Month": "Feb", "Year": "26", "Time": "half past two"}.items():
        ended.get_by_label(box).fill(typed)
    page.get_by_label("Review").check()
    page.get_by_label(HOSTILE).check()
    page.get_by_label("Agency").select_option("h")
    land(page, page.get_by_role("button", name="Continue"))

    assert page.locator(".govuk-error-summary").is_visible()
    assert page.get_by_label("Full name of the chair").input_value() == HOSTILE
    assert page.get_by_label("Why do you dissent?").input_value() == text
    assert page.get_by_label("In one line").input_value() == "far too long for twenty characters"
    boxes = [ended.get_by_label(box).input_value() for box in ("Day", "Month", "Year", "Time")]
    assert boxes == ["31", "Feb", "26", "half past two"]
    assert page.get_by_label("Review").is_checked()
    assert page.get_by_label(HOSTILE).is_checked()
    assert page.get_by_label("Agency").input_value() == "h"


@pytest.mark.parametrize("address", ["/everything/", "/components/"])
def test_hostile_text_is_shown_as_written_and_never_compiled(client, settings, address):
    settings.ROOT_URLCONF = __name__
    text = client.get(address).content.decode()
    assert "{{7*7}} &lt;script&gt;" in text
    assert "49" not in re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)
    assert "<script>alert" not in text


def test_a_long_text_is_kept_as_typed_with_one_kind_of_line_end():
    form = type("One", (Form,), {"one": TextArea(label="Reason")})({"one": "  a\r\nb\rc\n" + "x" * 100_000})
    assert form.is_valid()
    assert form.cleaned_data["one"] == "  a\nb\nc\n" + "x" * 100_000


def test_browsers_are_not_told_to_cut_off_what_is_pasted():
    form = type(
        "One", (Form,), {"one": Text(max_length=5), "two": TextArea(max_length=5), "three": Email()}
    )()
    assert "maxlength=" not in form.as_p()


# --- the sentences ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (("", "", ""), "Enter the date of birth"),
        (("3", "", ""), "Add the month and year to the date of birth"),
        (("x", "5", "2026"), "Enter the day of the date of birth as a number from 1 to 31"),
        (("3", "13", "2026"), "Enter the month of the date of birth as a number from 1 to 12"),
        (("3", "5", "26"), "Enter the year of the date of birth with all four figures, like 2026"),
        (("30", "2", "2026"), "Check the date of birth: February 2026 has no day 30"),
        (("٣", "5", "2026"), "Enter the day of the date of birth as a number from 1 to 31"),
        (("9" * 5000, "5", "2026"), "Enter the day of the date of birth as a number from 1 to 31"),
        (("3", "marvellous", "2026"), "Enter the month of the date of birth as a number from 1 to 12"),
        (("3", "decades", "2026"), "Enter the month of the date of birth as a number from 1 to 12"),
        (("3", "ma", "2026"), "Enter the month of the date of birth as a number from 1 to 12"),
        ((" 3 ", "sept", "2026"), ""),
        (("3", "Feb.", "2026"), ""),
        (("3", "MARCH", "2026"), ""),
        (("3", "Octob", "2026"), ""),
    ],
)
def test_a_date_says_what_is_missing_or_wrong(typed, sentence):
    value = dict(zip(("day", "month", "year"), typed, strict=True))
    assert refusal(DateField(name="date of birth"), value) == sentence


@pytest.mark.parametrize(
    ("typed", "hour", "minute"),
    [
        ("14:30", 14, 30),
        ("2.30pm", 14, 30),
        ("2:30 p.m.", 14, 30),
        ("1430", 14, 30),
        ("2pm", 14, 0),
        ("12.15am", 0, 15),
        ("noon", 12, 0),
        ("09:05", 9, 5),
    ],
)
def test_a_time_may_be_typed_as_people_write_it(typed, hour, minute):
    assert end_at(3, 12, 2026, typed) == datetime(2026, 12, 3, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("half past", "Enter the time like 14:30 or 2.30pm"),
        ("25:00", "Enter the time like 14:30 or 2.30pm"),
        ("13pm", "Enter the time like 14:30 or 2.30pm"),
        ("14", "Enter the time like 14:30 or 2.30pm"),
        ("2:30", "Say whether 2:30 is morning or afternoon, like 2:30am or 2:30pm"),
        ("", "Add the time to the end"),
    ],
)
def test_a_time_that_could_be_misread_is_asked_about(typed, sentence):
    value = {"day": "3", "month": "5", "year": "2026", "time": typed}
    assert refusal(DateTimeField(name="end"), value) == sentence


def end_at(day: int, month: int, year: int, typed: str) -> datetime:
    data = {"one_day": str(day), "one_month": str(month), "one_year": str(year), "one_time": typed}
    form = type("One", (Form,), {"one": DateTimeField(name="end")})(data)
    assert form.is_valid(), form.errors
    return form.cleaned_data["one"]


def test_a_time_is_londons_in_summer_and_in_winter():
    assert end_at(3, 5, 2026, "14:30") == datetime(2026, 5, 3, 13, 30, tzinfo=UTC)
    assert end_at(23, 12, 2026, "14:30") == datetime(2026, 12, 23, 14, 30, tzinfo=UTC)


def test_the_hour_that_the_spring_skips_is_refused_and_the_hour_that_autumn_repeats_is_the_first():
    skipped = {"day": "29", "month": "3", "year": "2026", "time": "01:30"}
    assert refusal(DateTimeField(name="end"), skipped).startswith("Check the time: the clocks went forward")
    assert end_at(25, 10, 2026, "01:30") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_time_is_shown_again_as_londons():
    form = type("One", (Form,), {"one": DateTimeField()})(
        initial={"one": datetime(2026, 5, 3, 13, 30, tzinfo=UTC)}
    )
    assert [box.value for box in form["one"].field.widget.boxes(form["one"])] == ["3", "5", "2026", "14:30"]


def test_a_paper_that_is_too_large_is_refused_with_what_to_do():
    field = PdfField(max_bytes=1024**2)
    sentence = refusal(field, SimpleUploadedFile("minutes\u202e.pdf", b"%PDF-1.7" + b" " * 2_000_000))
    assert sentence.startswith("“minutes.pdf” has 2 MB and the limit is 1 MB. Save it with smaller pictures")
    assert not refusal(field, SimpleUploadedFile("minutes.pdf", b"%PDF-1.7"))


def test_yes_and_no_are_told_apart_from_no_answer():
    one = type("One", (Form,), {"one": YesNo(required=False)})
    answers = [one({"one": typed}) for typed in ("yes", "no", "")]
    assert all(form.is_valid() for form in answers)
    assert [form.cleaned_data["one"] for form in answers] == [True, False, None]
    assert [box.checked for box in boxes_of(one(initial={"one": False}))] == [False, True]


def boxes_of(form):
    from dissent.forms.base import control

    return control(form["one"]).boxes


def test_a_birthday_comes_back_as_a_date():
    form = type("One", (Form,), {"one": DateField()})({"one_day": "1", "one_month": "2", "one_year": "2020"})
    assert form.is_valid()
    assert form.cleaned_data["one"] == date(2020, 2, 1)


# --- what is typed is kept as it is typed -------------------------------------------------------------


@pytest.mark.journey
def test_what_is_typed_is_kept_without_pressing_anything(page):
    page.goto("/question/")
    page.get_by_label("Why do you dissent?").press_sequentially("I saw it")
    page.get_by_text(re.compile(r"^Saved \d\d:\d\d$")).wait_for()
    assert kept[-1]["reason"] == "I saw it"


@pytest.mark.journey
def test_what_is_typed_is_kept_when_the_page_is_left_at_once(page):
    page.goto("/question/")
    page.get_by_label("Why do you dissent?").press_sequentially("Left in haste")
    page.goto("/sign-in/")
    for _ in range(50):
        if kept:
            break
        page.wait_for_timeout(50)
    assert kept[-1]["reason"] == "Left in haste"


@pytest.mark.journey
def test_what_could_not_be_kept_is_said_and_tried_again(page):
    page.goto("/question/")
    box = page.get_by_label("Why do you dissent?")
    box.fill("refuse this")
    page.get_by_text("Not saved, still on this page").wait_for()
    assert box.input_value() == "refuse this"
    box.fill("take this")
    page.get_by_text(re.compile(r"^Saved ")).wait_for()
    assert kept[-1]["reason"] == "take this"


@pytest.mark.journey
def test_why_something_will_not_be_kept_is_said_and_it_is_not_sent_again_until_more_is_typed(page):
    page.clock.install()
    page.goto("/question/")
    box = page.get_by_label("Why do you dissent?")
    box.fill("elsewhere")
    page.clock.run_for(2_000)
    page.get_by_text(CHANGED_ELSEWHERE).wait_for()
    page.clock.run_for(60_000)
    page.wait_for_timeout(200)
    assert [sent["reason"] for sent in kept] == ["elsewhere"]
    box.fill("here again")
    page.clock.run_for(2_000)
    page.get_by_text(re.compile(r"^Saved ")).wait_for()
    assert kept[-1]["reason"] == "here again"


# --- every page ---------------------------------------------------------------------------------------


def test_every_page_says_first_what_to_do_if_a_child_is_in_danger(client, settings, db):
    settings.ROOT_URLCONF = __name__
    for address in ("/everything/", "/components/", "/sign-in/", "/sign-in/code/"):
        text = client.get(address).content.decode()
        assert text.index("tel:999") < text.index("<main")
    assert COUNCIL.front_door_telephone in client.get("/everything/").content.decode()


@pytest.mark.parametrize("name", ["403", "403_csrf", "404", "409", "413", "429", "500"])
def test_a_page_that_says_what_went_wrong_needs_nothing_to_be_shown(name):
    text = render_to_string(f"{name}.html", {})
    assert "tel:999" in text
    assert text.count("<h1") == 1


def test_no_page_carries_a_script_or_a_style_that_the_content_security_policy_refuses():
    for template in Path("templates").rglob("*.html"):
        if {"letters", "emails"} & set(template.parts):
            continue
        text = template.read_text()
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|<script(?![^>]*\ssrc=)", text), template


def test_the_vendored_files_are_those_that_the_documentation_says_how_to_make():
    said = dict(
        re.findall(r"^([0-9a-f]{64})  static/frontend/(\S+)$", Path("docs/front-end.md").read_text(), re.M)
    )
    made = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in Path("static/frontend").iterdir()
    }
    assert {digest: name for name, digest in made.items()} == said


def test_nothing_licensed_to_government_alone_is_served():
    for file in Path("static").rglob("*"):
        if file.is_file():
            assert not re.search(rb"GDS Transport|govuk-crest|govuk-logotype|url\(", file.read_bytes()), file


def test_static_files_can_be_fingerprinted(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    call_command("collectstatic", "--no-input", "--verbosity", "0")
    assert list(tmp_path.glob("dissent.*.css.gz"))


def test_a_first_view_with_its_assets_is_light(client, settings):
    settings.ROOT_URLCONF = __name__
    page = client.get("/everything/").content
    names = set(re.findall(r'(?:href|src)="/static/([^"]+)"', page.decode()))
    assert {"frontend/frontend.min.css", "frontend/frontend.min.js", "dissent.css", "icon.svg"} == names
    parts = [page, *(Path("static", name).read_bytes() for name in names)]
    assert sum(len(gzip.compress(part)) for part in parts) < 40_000

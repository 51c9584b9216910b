"""The page of messages that exists only in the demonstration, on this machine."""

import threading
import time

import pytest
from django.core.mail import EmailMessage, get_connection
from django.urls import reverse

from dissent import notices
from dissent.management.commands.demo import PASSWORD
from dissent.models import Notice
from tests.world import World, when

pytestmark = pytest.mark.django_db

ADDRESS = "/demonstration/messages/"
HERE = {"host": "127.0.0.1:8000"}


@pytest.fixture
def post(settings, tmp_path):
    """Write messages as the embedded default does."""
    settings.DEMONSTRATION = True
    settings.SITE_URL = "http://127.0.0.1:8000"
    settings.EMAIL_FILE_PATH = tmp_path
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"

    def send(to: str, subject: str, body: str) -> None:
        with get_connection() as connection:
            EmailMessage(subject, body, "tracker@dissent.example", [to], connection=connection).send()

    return send


def read(client, query: str = "") -> str:
    answer = client.get(f"{ADDRESS}{query}", headers=HERE)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_message_of_a_notice_can_be_read_and_its_link_followed(client, post) -> None:
    world = World()
    dissent = world.raised()
    notices.send_due(at=when("2026-03-03 12:31"))
    assert Notice.objects.get(to=world.teacher).sent_at
    said = read(client)
    assert f"To <strong><bdi>{world.teacher.email}</bdi></strong>" in said
    href = reverse("dissent", args=[dissent.pk])
    assert f'<a class="govuk-link" href="{href}">http://127.0.0.1:8000{href}</a>' in said
    assert "Teacher Testshire raised" not in said


def test_a_sign_in_code_can_be_read(client, post) -> None:
    world = World()
    world.raised()
    client.post(reverse("account_request_login_code"), {"email": world.teacher.email}, headers=HERE)
    for sending in threading.enumerate():  # codes are sent behind the answer
        if sending.name == "sign-in-mail":
            sending.join(timeout=10)
    assert "Your sign-in code is" in read(client)


def test_the_newest_message_comes_first_and_one_address_can_be_picked_out(client, post) -> None:
    for number in range(3):
        post("first@testshire.example", f"Number {number}", "Words")
        time.sleep(1.05)  # within a second the mail backend can take the same file again
    post("second@testshire.example", "Number 3", "Words")
    said = read(client)
    assert [said.index(f"Number {n}") for n in (3, 2, 1, 0)] == sorted(
        said.index(f"Number {n}") for n in range(4)
    )
    picked = read(client, "?to=second@testshire.example")
    assert "Number 3" in picked
    assert "Number 1" not in picked


def test_hostile_text_is_shown_as_it_is_and_only_this_installation_is_linked_to(client, post) -> None:
    post(
        "first@testshire.example",
        "<script>alert(1)</script>",
        "{{7*7}} <b> http://127.0.0.1:8000.evil.example/ http://evil.example/ javascript:alert(1)",
    )
    said = read(client)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in said
    assert "{{7*7}} &lt;b&gt; http://127.0.0.1:8000.evil.example/ http://evil.example/" in said
    assert 'href="http' not in said


def test_the_people_are_listed_with_how_they_sign_in_and_nobody_is_signed_in(client, post) -> None:
    world = World()
    world.chair.set_password(PASSWORD)
    world.chair.save()
    said = read(client)
    assert f"{world.chair.email}, with the password {PASSWORD}" in said
    assert f"{world.business_manager.email}, with a code" in said
    assert client.session.get("_auth_user_id") is None


@pytest.mark.parametrize(
    "asked",
    [
        {"REMOTE_ADDR": "192.0.2.7"},
        {"REMOTE_ADDR": ""},
        {"HTTP_X_FORWARDED_FOR": "192.0.2.7"},
        {"HTTP_FORWARDED": "for=192.0.2.7"},
        {"HTTP_HOST": "dissent.council.example"},
    ],
)
def test_the_page_is_for_this_machine_only(client, post, settings, asked) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    post("first@testshire.example", "Subject", "Words")
    answer = client.get(ADDRESS, **{"HTTP_HOST": "127.0.0.1:8000", **asked})
    assert answer.status_code == 404
    assert "first@testshire.example" not in answer.content.decode()


def test_the_page_is_not_there_without_the_demonstration(client, post, settings) -> None:
    settings.DEMONSTRATION = False
    assert client.get(ADDRESS, headers=HERE).status_code == 404


def test_an_empty_or_missing_folder_says_that_there_is_nothing_yet(client, post, settings, tmp_path) -> None:
    assert "No message has been sent yet" in read(client)
    settings.EMAIL_FILE_PATH = tmp_path / "never"
    assert "No message has been sent yet" in read(client)

"""Signing in: a code for those without a password, a password for staff, and nothing for a stranger."""

import re
import time

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse

from councils.models import Person

pytestmark = pytest.mark.django_db

PASSWORD = "a long sentence nobody guesses"


@pytest.fixture
def dissenter():
    return Person.objects.create_user("dee@school.example", name="Dee Example")


@pytest.fixture
def manager():
    return Person.objects.create_user("mo@council.example", PASSWORD, name="Mo Example")


def ask_for_a_code(client: Client, email: str):
    return client.post(reverse("account_request_login_code"), {"email": email})


def code_in(message) -> str:
    return re.search(r"^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", message.text, re.MULTILINE)[1]


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_dissenter_signs_in_with_the_code_they_are_sent(client, dissenter, mailbox):
    answer = ask_for_a_code(client, dissenter.email)
    assert answer.headers["Location"].endswith(reverse("account_confirm_login_code"))
    message = mailbox.latest(dissenter.email)
    client.post(reverse("account_confirm_login_code"), {"code": code_in(message)})
    assert signed_in(client)


def test_a_wrong_code_is_refused_and_the_third_ends_the_try(client, dissenter, mailbox):
    ask_for_a_code(client, dissenter.email)
    code = code_in(mailbox.latest(dissenter.email))
    for _ in range(3):
        client.post(reverse("account_confirm_login_code"), {"code": "wrong"})
    client.post(reverse("account_confirm_login_code"), {"code": code})
    assert not signed_in(client)


def test_a_manager_signs_in_with_a_password(client, manager):
    client.post(reverse("account_login"), {"login": manager.email, "password": PASSWORD})
    assert signed_in(client)


def test_only_those_without_a_password_are_sent_a_code_and_every_answer_is_the_same(
    dissenter, manager, mailbox
):
    Person.objects.create_user("gone@school.example", name="Gone Example", is_active=False)
    answers = []
    for address in [manager.email, "stranger@elsewhere.example", "gone@school.example", dissenter.email]:
        client = Client()
        asked = ask_for_a_code(client, address)
        page = client.get(asked.headers["Location"])
        text = page.content.decode().replace(address, "ADDRESS")
        text = re.sub(r'(name="csrfmiddlewaretoken" value=")[^"]+', r"\1", text)
        answers.append((asked.status_code, asked.headers["Location"], page.status_code, text))
    assert len(set(answers)) == 1
    mailbox.latest(dissenter.email)
    time.sleep(0.5)
    assert [message.recipients for message in mailbox.messages] == [[dissenter.email]]


def test_after_five_wrong_passwords_the_right_one_is_refused_too(client, manager):
    for _ in range(5):
        client.post(reverse("account_login"), {"login": manager.email, "password": "wrong"})
    client.post(reverse("account_login"), {"login": manager.email, "password": PASSWORD})
    assert not signed_in(client)


def test_nobody_can_make_an_account_for_themselves(client):
    with pytest.raises(NoReverseMatch):
        reverse("account_signup")
    assert client.get("/sign-in/signup/").status_code == 404
    assert client.get("/accounts/signup/").status_code == 404


@pytest.mark.parametrize(("stamp", "hours"), [("seen_at", 2), ("signed_in_at", 12)])
def test_a_session_ends_after_two_idle_hours_and_after_twelve_in_all(client, manager, stamp, hours):
    client.force_login(manager)
    client.get(reverse("account_login"))
    session = client.session
    session[stamp] -= hours * 60 * 60 - 60
    session.save()
    client.get(reverse("account_login"))
    assert signed_in(client)
    session = client.session
    session[stamp] -= hours * 60 * 60 + 60
    session.save()
    client.get(reverse("account_login"))
    assert not signed_in(client)


def test_a_sign_in_message_that_cannot_be_sent_breaks_nothing(client, dissenter, mailbox, caplog):
    mailbox.refuse_with = "554 no"
    assert ask_for_a_code(client, dissenter.email).status_code == 302
    deadline = time.monotonic() + 10
    while "was not sent" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "A sign-in code was not sent" in caplog.text

"""The outbox: claimed, sent, confirmed; a message says a reference and a link, and nothing else."""

from __future__ import annotations

import datetime as dt
import socket
import time
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q

from councils.models import Appointment, Person
from dissent import actions, notices
from dissent.models import Child, Notice
from tests.dissent.together import at_once
from tests.world import RECORDED, World, when

pytestmark = pytest.mark.django_db

SOON = dt.timedelta(seconds=1)


@pytest.fixture
def world() -> World:
    return World(quick=True)


@pytest.fixture(autouse=True)
def _address(settings: Any) -> None:
    settings.SITE_URL = "https://dissent.council.example"


def three_due(world: World) -> None:
    """To the dissenter, that the dissent was recorded; to chair and Service Manager, that it was sent."""
    world.filed(at=RECORDED)
    assert Notice.objects.count() == 3


def send(at: dt.datetime = RECORDED, **most: int) -> int:
    return notices.send_due(at=at, **most)


# --- what is sent ----------------------------------------------------------------------------------


def test_what_is_due_is_sent_once_to_one_person_each(world: World, mailbox: Any) -> None:
    three_due(world)
    assert [send(), send()] == [3, 0]
    assert sorted(received.recipients for received in mailbox.messages) == [
        ["chair@testshire.example"],
        ["service_manager@testshire.example"],
        ["teacher@testshire.example"],
    ]
    for received in mailbox.messages:
        assert [received.message["To"]] == received.recipients
        assert received.message["Cc"] is None
        assert not received.message.is_multipart()
    assert not Notice.objects.filter(Q(sent_at=None) | Q(lease_until__isnull=False)).exists()


def test_nothing_is_sent_before_it_is_due(world: World, mailbox: Any) -> None:
    three_due(world)
    assert send(RECORDED - SOON) == 0
    assert not mailbox.messages


def test_a_message_says_a_reference_and_a_link_and_nothing_else(world: World, mailbox: Any) -> None:
    dissent = world.raised()
    send()
    (received,) = mailbox.messages
    assert received.subject == f"{dissent.reference}: something to read or to do"
    lines = [line for line in received.text.splitlines() if line]
    assert lines == [
        "There is something for you to read or to do.",
        f"Reference: {dissent.reference}",
        "Sign in to see it:",
        f"https://dissent.council.example/dissents/{dissent.pk}/",
        "This message does not say what it is about, to keep people safe. "
        "Do not reply to it; nobody reads the replies.",
    ]
    assert received.message["Auto-Submitted"] == "auto-generated"


def test_no_name_no_birthday_and_no_word_of_anybody_is_in_any_message(world: World, mailbox: Any) -> None:
    """From the conference to the further conference, with every clock that can pass."""
    world.reheard(world.released())
    actions.pass_clocks(at=when("2026-03-20 09:00"))
    world.raised()
    actions.pass_clocks(at=when("2026-03-20 09:00"))
    assert send(when("2026-05-01 09:00")) == Notice.objects.count() > 20
    secret = [person.name for person in Person.objects.all()]
    secret += [word for child in Child.objects.all() for word in (child.name, str(child.pk))]
    secret += ["2018-05-01", "1 May 2018", "01/05/2018", "01632", "Testson"]
    secret += ["reason", "The panel", "What was said", "Testshire Council", "upheld", "child", "police"]
    for received in mailbox.messages:
        raw = received.raw.decode()
        assert [word for word in secret if word in raw] == []


def test_a_letters_addressee_gets_the_link_to_their_own_letter(world: World, mailbox: Any) -> None:
    dissent = world.released()
    send(when("2026-03-17 09:00"))
    for letter in dissent.letters.all():
        sent = [received.text for received in mailbox.to(letter.to.email)]
        assert any(f"/letters/{letter.pk}/" in text for text in sent)
        others = dissent.letters.exclude(pk=letter.pk)
        assert not any(str(other.pk) in text for other in others for text in sent)


def test_the_same_thing_is_said_to_somebody_only_once(world: World) -> None:
    dissent = world.raised()
    for _ in range(2):
        notices.tell(dissent, ("chair", "dissenter", "chair"), occasion="x", once="x", at=RECORDED)
    assert Notice.objects.filter(occasion="x").count() == 2


def test_the_links_lead_to_pages_that_their_readers_can_open(world: World) -> None:
    """The administrator who is asked to extend a calendar reads no case."""
    conference = world.conference(
        held_at=when("2028-12-20 10:00"), ended_at=when("2028-12-20 12:00"), at=when("2028-12-20 12:30")
    )
    at = when("2028-12-27 12:00")
    dissent = world.filed(world.raised(conference, at=when("2028-12-20 12:30")), at=when("2028-12-20 15:00"))
    world.offered(world.reviewed(dissent, at=at), at=at)
    notice = Notice.objects.get(occasion="calendar_not_published")
    assert (notice.to, notice.path) == (world.administrator, "/work/")


@pytest.mark.rule("ST-09")
def test_what_is_for_a_role_that_nobody_holds_goes_to_its_deputy_and_then_to_the_administrator(
    world: World,
) -> None:
    def told_of_a_form() -> tuple[Person, str]:
        """Who is told of a form, beside the chair, and where the link leads."""
        dissent = world.filed(world.raised())
        notice = Notice.objects.exclude(to=world.chair).get(occasion="filed", dissent=dissent)
        return notice.to, notice.path.replace(str(dissent.pk), "*")

    assert told_of_a_form() == (world.service_manager, "/dissents/*/")
    Appointment.objects.filter(role="service_manager").delete()
    assert told_of_a_form() == (world.nominated_manager, "/dissents/*/")
    Appointment.objects.filter(role="nominated_manager").delete()
    assert told_of_a_form() == (world.administrator, "/work/")


# --- one connection, and leases that last ----------------------------------------------------------


def test_one_connection_serves_for_all(world: World, mailbox: Any) -> None:
    three_due(world)
    sessions = set()

    async def handle_mail(server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        sessions.add(session.peer)
        envelope.mail_from = address
        return "250 OK"

    mailbox.handle_MAIL = handle_mail
    assert send() == 3
    assert len(sessions) == 1


def test_nothing_due_opens_no_connection(world: World, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", _a_closed_port()
    assert send() == 0


def _a_closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Crash(BaseException):
    """The process ends here."""


def crash_at_confirmation(number: int) -> Any:
    """End the sender after the mail server took message `number`, before that is written down."""
    seen: list[str] = []

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("UPDATE") and '"sent_at"' in sql.partition("WHERE")[0]:
            seen.append(sql)
            if len(seen) == number:
                raise Crash
        return execute(sql, params, many, context)

    return connection.execute_wrapper(wrapper)


@pytest.mark.django_db(transaction=True)
def test_what_a_crash_left_is_sent_again_after_its_lease_under_the_same_message_id(mailbox: Any) -> None:
    three_due(World(quick=True))
    with crash_at_confirmation(2), pytest.raises(Crash):
        send()
    assert len(mailbox.messages) == 2
    (left,) = Notice.objects.filter(sent_at=None, attempts=1)
    assert [send(left.lease_until - SOON), send(left.lease_until)] == [1, 1]
    assert send(left.lease_until + dt.timedelta(days=1)) == 0
    identities = [received.message["Message-ID"] for received in mailbox.messages]
    assert identities[1] == identities[3] == f"<{left.pk}@dissent.council.example>"
    assert len(identities) == 4
    assert len(set(identities)) == 3


@pytest.mark.django_db(transaction=True)
def test_a_lease_runs_from_its_claim_and_not_from_the_start_of_a_long_round(mailbox: Any) -> None:
    """Behind a slow mail server the last messages of a round would be claimed twice."""
    three_due(World(quick=True))
    keep = mailbox.handle_DATA

    async def slow(*arguments: Any) -> Any:
        time.sleep(0.3)
        return await keep(*arguments)

    mailbox.handle_DATA = slow
    with crash_at_confirmation(3), pytest.raises(Crash):
        send()
    left = Notice.objects.get(sent_at=None)
    assert left.lease_until >= RECORDED + notices.LEASE + dt.timedelta(seconds=0.6)


@pytest.mark.django_db(transaction=True)
def test_two_senders_at_once_send_everything_once(mailbox: Any) -> None:
    world = World(quick=True)
    for _ in range(3):
        three = world.filed(at=RECORDED)
        assert three
    sent = at_once(*[send] * 3)
    assert sum(sent) == 9, sent
    identities = [received.message["Message-ID"] for received in mailbox.messages]
    assert len(identities) == len(set(identities)) == 9


# --- refused, for now and for good -----------------------------------------------------------------


@pytest.mark.parametrize("answer", ["451 try again later", "421 too busy", "452 too much"])
def test_a_temporary_failure_waits_and_is_tried_again_under_the_same_message_id(
    world: World, mailbox: Any, answer: str
) -> None:
    world.raised()
    mailbox.refuse_with = answer
    assert send() == 0
    notice = Notice.objects.get()
    assert (notice.sent_at, notice.failed_at, notice.attempts) == (None, None, 1)
    assert notice.due_at == RECORDED + notices.WAITS[0]
    mailbox.refuse_with = None
    assert [send(notice.due_at - SOON), send(notice.due_at)] == [0, 1]
    assert mailbox.messages[0].message["Message-ID"] == f"<{notice.pk}@dissent.council.example>"


def test_the_waits_grow_and_then_it_is_tried_for_good(world: World, mailbox: Any) -> None:
    world.raised()
    mailbox.refuse_with = "451 try again later"
    at, waited = RECORDED, []
    for _ in range(12):
        send(at)
        due = Notice.objects.get().due_at
        waited.append(due - at)
        at = due
    assert all(shorter <= longer for shorter, longer in pairwise(waited))
    assert waited[0] == dt.timedelta(minutes=1)
    assert waited[-1] == waited[-2] == dt.timedelta(hours=4)
    mailbox.refuse_with = None
    assert send(at) == 1


def test_while_the_mail_server_is_away_one_try_a_round_is_enough(world: World, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", _a_closed_port()
    three_due(world)
    assert send() == 0
    assert sorted(Notice.objects.values_list("attempts", flat=True)) == [0, 0, 1]
    assert not Notice.objects.exclude(failed_at=None).exists()


@pytest.mark.parametrize("stage", ["address", "message"])
def test_what_is_refused_for_good_becomes_a_task_and_stops_no_other(
    world: World, mailbox: Any, stage: str
) -> None:
    three_due(world)
    keep = mailbox.handle_DATA

    async def handle_rcpt(server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("chair@") and stage == "address":
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_data(server: Any, session: Any, envelope: Any) -> str:
        if envelope.rcpt_tos == ["chair@testshire.example"] and stage == "message":
            return "554 not wanted"
        return str(await keep(server, session, envelope))

    mailbox.handle_RCPT, mailbox.handle_DATA = handle_rcpt, handle_data
    assert send() == 2
    failed = Notice.objects.get(failed_at__isnull=False)
    assert (failed.to, failed.failed_at, failed.sent_at) == (world.chair, RECORDED, None)
    assert "chair@" not in failed.failure
    assert send(RECORDED + dt.timedelta(days=30)) == 0


def test_an_address_that_no_message_can_be_written_to_stops_no_other(world: World, mailbox: Any) -> None:
    three_due(world)
    Person.objects.filter(pk=world.chair.pk).update(email="chair\n@testshire.example")
    assert send() == 2
    assert Notice.objects.get(failed_at__isnull=False).to == world.chair


def test_the_log_says_which_notice_failed_and_never_to_whom(
    world: World, mailbox: Any, caplog: pytest.LogCaptureFixture
) -> None:
    world.raised()
    mailbox.refuse_with = "451 teacher@testshire.example is busy"
    send()
    assert "notice not sent" in caplog.text
    assert "teacher" not in caplog.text + str([vars(record) for record in caplog.records])

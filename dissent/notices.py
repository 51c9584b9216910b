"""Notices: who is told that there is something to read, and how it gets to them.

A notice says a reference and a link, nothing else. The table is the outbox: a row in the transaction
that made it due, claimed, sent and confirmed in three separate steps, so that a process that dies
anywhere leaves something to find.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import smtplib
import time
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import models, transaction
from django.template.loader import render_to_string

from councils.models import Person
from dissent.models import Dissent, Letter, Notice
from dissent.models.panel import present_as

log = logging.getLogger(__name__)

ADMINISTRATOR = "administrator"
LEASE = dt.timedelta(minutes=2)
"""Longer than the mail server may take for one message."""
WAITS = [dt.timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30, 60, 120, 240)]
"""Growing waits after a temporary failure; after the last it is tried every four hours for good."""


def addressees(dissent: Dissent, names: Iterable[str], *, at: dt.datetime) -> dict[Person, str]:
    """Return the people of the case that `names` mean, each once, with the path that is theirs to open.

    A role that nobody holds falls to its deputies in order, and then to the administrators: they read no
    case, and their own page says what is missing.
    """
    found: dict[Person, str] = {}
    for name in names:
        people, path = _people(dissent, name, at=at), f"/dissents/{dissent.pk}/"
        if name == "chair" and dissent.conference is None:
            continue  # nobody lacks: it is not known yet whose conference it was
        if name in dissent.rules.roles and (name == ADMINISTRATOR or not people):
            people, path = _holders(dissent, (ADMINISTRATOR,), at=at), "/work/"
        for person in people:
            found.setdefault(person, path)
    return found


def tell(dissent: Dissent, to: Iterable[str], *, occasion: str, once: str, at: dt.datetime) -> None:
    """Put a notice about the case into the outbox for everyone that `to` means.

    `once` with the person is what may be said only once.
    """
    Notice.objects.bulk_create(
        [
            Notice(
                council_id=dissent.council_id,
                to=person,
                occasion=occasion,
                once=f"{once}:{person.pk}",
                reference=dissent.reference,
                path=path,
                dissent=dissent,
                due_at=at,
            )
            for person, path in addressees(dissent, to, at=at).items()
        ],
        ignore_conflicts=True,
    )


def send_letter(letter: Letter, *, at: dt.datetime) -> None:
    """Put the notice that a letter is there to read into the outbox."""
    Notice.objects.bulk_create(
        [
            Notice(
                council_id=letter.council_id,
                to=letter.to,
                occasion="letter",
                once=f"letter-{letter.pk}:{letter.to_id}",
                reference=letter.dissent.reference,
                path=f"/letters/{letter.pk}/",
                dissent_id=letter.dissent_id,
                letter=letter,
                due_at=at,
            )
        ],
        ignore_conflicts=True,
    )


def take_back(letter: Letter, *, once: str, at: dt.datetime) -> None:
    """Put the notice that a letter is not to be relied on any more into the outbox, for whoever has it."""
    if not (letter.is_issued and letter.to_id):
        return
    Notice.objects.bulk_create(
        [
            Notice(
                council_id=letter.council_id,
                to=letter.to,
                occasion="letter_taken_back",
                once=f"{once}-{letter.pk}:{letter.to_id}",
                reference=letter.dissent.reference,
                path=f"/letters/{letter.pk}/",
                dissent_id=letter.dissent_id,
                letter=letter,
                due_at=at,
            )
        ],
        ignore_conflicts=True,
    )


def send_due(*, at: dt.datetime, most: int = 200) -> int:
    """Send what the outbox holds at `at`. Returns how many messages the mail server took.

    One connection for the lot, opened only where there is something to send. A message that fails is kept
    with why and tried again later, and never stops the others; a server that is away ends the round.
    """
    sent = 0
    began = time.monotonic()
    connection = get_connection(fail_silently=False)
    try:
        for _ in range(most):
            # A lease runs from its own claim: behind a slow server a round outlasts it.
            gone = dt.timedelta(seconds=time.monotonic() - began)
            notice = _claim(at=at, until=at + gone + LEASE)
            if notice is None:
                break
            try:
                connection.open()
            except (OSError, smtplib.SMTPException) as failure:
                _failed(notice, failure, at=at)
                break
            try:
                _message(notice, connection).send(fail_silently=False)
            except (OSError, smtplib.SMTPException, ValueError) as failure:
                _failed(notice, failure, at=at)
                if isinstance(failure, smtplib.SMTPServerDisconnected):
                    break  # after a full wait for its answer, or at once: either way it is away
                _hang_up(connection)
            else:
                _confirmed(notice, at=at)
                sent += 1
    finally:
        _hang_up(connection)
    return sent


def _people(dissent: Dissent, name: str, *, at: dt.datetime) -> list[Person]:
    match name:
        case "dissenter":
            return [dissent.dissenter]
        case "chair":
            return [dissent.conference.chair] if dissent.conference else []
        case "professionals_present":
            return list(
                Person.objects.filter(
                    attendances__conference=dissent.conference_id,
                    attendances__capacity="professional",
                    attendances__present=True,
                    attendances__replaced_at=None,
                )
            )
        case "panel_members" | "panel_chair":
            if dissent.panel is None:
                return []
            seats = [seat for seat in dissent.panel.seats.select_related("person") if seat.holds]
            return [seat.person for seat in seats if name == "panel_members" or seat.is_chair]
    return _holders(dissent, dissent.rules.with_deputies(name), at=at)


def _holders(dissent: Dissent, roles: Iterable[str], *, at: dt.datetime) -> list[Person]:
    """Return whoever holds the first of `roles` that somebody holds who is not away.

    Whoever dissented or chaired the conference holds none in this case.
    """
    chair = dissent.conference.chair_id if dissent.conference else None
    for role in roles:
        present = present_as((role,), council_id=dissent.council_id, at=at)
        if holders := list(present.exclude(pk__in=(dissent.dissenter_id, chair))):
            return holders
    return []


def _hang_up(connection: BaseEmailBackend) -> None:
    """Close the connection; one that the server has cut already is no matter."""
    with contextlib.suppress(OSError, smtplib.SMTPException):
        connection.close()


def _claim(*, at: dt.datetime, until: dt.datetime) -> Notice | None:
    """Take the oldest notice due, so that no other sender takes it before `until`."""
    with transaction.atomic():
        notice = (
            Notice.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("to")
            .filter(sent_at=None, failed_at=None, due_at__lte=at)
            .filter(models.Q(lease_until=None) | models.Q(lease_until__lte=at))
            .order_by("due_at")
            .first()
        )
        if notice is None:
            return None
        notice.lease_until = until
        notice.attempts += 1
        notice.save(update_fields=["lease_until", "attempts"])
    return notice


def _confirmed(notice: Notice, *, at: dt.datetime) -> None:
    notice.sent_at, notice.lease_until, notice.failure = at, None, ""
    notice.save(update_fields=["sent_at", "lease_until", "failure"])


def _failed(notice: Notice, failure: Exception, *, at: dt.datetime) -> None:
    """Wait longer each time; what is refused for good is a task for a person."""
    notice.failure = type(failure).__name__
    notice.lease_until = None
    if _is_final(failure):
        notice.failed_at = at
    else:
        notice.due_at = at + WAITS[min(notice.attempts, len(WAITS)) - 1]
    notice.save(update_fields=["failure", "lease_until", "failed_at", "due_at"])
    log.warning("notice not sent", extra={"notice": str(notice.pk), "failure": notice.failure})


def _is_final(failure: Exception) -> bool:
    match failure:
        case smtplib.SMTPRecipientsRefused():
            return all(code >= 500 for code, _ in failure.recipients.values())
        case smtplib.SMTPDataError():
            return failure.smtp_code >= 500
    return isinstance(failure, ValueError)  # no message can be written to such an address


def _message(notice: Notice, connection: BaseEmailBackend) -> EmailMessage:
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    return EmailMessage(
        subject=f"{notice.reference}: something to read or to do",
        body=render_to_string(
            "emails/notice.txt", {"reference": notice.reference, "link": f"{settings.SITE_URL}{notice.path}"}
        ),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[notice.to.email],
        headers={"Message-ID": notice.message_id(host), "Auto-Submitted": "auto-generated"},
        connection=connection,
    )

"""The demonstration's post: every message that the embedded default wrote, and who there is to sign in as.

It exists only with demonstration data, for a browser on the same machine. Production refuses to start so.
"""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.urls import path

from councils.models import Person
from dissent.views.common import day_and_time, needs, show

AT_MOST = 40
BETWEEN = b"\n" + b"-" * 79 + b"\n"
"""What the file backend writes after each message."""
LINK = re.compile(r"https?://[^\s<>\"]+")


@dataclass(frozen=True)
class Message:
    to: str
    subject: str
    sent: str
    body: list[dict[str, str]]


def messages(request: HttpRequest) -> HttpResponse:
    """Show the newest messages, all of them or those to one address, and the people to sign in as."""
    needs(settings.DEMONSTRATION and _is_on_this_machine(request))
    to = request.GET.get("to", "")
    found = [each for each in _written() if to in ("", each.to)][:AT_MOST]
    return show(request, "messages.html", council=None, found=found, to=to, people=_people())


def _is_on_this_machine(request: HttpRequest) -> bool:
    """Say whether the browser runs here, and nothing passes its requests on."""
    if "HTTP_X_FORWARDED_FOR" in request.META or "HTTP_FORWARDED" in request.META:
        return False
    host, _ = split_domain_port(request.get_host())
    try:
        peer = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return peer.is_loopback and host in {"127.0.0.1", "localhost", "[::1]"}


def _written() -> list[Message]:
    """Return the messages in the folder of the file backend, the newest first."""
    folder = Path(getattr(settings, "EMAIL_FILE_PATH", None) or "/nonexistent")
    files = sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    parts = [part for file in files[:AT_MOST] for part in reversed(file.read_bytes().split(BETWEEN))]
    return [_message(part) for part in parts if part.strip()]


def _message(written: bytes) -> Message:
    said = email.message_from_bytes(written, policy=email.policy.default)
    body = said.get_body(("plain",))
    sent = said["Date"].datetime if said["Date"] else None
    if sent and sent.tzinfo is None:  # "-0000" says UTC, and that nobody knows the sender's own time
        sent = sent.replace(tzinfo=dt.UTC)
    return Message(
        to=str(said["To"] or ""),
        subject=str(said["Subject"] or ""),
        sent=day_and_time(sent),
        body=_with_links(body.get_content() if body else ""),
    )


def _with_links(text: str) -> list[dict[str, str]]:
    """Return the text in pieces; a piece that links to this installation says where."""
    pieces, end = [], 0
    for link in LINK.finditer(text):
        href = link.group().removeprefix(settings.SITE_URL)
        if href.startswith("/"):
            pieces += [{"words": text[end : link.start()]}, {"words": link.group(), "href": href}]
            end = link.end()
    return [*pieces, {"words": text[end:]}]


def _people() -> list[dict[str, Any]]:
    """Return the people of the demonstration for components/people.html, with how they sign in."""
    from dissent.management.commands.demo import PASSWORD  # loads what the web server needs nowhere else

    return [
        {
            "name": person.name,
            "role": person.job or "No job on record",
            "agency": person.agency.name if person.agency else "",
            "note": f"{person.email}, with the password {PASSWORD}"
            if person.has_usable_password()
            else f"{person.email}, with a code",
            "href": f"?to={person.email}",
            "action": "Messages",
            "what": f"to {person.name}",
        }
        for person in Person.objects.filter(is_active=True).select_related("agency").order_by("name", "pk")
    ]


urlpatterns = [path("demonstration/messages/", messages, name="messages")]

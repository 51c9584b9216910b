"""Somebody signed in, over HTTP and without a browser; and several who press at the same moment."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import urlencode

from django.conf import settings as django_settings
from django.test import Client
from django.utils.crypto import get_random_string

from councils.models import Person


@dataclass
class Answer:
    status: int
    location: str
    body: str

    @property
    def words(self) -> str:
        return unescape(self.body)


class Desk:
    """Somebody signed in, at a desk of their own. Each request has a connection of its own."""

    def __init__(self, live: Any, person: Person) -> None:
        client = Client()
        client.force_login(person)
        session = client.cookies[django_settings.SESSION_COOKIE_NAME].value
        self._token = get_random_string(32)
        cookies = {
            django_settings.SESSION_COOKIE_NAME: session,
            django_settings.CSRF_COOKIE_NAME: self._token,
        }
        self._cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        self._port = live.port

    def get(self, address: str) -> Answer:
        return self._send("GET", address, "")

    def post(self, address: str, **said: Any) -> Answer:
        return self._send(
            "POST", address, urlencode({"csrfmiddlewaretoken": self._token, **said}, doseq=True)
        )

    def _send(self, method: str, address: str, body: str) -> Answer:
        peer = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            headers = {"Cookie": self._cookie, "Content-Type": "application/x-www-form-urlencoded"}
            peer.request(method, address, body, headers)
            answer = peer.getresponse()
            return Answer(answer.status, answer.headers.get("Location", ""), answer.read().decode())
        finally:
            peer.close()


def at_once(*acts: Callable[[], Answer]) -> list[Answer]:
    """Start every act at the same moment, each in a thread; return the answers in the same order."""
    ready = threading.Barrier(len(acts))
    gave: list[Any] = [None] * len(acts)

    def run(number: int) -> None:
        ready.wait(timeout=30)
        try:
            gave[number] = acts[number]()
        except Exception as raised:
            gave[number] = raised

    threads = [threading.Thread(target=run, args=[number]) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert all(isinstance(answer, Answer) for answer in gave), gave
    return gave

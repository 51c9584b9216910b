"""Somebody at a desk: a browser, and the ways to sign in and to fill in a page."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

from councils.models import Person
from tests.journeys.look import land

PASSWORD = "a-password-for-tests-only"


class Desk:
    """One person's browser, driven by the words on links and buttons, as the person would."""

    def __init__(self, page: Page, mailbox: Any, person: Person, look: Callable[[Page], None]) -> None:
        self.page, self.mailbox, self.person, self._look = page, mailbox, person, look

    def sign_in(self, path: str = "/work/") -> None:
        """Sign in, with a password or with a code sent by e-mail, on the way to `path`."""
        self.goto(path)
        if self.person.has_usable_password():
            self.page.get_by_label("E-mail address").fill(self.person.email)
            self.page.get_by_role("textbox", name="Password").fill(PASSWORD)
            land(self.page, self.page.get_by_role("button", name="Sign in", exact=True))
        else:
            before = len(self._codes())
            land(self.page, self.page.get_by_role("button", name="Send me a code"))
            self.page.get_by_label("Your e-mail address").fill(self.person.email)
            self.press("Send the code")
            self.page.get_by_label("Sign-in code").fill(self._next_code(before))
            self.press("Sign in")
        expect(self.page).to_have_url(re.compile(re.escape(path) + "$"))
        self._look(self.page)

    def prove_address(self) -> None:
        """Come by the second way in, with nothing but an e-mail address."""
        self.goto("/")
        self.open("begin your dissent here")
        before = len(self._codes())
        self.page.get_by_label("Your e-mail address").fill(self.person.email)
        self.press("Send the code")
        self.page.get_by_label("Sign-in code").fill(self._next_code(before))
        self.press("Continue")

    def goto(self, path: str) -> None:
        self.page.goto(path)
        self._look(self.page)

    def open(self, words: str) -> None:
        """Follow the link with these words."""
        land(self.page, self._link(words))
        self._look(self.page)

    def download(self, words: str) -> bytes:
        """Follow the link with these words to a file, and return its bytes."""
        with self.page.expect_download() as download:
            self._link(words).click()
        return download.value.path().read_bytes()

    def press(self, words: str) -> None:
        land(self.page, self.page.get_by_role("button", name=words, exact=True))
        self._look(self.page)

    def go_on(self) -> None:
        """Press the first button of the page's form."""
        land(self.page, self.page.locator("main form button[type=submit]").first)
        self._look(self.page)

    def fill(self, **fields: Any) -> None:
        """Fill in fields by their names: text, a choice, a date, or a date with a time."""
        for name, value in fields.items():
            match value:
                case dt.datetime():
                    self._boxes(name, value)
                    self.page.locator(f"[name={name}_time]").fill(f"{value:%H:%M}")
                case dt.date():
                    self._boxes(name, value)
                case _:
                    self._one(name, str(value))

    def sees(self, words: str) -> None:
        expect(self.page.get_by_text(words).first).to_be_visible()

    def attach(self, name: str, data: bytes, *, called: str) -> None:
        file = {"name": called, "mimeType": "application/pdf", "buffer": data}
        self.page.locator(f"[name={name}]").set_input_files(file)

    def _link(self, words: str) -> Locator:
        links, buttons = (self.page.get_by_role(role, name=words) for role in ("link", "button"))
        return links.or_(buttons).first

    def _one(self, name: str, value: str) -> None:
        field = self.page.locator(f"[name={name}]")
        kind = field.first.get_attribute("type")
        if kind in {"radio", "checkbox"}:
            self.page.locator(f"[name={name}][value='{value}']").check()
        elif field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(label=value)
        else:
            field.fill(value)

    def _boxes(self, name: str, on: dt.date) -> None:
        for part in ("day", "month", "year"):
            self.page.locator(f"[name={name}_{part}]").fill(str(getattr(on, part)))

    def _codes(self) -> list[str]:
        texts = [received.text for received in self.mailbox.to(self.person.email)]
        line = re.compile(r"(?m)^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$")
        return [found[1] for text in texts if (found := line.search(text))]

    def _next_code(self, known: int) -> str:
        deadline = time.monotonic() + 15
        while len(found := self._codes()) <= known and time.monotonic() < deadline:
            time.sleep(0.05)
        return found[-1]

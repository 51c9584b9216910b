"""Families as they come, drawn by lot from a seed, with a mark in every name, address and text.

What each person may read is worked out here from how the family was drawn, and never asked of the product.
A surname is shared by many, so the mark stands in the first name.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core import mail
from django.test import Client

from dissent import actions, letters, notices
from dissent.actions import Found
from dissent.models import Child, Conference, Dissent, LedgerEntry, Letter, Notice, Relative
from tests.world import HELD, RECORDED, World, when

SURNAMES = ("Alder", "Birch", "Cedar")
A_MARK = re.compile(r"zq\d+x", re.IGNORECASE)
AT = when("2026-03-16 13:00")
NOW = when("2026-03-17 09:00")


@dataclass
class Somebody:
    """A person of a family: what they may read, and how it should get to them."""

    name: str
    own: set[str]
    rows: list[Relative] = field(default_factory=list)
    hears_of: set[str] = field(default_factory=set)
    open: bool = False
    way: str = "printed"
    email: str = ""
    held: bool = False


@dataclass
class Family:
    conference: Conference
    children: dict[str, Child]
    """By the mark of the child."""
    plain: dict[str, str]
    """The mark of what is said plainly about a child, by the mark of the child."""
    people: list[Somebody] = field(default_factory=list)
    dissent: Dissent | None = None

    def may_read(self, somebody: Somebody) -> set[str]:
        """Return the marks that may stand in anything that this person is given."""
        if somebody.open or somebody.held:
            return set()
        return somebody.own | somebody.hears_of | {self.plain[mark] for mark in somebody.hears_of}


class Families:
    """Draws families and takes each to its released letters through the real actions."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.lot, self.count = world, random.Random(seed), 0  # noqa: S311
        self.families: list[Family] = []
        self.known: list[tuple[str, str, str]] = []
        """Mothers told by e-mail, perhaps of another child elsewhere: name, address and mark."""

    def mark(self) -> str:
        self.count += 1
        return f"zq{self.count}x"

    def draw(self) -> Family:
        lot, world = self.lot, self.world
        conference = world.conference(children=0)
        family = Family(conference, {}, {})
        surname = lot.choice(SURNAMES)
        for number in range(lot.randint(1, 3)):
            self._child(family, surname, unborn=number == 2)
        marks = list(family.children)
        mother = self._mother(family, surname)
        for mark in marks:
            self._row(family, mother, mark)
        father = self._person(
            family, f"{self.mark()} {lot.choice(SURNAMES)}", lot.choice(["post", "email", ""])
        )
        for mark in marks[: lot.randint(1, len(marks))]:
            self._row(family, father, mark, may=lot.choice(["yes", "yes", "no", "ask", ""]))
        if len(marks) > 1 and lot.random() < 0.6:  # the half-sibling's father
            other = self._person(family, f"{self.mark()} {surname}", lot.choice(["email", "by_hand"]))
            self._row(family, other, marks[-1], may=lot.choice(["yes", "yes", "ask"]))
        if lot.random() < 0.3:  # who uses the mother's address for e-mail
            self._shares(family, mother, marks[0])
        if lot.random() < 0.2:  # who gave an address that is a professional's
            carer = self._person(family, f"{self.mark()} {surname}", "", email=world.nurse.email)
            self._row(family, carer, marks[0])
        self._decide(family)
        self._afterwards(family, mother)
        self.families.append(family)
        return family

    # --- who there is --------------------------------------------------------------------------------

    def _child(self, family: Family, surname: str, *, unborn: bool) -> None:
        mark, plain = self.mark(), self.mark()
        family.children[mark] = actions.add_child(
            conference=family.conference,
            name=f"{mark} {surname}",
            born_on=None if unborn else dt.date(2018, 5, 1),
            due_on=dt.date(2026, 6, 1) if unborn else None,
            decision="not_made",
            category="",
            record_number=self.mark(),
            by=self.world.conference_administrator,
            at=RECORDED,
        )
        family.plain[mark] = plain

    def _mother(self, family: Family, surname: str) -> Somebody:
        if self.known and self.lot.random() < 0.3:
            name, email, mark = self.lot.choice(self.known)
            return self._person(family, name, "email", email=email, own={mark, *A_MARK.findall(email)})
        mother = self._person(family, f"{self.mark()} {surname}", self.lot.choice(["post", "email", "email"]))
        return mother

    def _person(
        self, family: Family, name: str, contact: str, *, email: str = "", own: set[str] | None = None
    ) -> Somebody:
        somebody = Somebody(name=name, own=own or set(A_MARK.findall(name)))
        somebody.way = contact or "printed"
        if contact == "email":
            somebody.email = email or f"{self.mark()}@family.example"
        elif email:
            somebody.email = email  # one that must not be used
        family.people.append(somebody)
        return somebody

    def _row(self, family: Family, somebody: Somebody, child: str, *, may: str = "yes") -> None:
        contact, details = somebody.way, ""
        if somebody.email:
            contact, details = "email", somebody.email
        elif contact == "post":
            address = self.mark()
            details = f"{self.lot.randint(1, 9)} {address} Street\n{address} Town"
            if not somebody.rows:
                somebody.own |= {address}
        elif contact == "by_hand":
            details = f"Worker {self.mark()}"
        facts: dict[str, Any] = {"may_be_told": may, "may_be_told_why": f"Because {self.mark()}"}
        if somebody.rows:
            facts["same_as"] = somebody.rows[0]
        else:
            facts |= {"name": somebody.name, "contact": "" if contact == "printed" else contact}
            facts["details"] = details
        row = self.world.relative(
            family.children[child],
            relation=f"relation {self.mark()}",
            language=f"{self.mark()}" if not somebody.rows else "",
            **facts,
        )
        somebody.rows.append(row)
        if may == "yes":
            somebody.hears_of.add(child)
        if may in {"ask", ""}:
            somebody.open = True

    def _shares(self, family: Family, mother: Somebody, child: str) -> None:
        if mother.way != "email":
            return
        other = self._person(family, f"{self.mark()} {self.lot.choice(SURNAMES)}", "", email=mother.email)
        other.way = mother.way = "printed"
        # From now on it is an address of two names, in any conference.
        self.known = [known for known in self.known if known[1] != mother.email]
        self._row(family, other, child)

    # --- what happens --------------------------------------------------------------------------------

    def _decide(self, family: Family) -> None:
        world = self.world
        dissent = world.sat_about(family.conference, who=self.lot.choice(["teacher", "officer"]))
        outcome = self.lot.choice(["upheld", "not_upheld"])
        found = {
            child: Found(
                outcome=outcome,
                ground="A" if outcome == "upheld" else "",
                reasons=f"Professional {self.mark()}",
                plain_reasons=f"The panel said {family.plain[mark]}.",
            )
            for mark, child in family.children.items()
        }
        actions.decide(dissent=dissent, findings=found, by=world.superintendent, at=AT)
        family.dissent = Dissent.objects.get(pk=dissent.pk)

    def _afterwards(self, family: Family, mother: Somebody) -> None:
        lot, world, dissent = self.lot, self.world, family.dissent
        by = world.business_manager
        for somebody in family.people:
            if somebody.open and lot.random() < 0.6:
                self._answer(family, somebody)
        if lot.random() < 0.25:
            held = lot.choice(family.people)
            actions.hold_back(
                dissent=dissent, who=held.rows[0].who, kind="court", why=self.mark(), by=by, at=NOW
            )
            held.held = True
        if mother.way == "email" and mother.email not in {email for _, email, _ in self.known}:
            if lot.random() < 0.4:
                self._moves(mother)
            else:
                (mark,) = A_MARK.findall(mother.name)
                self.known.append((mother.name, mother.email, mark))
        world.released(dissent)
        family.dissent = Dissent.objects.get(pk=dissent.pk)

    def _answer(self, family: Family, somebody: Somebody) -> None:
        for mark, child in family.children.items():
            for row in somebody.rows:
                if row.child_id != child.pk or row.may_be_told not in {"ask", ""}:
                    continue
                may = self.lot.random() < 0.5
                actions.answer_for_family(
                    dissent=family.dissent,
                    who=row.who,
                    child=child,
                    may=may,
                    said_by=f"Worker {self.mark()}",
                    why=self.mark(),
                    by=self.world.business_manager,
                    at=NOW,
                )
                if may:
                    somebody.hears_of.add(mark)
        somebody.open = False

    def _moves(self, mother: Somebody) -> None:
        somebodys = f"{self.mark()}@family.example"
        actions.change_contact(
            relative=mother.rows[0],
            contact="email",
            contact_details=somebodys,
            contact_confirmed_safe_by="Worker",
            contact_confirmed_safe_on=HELD.date(),
            because=f"Moved {self.mark()}",
            by=self.world.conference_administrator,
            at=NOW,
        )
        mother.email = somebodys

    # --- what is wrong -------------------------------------------------------------------------------

    def wrong(self) -> Iterator[str]:
        """Give a sentence for each thing that somebody was given and should not have been, or was not."""
        by_name: dict[str, set[str]] = {}
        for family in self.families:
            yield from self._wrong_letters(family)
            for somebody in family.people:
                by_name.setdefault(somebody.email, set()).update(family.may_read(somebody) | somebody.own)
        yield from self._wrong_pages(by_name)
        yield from self._wrong_messages()

    def _wrong_letters(self, family: Family) -> Iterator[str]:
        there = {letter.who: letter for letter in family.dissent.letters.in_force().exclude(who=None)}
        for somebody in family.people:
            letter = there.pop(somebody.rows[0].who, None)
            due = somebody.hears_of and not somebody.open
            if bool(letter) != bool(due):
                yield f"{somebody.name}: {'has a letter' if letter else 'has no letter'}"
            if letter is None:
                continue
            if somebody.held and letter.released_at:
                yield f"{somebody.name}: held back, and released"
            said = {f"{each.name}" for each in letter.about.all()}
            hears = {family.children[mark].name for mark in somebody.hears_of}
            if said != hears:
                yield f"{somebody.name}: about {said}, not {hears}"
            if letter.goes_by != somebody.way or (letter.to and letter.to.email != somebody.email):
                yield f"{somebody.name}: goes by {letter.goes_by} to {letter.to}, not by {somebody.way}"
            own = somebody.own | somebody.hears_of | {family.plain[mark] for mark in somebody.hears_of}
            for words in (json.dumps(letter.says), letters.page(letter), letter.addressee):
                if strange := set(A_MARK.findall(words)) - own:
                    yield f"{somebody.name}: the letter says {strange}"
                if named := [person.name for person in self._staff() if person.name in words]:
                    yield f"{somebody.name}: the letter names {named}"
        yield from (f"{letter.addressee}: a letter to nobody of the family" for letter in there.values())
        of_children = set(family.children)
        private = {mark for one in family.people for mark in one.own} | set(family.plain.values())
        for letter in family.dissent.letters.in_force().filter(who=None):
            if strange := set(A_MARK.findall(json.dumps(letter.says))) & (private - of_children):
                yield f"{letter.addressee}: a professional’s letter says {strange}"

    def _staff(self) -> list[Any]:
        return [
            self.world.people[key] for key in ("teacher", "officer", "nurse", "superintendent", "head_nurse")
        ]

    def _wrong_pages(self, by_email: dict[str, set[str]]) -> Iterator[str]:
        readers = {letter.to for letter in Letter.objects.exclude(who=None).exclude(to=None)}
        every = list(Letter.objects.exclude(who=None).filter(made_at__isnull=False))
        for reader in sorted(readers, key=lambda one: one.email):
            own = by_email.get(reader.email, set()) | set(A_MARK.findall(reader.name + reader.email))
            client = Client()
            client.force_login(reader)
            theirs = [letter for letter in every if letter.to_id == reader.pk]
            addresses = ["/work/", *(f"/letters/{letter.pk}/" for letter in theirs)]
            for address in addresses:
                if strange := set(A_MARK.findall(client.get(address).content.decode())) - own:
                    yield f"{reader.email}: {address} shows {strange}"
            others = self.lot.sample(every, k=min(3, len(every)))
            for letter in others:
                readable = letter.to_id == reader.pk and letter.released_at and not letter.replaced_at
                for page in ("", "letter.pdf"):
                    status = client.get(f"/letters/{letter.pk}/{page}").status_code
                    if (status == 200) != bool(readable):
                        yield f"{reader.email}: {status} for the letter to {letter.addressee}"
            for family in self.lot.sample(self.families, k=min(2, len(self.families))):
                for address in (f"/dissents/{family.dissent.pk}/", f"/conferences/{family.conference.pk}/"):
                    if client.get(address).status_code != 404:
                        yield f"{reader.email}: opens {address}"

    def _wrong_messages(self) -> Iterator[str]:
        mail.outbox = []
        while notices.send_due(at=NOW + dt.timedelta(hours=1)):
            pass
        for message in mail.outbox:
            said = f"{message.subject} {message.body}"
            if A_MARK.search(said) or len(message.recipients()) != 1:
                yield f"{message.recipients()}: {said}"
        told = {email.lower() for message in mail.outbox for email in message.recipients()}
        issued = Letter.objects.in_force().exclude(who=None).exclude(released_at=None).exclude(to=None)
        family = {email for email in told if email.endswith("@family.example")}
        if family != {letter.to.email for letter in issued}:
            yield f"told by e-mail: {family ^ {letter.to.email for letter in issued}}"
        for notice in Notice.objects.exclude(letter=None).select_related("letter"):
            if notice.to_id != notice.letter.to_id:
                yield f"a notice of the letter to {notice.letter.addressee} goes to {notice.to}"
        for entry in LedgerEntry.objects.values_list().iterator():
            if A_MARK.search(str(entry)):
                yield f"the ledger says {entry}"

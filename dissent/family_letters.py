"""Letters to families: to whom, about which children, by which way, and in which words.

A letter to the wrong parent has moved families out of their homes. So nothing is guessed here: who is one
person was said, who may hear of a child was answered, and an address that could be somebody else's is not
used. What a reader may not learn is never put in, so nothing has to be taken out.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils import timezone

from councils.models import Person
from councils.procedure import Letter as Rule
from councils.procedure import Procedure
from councils.wording import kept_apart, substitute
from dissent.letters import ACCENTS, decided_on, in_words, listed, say_the_same, take_the_place
from dissent.models import (
    Attendance,
    Child,
    Conference,
    Decision,
    Dissent,
    FamilyReader,
    Finding,
    Letter,
    Relative,
    ledger,
    readers_of,
)

GoesBy = Letter.GoesBy


@dataclass(frozen=True)
class Way:
    """How a letter gets to its reader. `why` says why an e-mail address is not used."""

    goes_by: GoesBy
    email: str = ""
    why: str = ""


# --- made, and made again --------------------------------------------------------------------------


def rules_of(dissent: Dissent, decision: Decision) -> tuple[Rule, ...]:
    """Return the letters to families that `decision` brings."""
    stage = dissent.rules.stage(decision.stage)
    return dissent.rules.family_letters(decision.stage, decision.meanings(stage))


def bring_up_to_date(
    dissent: Dissent, decision: Decision, *, because: str, by: Person | None, at: dt.datetime
) -> list[Letter]:
    """Let each letter to a family say, and go where, the record has it now. Returns what was made or ended.

    A letter that was issued stays: it was read. One that was not is ended and written anew.
    """
    changed: list[Letter] = []
    rules = rules_of(dissent, decision)
    if not rules:
        return changed
    there = {
        (letter.rule, letter.who): letter
        for letter in Letter.objects.in_force().filter(decision=decision, who__isnull=False)
    }
    for rule in rules:
        for reader in readers_of(dissent, decision):
            before = there.pop((rule.key, reader.who), None)
            if before and before.is_issued:
                continue
            new = _written(dissent, decision, rule, reader, at=at) if reader.has_a_letter else None
            if before and new and say_the_same(before, new):
                continue
            if before:
                _end(before, because=because, by=by, at=at)
                changed.append(before)
            if new:
                if before:
                    take_the_place(new, of=before)
                new.save()
                new.about.set(reader.hears_of)
                changed.append(new)
    for left in there.values():
        if not left.is_issued:
            _end(left, because=because, by=by, at=at)
            changed.append(left)
    return changed


def is_up_to_date(dissent: Dissent, letter: Letter, *, at: dt.datetime) -> bool:
    """Say whether the letter would be written the same, to the same reader, from the record as it is now."""
    readers = {reader.who: reader for reader in readers_of(dissent, letter.decision)}
    rule = next(rule for rule in rules_of(dissent, letter.decision) if rule.key == letter.rule)
    reader = readers.get(letter.who)
    if reader is None or not reader.has_a_letter:
        return False
    return say_the_same(letter, _written(dissent, letter.decision, rule, reader, at=at))


def drafts(
    dissent: Dissent, decision: Decision, *, at: dt.datetime
) -> Iterator[tuple[Letter, tuple[Child, ...]]]:
    """Give each letter to a family as it would be written now, not kept yet, with whom it is about."""
    for rule in rules_of(dissent, decision):
        for reader in readers_of(dissent, decision):
            if reader.has_a_letter:
                yield _written(dissent, decision, rule, reader, at=at), reader.hears_of


def _written(
    dissent: Dissent, decision: Decision, rule: Rule, reader: FamilyReader, *, at: dt.datetime
) -> Letter:
    way = way_to(reader, dissent.conference)
    to = Person.objects.known_by(way.email, name=reader.name) if way.goes_by == GoesBy.EMAIL else None
    return Letter(
        council_id=dissent.council_id,
        dissent=dissent,
        decision=decision,
        rule=rule.key,
        who=reader.who,
        to=to,
        goes_by=way.goes_by,
        addressee=reader.name,
        says=compose(dissent, decision, rule, reader, way, at=at),
        due_since=at,
    )


def _end(letter: Letter, *, because: str, by: Person | None, at: dt.datetime) -> None:
    letter.replaced_at = at
    letter.save(update_fields=["replaced_at"])


# --- by which way ----------------------------------------------------------------------------------


def way_to(reader: FamilyReader, conference: Conference) -> Way:
    """Return how a letter gets to `reader`: by e-mail only where the address is safe and nobody else's."""
    row = reader.rows[0]
    if row.contact == Relative.Contact.POST:
        return Way(GoesBy.POST)
    if row.contact == Relative.Contact.BY_HAND:
        return Way(GoesBy.BY_HAND)
    if row.contact == Relative.Contact.NONE:
        return Way(GoesBy.PRINTED, why="No way of reaching them is known to be safe.")
    email = row.contact_details.strip().lower()
    if why := _why_not_by(email, row, conference):
        return Way(GoesBy.PRINTED, why=why)
    return Way(GoesBy.EMAIL, email=email)


def _why_not_by(email: str, row: Relative, conference: Conference) -> str:
    """Say why a letter does not go to `email`, empty where it may."""
    reached = Relative.objects.in_force().filter(
        council=row.council_id, contact=Relative.Contact.EMAIL, contact_details__iexact=email
    )
    if reached.filter(child__conference=conference).exclude(who=row.who).exists():
        return "Their e-mail address is recorded for somebody else at this conference too."
    if any(not _alike(name, row.name) for name in reached.values_list("name", flat=True)):
        return "Their e-mail address is recorded for somebody of another name."
    of_a_professional = (
        Attendance.objects.in_force()
        .filter(council=row.council_id)
        .filter(models.Q(email__iexact=email) | models.Q(person__email__iexact=email))
    )
    known = Person.objects.filter(email__iexact=email).first()
    if of_a_professional.exists() or (known and (known.agency_id or known.appointments.exists())):
        return "Their e-mail address is a professional’s here."
    if known and not _alike(known.name, row.name):
        return "Whoever signs in with their e-mail address goes by another name."
    if known and not known.is_active:
        return "Whoever signs in with their e-mail address cannot sign in any more."
    return ""


def _alike(one: str, other: str) -> bool:
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


# --- in which words --------------------------------------------------------------------------------


def compose(
    dissent: Dissent, decision: Decision, rule: Rule, reader: FamilyReader, way: Way, *, at: dt.datetime
) -> dict[str, Any]:
    """Return everything that the letter's page is made from, as templates/letters/letter.html asks for it.

    Of the children only those of whom the reader may hear, of the reasons only the plain ones about these,
    of the people nobody but the reader.
    """
    council, stage = dissent.council, dissent.rules.stage(decision.stage)
    own = {child.pk for child in reader.hears_of}
    findings = [finding for finding in decision.findings.select_related("child") if finding.child_id in own]
    children = [finding.child for finding in findings]
    values = _values(dissent, decision, rule, reader, children)
    conference = dissent.conference
    address = reader.rows[0].contact_details.splitlines() if way.goes_by == GoesBy.POST else []
    held_on = in_words(timezone.localdate(conference.held_at))
    return {
        "lang": "en-GB",
        "council": {
            "name": council.name,
            "address_lines": council.address.splitlines(),
            "accent": ACCENTS[council.accent],
        },
        "marking": "Confidential: for the person named below only",
        "date": in_words(timezone.localdate(at)),
        "reference": dissent.reference,
        "addressee_lines": [reader.name, *(line.strip() for line in address if line.strip())],
        "greeting": f"Dear {reader.name}",
        "heading": substitute(rule.heading, values),
        "facts": [
            ["Child" if len(children) == 1 else "Children", values["children"]],
            [conference.get_kind_display(), held_on],
        ],
        "sections": [
            {"title": "", "paragraphs": [substitute(text, values) for text in rule.paragraphs]},
            *_sections(findings, dissent.rules, decision.stage),
            {"title": "What happens next", "paragraphs": [*_next(findings, stage), dissent.rules.meanwhile]},
            {"title": "", "paragraphs": [substitute(text, values) for text in rule.closing]},
        ],
        "closing": "Yours sincerely",
        "signatory": {"name": dissent.rules.words.unit.one, "role": council.name, "mobile": "", "email": ""},
        "footer": f"Ledger {ledger.head_of(council)[:16]}",
    }


def called(child: Child) -> str:
    """Return what a letter to a family calls a child: by name, or an unborn one by when it is expected."""
    if child.name:
        return kept_apart(child.name)
    return f"the baby expected on {in_words(child.due_on)}" if child.due_on else "the baby"


def _values(
    dissent: Dissent, decision: Decision, rule: Rule, reader: FamilyReader, children: list[Child]
) -> dict[str, str]:
    conference, council = dissent.conference, dissent.council
    agency = dissent.attendance.agency
    return {
        "addressee": reader.name,
        "children": listed(called(child) for child in children),
        "conference_date": in_words(timezone.localdate(conference.held_at)),
        "conference_kind": conference.get_kind_display().lower(),
        "council": council.name,
        "dissenter_agency": agency.name if agency else "",
        "front_door": council.front_door,
        "front_door_telephone": council.front_door_telephone,
        "panel_date": in_words(timezone.localdate(decided_on(decision))),
        "reference": dissent.reference,
        "unit": dissent.rules.words.unit.one,
        **({"dissenter": dissent.attendance.name} if rule.names_dissenter else {}),
    }


def _sections(findings: list[Finding], rules: Procedure, stage: str) -> Iterator[dict[str, Any]]:
    """One section for each thing found about the reader's own children."""
    said: dict[tuple[str, str], list[Child]] = {}
    for finding in findings:
        said.setdefault((finding.outcome, finding.plain_reasons), []).append(finding.child)
    for (outcome, reasons), children in said.items():
        words = rules.stage(stage).outcome(outcome).for_family
        title = "What was decided"
        if len(said) > 1:
            title = f"What was decided about {listed(called(child) for child in children)}"
        yield {"title": title, "paragraphs": [*([words.says] if words else []), reasons]}


def _next(findings: list[Finding], stage: Any) -> list[str]:
    words = [stage.outcome(finding.outcome).for_family for finding in findings]
    return list(dict.fromkeys(each.next_door for each in words if each and each.next_door))


# --- what must not stand in them -------------------------------------------------------------------

ALSO_A_WORD = frozenset(
    """
    and april august baby baker bishop black brown child cook faith father flat for grace green hall hope
    house joy june king lane mark may mother north of page parent park peace road rose school street summer
    the uncle aunt unborn west white will wood young
    """.split()  # noqa: SIM905  read as words
)
"""Names that are everyday words: found only where they are written as a name within a sentence."""


def named_in(text: str, dissent: Dissent) -> list[str]:
    """Return what in `text` names or places somebody on the record of the conference, each once.

    Plain reasons go to several readers, who are not entitled to each other's names; so they name nobody, not
    even the child, whom one reader may hear of and another may not.
    """
    return said_in(text, names=_names(dissent), addresses=addresses(dissent.conference))


NO_ADDRESS = (
    "An address on the record of the conference stands in this. Take it out: people read this who must not "
    "learn where somebody lives."
)


def places_somebody(text: str, conference: Conference) -> bool:
    """Say whether a line of an address on the record of the conference stands in `text`."""
    ways = (Relative.Contact.POST, Relative.Contact.EMAIL)
    return bool(said_in(text, names=(), addresses=addresses(conference, ways=ways)))


def said_in(text: str, *, names: Iterable[str], addresses: Iterable[str] = ()) -> list[str]:
    """Return which of these names, or parts of them, and of these lines of addresses stand in `text`."""
    said = _plain(text)
    found = [whole for whole in addresses if _plain(whole) and _plain(whole) in said]
    for name in names:
        if re.search(rf"(?<!\w){re.escape(_plain(name))}(?!\w)", said):
            found.append(name)
            continue
        found += [part for part in re.split(r"[^\w'’]+", name) if _is_named(part, text)]
    return list(dict.fromkeys(found))


def _is_named(part: str, text: str) -> bool:
    if len(part) < 2:
        return False
    if part.casefold() in ALSO_A_WORD:
        return bool(re.search(rf"(?<=[\w,;] ){re.escape(part)}(?!\w)", text)) and part[:1].isupper()
    return bool(re.search(rf"(?<!\w){re.escape(_plain(part))}(?!\w)", _plain(text)))


def _names(dissent: Dissent) -> list[str]:
    conference = dissent.conference
    relatives = Relative.objects.filter(child__conference=conference).values_list("name", flat=True)
    named = [
        *(child.name for child in conference.children.all() if child.name),
        *relatives,
        *conference.attendances.values_list("name", flat=True),
    ]
    return list(dict.fromkeys(named))


def addresses(conference: Conference, *, ways: Iterable[str] = tuple(Relative.Contact)) -> list[str]:
    """Each line of each address that is long enough to place somebody: a street, a postcode, an e-mail."""
    found = Relative.objects.filter(child__conference=conference, contact__in=ways)
    details = found.values_list("contact_details", flat=True)
    lines = (line.strip(" ,.") for each in details for line in re.split(r"[\n,]", each))
    return list(dict.fromkeys(line for line in lines if len(line) >= 5))


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).replace("’", "'").split()).casefold()

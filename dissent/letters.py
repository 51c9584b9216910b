"""Letters: what they say, fixed with the decision; their bytes, made once and never again.

What a reader may learn decides what the letter contains, so each addressee has a letter of their
own. Wording comes from the pinned procedure; its placeholders are substituted, never compiled.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone

from councils.models import Person
from councils.procedure import Letter as Rule
from councils.wording import kept_apart, substitute
from dissent.models import Attendance, Child, Decision, Dissent, Letter, ledger

ACCENTS = {"teal": "#2f5d62", "blue": "#1d4f91", "purple": "#4c2c92", "green": "#1f6f3d"}


@dataclass(frozen=True)
class Addressee:
    """One reader of a letter: picked from the people of the case, never typed."""

    name: str
    lines: tuple[str, ...]
    person: Person | None = None
    attendance: Attendance | None = None


def make_due(dissent: Dissent, decision: Decision, *, at: dt.datetime) -> list[Letter]:
    """Write the letters that `decision` makes due, but for those to families (dissent/family_letters.py).

    Their words are fixed here, in its transaction.
    """
    return Letter.objects.bulk_create(drafts(dissent, decision, at=at))


def drafts(dissent: Dissent, decision: Decision, *, at: dt.datetime) -> Iterator[Letter]:
    """Give each letter of `make_due` as it would be written now, not kept yet."""
    stage = dissent.rules.stage(decision.stage)
    meanings = decision.meanings(stage)
    for rule in dissent.rules.letters:
        if rule.is_for_family or rule.stage != decision.stage or not meanings & set(rule.meanings):
            continue
        for addressee in addressees(dissent, rule):
            letter = Letter(
                council_id=dissent.council_id,
                dissent=dissent,
                decision=decision,
                rule=rule.key,
                attendance=addressee.attendance,
                to=addressee.person,
                addressee=", ".join(addressee.lines),
                says=compose(dissent, decision, rule, addressee, at=at),
                due_since=at,
            )
            if not rule.released_by:
                letter.released_at = at
            yield letter


OF_ITS_DAY = {"date", "footer", "replaces"}
"""What a letter says differently each time that it is written."""


def say_the_same(one: Letter, other: Letter) -> bool:
    """Say whether two letters go to the same reader, the same way, with the same words."""
    said, says = (
        {name: value for name, value in each.says.items() if name not in OF_ITS_DAY} for each in (one, other)
    )
    return (one.to_id, one.goes_by, said) == (other.to_id, other.goes_by, says)


def take_the_place(new: Letter, *, of: Letter) -> None:
    """Let `new` name the letter that it replaces; its page says so where somebody has been given that one."""
    new.replaces = of
    if of.is_issued:
        new.says["replaces"] = (
            f"This letter replaces the one of {of.says['date']}, which was not right. "
            "Please do not rely on that one."
        )
    elif "replaces" in of.says:
        new.says["replaces"] = of.says["replaces"]


def addressees(dissent: Dissent, rule: Rule) -> Iterator[Addressee]:
    """Give each addressee of a letter once, those present first."""
    given: set[object] = set()
    for name in rule.to:
        for addressee in _addressees(dissent, name):
            key = addressee.person.pk if addressee.person else addressee.attendance
            if key not in given:
                given.add(key)
                yield addressee


def _addressees(dissent: Dissent, name: str) -> Iterator[Addressee]:
    conference = dissent.conference
    match name:
        case "dissenter":
            yield _attending(dissent.attendance)
        case "chair":
            chair = conference.chair
            title = dissent.rules.words.chair.one
            yield Addressee(chair.name, (chair.name, title), person=chair)
        case "professionals_present":
            present = conference.attendances.in_force().filter(capacity="professional", present=True)
            for attendance in present.select_related("person", "agency"):
                yield _attending(attendance)


def _attending(attendance: Attendance) -> Addressee:
    agency = attendance.agency.name if attendance.agency else ""
    lines = tuple(line for line in (attendance.name, attendance.job, agency) if line)
    return Addressee(attendance.name, lines, person=attendance.person, attendance=attendance)


def compose(
    dissent: Dissent, decision: Decision, rule: Rule, addressee: Addressee, *, at: dt.datetime
) -> dict[str, Any]:
    """Return everything that the letter's page is made from, as templates/letters/letter.html asks for it."""
    council, stage = dissent.council, dissent.rules.stage(decision.stage)
    children = [finding.child for finding in decision.findings.select_related("child")]
    values = _values(dissent, decision, addressee, children)
    signed_by = decision.decided_by
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
        "addressee_lines": list(addressee.lines),
        "greeting": f"Dear {addressee.name}",
        "heading": substitute(rule.heading, values),
        "facts": _facts(dissent, decision, children),
        "sections": [
            {"title": "", "paragraphs": [substitute(text, values) for text in rule.paragraphs]},
            *_findings(decision, stage),
            {
                "title": "What happens next",
                "paragraphs": [*_next_door_of_all(decision, stage), dissent.rules.meanwhile],
            },
            {"title": "", "paragraphs": [substitute(text, values) for text in rule.closing]},
        ],
        "closing": "Yours sincerely",
        "signatory": {
            "name": signed_by.name if signed_by else "",
            "role": signed_by.job if signed_by else "",
            "mobile": signed_by.mobile if signed_by else "",
            "email": signed_by.email if signed_by else "",
        },
        "footer": f"Ledger {ledger.head_of(council)[:16]}",
    }


def page(letter: Letter) -> str:
    """Return the HTML that the letter's bytes are made from."""
    return render_to_string("letters/letter.html", letter.says)


def all_issued(dissent: Dissent, stage: str) -> bool:
    """Say whether every letter about the decision at `stage` has been issued, and there is one.

    But for those to families: the clock on feedback is the professionals' (ST-13).
    """
    about = dissent.letters.in_force().filter(decision__stage=stage, decision__replaced_at=None)
    letters = list(about.filter(who=None))
    return bool(letters) and all(letter.is_issued for letter in letters)


def in_words(day: dt.date) -> str:
    """Return a date as people write it: 15 January 2027."""
    return f"{day.day} {day:%B %Y}"


def child_in_words(child: Child) -> str:
    """Return a child's name and date of birth, or when an unborn child is expected."""
    if child.born_on:
        return f"{kept_apart(child.name)} (born {in_words(child.born_on)})"
    expected = f"expected {in_words(child.due_on)}" if child.due_on else "unborn"
    return f"{kept_apart(child.name) or 'Unborn child'} ({expected})"


def _values(
    dissent: Dissent, decision: Decision, addressee: Addressee, children: list[Child]
) -> dict[str, str]:
    conference = dissent.conference
    proposal = dissent.proposals.filter(stage=decision.stage).last()
    agency = dissent.attendance.agency
    return {
        "addressee": addressee.name,
        "agency": addressee.lines[-1],
        "chair": conference.chair.name,
        "children": listed(child_in_words(child) for child in children),
        "conference_date": in_words(timezone.localdate(conference.held_at)),
        "conference_kind": conference.get_kind_display().lower(),
        "council": dissent.council.name,
        "dissenter": dissent.attendance.name,
        "dissenter_agency": agency.name if agency else "",
        "panel_date": in_words(timezone.localdate(decided_on(decision))),
        "reference": dissent.reference,
        "resolution": proposal.text if proposal else "",
        "unit": dissent.rules.words.unit.one,
    }


def decided_on(decision: Decision) -> dt.datetime:
    """Return when the panel met that decided, or when it was decided where no panel did."""
    return decision.panel.sat_at if decision.panel and decision.panel.sat_at else decision.decided_at


def _facts(dissent: Dissent, decision: Decision, children: list[Child]) -> list[list[str]]:
    conference = dissent.conference
    agency = dissent.attendance.agency
    facts = [[_noun("Child", "Children", children), "; ".join(child_in_words(child) for child in children)]]
    dissenter = kept_apart(dissent.attendance.name)
    facts.append(["Dissent raised by", ", ".join(filter(None, [dissenter, agency and agency.name]))])
    held_on = in_words(timezone.localdate(conference.held_at))
    facts.append([conference.get_kind_display(), held_on])
    if decision.panel:
        members = [f"{kept_apart(seat.person.name)}, {seat.agency.name}" for seat in decision.panel.present()]
        facts.append(
            [f"{dissent.rules.words.panel.one} met", in_words(timezone.localdate(decided_on(decision)))]
        )
        facts.append(["Who sat", "; ".join(members)])
    return facts


def _findings(decision: Decision, stage: Any) -> Iterator[dict[str, Any]]:
    """One section for each thing found; children of whom the same is said share one.

    Where there are several, each says what comes next for those children.
    """
    said: dict[tuple[str, str, str], list[Child]] = {}
    for finding in decision.findings.select_related("child"):
        said.setdefault((finding.outcome, finding.ground, finding.reasons), []).append(finding.child)
    for (outcome_key, ground, reasons), children in said.items():
        outcome = stage.outcome(outcome_key)
        paragraphs = [outcome.letter]
        if ground:
            paragraphs.append(f"Reason {ground}: {outcome.grounds[ground]}.")
        paragraphs.append(reasons)
        title = "What was decided"
        if len(said) > 1:
            title = f"What was decided about {listed(kept_apart(str(child)) for child in children)}"
            paragraphs += [outcome.next_door] if outcome.next_door else []
        yield {"title": title, "paragraphs": paragraphs}


def _next_door_of_all(decision: Decision, stage: Any) -> list[str]:
    """What comes next where the same was found for every child, so that no section of a child says it."""
    said = {(finding.outcome, finding.ground, finding.reasons) for finding in decision.findings.all()}
    doors = [stage.outcome(outcome).next_door for outcome, _, _ in said]
    return [door for door in doors if door] if len(said) == 1 else []


def _noun(one: str, many: str, items: list[Child]) -> str:
    return one if len(items) == 1 else many


def listed(parts: Iterable[str]) -> str:
    """Return "Ann, Ben and Cal"."""
    items = list(parts)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"

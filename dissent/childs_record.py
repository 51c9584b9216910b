"""What goes onto one child's record: the form, what was done and decided, the letters, the chronology.

It is written for one child. What is another child's is never put in: no other name, no other finding, no
letter that speaks of another child, and no address of anybody. What people wrote in their own words about
several children cannot be divided, and stands as they wrote it, but for addresses.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q, prefetch_related_objects
from django.template.loader import render_to_string
from django.utils import timezone

from councils.models import Person
from councils.wording import kept_apart
from dissent.family_letters import addresses, said_in
from dissent.letters import child_in_words, decided_on, in_words
from dissent.models import Child, Correction, Decision, Dissent, Letter, Moment, Relative, StepRecord, ledger
from dissent.pdf import Document

MOMENTS = {
    "conference_held": "The conference began",
    "conference_ended": "The conference ended",
    "raised": "The dissent was recorded in the conference",
    "filed": "The form was sent",
    "matched": "It was found which conference it was",
    "raising_answered": "The chair said whether it was raised there, or did not say in time",
    "entry_settled": "It was decided whether the dissent goes on",
    "admission_decided": "It was decided whether the late form is let in",
    "resolution_proposed": "A resolution was proposed",
    "resolution_answered": "The proposal was answered",
    "decided": "It was decided",
    "escalation_offered": "Going further was offered",
    "escalation_answered": "The offer was answered",
    "stage_entered": "The stage began",
    "letters_issued": "The last letter to a professional went out",
    "further_conference_held": "The further conference was held",
    "withdrawn": "The dissenter withdrew",
    "lapsed": "The dissent lapsed",
}
"""What they are called; of those that happen in one act, the first comes first."""
LEFT_OUT = "[an address is left out here]"

Rows = list[list[str]]


def compose(dissent: Dissent, child: Child) -> dict[str, Any]:
    """Return everything that the file is made from, as templates/letters/record.html asks for it.

    The same case gives the same, whoever asks and whenever.
    """
    decisions = _in_force(dissent)
    found_for = {each.pk: {finding.child_id for finding in each.findings.all()} for each in decisions}
    letters, placed = _about(dissent, child, found_for), _places(dissent)
    follow = [each for each in letters if _follows(each, found_for[each.decision_id], placed)]
    steps = list(dissent.steps.select_related("recorded_by").order_by("happened_at", "recorded_at"))
    said = {
        "lang": "en-GB",
        "title": f"Record of the dissent {dissent.reference}",
        "file_name": _file_name(dissent, child),
        "council": dissent.council.name,
        "reference": f"{_record_number(dissent)}: {child.record_number}",
        "about": child_in_words(child),
        "parts": [
            _part("The form", [_form(dissent, child)]),
            _part("What was done", list(_done(dissent, steps))),
            _part("What was decided", list(_decided(dissent, decisions, child))),
            _part("Letters", table=_letters(child, letters, follow)),
            _part("Chronology", table=_chronology(dissent, steps, child)),
        ],
        "letters": [
            {"id": str(letter.pk), "title": f"Letter to {letter.addressee}", "sha256": letter.sha256}
            for letter in follow
        ],
    }
    without: dict[str, Any] = _without_addresses(said, placed)
    return without


def _places(dissent: Dissent) -> list[str]:
    """Return the lines of addresses that would give somebody away.

    Not those that every letter has, as the town in the council's own name; and what is given by hand names
    the social worker, who is no secret.
    """
    lines = addresses(dissent.conference, ways=(Relative.Contact.POST, Relative.Contact.EMAIL))
    if not lines:
        return lines
    council = dissent.council
    agencies = council.agencies.values_list("name", flat=True)
    known = _spaced("\n".join([council.name, council.address, council.front_door, *agencies]))
    return [line for line in lines if _spaced(line) not in known]


def _spaced(text: str) -> str:
    return " ".join(text.split()).casefold()


def _file_name(dissent: Dissent, child: Child) -> str:
    number = re.sub(r"[^A-Za-z0-9]+", "-", child.record_number).strip("-")
    return f"{dissent.reference}-record-{number}.pdf"


def page(says: dict[str, Any], *, stamp: str) -> Document:
    """Return the page that the file is made from, with a place for each of its letters in turn."""
    title = f"{says['title']}, {says['reference']}"
    return Document(
        render_to_string("letters/record.html", {**says, "stamp": stamp}), title, lang=says["lang"]
    )


def stamp(by: Person, at: dt.datetime) -> str:
    """Return what stands on each page: who made the file, and when."""
    return f"Made by {kept_apart(by.name)}, {_moment(at)}. Confidential."


def manifest(dissent: Dissent, says: dict[str, Any], pdf: bytes, *, by: Person, at: dt.datetime) -> bytes:
    """Return what the file is made of, each part with its SHA-256, as JSON that people can read too.

    A part's is that of its JSON in `says`, its keys in order and no blanks; a letter's is that of its bytes.
    """
    parts = [{"title": part["title"], "sha256": digest(part)} for part in says["parts"]]
    letters = [{"title": each["title"], "sha256": each["sha256"]} for each in says["letters"]]
    rules = dissent.rules
    said = {
        "file": {"name": says["file_name"], "bytes": len(pdf), "sha256": hashlib.sha256(pdf).hexdigest()},
        "reference": dissent.reference,
        "record": says["reference"],
        "council": dissent.council.name,
        "procedure": {"key": rules.key, "version": rules.version},
        "made_at": timezone.localtime(at).isoformat(timespec="seconds"),
        "made_by": ", ".join(filter(None, [by.name, by.job])),
        "ledger": ledger.head_of(dissent.council),
        "parts": [*parts, *letters],
    }
    return json.dumps(said, indent=2, ensure_ascii=False).encode() + b"\n"


def digest(said: Any) -> str:
    """Return the SHA-256 of a part, in hexadecimal."""
    return hashlib.sha256(_canonical(said).encode()).hexdigest()


def words_about_others(says: dict[str, Any], dissent: Dissent, child: Child) -> list[str]:
    """Return the names of other children of the conference that stand in it, because somebody wrote them.

    A name that is this child's own too, as a family's is, tells nothing.
    """
    own = {part.casefold() for part in re.split(r"[^\w'’]+", child.name)}
    others = [
        " ".join(part for part in other.name.split() if part.casefold() not in own)
        for other in dissent.conference.children.all()
        if other.pk != child.pk
    ]
    return said_in("\n".join(_texts(says)), names=[name for name in others if name])


# --- letters ---------------------------------------------------------------------------------------


def _in_force(dissent: Dissent) -> list[Decision]:
    decisions = dissent.decisions.filter(replaced_at=None).select_related("decided_by", "panel")
    return list(decisions.prefetch_related("findings"))


def _about(dissent: Dissent, child: Child, found_for: Mapping[UUID, set[UUID]]) -> list[Letter]:
    """Return the letters about this child that went out and are in force, those of the first stage first.

    `found_for` says of which children each decision in force is; of a letter to a family its own row does.
    """
    letters = dissent.letters.in_force().filter(decision__in=found_for)
    there = [
        letter
        for letter in letters.order_by("decision__decided_at", "addressee", "id")
        if letter.is_issued and child.pk in found_for[letter.decision_id]
    ]
    prefetch_related_objects([letter for letter in there if letter.who], "about")
    return [letter for letter in there if not letter.who or child in letter.about.all()]


def _follows(letter: Letter, children: set[UUID], placed: Iterable[str]) -> bool:
    """Say whether the letter itself goes into the file of the child.

    One that speaks of another child does not, and one to a family does not: an address stands in it.
    """
    if letter.who or len(children) > 1:
        return False
    return not said_in("\n".join(_texts(letter.says)), names=(), addresses=placed)


def _letters(child: Child, letters: list[Letter], follow: Container[Letter]) -> dict[str, Any]:
    rows, related = [], {}
    if any(letter.who for letter in letters):
        related = dict(Relative.objects.in_force().filter(child=child).values_list("who", "relation"))
    for letter in letters:
        if letter in follow:
            where = "Follows below."
        elif letter.who:
            where = "To the family: it holds an address, so it is kept with the case."
        else:
            where = "It does not speak of this child alone, so it is kept with the case."
        issued = letter.handed_over_at or letter.released_at
        went = f"{_moment(issued)}, {_how(letter)}" if issued else ""
        relation = related.get(letter.who, "")
        rows.append([", ".join(filter(None, [letter.addressee, relation])), went, where, letter.sha256])
    return {"headings": ["To", "Went out", "Where it is", "SHA-256 of the letter"], "rows": rows}


def _how(letter: Letter) -> str:
    if letter.handed_over_at:
        how = letter.handed_over_how or Letter.GoesBy.PRINTED
        return {"post": "by post", "by_hand": "through the social worker"}.get(how, "in person")
    return "by a link"


# --- the parts -------------------------------------------------------------------------------------


def _part(
    title: str, groups: list[dict[str, Any]] | None = None, table: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {"title": title, "groups": groups or [], "table": table if table and table["rows"] else None}


def _form(dissent: Dissent, child: Child) -> dict[str, Any]:
    conference, words, there = dissent.conference, dissent.rules.words, dissent.attendance
    who = [there.name, there.job, there.agency.name if there.agency else ""]
    decided = ", ".join(filter(None, [child.get_decision_display(), child.get_category_display()]))
    return {
        "title": f"{words.dissent_form.one[:1].upper()}{words.dissent_form.one[1:]} {dissent.reference}",
        "rows": [
            ["Child", child_in_words(child)],
            [_record_number(dissent), child.record_number],
            [conference.get_kind_display(), _day(conference.held_at)],
            [words.chair.one, conference.chair.name],
            ["What the conference decided for this child", decided],
            ["Raised by", ", ".join(filter(None, who))],
            ["Sent", _moment(dissent.filed_at) if dissent.filed_at else ""],
            *(list(row) for row in dissent.form_as_sent()),
        ],
    }


def _record_number(dissent: Dissent) -> str:
    return dissent.rules.words.record_number.one


def _done(dissent: Dissent, steps: list[StepRecord]) -> Iterator[dict[str, Any]]:
    """The late form let in or refused, each step, each proposal with its answer, and why it was withdrawn."""
    if dissent.admitted_at and dissent.admitted_by:
        yield {
            "title": "The late form was let in" if dissent.stage else "The late form was refused",
            "rows": [
                ["When", _moment(dissent.admitted_at)],
                ["Who", _who(dissent.admitted_by)],
                ["Reasons", dissent.admission_reasons],
            ],
        }
    for step in steps:
        yield {"title": _label(dissent, step), "rows": _step(step)}
    for proposal in dissent.proposals.select_related("proposed_by"):
        rows = [
            ["When", _moment(proposal.proposed_at)],
            ["Who", _who(proposal.proposed_by)],
            ["What was proposed", proposal.text],
        ]
        if proposal.answered_at:
            rows.append(["Answer", f"{proposal.get_answer_display()}, {_moment(proposal.answered_at)}"])
        if proposal.words:
            rows.append(["In the dissenter’s words", proposal.words])
        yield {"title": "A resolution was proposed", "rows": rows}
    if dissent.withdrawn_at:
        reasons = dissent.withdrawal_reasons or "None given"
        yield {
            "title": "The dissenter withdrew",
            "rows": [["When", _moment(dissent.withdrawn_at)], ["Reasons", reasons]],
        }


def _label(dissent: Dissent, step: StepRecord) -> str:
    return dissent.rules.stage(step.stage).step(step.step).label


def _step(step: StepRecord) -> Rows:
    return [
        ["When", _moment(step.happened_at)],
        ["Who", _who(step.recorded_by)],
        ["What was said", step.note],
    ]


def _decided(dissent: Dissent, decisions: list[Decision], child: Child) -> Iterator[dict[str, Any]]:
    """Each decision in force, with what it found for this child and for no other."""
    for decision in decisions:
        finding = next((each for each in decision.findings.all() if each.child_id == child.pk), None)
        if finding is None:
            continue
        stage = dissent.rules.stage(decision.stage)
        outcome = stage.outcome(finding.outcome)
        rows = [["Decided", _moment(decision.decided_at)], *_by(dissent, decision)]
        rows.append(["What was decided for this child", outcome.label])
        if finding.ground:
            rows.append(["Ground", f"{finding.ground}: {outcome.grounds[finding.ground]}"])
        rows.append(["Reasons", finding.reasons])
        if finding.plain_reasons:
            rows.append(["Reasons for the family", finding.plain_reasons])
        if outcome.next_door:
            rows.append(["What comes next", outcome.next_door])
        yield {"title": stage.title, "rows": rows}


def _by(dissent: Dissent, decision: Decision) -> Rows:
    if decision.panel is None:
        return [["Who", _who(decision.decided_by) if decision.decided_by else "Nobody: it follows of itself"]]
    seats = decision.panel.seats.select_related("person", "agency").filter(sat=True, left_at=None)
    sat = [f"{kept_apart(seat.person.name)}, {seat.agency.name}" for seat in seats]
    return [
        [f"{dissent.rules.words.panel.one} met", _day(decided_on(decision))],
        ["Who sat", "\n".join(sat)],
        *([["Who recorded it", _who(decision.decided_by)]] if decision.decided_by else []),
    ]


def _chronology(dissent: Dissent, taken: list[StepRecord], child: Child) -> dict[str, Any]:
    """Everything that happened, in the order in which people said that it did."""
    conference = Moment.objects.filter(
        conference=dissent.conference_id, dissent=None, name__in=("conference_held", "conference_ended")
    )
    moments = (conference | dissent.moments.all()).filter(replaced_at=None).select_related("by")
    order = list(MOMENTS)
    rows = [
        (each.happened_at, each.recorded_at, order.index(each.name), _happened(dissent, each), _who(each.by))
        for each in moments
    ]
    steps = [(stage.key, step.key) for stage in dissent.rules.stages for step in stage.steps]
    rows += [
        (
            each.happened_at,
            each.recorded_at,
            len(order) + steps.index((each.stage, each.step)),
            _label(dissent, each),
            _who(each.recorded_by),
        )
        for each in taken
    ]
    for put_right in _corrections(dissent, child):
        said = f"Put right: {put_right.get_of_display()}"
        rows.append((put_right.corrected_at, put_right.corrected_at, 0, said, _who(put_right.corrected_by)))
    for told in dissent.children_told.filter(child=child).select_related("recorded_by"):
        said = f"It was recorded that the child was not told: {told.get_why_not_display()}. {told.words}"
        if told.told_on:
            said = f"It was recorded that the child was told on {in_words(told.told_on)}, by {told.told_by}"
        rows.append((told.recorded_at, told.recorded_at, 0, said, _who(told.recorded_by)))
    return {
        "headings": ["Happened", "What", "Who", "Recorded"],
        "rows": [
            [_moment(happened), what, who, _moment(recorded)]
            for happened, recorded, _, what, who in sorted(rows)
        ],
    }


def _corrections(dissent: Dissent, child: Child) -> Iterable[Correction]:
    """What was put right that this file speaks of. Why is not said: it may name another child."""
    of_the_record = Q(of__in=(Correction.Of.END, Correction.Of.ATTENDANCE)) | Q(child=child)
    of_the_case = Q(dissent=dissent)
    made = Correction.objects.filter(of_the_record | of_the_case, conference=dissent.conference_id)
    return made.select_related("corrected_by")


def _happened(dissent: Dissent, moment: Moment) -> str:
    words = MOMENTS[moment.name]
    return f"{words}: {dissent.rules.stage(moment.stage).title}" if moment.stage else words


# --- words -----------------------------------------------------------------------------------------


def _who(person: Person | None) -> str:
    if person is None:
        return "The system"
    return ", ".join(filter(None, [kept_apart(person.name), person.job]))


def _day(moment: dt.datetime) -> str:
    return in_words(timezone.localdate(moment))


def _moment(moment: dt.datetime) -> str:
    return f"{_day(moment)}, {timezone.localtime(moment):%H:%M}"


def _texts(said: Any) -> Iterator[str]:
    if isinstance(said, str):
        yield said
    elif isinstance(said, dict):
        for each in said.values():
            yield from _texts(each)
    elif isinstance(said, list):
        for each in said:
            yield from _texts(each)


def _without_addresses(said: Any, lines: Iterable[str]) -> Any:
    """Return the same with each line of an address on the record left out, however it is spaced or cased."""
    words = [r"\s+".join(map(re.escape, line.split())) for line in sorted(lines, key=len, reverse=True)]
    if not words:
        return said
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)

    def without(part: Any) -> Any:
        if isinstance(part, str):
            return pattern.sub(LEFT_OUT, part)
        if isinstance(part, dict):
            return {key: without(value) for key, value in part.items()}
        if isinstance(part, list):
            return [without(value) for value in part]
        return part

    return without(said)


def _canonical(said: Any) -> str:
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

"""Letters: read before they go out, released by a second person, and read by whom they are for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Prefetch, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse

from dissent import actions, permissions
from dissent.actions import Refused, record_read
from dissent.family_letters import named_in, way_to
from dissent.forms.families import HandOverForm
from dissent.forms.letters import ReleaseForm
from dissent.models import Decision, Dissent, FamilyReader, Finding, LedgerEntry, Letter, Seat, readers_of
from dissent.views import shown
from dissent.views.common import day, day_and_time, find_dissent, needs, page, refused_at, show
from dissent.views.papers import download

FINDINGS = Prefetch("findings", Finding.objects.select_related("child"))
SEATS = Prefetch("panel__seats", Seat.objects.select_related("person", "agency"))

# --- before they go out ----------------------------------------------------------------------------


@page
def letters(request: HttpRequest, pk: UUID) -> HttpResponse:
    """List the letters about a dissent: who is named in them beside whom they go to; release them."""
    dissent = find_dissent(request, pk)
    needs("letters" in permissions.reads(dissent.stands_as))
    found = list(
        Letter.objects.visible_to(request.user, at=request.at)
        .filter(dissent=dissent)
        .select_related(
            "to", "attendance", "released_by", "handed_over_by", "decision__decided_by", "decision__panel"
        )
    )
    prefetch_related_objects([dissent], "decisions__findings__child", "may_hear", "held_back")
    decision = _decision_in_force(dissent, found)
    held = {each.who for each in dissent.held_back.all() if each.lifted_at is None}
    waiting = [
        each
        for each in found
        if each.released_at is None and each.decision.replaced_at is None and each.who not in held
    ]
    to_professionals = [each for each in found if each.who is None]
    why_not = _why_not(request, waiting)
    form = None
    if request.method == "POST" or (waiting and not why_not and dissent.can("release")):
        form = ReleaseForm(request.POST if request.method == "POST" else None, listed=_seen(waiting))
    if form and form.is_valid():
        try:
            released = actions.release_letters(dissent=dissent, by=request.user, at=request.at)
        except Refused as refused:
            refused_at(form, refused)
        else:
            messages.success(request, f"{shown.counted(len(released), 'letter')} released.")
            return redirect("letters", pk)
    record_read(
        council=dissent.council, about=dissent, what="letters", by=request.user, at=request.at, case=dissent
    )
    opened = _opened(dissent)
    return show(
        request,
        "letters.html",
        section="work",
        council=dissent.council,
        form=form,
        reference=dissent.reference,
        about=shown.conference_of(dissent),
        back=reverse("dissent", args=[pk]),
        headings=["To", "Letter", "Where it is"],
        rows=[_row(each, opened=str(each.pk) in opened) for each in to_professionals],
        families=_families(dissent, found, opened),
        names=_names(dissent),
        waits=bool(waiting),
        taken_back_headings=["To", "Taken back", "Why", "Do they know?"],
        taken_back=[_taken_back_row(each) for each in _ended(dissent)],
        named=_named(dissent, decision),
        goes_to=[_goes_to(each) for each in to_professionals],
        decision=shown.decision_rows(decision, dissent.rules) if decision else [],
        why_not=why_not,
        by_hand=[
            {"addressee": each.addressee, "href": reverse("hand_over_letter", args=[each.pk])}
            for each in to_professionals
            if each.released_at and not each.to_id and not each.handed_over_at and dissent.can("hand_over")
        ],
    )


@page
def hand_over(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Record that a printed letter was handed over; of one to a family it is asked how."""
    letter = _find(request, pk)
    if letter.who:
        return _hand_over_to_family(request, letter)
    needs(request.method == "POST")
    try:
        actions.hand_over(letter=letter, by=request.user, at=request.at)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"It is recorded that the letter to {letter.addressee} was handed over.")
    return redirect("letters", letter.dissent_id)


def _hand_over_to_family(request: HttpRequest, letter: Letter) -> HttpResponse:
    dissent = find_dissent(request, letter.dissent_id)
    needs(permissions.may("hand_over", dissent.stands_as))
    form = HandOverForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            actions.hand_over(letter=letter, by=request.user, at=request.at, **form.cleaned_data)
        except Refused as refused:
            refused_at(form, refused)
        else:
            said = f"It is recorded that the letter to {letter.addressee} was handed over."
            messages.success(request, said)
            return redirect("letters", letter.dissent_id)
    _read(request, letter, "letter_page")
    return show(
        request,
        "family_act.html",
        section="work",
        council=dissent.council,
        form=form,
        heading="Say how the letter was given to them",
        rows=[
            {"key": "To", "value": letter.addressee},
            {"key": "How it should go", "value": letter.get_goes_by_display()},
        ],
        reference=dissent.reference,
        about=shown.conference_of(dissent),
        back=reverse("letters", args=[letter.dissent_id]),
    )


def _families(dissent: Dissent, found: list[Letter], opened: set[str]) -> list[dict[str, Any]]:
    """Return each person of the family with their letter, or with why there is none, and what can be done."""
    letters = {(each.decision_id, each.who): each for each in found if each.who}
    return [
        _family(dissent, reader, letters.get((decision.pk, reader.who)), opened)
        for decision in dissent.told_to_families()
        for reader in readers_of(dissent, decision)
    ]


def _family(
    dissent: Dissent, reader: FamilyReader, letter: Letter | None, opened: set[str]
) -> dict[str, Any]:
    row = reader.rows[0]
    related = shown.listed(f"{each.relation} of {each.child}" for each in reader.rows)
    rows: list[dict[str, Any]] = [{"key": "Who", "value": related}]
    links: list[dict[str, str]] = []
    if reader.has_a_letter:
        rows.append({"key": "Is told of", "value": shown.listed(str(child) for child in reader.hears_of)})
    rows += [{"key": "Is not told", "lines": lines} for lines in [_not_told(reader)] if lines]
    if letter:
        words, _ = shown.letter_state(letter)
        more = _more(letter, opened=str(letter.pk) in opened)
        rows.append({"key": "Where it is", "value": f"{words}. {more}".strip()})
        why = way_to(reader, dissent.conference).why if letter.goes_by == Letter.GoesBy.PRINTED else ""
        rows.append({"key": "How it goes", "lines": [letter.get_goes_by_display(), *([why] if why else [])]})
    wishes = ", ".join(filter(None, [row.language, row.format]))
    if wishes:
        rows.append({"key": "Language and format", "value": wishes})
    if reader.held:
        since = f"{reader.held.get_kind_display()}, since {day(reader.held.held_at)}"
        rows.append({"key": "Held back", "lines": [since, reader.held.why]})
    if letter and letter.made_at:
        links.append({"words": "Download the letter", "href": reverse("letter_pdf", args=[letter.pk])})
    waits = letter and letter.released_at and not letter.is_issued and letter.made_at and not reader.held
    if waits and dissent.can("hand_over"):
        links.append(
            {"words": "Say how it was given to them", "href": reverse("hand_over_letter", args=[letter.pk])}
        )
    if dissent.can("answer_for_family"):
        links += [
            {
                "words": f"Answer whether they may be told of {each.child}",
                "href": reverse("answer_for_family", args=[dissent.pk, reader.who, each.child_id]),
            }
            for each in reader.unanswered
        ]
    if dissent.can("hold_back") and not (letter and letter.is_issued):
        name, words = ("let_go", "Let the letter go") if reader.held else ("hold_back", "Hold it back")
        links.append({"words": words, "href": reverse(name, args=[dissent.pk, reader.who])})
    return {"name": reader.name, "rows": rows, "links": links, "says": letter.says if letter else None}


def _not_told(reader: FamilyReader) -> list[str]:
    """Say of which children somebody is not told, and why not."""
    hears_of = {child.pk for child in reader.hears_of}
    said = []
    for row in reader.rows:
        if row in reader.unanswered:
            said.append(f"{row.child}: it is not answered yet whether they may be told.")
        elif row.child_id not in hears_of:
            why = f" {row.may_be_told_why}" if row.may_be_told_why else ""
            by = f" Said by {row.may_be_told_said_by}." if row.may_be_told_said_by else ""
            said.append(f"{row.child}: they may not be told.{by}{why}")
    return said


def _ended(dissent: Dissent) -> list[Letter]:
    """Return the letters that somebody was given and that were taken back, the latest first."""
    ended = dissent.letters.filter(ended_by__isnull=False, made_at__isnull=False, released_at__isnull=False)
    return [each for each in ended.select_related("ended_by").order_by("-replaced_at") if each.is_issued]


def _taken_back_row(letter: Letter) -> list[str]:
    knows = "They are told by a message, and the link says so."
    if letter.to_id is None:
        knows = "It is on paper. Somebody has to tell them, and take it back."
    because = letter.ended_by.because if letter.ended_by else ""
    return [letter.addressee, day_and_time(letter.replaced_at), because, knows]


def _names(dissent: Dissent) -> list[str]:
    """Return what the reasons for families say that is on the record as somebody's name or address by now."""
    return [
        said
        for decision in dissent.told_to_families()
        for said in named_in(" ".join(each.plain_reasons for each in decision.findings.all()), dissent)
    ]


def _decision_in_force(dissent: Dissent, found: list[Letter]) -> Decision | None:
    """Return the decision that the letters are about, with its findings and with who sat."""
    about = (letter.decision for letter in found)
    decision = next((each for each in about if each.stage == dissent.stage and not each.replaced_at), None)
    if decision:
        prefetch_related_objects([decision], FINDINGS, *([SEATS] if decision.panel else []))
    return decision


def _why_not(request: HttpRequest, waiting: list[Letter]) -> str:
    """Return why the reader cannot release the letters now, empty where nothing stands in the way."""
    if any(each.decision.decided_by_id == request.user.pk for each in waiting):
        return "You recorded this decision, so somebody else has to release its letters."
    unmade = sum(letter.made_at is None for letter in waiting)
    if unmade:
        still = f"{unmade} of {shown.counted(len(waiting), 'letter')} cannot be read yet"
        return f"{still}. Open this page again in a minute."
    return ""


def _seen(waiting: Iterable[Letter]) -> str:
    """Return a mark of the very letters and bytes that a page lists."""
    listed = sorted(f"{letter.pk}:{letter.sha256}" for letter in waiting)
    return hashlib.sha256("\n".join(listed).encode()).hexdigest()


def _opened(dissent: Dissent) -> set[str]:
    """Return the ids of the letters that their readers opened."""
    return set(
        LedgerEntry.objects.filter(case_id=dissent.pk, verb="read_letter").values_list("about_id", flat=True)
    )


def _row(letter: Letter, *, opened: bool) -> list[Any]:
    words, colour = shown.letter_state(letter)
    to: dict[str, Any] = {"words": letter.addressee}
    return [
        to,
        {"words": "Download the letter", "href": reverse("letter_pdf", args=[letter.pk])}
        if letter.made_at
        else "Not made yet",
        {"words": words, "tag": colour, "note": _more(letter, opened=opened)},
    ]


def _more(letter: Letter, *, opened: bool) -> str:
    """Say in sentences what the state of a letter means."""
    if letter.made_at is None:
        if not letter.failure:
            return "It is made within a minute or two."
        again = f" It is tried again at {day_and_time(letter.lease_until)}." if letter.lease_until else ""
        return f"{letter.failure}{again} Nothing else has to be done for that."
    said = []
    if letter.released_at:
        by = f" by {letter.released_by.name}" if letter.released_by else ""
        said.append(f"Released{by} on {day_and_time(letter.released_at)}.")
        if letter.to_id:
            said.append("Opened by its reader." if opened else "Not opened yet.")
    if letter.handed_over_at and letter.handed_over_by:
        how = f" ({letter.get_handed_over_how_display()})" if letter.handed_over_how else ""
        at = day_and_time(letter.handed_over_at)
        said.append(f"Handed over by {letter.handed_over_by.name} on {at}{how}.")
    return " ".join(said)


def _named(dissent: Dissent, decision: Decision | None) -> list[dict[str, Any]]:
    """Return the people whom the letters name, for components/people.html."""
    who = dissent.who
    named = []
    if decision:
        named += [
            {"name": str(finding.child), "role": "Child", "note": f"Born: {shown.born(finding.child)}"}
            for finding in decision.findings.all()
        ]
    named.append({"name": who.name, "role": "Raised the dissent", "agency": who.works_for})
    if decision and decision.panel:
        named += [
            {"name": seat.person.name, "role": "Sat on the panel", "agency": seat.agency.name}
            for seat in decision.panel.present()
        ]
    if decision and decision.decided_by:
        signs = decision.decided_by
        reached_at = ", ".join(filter(None, [signs.mobile, signs.email]))
        named.append({"name": signs.name, "role": "Signs the letters", "note": reached_at})
    return named


def _goes_to(letter: Letter) -> dict[str, Any]:
    """Return one addressee for components/people.html, marked where something about them is odd."""
    name, *work = letter.says["addressee_lines"]
    row = {"name": name, "role": ", ".join(work), "note": "Printed, and handed over."}
    if letter.to:
        row["note"] = f"By a link, sent to {letter.to.email}."
    if odd := _odd(letter):
        row |= {"words": "Look again", "colour": "yellow", "note": f"{row['note']} {odd}"}
    return row


def _odd(letter: Letter) -> str:
    """Say what speaks against this addressee being reached as the record of the conference has it."""
    there, to = letter.attendance, letter.to
    if to is None:
        return "There is no e-mail address for them on the record of the conference."
    if not to.is_active:
        return "They cannot sign in any more."
    if there and there.name.casefold() != to.name.casefold():
        return "Whoever signs in with this address goes by another name. Check the address with them."
    if there and there.email and there.email.casefold() != to.email.casefold():
        return f"The record of the conference has another address: {there.email}."
    return ""


# --- as their readers see them ---------------------------------------------------------------------


@page
def letter(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show what a letter is, with its download. One that was replaced says that it was, and no more."""
    if gone := _taken_back(request, pk):
        return gone
    found = _find(request, pk)
    _read(request, found, "letter_page")
    return show(
        request,
        "letter.html",
        section="work",
        council=found.council,
        heading=found.says["heading"],
        rows=[
            {"key": "Reference", "value": found.says["reference"]},
            {"key": "To", "value": found.addressee},
            {"key": "Date of the letter", "value": found.says["date"]},
            {"key": "Sent", "value": day(found.released_at) or "Not released yet"},
        ],
        download=reverse("letter_pdf", args=[found.pk]),
        size=shown.size(len(found.content.pdf)),
        sha256=found.sha256,
        case=reverse("letters", args=[found.dissent_id]) if found.to_id != request.user.pk else "",
    )


@page
def letter_pdf(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Send the frozen bytes of a letter as a download: the same to whoever releases it and to its reader."""
    if gone := _taken_back(request, pk):
        return gone
    found = _find(request, pk)
    _read(request, found, "letter" if found.to_id == request.user.pk else "letter_of_another")
    return download(bytes(found.content.pdf), f"{found.says['reference']}-letter.pdf")


def _taken_back(request: HttpRequest, pk: UUID) -> HttpResponse | None:
    """Return the page that says that a letter is not right any more, None where it still is. No content."""
    theirs = Letter.objects.taken_back_from(request.user)
    gone = theirs.filter(pk=pk).select_related("council", "dissent").first()
    if gone is None:
        return None
    after = gone
    while after.replaced_at and hasattr(after, "successor"):
        after = after.successor
    is_there = after.replaced_at is None and after.to_id == request.user.pk and after.is_issued
    _read(request, gone, "letter_taken_back")
    return show(
        request,
        "letter_taken_back.html",
        section="work",
        council=gone.council,
        status=410,
        reference=gone.dissent.reference,
        new=reverse("letter", args=[after.pk]) if is_there else "",
        comes=after.replaced_at is None and not is_there,
    )


def _find(request: HttpRequest, pk: UUID) -> Letter:
    """Return a letter that is made, if the reader may open it. Raises Http404."""
    visible = Letter.objects.visible_to(request.user, at=request.at).filter(made_at__isnull=False)
    return get_object_or_404(visible.select_related("council", "dissent", "content"), pk=pk)


def _read(request: HttpRequest, found: Letter, what: str) -> None:
    record_read(
        council=found.council, about=found, what=what, by=request.user, at=request.at, case=found.dissent
    )


urlpatterns = [
    path("dissents/<uuid:pk>/letters/", letters, name="letters"),
    path("letters/<uuid:pk>/", letter, name="letter"),
    path("letters/<uuid:pk>/letter.pdf", letter_pdf, name="letter_pdf"),
    path("letters/<uuid:pk>/hand-over/", hand_over, name="hand_over_letter"),
]

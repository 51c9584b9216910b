"""Corrections: how it is rightly and why, what follows from that, and then the button."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django_fsm import TransitionNotAllowed

from councils.models import Agency
from dissent import actions, permissions
from dissent.actions import Refused, record_read
from dissent.actions.corrections import Brings, what_it_brings
from dissent.forms.base import Form
from dissent.forms.corrections import (
    CHANGE,
    CORRECT,
    CorrectAttendanceForm,
    CorrectChildForm,
    CorrectDecisionForm,
    CorrectEndForm,
)
from dissent.models import Conference, Correction, Decision, Dissent, Letter
from dissent.views import shown
from dissent.views.common import day_and_time, find_dissent, needs, page, refused_at, sent_by, show
from dissent.views.conferences import find_conference

Act = Callable[..., Correction]
DONE = "It is corrected, and what follows from that is done."

# --- the record of a conference --------------------------------------------------------------------


@page
def correct_child(request: HttpRequest, pk: UUID, child: UUID) -> HttpResponse:
    """Correct what the record says of a child: name, date, and what the conference decided."""
    conference = find_conference(request, pk, "correct")
    row = get_object_or_404(conference.children.select_related("conference"), pk=child)
    form = CorrectChildForm(sent_by(request), child=row, back=reverse("conference", args=[pk]))
    heading = f"Correct what the record says of {row}"
    decided = [row.get_decision_display(), row.get_category_display()]
    on_record = ", ".join(filter(None, [str(row), shown.born(row), *decided]))
    rows = [{"key": "On the record", "value": on_record}]
    act = actions.correct_child
    return _of_a_conference(request, conference, form, act, heading=heading, rows=rows, child=row)


@page
def correct_end(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Correct when the conference ended."""
    conference = find_conference(request, pk, "correct")
    form = CorrectEndForm(sent_by(request), conference=conference, back=reverse("conference", args=[pk]))
    rows = [{"key": "On the record", "value": day_and_time(conference.ended_at)}]
    heading = "Correct when the conference ended"
    act = actions.correct_conference_end
    return _of_a_conference(request, conference, form, act, heading=heading, rows=rows)


@page
def correct_attendance(request: HttpRequest, pk: UUID, attendance: UUID) -> HttpResponse:
    """Correct who was at the conference, for whom and as what."""
    conference = find_conference(request, pk, "correct")
    found = conference.attendances.select_related("agency", "conference")
    row = get_object_or_404(found, pk=attendance)
    back = reverse("conference", args=[pk])
    if request.method != "POST" and row.replaced_at:
        messages.info(request, "This was corrected already. Below is what the record says now.")
        return redirect(back)
    agencies = list(Agency.objects.filter(council=conference.council_id))
    form = CorrectAttendanceForm(sent_by(request), attendance=row, agencies=agencies, back=back)
    agency = row.agency.name if row.agency else ""
    there = "present" if row.present else "absent"
    on_record = [row.name, row.job, agency, row.get_capacity_display(), there]
    rows = [{"key": "On the record", "value": ", ".join(filter(None, on_record))}]
    heading = f"Correct what the record says of {row}"
    act = actions.correct_attendance
    return _of_a_conference(request, conference, form, act, heading=heading, rows=rows, attendance=row)


def _of_a_conference(
    request: HttpRequest,
    conference: Conference,
    form: Form,
    act: Act,
    *,
    heading: str,
    rows: list[shown.Row],
    **what: Any,
) -> HttpResponse:
    shared = {
        "section": "work",
        "council": conference.council,
        "conference": conference,
        "reference": conference.reference,
        "about": shown.about_conference(conference),
        "back": reverse("conference", args=[conference.pk]),
    }
    came = _press(request, form, act, **(what or {"conference": conference}))
    if isinstance(came, Correction):
        messages.success(request, DONE)
        return redirect("conference", conference.pk)
    record_read(
        council=conference.council,
        about=conference,
        what="conference",
        by=request.user,
        at=request.at,
        case=conference,
    )
    if came is None:
        return show(request, "conference_correct.html", form=form, heading=heading, **shared)
    return _check_page(request, form, came, [*rows, *_says_now(form)], **shared)


def _says_now(form: Form) -> Iterator[shown.Row]:
    """Give what was typed, as it will be on the record."""
    for name, field in form.fields.items():
        value = form.cleaned_data.get(name)
        if name == "seen" or value in (None, ""):
            continue
        if isinstance(value, bool):
            value = "Yes" if value else "No"
        elif hasattr(value, "hour"):
            value = day_and_time(value)
        elif hasattr(value, "year"):
            value = shown.day(value)
        else:
            value = dict(getattr(field, "choices", ())).get(value, value)
        yield {"key": field.label, "value": str(value), "typed": True}


# --- what was decided ------------------------------------------------------------------------------


@page
def correct_decision(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Correct what was decided about each child, where it was recorded of the wrong one.

    Whoever was in the chair of the panel corrects it too, who reads nothing of the case any more: the page
    shows what they recorded themselves.
    """
    dissent, back = _find_decided(request, pk)
    needs(permissions.may("correct_decision", dissent.stands_as))
    decision = _decision(dissent)
    if decision is None and request.method == "POST":
        raise TransitionNotAllowed("Where the case stands now there is no decision to correct.")
    if decision is None or (request.method != "POST" and not dissent.can("correct_decision")):
        messages.info(request, "This decision cannot be corrected where the case stands now.")
        return redirect(back)
    children = list(dissent.children.all())
    form = CorrectDecisionForm(
        sent_by(request), dissent=dissent, decision=decision, children=children, back=back
    )
    came = _press(request, form, actions.correct_decision, dissent=dissent, findings=form.found)
    if isinstance(came, Correction):
        messages.success(request, DONE)
        return redirect(back)
    record_read(
        council=dissent.council,
        about=dissent,
        what="correction",
        by=request.user,
        at=request.at,
        case=dissent,
    )
    shared = {
        "section": "work",
        "council": dissent.council,
        "reference": dissent.reference,
        "about": shown.about_conference(dissent.conference),
        "back": back,
    }
    if came is None:
        heading = "Correct what was decided about which child"
        return show(request, "decision_correct.html", form=form, heading=heading, **shared)
    rows: list[shown.Row] = []
    for child, found in form.found().items():
        label = dissent.rules_of_stage.outcome(found.outcome).label
        rows.append({"key": f"For {child}", "value": f"{label} ({found.ground})" if found.ground else label})
        rows.append({"key": "Reasons", "value": found.reasons, "typed": True})
    rows.append({"key": "Why", "value": form.cleaned_data["because"], "typed": True})
    return _check_page(request, form, came, rows, **shared)


def _find_decided(request: HttpRequest, pk: UUID) -> tuple[Dissent, str]:
    """Return the dissent, and where its reader goes from here: whoever was in the chair reads none of it."""
    mine = Dissent.objects.presided_by(request.user).filter(pk=pk)
    found = mine.select_related("council", "conference__chair", "procedure", "panel").first()
    if found is None:
        return find_dissent(request, pk), reverse("dissent", args=[pk])
    found.stand_as(request.user, at=request.at)
    return found, reverse("work")


def _decision(dissent: Dissent) -> Decision | None:
    decisions = dissent.decisions.filter(stage=dissent.stage, replaced_at=None)
    return decisions.prefetch_related("findings").first()


# --- what they share -------------------------------------------------------------------------------


def _press(request: HttpRequest, form: Form, act: Act, **what: Any) -> Correction | Brings | None:
    """Do what the button says: the correction, what it would bring, or None for the form again."""
    then = request.POST.get("then")
    if not form.is_valid() or then == CHANGE:
        return None
    said = {key: value() if callable(value) else value for key, value in what.items()}
    said |= {
        key: value
        for key, value in form.cleaned_data.items()
        if "findings" not in what or key in {"because", "seen"}
    }
    try:
        if then == CORRECT:
            return act(by=request.user, at=request.at, **said)
        return what_it_brings(act, by=request.user, at=request.at, **said)
    except Refused as refused:
        refused_at(form, refused)
        return None


def _check_page(
    request: HttpRequest, form: Form, brings: Brings, rows: list[shown.Row], **shared: Any
) -> HttpResponse:
    sent = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name not in {"csrfmiddlewaretoken", "then"}
    ]
    return show(
        request, "correction_check.html", rows=rows, follows=list(_follows(brings)), hidden=sent, **shared
    )


def _follows(brings: Brings) -> Iterator[str]:
    """Say what follows, case by case, and name nobody: not everybody who corrects may read whose it is."""
    for moved in brings.clocks:
        yield f"{moved['dissent']}: a time limit is worked out again. Whoever acts on it is told."
    given = Counter(_kind(each) for each in brings.ended if each.is_issued)
    for (reference, to, on_paper, goes_on), number in sorted(given.items()):
        letters = shown.counted(number, "letter")
        one = number == 1
        after = "a new one is made" if one else "new ones are made"
        if not goes_on:
            after = f"no other letter takes {'its' if one else 'their'} place"
        told = "Its reader is told" if one else "Their readers are told"
        if on_paper:
            told = f"Somebody has to tell whoever has {'it' if one else 'them'} on paper"
        yield f"{reference}: {letters} to {to} taken back at once, and {after}. {told}."
    waiting = Counter(each.dissent.reference for each in brings.ended if not each.is_issued)
    for reference, number in sorted(waiting.items()):
        yield f"{reference}: {shown.counted(number, 'letter')} made anew that nobody has been given yet."
    first = Counter(each.dissent.reference for each in brings.written)
    for reference, number in sorted(first.items()):
        yield f"{reference}: {shown.counted(number, 'letter')} made for somebody who had none."
    for reference in brings.reheard:
        yield f"{reference}: a further conference is owed."
    for reference in brings.uploaded:
        yield f"{reference}: the file for a child’s record is made and uploaded again."
    if waiting or first or any(goes_on for *_, goes_on in given):
        yield "New letters go out as the first ones did, once they are released."


def _kind(letter: Letter) -> tuple[str, str, bool, bool]:
    to = "a family" if letter.who else "professionals"
    return (letter.dissent.reference, to, letter.to_id is None, hasattr(letter, "successor"))


urlpatterns = [
    path("conferences/<uuid:pk>/children/<uuid:child>/correct/", correct_child, name="correct_child"),
    path("conferences/<uuid:pk>/end/correct/", correct_end, name="correct_end"),
    path(
        "conferences/<uuid:pk>/attendances/<uuid:attendance>/correct/",
        correct_attendance,
        name="correct_attendance",
    ),
    path("dissents/<uuid:pk>/decision/correct/", correct_decision, name="correct_decision"),
]

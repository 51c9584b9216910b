"""What is done about a family: answered, held back, told; and a contact that changed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse

from dissent import actions, permissions
from dissent.actions import Refused, record_read
from dissent.forms.base import Form
from dissent.forms.families import AnswerForm, ChangeContactForm, HoldBackForm, LetGoForm, ToldForm
from dissent.models import Child, Conference, Decision, Dissent, FamilyReader, Relative, readers_of
from dissent.views import shown
from dissent.views.common import day, find_dissent, needs, page, refused_at, sent_by, show
from dissent.views.conferences import find_conference


def _find(request: HttpRequest, pk: UUID, verb: str) -> Dissent:
    dissent = find_dissent(request, pk)
    needs(permissions.may(verb, dissent.stands_as))
    return dissent


def _reader(dissent: Dissent, who: UUID) -> tuple[Decision, FamilyReader]:
    """Return somebody of the family and the decision that they are to hear of. Raises Http404."""
    for decision in reversed(dissent.told_to_families()):
        for reader in readers_of(dissent, decision):
            if reader.who == who:
                return decision, reader
    needs(False)
    raise AssertionError


def _home(dissent: Dissent) -> str:
    """Where the reader came from: the letters, or for whoever reads none the case."""
    reads = "letters" in permissions.reads(dissent.stands_as)
    return reverse("letters" if reads else "dissent", args=[dissent.pk])


def _show(
    request: HttpRequest, dissent: Dissent, form: Form, heading: str, rows: list[shown.Row], **context: Any
) -> HttpResponse:
    record_read(
        council=dissent.council,
        about=dissent,
        what="family_act",
        by=request.user,
        at=request.at,
        case=dissent,
    )
    return show(
        request,
        "family_act.html",
        section="work",
        council=dissent.council,
        form=form,
        heading=heading,
        rows=rows,
        reference=dissent.reference,
        about=shown.about_conference(dissent.conference),
        back=_home(dissent),
        **context,
    )


def _about(relative: Relative) -> list[shown.Row]:
    return [
        {"key": "Who", "value": f"{relative.name}, {relative.relation}"},
        {"key": "Child", "value": str(relative.child)},
    ]


@page
def answer(request: HttpRequest, pk: UUID, who: UUID, child: UUID) -> HttpResponse:
    """Say whether somebody may be told about a child, where the record of the conference leaves it open."""
    dissent = _find(request, pk, "answer_for_family")
    _, reader = _reader(dissent, who)
    row = next((each for each in reader.rows if each.child_id == child), None)
    needs(row is not None)
    if request.method != "POST" and row not in reader.unanswered:
        messages.info(request, "It is answered already whether they may be told about this child.")
        return redirect(_home(dissent))
    form = AnswerForm(sent_by(request))
    if form.is_valid():
        try:
            actions.answer_for_family(
                dissent=dissent, who=who, child=row.child, by=request.user, at=request.at, **form.cleaned_data
            )
        except Refused as refused:
            refused_at(form, refused)
        else:
            messages.success(request, "Recorded. Where they may be told, a letter is being made.")
            return redirect(_home(dissent))
    said = [{"key": "On the record", "value": row.get_may_be_told_display()}]
    if row.may_be_told_said_by:
        said.append({"key": "Said by", "value": row.may_be_told_said_by})
    if row.may_be_told_why:
        said.append({"key": "Why", "value": row.may_be_told_why, "typed": True})
    if row.court_restriction:
        said.append({"key": "Court restriction", "value": row.court_restriction, "typed": True})
    heading = "May they be told what was decided?"
    return _show(request, dissent, form, heading, [*_about(row), *said])


@page
def hold_back(request: HttpRequest, pk: UUID, who: UUID) -> HttpResponse:
    """Hold the letter to somebody of the family back."""
    dissent = _find(request, pk, "hold_back")
    _, reader = _reader(dissent, who)
    form = HoldBackForm(sent_by(request))
    if form.is_valid():
        try:
            actions.hold_back(dissent=dissent, who=who, by=request.user, at=request.at, **form.cleaned_data)
        except Refused as refused:
            refused_at(form, refused)
        else:
            messages.success(request, f"Nothing goes to {reader.name} until you let it go.")
            return redirect(_home(dissent))
    return _show(request, dissent, form, "Hold a letter back", _about(reader.rows[0]))


@page
def let_go(request: HttpRequest, pk: UUID, who: UUID) -> HttpResponse:
    """Lift what holds somebody of the family back."""
    dissent = _find(request, pk, "hold_back")
    _, reader = _reader(dissent, who)
    if request.method != "POST" and reader.held is None:
        messages.info(request, "They are not held back.")
        return redirect(_home(dissent))
    form = LetGoForm(sent_by(request))
    if form.is_valid():
        try:
            actions.let_go(dissent=dissent, who=who, by=request.user, at=request.at, **form.cleaned_data)
        except Refused as refused:
            refused_at(form, refused)
        else:
            messages.success(request, "The letter is held back no longer. It still has to be released.")
            return redirect(_home(dissent))
    held = reader.held
    rows = _about(reader.rows[0])
    if held:
        rows += [
            {"key": "Held back", "value": f"{held.get_kind_display()}, since {day(held.held_at)}"},
            {"key": "Reason", "value": held.why, "typed": True},
        ]
    return _show(request, dissent, form, "Let a letter go that was held back", rows)


@page
def child_told(request: HttpRequest, pk: UUID, child: UUID) -> HttpResponse:
    """Record that a child was told what was decided, or why not."""
    dissent = _find(request, pk, "record_telling")
    needs("reader" in dissent.stands_as)
    decided = dissent.told_to_families()
    of = {each.child.pk: each.child for decision in decided for each in decision.findings.all()}
    needs(child in of)
    owed = {each.pk for decision in decided for each in dissent.children_to_be_told(decision)}
    if request.method != "POST" and (child not in owed or not dissent.can("record_telling")):
        messages.info(request, "For this child it is recorded already, or nothing is to be recorded.")
        return redirect("dissent", pk)
    rules = dissent.rules.children_told
    form = ToldForm(sent_by(request), told_by=rules.told_by if rules else "")
    if form.is_valid():
        try:
            actions.record_telling(
                dissent=dissent, child=of[child], by=request.user, at=request.at, **form.cleaned_data
            )
        except Refused as refused:
            refused_at(form, refused)
        else:
            messages.success(request, "Recorded.")
            return redirect("dissent", pk)
    rows = [{"key": "Child", "value": str(of[child])}]
    return _show(request, dissent, form, "Was the child told what was decided?", rows)


@page
def change_contact(request: HttpRequest, pk: UUID, who: UUID) -> HttpResponse:
    """Record another way of reaching somebody who matters to children, also once the record is closed."""
    conference = find_conference(request, pk, "change_contact")
    row = _relative(conference, who)
    back = reverse("conference", args=[pk])
    form = ChangeContactForm(sent_by(request), at=request.at, back=back)
    if form.is_valid():
        try:
            actions.change_contact(relative=row, by=request.user, at=request.at, **form.cleaned_data)
        except Refused as refused:
            refused_at(form, refused)
        else:
            messages.success(request, "The new contact is recorded. Letters that are not out yet go there.")
            return redirect(back)
    record_read(
        council=conference.council,
        about=conference,
        what="conference",
        by=request.user,
        at=request.at,
        case=conference,
    )
    return show(
        request,
        "family_contact.html",
        section="work",
        council=conference.council,
        conference=conference,
        about=shown.about_conference(conference),
        back=back,
        form=form,
        rows=[
            {"key": "Who", "value": f"{row.name}, {row.relation}"},
            {"key": "Contact on the record", "value": row.get_contact_display()},
            *([{"key": "Where", "value": row.contact_details, "typed": True}] if row.contact_details else []),
        ],
    )


def _relative(conference: Conference, who: UUID) -> Relative:
    children: list[Child] = list(conference.children.all())
    row = Relative.objects.in_force().filter(child__in=children, who=who).select_related("child").first()
    needs(row is not None)
    return row


urlpatterns = [
    path("dissents/<uuid:pk>/families/<uuid:who>/answer/<uuid:child>/", answer, name="answer_for_family"),
    path("dissents/<uuid:pk>/families/<uuid:who>/hold-back/", hold_back, name="hold_back"),
    path("dissents/<uuid:pk>/families/<uuid:who>/let-go/", let_go, name="let_go"),
    path("dissents/<uuid:pk>/children/<uuid:child>/told/", child_told, name="child_told"),
    path("conferences/<uuid:pk>/people/<uuid:who>/contact/", change_contact, name="change_contact"),
]

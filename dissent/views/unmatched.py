"""A dissent whose conference was not on record: it is matched, its chair is asked, and doubt is settled."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from councils.models import Agency
from dissent import actions
from dissent.actions import Refused, record_read
from dissent.forms.base import Form
from dissent.forms.unmatched import AroundForm, MatchForm, RaisingForm, SettlementForm
from dissent.models import Attendance, Conference, Dissent
from dissent.views import shown
from dissent.views.cases import act, act_page, done
from dissent.views.common import find_dissent, local, needs, page, refused_at, sent_by, show

NEAR = dt.timedelta(days=14)
"""How far from the day that the dissenter gave a conference is offered by itself."""
MOST = 30


@page
def match(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The conference administrator says which conference it was, and records it first where it is missing."""
    dissent = find_dissent(request, pk)
    needs("conference_administrator" in dissent.stands_as and dissent.claim_made is not None)
    if request.method != "POST" and not dissent.can("match"):
        return redirect("dissent", pk)
    look = AroundForm(request.GET if any(name.startswith("around") for name in request.GET) else None)
    around = dissent.claim.ended_at
    if look.is_bound and look.is_valid():
        around = timezone.make_aware(dt.datetime.combine(look.cleaned_data["around"], dt.time(12)))
    found = _near(request, dissent, around)
    if request.method != "POST":
        found = [one for one in found if one.pk != dissent.conference_id]
    form = MatchForm(
        sent_by(request),
        called="" if dissent.claim.agency else dissent.claim.agency_name,
        agencies=Agency.objects.filter(council=dissent.council_id).order_by("name"),
        candidates=[(one, shown.about_conference(one), _told_apart(one, dissent)) for one in found],
        back=reverse("dissent", args=[pk]),
    )
    if request.method == "POST" and form.is_valid():
        try:
            led_to = actions.match_dissent(
                dissent=dissent,
                conference=form.cleaned_data["conference"],
                agency=form.cleaned_data.get("agency"),
                by=request.user,
                at=request.at,
            )
        except Refused as refused:
            refused_at(form, refused)
        else:
            words = dissent.rules.words
            said = f"The {words.chair.one} is asked whether it was raised there."
            if led_to.pk != dissent.pk:
                said = (
                    f"The {words.chair.one} had recorded this dissent as {led_to.reference} meanwhile. The "
                    f"{words.dissent_form.one} went there, and {dissent.reference} is closed."
                )
            messages.success(request, said)
            return redirect("dissent", pk)
    return _show(
        request,
        dissent,
        "unmatched_match.html",
        what="match",
        form=look if look.errors else form,
        choose=form,
        look=look,
        found=found,
    )


@page
def raised(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The chair says whether the dissenter raised it in the conference."""
    dissent = find_dissent(request, pk)
    needs(bool(dissent.stands_as & {"chair", "chair_asked"}) and dissent.claim_made is not None)
    if not dissent.can("confirm_raised"):
        if request.method == "POST":
            raise TransitionNotAllowed("Whether it was raised was answered meanwhile.")
        return redirect("dissent", pk)
    form = RaisingForm(sent_by(request), back=reverse("dissent", args=[pk]), **_on_record(dissent.conference))
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            if said["answer"] == RaisingForm.YES:
                actions.confirm_raised(dissent=dissent, by=request.user, at=request.at, **_where(form))
                words = "Recorded: it was raised. The dissent goes on."
            else:
                actions.deny_raised(
                    dissent=dissent, statement=said["statement"], by=request.user, at=request.at
                )
                words = "Recorded: it was not raised. It is now decided whether the dissent goes on."
        except Refused as refused:
            refused_at(form, refused)
        else:
            messages.success(request, words)
            return redirect("dissent", pk)
    return _show(request, dissent, "unmatched_raised.html", what="raising", form=form)


@act("turn_away")
def settle(request: HttpRequest, dissent: Dissent) -> HttpResponse:
    """Whoever the procedure names decides, after hearing the dissenter, whether the dissent goes on."""
    needs(dissent.claim_made is not None)
    form = SettlementForm(
        sent_by(request),
        found=dissent.conference is not None,
        back=reverse("dissent", args=[dissent.pk]),
        **_on_record(dissent.conference),
    )
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        hearing = {name: said[name] for name in ("heard", "heard_at", "reasons")}
        try:
            if said["answer"] == SettlementForm.LET_IN:
                actions.let_in(dissent=dissent, by=request.user, at=request.at, **hearing, **_where(form))
                words = "The dissent is let in."
            else:
                actions.turn_away(dissent=dissent, by=request.user, at=request.at, **hearing)
                words = "The dissent is refused."
        except Refused as refused:
            refused_at(form, refused)
        else:
            return done(request, dissent, words)
    return act_page(
        request,
        "unmatched_settle.html",
        dissent,
        form,
        claim=shown.claim_rows(dissent.claim, dissent.rules),
        raising=shown.raising_rows(dissent),
    )


def _show(
    request: HttpRequest, dissent: Dissent, template: str, *, what: str, form: Form, **context: Any
) -> HttpResponse:
    record_read(
        council=dissent.council, about=dissent, what=what, by=request.user, at=request.at, case=dissent
    )
    return show(
        request,
        template,
        section="work",
        council=dissent.council,
        dissent=dissent,
        terms=dissent.rules.words,
        form=form,
        about=shown.conference_of(dissent),
        claim=shown.claim_rows(dissent.claim, dissent.rules),
        back=reverse("dissent", args=[dissent.pk]),
        **context,
    )


def _near(request: HttpRequest, dissent: Dissent, around: dt.datetime) -> list[Conference]:
    """Return the conferences of the council that ended near `around`, the nearest first."""
    visible = Conference.objects.visible_to(request.user, at=request.at)
    near = visible.filter(council=dissent.council_id, ended_at__range=(around - NEAR, around + NEAR))
    rows = near.select_related("chair").prefetch_related(
        "children", Prefetch("attendances", Attendance.objects.in_force())
    )
    return sorted(rows, key=lambda one: abs(one.ended_at - around))[:MOST]


def _told_apart(conference: Conference, dissent: Dissent) -> str:
    """Return what tells one conference from another: its time, its chair, its children, who is on record."""
    children = shown.listed(str(child) for child in conference.children.all())
    email = dissent.dissenter.email.lower()
    said = [
        f"{local(conference.held_at):%H:%M} to {local(conference.ended_at):%H:%M}",
        conference.chair.name,
        children,
    ]
    if any(one.email.lower() == email for one in conference.attendances.all()):
        said.append("the dissenter’s e-mail address is on its record")
    return ", ".join(filter(None, said))


def _on_record(conference: Conference | None) -> dict[str, Any]:
    """Return the children of the conference, and the professionals whom its record knows by name alone."""
    if conference is None:
        return {"of": [], "by_name": []}
    unknown = conference.attendances.in_force().filter(person=None, capacity=Attendance.Capacity.PROFESSIONAL)
    return {
        "of": [(child, shown.born(child)) for child in conference.children.all()],
        "by_name": unknown.select_related("agency").order_by("name"),
    }


def _where(form: Form) -> dict[str, Any]:
    return {"children": form.cleaned_data["children"], "attendance": form.cleaned_data.get("attendance")}


urlpatterns = [
    path("dissents/<uuid:pk>/match/", match, name="match"),
    path("dissents/<uuid:pk>/raised/", raised, name="raised"),
    path("dissents/<uuid:pk>/settle/", settle, name="settle"),
]

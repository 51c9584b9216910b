"""Who is away, and who stands in: people for themselves, the administrator of the procedure for everybody."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils import timezone

from councils.models import Absence, Appointment, Council
from councils.procedure import Procedure
from dissent import actions
from dissent.actions import Refused, record_read
from dissent.actions.absence import (
    ADMINISTRATOR,
    STANDS_FOR_THEMSELF,
    may_record_absence,
    who_could_stand_in,
)
from dissent.forms.absences import AbsenceForm
from dissent.views.common import day, needs, page, refused_at, show


@page
def absences(request: HttpRequest) -> HttpResponse:
    """List the absences to come that are the reader's to record."""
    council, rules, appointments = _own(request)
    coming = (
        Absence.objects.filter(appointment__in=[each.pk for each in appointments], ended_at=None)
        .filter(until_on__gte=timezone.localdate(request.at))
        .select_related("appointment__person", "stands_in__person")
        .order_by("from_on", "id")
    )
    record_read(council=council, about=council, what="absences", by=request.user, at=request.at)
    return show(
        request,
        "absences.html",
        council=council,
        section="work",
        rows=[
            {
                "name": each.appointment.person.name,
                "facts": [
                    {"key": "Role", "value": rules.title_of(each.appointment.role)},
                    {"key": "Away", "value": f"From {day(each.from_on)} to {day(each.until_on)}"},
                    {
                        "key": "Stands in",
                        "value": each.stands_in.person.name if each.stands_in else "Nobody yet",
                    },
                ],
                "href": reverse("end_absence", args=[each.pk]),
                "words": "End this absence",
            }
            for each in coming
        ],
    )


@page
def record_absence(request: HttpRequest) -> HttpResponse:
    """Record days on which somebody is away, and who stands in."""
    council, rules, appointments = _own(request)
    form = AbsenceForm(
        request.POST if request.method == "POST" else None,
        appointments=[(each, f"{each.person.name}, {rules.title_of(each.role)}") for each in appointments],
        people=who_could_stand_in(council, at=request.at),
        initial={"appointment": str(appointments[0].pk)} if len(appointments) == 1 else {},
    )
    if form.is_valid():
        try:
            absence = actions.record_absence(by=request.user, at=request.at, **form.cleaned_data)
        except Refused as refused:
            refused_at(form, refused)
        else:
            who = absence.stands_in.person.name if absence.stands_in else "Nobody"
            messages.success(
                request, f"{who} stands in from {day(absence.from_on)} to {day(absence.until_on)}."
            )
            return redirect("absences")
    record_read(council=council, about=council, what="absences", by=request.user, at=request.at)
    return show(request, "absence_new.html", council=council, section="work", form=form, back="/absences/")


@page
def end_absence(request: HttpRequest, pk: UUID) -> HttpResponse:
    """End an absence: somebody is back, or does not go."""
    needs(request.method == "POST")
    absence = get_object_or_404(Absence.objects.select_related("appointment__person"), pk=pk)
    needs(may_record_absence(absence.appointment, request.user, at=request.at))
    try:
        actions.end_absence(absence=absence, by=request.user, at=request.at)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"The absence of {absence.appointment.person.name} is ended.")
    return redirect("absences")


def _own(request: HttpRequest) -> tuple[Council, Procedure, list[Appointment]]:
    """Return the appointments whose absences the reader records at the council where they have a role.

    Raises Http404 for somebody who has none. Whoever stands in for somebody is replaced by ending that.
    """
    held = Appointment.objects.at(request.at).select_related("council", "person")
    own = list(held.filter(person=request.user, stands_in_for=None).order_by("from_on", "pk"))
    administers = next((each.council for each in own if each.role == ADMINISTRATOR), None)
    if administers:
        own = list(
            held.filter(council=administers, stands_in_for=None).order_by("person__name", "role", "pk")
        )
    own = [each for each in own if each.role not in STANDS_FOR_THEMSELF]
    needs(bool(administers or own))
    council = administers or own[0].council
    rules = _rules(council, at=request.at)
    here = [each for each in own if each.council_id == council.pk and each.role in rules.roles]
    return council, rules, here


def _rules(council: Council, *, at: dt.datetime) -> Procedure:
    version = council.procedure_on(timezone.localdate(at))
    needs(version is not None)
    return version.rules


urlpatterns = [
    path("absences/", absences, name="absences"),
    path("absences/new/", record_absence, name="record_absence"),
    path("absences/<uuid:pk>/end/", end_absence, name="end_absence"),
]

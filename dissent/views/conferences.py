"""The conference record: written by the administrator, finished and closed by the chair."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Prefetch, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse

from councils.models import Agency, Appointment, Council
from councils.procedure import Procedure
from dissent import actions, permissions
from dissent.actions import Refused, record_read
from dissent.actions.conference import RecordIsClosed
from dissent.actions.dissent import AlreadyRaised
from dissent.forms import conferences as forms
from dissent.forms.base import Button
from dissent.models import Attendance, Child, Conference, Dissent, Paper, Relative
from dissent.models.panel import appointed_as
from dissent.pdf import PdfFailed
from dissent.pdf.check import NotAPdf
from dissent.views import shown
from dissent.views.common import day, day_and_time, needs, page, refused_at, sent_by, show

Row = dict[str, Any]
ON_A_PAGE = 50


# --- the list --------------------------------------------------------------------------------------


@page
def conferences(request: HttpRequest) -> HttpResponse:
    """List the conferences that the reader chaired or administers, newest first."""
    number = request.GET.get("page", "1")
    start = max(0, int(number) - 1) * ON_A_PAGE if number.isdecimal() and len(number) < 5 else 0
    visible = Conference.objects.visible_to(request.user, at=request.at)
    found = list(
        visible.select_related("chair", "council").order_by("-held_at", "-id")[start : start + ON_A_PAGE + 1]
    )
    more, found = len(found) > ON_A_PAGE, found[:ON_A_PAGE]
    councils = {one.council_id: one.council for one in found}
    for council in councils.values():
        listed = [one.pk for one in found if one.council_id == council.pk]
        record_read(
            council=council,
            about=council,
            what="conferences",
            by=request.user,
            at=request.at,
            values={"conferences": listed},
        )
    dissents = _dissents(request, found)
    administered = _administered(request)
    several = len(councils) > 1
    here = start // ON_A_PAGE + 1
    return show(
        request,
        "conferences.html",
        section="work",
        council=_only([*councils.values(), *administered]),
        headings=["Conference", *(["Council"] if several else []), "Held", "Chair", "Record", "Dissents"],
        rows=[_row(one, dissents.get(one.pk, 0), several=several) for one in found],
        may_record=bool(administered),
        previous=f"?page={here - 1}" if start else "",
        next=f"?page={here + 1}" if more else "",
        position=f"{start + ON_A_PAGE + 1} onwards",
    )


def _dissents(request: HttpRequest, found: list[Conference]) -> dict[UUID, int]:
    """Return how many dissents there are about each conference shown, where there is one."""
    visible = Dissent.objects.visible_to(request.user, at=request.at).filter(conference__in=found)
    return dict(visible.order_by().values_list("conference").annotate(Count("pk")))


def _row(conference: Conference, dissents: int, *, several: bool) -> list[str | Row]:
    return [
        {
            "words": conference.reference,
            "href": f"/conferences/{conference.pk}/",
            "note": conference.get_kind_display(),
        },
        *([conference.council.name] if several else []),
        day(conference.held_at),
        conference.chair.name,
        {
            "words": "Closed" if conference.is_closed else "Open",
            "tag": "grey" if conference.is_closed else "blue",
            "note": "Process explained" if conference.explained_at else "Process not confirmed as explained",
        },
        str(dissents) if dissents else "None",
    ]


# --- recording one ---------------------------------------------------------------------------------


@page
def record_conference(request: HttpRequest) -> HttpResponse:
    """Record a conference; somebody who administers for several councils says first for which."""
    administered = _administered(request)
    needs(bool(administered))
    chosen = {one.key: one for one in administered}.get(request.GET.get("council", ""))
    council = chosen or _only(administered)
    if council is None:
        return _choose_council(request, administered)
    chairs = appointed_as(("chair",), council_id=council.pk, at=request.at).order_by("name")
    form = forms.ConferenceForm(sent_by(request), chairs=chairs, place=request.user.pk)
    form.buttons = (Button("Save and continue"), Button("Cancel", href=reverse("conferences")))
    if form.is_valid():
        try:
            made = actions.record_conference(
                council=council, by=request.user, at=request.at, **form.cleaned_data
            )
        except Refused as refused:
            refused_at(form, refused)
        else:
            messages.success(request, f"The conference is recorded as {made.reference}.")
            return redirect("conference", made.pk)
    return show(request, "conference_record.html", section="work", council=council, form=form)


def _choose_council(request: HttpRequest, administered: list[Council]) -> HttpResponse:
    form = forms.ChooseCouncil(sent_by(request), councils=administered)
    if form.is_valid():
        return redirect(f"{reverse('record_conference')}?council={form.cleaned_data['council']}")
    return show(request, "conference_council.html", section="work", council=None, form=form)


def _administered(request: HttpRequest) -> list[Council]:
    held = Appointment.objects.at(request.at).filter(person=request.user, role="conference_administrator")
    return list(Council.objects.filter(pk__in=held.values("council")).order_by("name"))


def _only(councils: Iterable[Council]) -> Council | None:
    """Return the one council there is, None where there is none or more than one."""
    found = {one.pk: one for one in councils}
    return next(iter(found.values())) if len(found) == 1 else None


# --- the record ------------------------------------------------------------------------------------


def find_conference(request: HttpRequest, pk: UUID, verb: str = "") -> Conference:
    """Return the conference if the reader may open it and, where given, do `verb` to it. Raises Http404."""
    visible = Conference.objects.visible_to(request.user, at=request.at)
    found = get_object_or_404(visible.select_related("council", "chair", "procedure"), pk=pk)
    found.stands_as = found.relations(request.user, at=request.at)
    needs(not verb or permissions.may(verb, found.stands_as))
    return found


def _show(request: HttpRequest, conference: Conference, template: str, **context: Any) -> HttpResponse:
    """Show a page of the conference, and write that it was read."""
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
        template,
        section="work",
        council=conference.council,
        conference=conference,
        about=shown.about_conference(conference),
        back=reverse("conference", args=[conference.pk]),
        rules=conference.procedure.rules,
        **context,
    )


def _closed(request: HttpRequest, conference: Conference) -> HttpResponse | None:
    """Return the page that says that the record is closed, None where it is open.

    What is sent to a closed record is answered by the action, beside what was typed.
    """
    if request.method == "POST" or not conference.is_closed:
        return None
    return _show(
        request,
        conference,
        "conference_closed.html",
        status=409,
        closed=day_and_time(conference.closed_at),
    )


@page
def conference(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show the record of a conference: who, what was decided, what is still to do."""
    found = find_conference(request, pk)
    may = {verb for verb in permissions.MAY if permissions.may(verb, found.stands_as)}
    prefetch_related_objects(
        [found],
        Prefetch("children__relatives", Relative.objects.in_force()),
        Prefetch("attendances", Attendance.objects.in_force().select_related("agency")),
        Prefetch("papers", Paper.objects.select_related("agency")),
        Prefetch(
            "dissents",
            Dissent.objects.select_related("attendance", "claim", "procedure").order_by("raised_at"),
        ),
    )
    writable = not found.is_closed
    rules = found.procedure.rules
    procedure = {
        "key": "Procedure",
        "value": f"{rules.title}, version {rules.version}, in force from {day(rules.in_force_from)}",
    }
    return _show(
        request,
        found,
        "conference.html",
        tasks=_tasks(found, may),
        facts=[*_facts(found, rules, may), procedure],
        children=[_child(one, found, may, writable=writable) for one in found.children.all()],
        attendance_headings=[*ATTENDANCE, *(["Correction"] if "correct" in may else [])],
        correction_headings=shown.CORRECTION_HEADINGS,
        corrections=[shown.correction_row(each) for each in found.corrections.of_the_record()],
        dissent_headings=["Reference", "Raised", "Where it stands"],
        attendances=[_attendance(one, found, may) for one in found.attendances.all()],
        papers=[_paper(one) for one in found.papers.all()],
        dissents=[_dissent(one, chairs="chair" in found.stands_as) for one in found.dissents.all()],
        may_describe=writable and "describe" in may,
        may_attach="attach" in may,
        may_raise=writable and "raise" in may,
    )


def _tasks(conference: Conference, may: set[str]) -> list[Row]:
    """What is to be done to the record, by whom, and where each stands."""
    rules = conference.procedure.rules
    children, attendances = conference.children.all(), conference.attendances.all()
    papers, dissents = conference.papers.all(), conference.dissents.all()
    matter = sum(len(one.relatives.all()) for one in children)
    present = sum(one.present for one in attendances)
    administrator, chair = "conference administrator", rules.words.chair.one

    def task(words: str, verb: str, name: str, state: str, *, by: str, hint: str = "", done: object) -> Row:
        open_ = verb == "attach" or not (conference.is_closed or (verb == "explain" and done))
        return {
            "words": words,
            "href": reverse(name, args=[conference.pk]) if verb in may and open_ else "",
            "state": state,
            "hint": " ".join(filter(None, [f"Done by the {by}." if verb not in may else "", hint])),
            "colour": "" if done else "blue",
        }

    return [
        task(
            "Add each child and what was decided",
            "describe",
            "add_child",
            f"{shown.counted(len(children), 'child', 'children')}, "
            f"{shown.counted(matter, 'person who matters', 'people who matter')} to them"
            if children
            else "No child yet",
            by=administrator,
            done=children,
        ),
        task(
            "Say who came, and who was invited and did not come",
            "describe",
            "add_attendance",
            f"{shown.counted(len(attendances), 'person', 'people')}, {present} present"
            if attendances
            else "Nobody yet",
            by=administrator,
            done=present,
        ),
        task(
            "Attach the papers",
            "attach",
            "attach_paper",
            shown.counted(len(papers), "paper") if papers else "No paper yet",
            by=administrator,
            hint="Papers can be attached when the record is closed too.",
            done=papers,
        ),
        task(
            "Confirm that the dissent process was explained",
            "explain",
            "confirm_explained",
            "Confirmed" if conference.explained_at else "Not confirmed yet",
            by=chair,
            done=conference.explained_at,
        ),
        task(
            "Record a dissent",
            "raise",
            "raise_dissent",
            shown.counted(len(dissents), "dissent") if dissents else "None recorded",
            by=chair,
            hint="" if conference.is_closed else "Only where somebody dissented in the conference.",
            done=True,
        ),
        *_numbers(conference, may),
        task(
            "Close the record",
            "close_record",
            "close_record",
            "Closed" if conference.is_closed else "Open",
            by=chair,
            hint="" if conference.is_closed else " ".join(conference.lacks()),
            done=conference.is_closed,
        ),
    ]


def _numbers(conference: Conference, may: set[str]) -> list[Row]:
    """Say whose number is missing, once somebody dissented: what is decided goes onto that record."""
    missing = [child for child in conference.children.all() if not child.record_number]
    if not missing or not conference.dissents.all():
        return []
    mine = "fill_in_record_number" in may
    return [
        {
            "words": f"Fill in the {conference.procedure.rules.words.record_number.one} of each child",
            "href": reverse("fill_in_record_number", args=[conference.pk, missing[0].pk]) if mine else "",
            "state": f"{len(missing)} not known yet",
            "hint": "" if mine else "Done by the conference administrator.",
            "colour": "blue",
        }
    ]


def _child(child: Child, conference: Conference, may: set[str], *, writable: bool) -> Row:
    rules = conference.procedure.rules
    return {
        "name": str(child),
        "facts": [
            {
                "key": "Born",
                "value": shown.born(child),
                **_correct_child(child, conference, may, what=f"name or date of {child}"),
            },
            {
                "key": shown.capital(rules.words.record_number.one),
                "value": child.record_number or "Not known yet",
                "href": reverse("fill_in_record_number", args=[conference.pk, child.pk])
                if "fill_in_record_number" in may
                else "",
                "action": "Put it right" if child.record_number else "Fill it in",
                "what": f"for {child}",
            },
            {
                "key": "Decision",
                "value": child.get_decision_display(),
                **_correct_child(child, conference, may, what=f"decision for {child}"),
            },
            *([{"key": "Category", "value": child.get_category_display()}] if child.category else []),
        ],
        "people": [
            {"name": one.name, "facts": _relative(one, _new_contact(one, conference, may))}
            for one in child.relatives.all()
        ],
        "add_href": reverse("add_relative", args=[conference.pk, child.pk])
        if writable and "describe" in may
        else "",
    }


def _correct_child(child: Child, conference: Conference, may: set[str], *, what: str) -> Row:
    if "correct" not in may:
        return {}
    href = reverse("correct_child", args=[conference.pk, child.pk])
    return {"href": href, "action": "Correct", "what": what}


def _new_contact(relative: Relative, conference: Conference, may: set[str]) -> str:
    return reverse("change_contact", args=[conference.pk, relative.who]) if "change_contact" in may else ""


def _relative(relative: Relative, new_contact: str) -> list[Row]:
    """What is known of somebody who matters to a child. Where it is not known, what follows from that."""
    responsibility = {True: "Yes", False: "No", None: "Not known yet"}[relative.parental_responsibility]
    told = [relative.get_may_be_told_display()]
    if relative.may_be_told:
        told.append(f"Said by {relative.may_be_told_said_by}")
    else:
        told.append("Nothing is sent to them until this is answered.")
    contact = [relative.get_contact_display()]
    if relative.contact:
        contact += [
            *relative.contact_details.splitlines(),
            f"Confirmed as safe by {relative.contact_confirmed_safe_by} "
            f"on {day(relative.contact_confirmed_safe_on)}",
        ]
    else:
        contact.append("Their letter is printed, and given to them in person.")
    rows: list[Row] = [
        {"key": "To the child", "value": relative.relation},
        {"key": "Parental responsibility", "value": responsibility},
        {"key": "May be told", "lines": told},
    ]
    if relative.may_be_told_why:
        rows.append({"key": "Why", "value": relative.may_be_told_why, "typed": True})
    if relative.court_restriction:
        rows.append({"key": "Court restriction", "value": relative.court_restriction, "typed": True})
    rows.append(
        {
            "key": "Safe contact",
            "lines": contact,
            "href": new_contact,
            "action": "Record a new one",
            "what": f"for {relative.name}",
        }
    )
    if relative.language:
        rows.append({"key": "Language", "value": relative.language})
    if relative.format:
        rows.append({"key": "Format", "value": relative.format})
    return rows


def _facts(conference: Conference, rules: Procedure, may: set[str]) -> list[Row]:
    """The facts of the conference, with a way to correct its end."""
    rows = shown.conference_rows(conference, rules)
    if "correct" in may:
        ended = next(row for row in rows if row["key"] == "Ended")
        ended |= {"href": reverse("correct_end", args=[conference.pk]), "action": "Correct"}
    return rows


def _attendance(attendance: Attendance, conference: Conference, may: set[str]) -> list[str | Row]:
    correct = reverse("correct_attendance", args=[conference.pk, attendance.pk]) if "correct" in may else ""
    return [
        *_there(attendance),
        *([{"words": f"Correct {attendance.name}", "href": correct}] if correct else []),
    ]


def _there(attendance: Attendance) -> list[str | Row]:
    return [
        {"words": attendance.name, "note": attendance.job},
        attendance.agency.name if attendance.agency else "None",
        attendance.get_capacity_display(),
        "Present" if attendance.present else "Absent",
        attendance.email or "None",
    ]


def _born(child: Child) -> str:
    """Return what tells a child from another of the same name."""
    return f"Born on {day(child.born_on)}" if child.born_on else shown.born(child)


ATTENDANCE = ["Name", "Agency", "Capacity", "Present", "E-mail address"]


def _paper(paper: Paper) -> Row:
    row = shown.paper_row(paper)
    return {**row, "about": f"{row['about']}. The file was called {paper.file_name}"}


def _dissent(dissent: Dissent, *, chairs: bool) -> list[str | Row]:
    """The administrator reads that it exists and where it stands; the chair also whose it is."""
    reference = {"words": dissent.reference}
    if chairs:
        reference |= {"href": reverse("dissent", args=[dissent.pk]), "note": dissent.who.name}
    return [reference, day_and_time(dissent.raised_at), shown.where_it_stands(dissent, outcome=chairs)]


# --- what the administrator adds -------------------------------------------------------------------


def _saved(request: HttpRequest, conference: Conference, said: str, again: str) -> HttpResponse:
    """Say that it is saved, and go on to the next one or back to the record."""
    messages.success(request, said)
    if request.POST.get("then") == forms.ANOTHER:
        return redirect(again)
    return redirect("conference", conference.pk)


def _agencies(conference: Conference) -> list[Agency]:
    return list(Agency.objects.filter(council=conference.council_id))


@page
def add_child(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = find_conference(request, pk, "describe")
    if closed := _closed(request, found):
        return closed
    back = reverse("conference", args=[pk])
    form = forms.ChildForm(
        sent_by(request),
        words=found.procedure.rules.words,
        place=found.pk,
        back=back,
        one_more="Save and add another child",
    )
    if form.is_valid():
        try:
            child = actions.add_child(conference=found, by=request.user, at=request.at, **form.cleaned_data)
        except Refused as refused:
            refused_at(form, refused)
        else:
            return _saved(request, found, f"{child} is recorded.", request.path)
    recorded = [str(one) for one in found.children.all()]
    return _show(request, found, "conference_child.html", form=form, recorded=recorded)


@page
def add_relative(request: HttpRequest, pk: UUID, child: UUID) -> HttpResponse:
    found = find_conference(request, pk, "describe")
    if closed := _closed(request, found):
        return closed
    whose = get_object_or_404(found.children.select_related("conference"), pk=child)
    form = forms.RelativeForm(
        sent_by(request),
        at=request.at,
        others=_others(found, whose),
        place=whose.pk,
        back=reverse("conference", args=[pk]),
        one_more="Save and add another person",
    )
    if form.is_valid():
        try:
            relative = actions.add_relative(child=whose, by=request.user, at=request.at, **form.cleaned_data)
        except Refused as refused:
            refused_at(form, refused)
        else:
            return _saved(request, found, f"{relative} is recorded.", request.path)
    recorded = [f"{one.name}, {one.relation}" for one in whose.relatives.in_force()]
    return _show(request, found, "conference_relative.html", form=form, child=str(whose), recorded=recorded)


def _others(conference: Conference, child: Child) -> list[Relative]:
    """Return each person who is recorded with another child here and not with this one, once."""
    rows = Relative.objects.in_force().filter(child__conference=conference).select_related("child")
    here = {row.who for row in rows if row.child_id == child.pk}
    others: dict[UUID, Relative] = {}
    for row in rows:
        if row.who not in here:
            others.setdefault(row.who, row)
    return list(others.values())


@page
def add_attendance(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = find_conference(request, pk, "describe")
    if closed := _closed(request, found):
        return closed
    form = forms.AttendanceForm(
        sent_by(request),
        agencies=_agencies(found),
        place=found.pk,
        back=reverse("conference", args=[pk]),
        one_more="Save and add another person",
        initial={"capacity": Attendance.Capacity.PROFESSIONAL},
    )
    if form.is_valid():
        try:
            attendance = actions.add_attendance(
                conference=found, by=request.user, at=request.at, **form.cleaned_data
            )
        except Refused as refused:
            refused_at(form, refused)
        else:
            return _saved(request, found, f"{attendance} is recorded.", request.path)
    recorded = [
        f"{one.name}, {one.agency or one.get_capacity_display()}{'' if one.present else ', absent'}"
        for one in found.attendances.in_force().select_related("agency")
    ]
    return _show(request, found, "conference_attendance.html", form=form, recorded=recorded)


@page
def attach_paper(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = find_conference(request, pk, "attach")
    form = forms.PaperForm(
        sent_by(request),
        request.FILES if request.method == "POST" else None,
        agencies=_agencies(found),
        place=found.pk,
        back=reverse("conference", args=[pk]),
        one_more="Save and attach another paper",
    )
    if form.is_valid():
        file = form.cleaned_data["paper"]
        try:
            paper = actions.attach_paper(
                conference=found,
                kind=form.cleaned_data["kind"],
                agency=form.cleaned_data["agency"],
                once=form.cleaned_data["once"],
                file_name=file.name,
                data=file.read(),
                by=request.user,
                at=request.at,
            )
        except (NotAPdf, PdfFailed) as said:
            form.add_error("paper", str(said))
        except Refused as refused:
            refused_at(form, refused)
        else:
            return _saved(request, found, f"Attached: {paper}.", request.path)
    recorded = [shown.paper_row(one)["words"] for one in found.papers.select_related("agency")]
    return _show(request, found, "conference_paper.html", form=form, recorded=recorded)


# --- what the chair does ---------------------------------------------------------------------------


@page
def confirm_explained(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The chair confirms that those attending understand how to dissent (ST-04)."""
    found = find_conference(request, pk, "explain")
    if closed := _closed(request, found):
        return closed
    form = forms.Press(sent_by(request), words="Confirm", back=reverse("conference", args=[pk]))
    if form.is_valid():
        try:
            actions.confirm_explained(conference=found, by=request.user, at=request.at)
        except Refused as refused:
            refused_at(form, refused)
        else:
            messages.success(request, "It is recorded that the dissent process was explained.")
            return redirect("conference", pk)
    return _show(request, found, "conference_explained.html", form=form)


@page
def raise_dissent(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The chair records who dissented in the conference, and about which children (ST-02)."""
    found = find_conference(request, pk, "raise")
    if closed := _closed(request, found):
        return closed
    raising = found.procedure.rules.raising
    attendances = list(found.attendances.in_force().select_related("agency"))
    reasons = {one.pk: actions.why_not(one, raising) for one in attendances}
    form = forms.RaiseForm(
        sent_by(request),
        may=[one for one in attendances if not reasons[one.pk]],
        may_not=[one for one in attendances if reasons[one.pk]],
        of=[(one, _born(one)) for one in found.children.all()],
        back=reverse("conference", args=[pk]),
    )
    first = None
    if form.is_valid():
        try:
            made = actions.raise_dissent(
                conference=found, by=request.user, at=request.at, **form.cleaned_data
            )
        except AlreadyRaised as already:
            first = already.first
            refused_at(form, already)
        except Refused as refused:
            refused_at(form, refused)
        else:
            return redirect("dissent_recorded", pk, made.pk)
    return _show(
        request,
        found,
        "conference_dissent.html",
        form=form,
        first=first,
        nobody=not form.fields["attendance"].choices or not form.fields["children"].choices,
        others=[reason for reason in reasons.values() if reason],
    )


@page
def dissent_recorded(request: HttpRequest, pk: UUID, dissent: UUID) -> HttpResponse:
    """Say to the chair that the dissent is recorded, and until when its form can be sent in time."""
    found = find_conference(request, pk, "raise")
    made = get_object_or_404(found.dissents.select_related("attendance"), pk=dissent)
    ends = {rule.key for rule in found.procedure.rules.clocks if rule.until == "filed"}
    dues = [clock.due_at for clock in made.clocks.all() if clock.rule in ends]
    return _show(
        request,
        found,
        "conference_dissent_recorded.html",
        dissent=made,
        children=[str(one) for one in made.children.all()],
        due=day_and_time(min(dues)) if dues and all(dues) else "",
        is_late=any(due and due < request.at for due in dues),
    )


@page
def close_record(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The chair closes the record; nothing else ever does."""
    found = find_conference(request, pk, "close_record")
    if closed := _closed(request, found):
        return closed
    form = forms.Press(
        sent_by(request),
        words="Close the record",
        kind="warning",
        back=reverse("conference", args=[pk]),
    )
    if form.is_valid():
        try:
            actions.close_record(conference=found, by=request.user, at=request.at)
        except RecordIsClosed:
            return redirect("conference", pk)  # pressed twice
        except Refused as refused:
            refused_at(form, refused)
        else:
            messages.success(request, "The record is closed.")
            return redirect("conference", pk)
    return _show(request, found, "conference_close.html", form=form)


urlpatterns = [
    path("conferences/", conferences, name="conferences"),
    path("conferences/new/", record_conference, name="record_conference"),
    path("conferences/<uuid:pk>/", conference, name="conference"),
    path("conferences/<uuid:pk>/children/new/", add_child, name="add_child"),
    path("conferences/<uuid:pk>/children/<uuid:child>/people/new/", add_relative, name="add_relative"),
    path("conferences/<uuid:pk>/attendances/new/", add_attendance, name="add_attendance"),
    path("conferences/<uuid:pk>/papers/new/", attach_paper, name="attach_paper"),
    path("conferences/<uuid:pk>/explained/", confirm_explained, name="confirm_explained"),
    path("conferences/<uuid:pk>/dissents/new/", raise_dissent, name="raise_dissent"),
    path(
        "conferences/<uuid:pk>/dissents/<uuid:dissent>/recorded/", dissent_recorded, name="dissent_recorded"
    ),
    path("conferences/<uuid:pk>/close/", close_record, name="close_record"),
]

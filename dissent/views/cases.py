"""The case as the people who look at it see it, and what they do to it at a review."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Exists, Max, Min, OuterRef, Prefetch, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django_fsm import TransitionNotAllowed

from councils.models import Person
from councils.procedure import Stage, Step
from dissent import actions, permissions
from dissent.actions import Found, Refused, record_read
from dissent.actions.dissent import can_be_in_time
from dissent.forms.base import Form
from dissent.forms.cases import (
    AdmissionForm,
    FurtherConferenceForm,
    LapseForm,
    ProposalForm,
    ReviewForm,
    StepForm,
)
from dissent.forms.panels import meanings_told_to_families
from dissent.models import (
    Attendance,
    Child,
    Clock,
    Decision,
    Dissent,
    Finding,
    LedgerEntry,
    Letter,
    Moment,
    Notice,
    Paper,
    Proposal,
    Seat,
    StepRecord,
)
from dissent.models.dissent import AWAITING_ADMISSION, CLOSED, DECIDED, RECONVENING, decision_can_be_corrected
from dissent.models.panel import appointed_as
from dissent.models.uploads import children_to_be_uploaded
from dissent.views import shown
from dissent.views.common import View, day_and_time, find_dissent, needs, page, refused_at, sent_by, show

FAMILIES = ("decisions__findings__child", "may_hear", "held_back", "children_told", "record_packs")
"""What comes with a dissent where it is asked what a family is told."""
PARTS = {
    "": "Where it stands",
    "form": "Form",
    "conference": "Conference",
    "review": "Review",
    "decision": "Decision and letters",
    "history": "History",
}
"""The parts of a case, each a page of its own at the same address."""


# --- the case --------------------------------------------------------------------------------------


def case_page(request: HttpRequest, dissent: Dissent) -> HttpResponse:
    """Show one part of the case to somebody in whose hands it is or was. Each reading is recorded."""
    part = request.GET.get("part", "")
    needs(part in PARTS)
    content = {
        "": _overview,
        "form": _form,
        "conference": _conference,
        "review": _review,
        "decision": _decision,
        "history": _history,
    }[part](request, dissent)
    what = f"case_{part}" if part else "case"
    record_read(
        council=dissent.council, about=dissent, what=what, by=request.user, at=request.at, case=dissent
    )
    return show(
        request,
        f"case_{part}.html" if part else "case.html",
        council=dissent.council,
        section="work",
        dissent=dissent,
        about=_about(dissent),
        pages=[
            {
                "words": words,
                "href": f"?part={key}" if key else f"/dissents/{dissent.pk}/",
                "current": key == part,
            }
            for key, words in PARTS.items()
        ],
        part=PARTS[part],
        **content,
    )


def _about(dissent: Dissent) -> str:
    who = ", ".join(filter(None, [dissent.who.name, dissent.who.works_for]))
    return f"{who}. {shown.conference_of(dissent)}"


def _overview(request: HttpRequest, dissent: Dissent) -> dict[str, Any]:
    clocks = Clock.objects.select_related("started", "stopped")
    prefetch_related_objects([dissent], "steps", "letters", Prefetch("clocks", queryset=clocks), *FAMILIES)
    return {
        **_standing(dissent, at=request.at),
        "tasks": _tasks(dissent),
        "acts": _acts(dissent, at=request.at),
        "ending": shown.ending_rows(dissent),
        "owes": _owes(dissent),
        "refused": _refused_messages(dissent),
        "clocks": shown.clock_rows(dissent.clocks.all(), dissent.rules, at=request.at),
        "other_headings": ("Dissent", "Where it stands"),
        "others": _others(request, dissent),
        "meanwhile": "" if dissent.closed_at else dissent.rules.meanwhile,
    }


def _standing(dissent: Dissent, *, at: dt.datetime) -> dict[str, Any]:
    """Return where the case stands and what is due next. Needs `clocks` and `steps`."""
    clock = shown.next_clock(clock for clock in dissent.clocks.all() if clock.is_running)
    return {
        "stands": shown.where_it_stands(dissent, outcome=True),
        "next": shown.next_thing(dissent),
        "due": shown.clock_row(clock, dissent.rules.clock(clock.rule), at=at) if clock else None,
    }


def _owes(dissent: Dissent) -> list[str]:
    """Say what keeps the case from closing; nothing where it is closed."""
    if dissent.closed_at:
        return []
    undecided = [] if dissent.state in ("decided", RECONVENING) else ["It is not decided yet."]
    return [*undecided, *dissent.owes()]


def _refused_messages(dissent: Dissent) -> list[str]:
    """Say which messages a mail server refused for good: these people have to be reached otherwise."""
    refused = Notice.objects.filter(dissent=dissent, failed_at__isnull=False).select_related("to")
    return [
        f"The message to {notice.to.email} was refused on {day_and_time(notice.failed_at)}. "
        "Check the address with them, and tell them in another way."
        for notice in refused.order_by("failed_at")
    ]


def _others(request: HttpRequest, dissent: Dissent) -> list[list[str | shown.Row]]:
    """Return the other dissents about the same conference, as far as the reader reads them."""
    read = Dissent.objects.read_by(request.user, at=request.at)
    if dissent.conference is None:
        return []
    same = read.filter(conference=dissent.conference_id).exclude(pk=dissent.pk)
    rows = same.select_related("attendance__agency", "claim__agency", "procedure", "panel")
    return [
        [
            {"words": each.reference, "href": f"/dissents/{each.pk}/", "note": each.who.works_for},
            shown.where_it_stands(each, outcome=True),
        ]
        for each in rows.defer("procedure__document").order_by("raised_at", "id")
    ]


def _tasks(dissent: Dissent) -> list[shown.Row]:
    """Return the steps of the present stage, in order, each with where it stands. Needs `steps`."""
    if not dissent.stage or dissent.closed_at:
        return []
    missing = {step.key for step in dissent.missing_steps()}
    can = dissent.can("record_step")
    tasks = []
    for step in dissent.rules_of_stage.steps:
        task: shown.Row = {"words": step.label, "hint": step.hint}
        if step.key not in missing:
            task["state"] = "Recorded"
        elif missing & set(step.after):
            task["state"] = "Cannot start yet"
        else:
            task |= {"state": "Not recorded yet", "colour": "blue"}
            if can:
                task["href"] = f"/dissents/{dissent.pk}/steps/{step.key}/"
        tasks.append(task)
    return tasks


def _acts(dissent: Dissent, *, at: dt.datetime) -> list[shown.Row]:
    """Return what the reader can do now: exactly what the POST behind it would let through."""
    home = f"/dissents/{dissent.pk}"
    acts = _acts_on_the_way_in(dissent, home)
    if dissent.can("propose"):
        acts.append({"words": "Propose a resolution", "href": f"{home}/propose/"})
    if dissent.can("decide") and dissent.rules_of_stage.review:
        outcomes = shown.outcomes_without_agreement(dissent.rules_of_stage)
        words = outcomes[0][1] if len(outcomes) == 1 else "Record how the review ends"
        acts.append({"words": words, "href": f"{home}/decide/"})
    if dissent.can("convene"):
        acts.append({"words": f"Name the {dissent.rules.words.panel.one}", "href": f"{home}/panel/convene/"})
    if dissent.stands_as & {"panel_named", "panel_chair", "panel_member"}:
        words = "Say whether you are independent" if "panel_named" in dissent.stands_as else "Go to the panel"
        acts.append({"words": words, "href": f"/panels/{dissent.panel_id}/"})
    acts += _acts_on_letters(dissent, home)
    if dissent.can("record_further_conference") and not dissent.reheard_in_id:
        acts.append({"words": "Record the further conference", "href": f"{home}/further-conference/"})
    if dissent.can("record_telling"):
        acts += [
            {"words": f"Record that {child} was told", "href": f"{home}/children/{child.pk}/told/"}
            for decision in dissent.told_to_families()
            for child in dissent.children_to_be_told(decision)
        ]
    if dissent.can("make_record_pack") and children_to_be_uploaded(dissent):
        acts.append({"words": "Put it onto each child’s record", "href": f"{home}/record/"})
    if dissent.can("lapse") and not can_be_in_time(dissent, at=at):
        acts.append({"words": "Let the dissent lapse", "href": f"{home}/lapse/", "secondary": True})
    return acts


def _acts_on_the_way_in(dissent: Dissent, home: str) -> list[shown.Row]:
    if dissent.can("let_in"):
        return [{"words": "Decide whether it was raised", "href": f"{home}/settle/"}]
    if dissent.can("turn_away"):
        return [{"words": "Refuse it: no such conference", "href": f"{home}/settle/", "secondary": True}]
    if dissent.can("admit"):
        return [{"words": "Decide whether the late form is let in", "href": f"{home}/admit/"}]
    return []


def _acts_on_letters(dissent: Dissent, home: str) -> list[shown.Row]:
    held = {each.who for each in dissent.held_back.all() if each.lifted_at is None}
    waiting = [
        letter
        for letter in dissent.letters.all()
        if letter.replaced_at is None and not letter.is_issued and letter.who not in held
    ]
    if dissent.can("release") and any(letter.released_at is None for letter in waiting):
        return [{"words": "Look at the letters and release them", "href": f"{home}/letters/"}]
    if dissent.can("hand_over") and any(letter.to_id is None for letter in waiting):
        return [{"words": "Hand over the printed letters", "href": f"{home}/letters/"}]
    return []


def _form(request: HttpRequest, dissent: Dissent) -> dict[str, Any]:
    prefetch_related_objects([dissent], "answers", "children")
    return {
        "sent": day_and_time(dissent.filed_at),
        "children": shown.listed(str(child) for child in dissent.children.all()),
        "words": dissent.rules.words,
        "answers": shown.form_rows(dissent) if dissent.filed_at else [],
        "management": shown.management_rows(dissent),
    }


def _conference(request: HttpRequest, dissent: Dissent) -> dict[str, Any]:
    conference = dissent.conference
    if conference is None:
        return {"claim": shown.claim_rows(dissent.claim, dissent.rules)}
    named = Dissent.children.through.objects.filter(dissent=dissent, child=OuterRef("pk"))
    children = Child.objects.annotate(is_named=Exists(named))
    prefetch_related_objects(
        [conference],
        Prefetch("children", queryset=children),
        Prefetch("attendances", queryset=Attendance.objects.in_force().select_related("agency")),
        Prefetch("papers", queryset=Paper.objects.select_related("agency")),
    )
    return {
        "rows": shown.conference_rows(conference, dissent.rules),
        "child_headings": shown.child_headings(dissent.rules),
        "children": [
            shown.child_row(child, note="The dissent is about this child" if child.is_named else "")
            for child in conference.children.all()
        ],
        "people": [shown.attendance_row(attendance) for attendance in conference.attendances.all()],
        "papers": [shown.paper_row(paper) for paper in conference.papers.all()],
        "correction_headings": shown.CORRECTION_HEADINGS,
        "corrections": [shown.correction_row(each) for each in conference.corrections.of_the_record()],
    }


def _review(request: HttpRequest, dissent: Dissent) -> dict[str, Any]:
    prefetch_related_objects(
        [dissent],
        Prefetch("steps", queryset=StepRecord.objects.select_related("recorded_by")),
        Prefetch("proposals", queryset=Proposal.objects.select_related("proposed_by")),
    )
    return {
        "raising": shown.raising_rows(dissent),
        "admission": _admission_rows(dissent),
        "steps": shown.step_rows(dissent),
        "proposals": [shown.proposal_rows(proposal) for proposal in dissent.proposals.all()],
    }


def _admission_rows(dissent: Dissent) -> list[shown.Row]:
    if dissent.admitted_at is None or dissent.admitted_by is None:
        return []
    let_in = bool(dissent.stage)
    return [
        {"key": "Late form", "value": "Let in" if let_in else "Refused"},
        {"key": "Decided", "value": f"{day_and_time(dissent.admitted_at)}, {dissent.admitted_by.name}"},
        {"key": "Reasons", "value": dissent.admission_reasons, "typed": True},
    ]


def _decision(request: HttpRequest, dissent: Dissent) -> dict[str, Any]:
    rules = dissent.rules
    findings = Finding.objects.select_related("child")
    decisions = Decision.objects.select_related("decided_by").prefetch_related(
        Prefetch("findings", queryset=findings), "corrections"
    )
    prefetch_related_objects(
        [dissent],
        Prefetch("decisions", queryset=decisions),
        Prefetch("letters", queryset=Letter.objects.in_force()),
    )
    ended = dissent.state in (DECIDED, RECONVENING, CLOSED) and decision_can_be_corrected(dissent)
    in_force = dissent.decision_in_force() if ended else None
    return {
        "decisions": [
            {
                "title": shown.stage_title(rules, decision.stage),
                "rows": [*shown.decision_rows(decision, rules), *shown.corrected_rows(decision)],
                "correct": f"/dissents/{dissent.pk}/decision/correct/" if decision == in_force else "",
                "by": decision.decided_by.name if decision.decided_by else "",
            }
            for decision in dissent.decisions.all()
        ],
        "record_href": f"/dissents/{dissent.pk}/record/",
        "can_correct": dissent.can("correct_decision"),
        "panel_title": rules.words.panel.one,
        "panel": _panel_rows(dissent),
        "sat": day_and_time(dissent.panel.sat_at) if dissent.panel else "",
        "panel_href": f"/panels/{dissent.panel_id}/" if dissent.panel else "",
        "letter_headings": shown.LETTER_HEADINGS,
        "letters": [shown.letter_row(letter, rules) for letter in dissent.letters.all()],
    }


def _panel_rows(dissent: Dissent) -> list[shown.Row]:
    if dissent.panel is None:
        return []
    seats = Seat.objects.filter(panel=dissent.panel).select_related("person", "agency")
    return [shown.seat_row(seat, dissent.rules.words.unit) for seat in seats]


def _history(request: HttpRequest, dissent: Dissent) -> dict[str, Any]:
    entries = LedgerEntry.objects.filter(case_id__in=[dissent.pk, dissent.conference_id])
    happened = entries.exclude(verb__startswith="read_").select_related("by", "values")
    entered = Moment.objects.filter(dissent=dissent, name="stage_entered")
    stages = dict(entered.values_list("recorded_at", "stage"))
    readers = ("by", "by__name", "by__job", "by__agency__name")  # by the person: namesakes are two
    read = entries.filter(verb__startswith="read_").values(*readers, "verb")
    opened = read.annotate(times=Count("pk"), first=Min("recorded_at"), last=Max("recorded_at"))
    return {
        "items": [
            shown.happened_row(entry, dissent.rules, stages)
            for entry in happened.order_by("-happened_at", "-sequence")
        ],
        "opened_headings": ("Who", "What", "How often", "First", "Last"),
        "opened": [
            [
                {
                    "words": each["by__name"] or "",
                    "note": ", ".join(filter(None, [each["by__job"], each["by__agency__name"]])),
                },
                shown.capital(shown.opened_words(each["verb"])),
                shown.counted(each["times"], "time"),
                day_and_time(each["first"]),
                day_and_time(each["last"]),
            ]
            for each in opened.order_by("-last")
        ],
    }


# --- the same case, for those who read less of it --------------------------------------------------


def standing_page(request: HttpRequest, dissent: Dissent) -> HttpResponse:
    """Show the chair the form and the outcome, and the conference administrator where the case stands.

    A panel from which it was withdrawn is shown that and nothing else. Whose dissent it is stands in the
    form: who reads none is not told.
    """
    reads = permissions.reads(dissent.stands_as)
    prefetch_related_objects([dissent], "steps")
    content: dict[str, Any] = {}
    if "form" in reads and dissent.filed_at:
        prefetch_related_objects([dissent], "answers")
        content |= {"sent": day_and_time(dissent.filed_at), "answers": shown.form_rows(dissent)}
    if "outcome" in reads:
        content["outcomes"] = [*_admission_rows(dissent), *_outcomes(dissent)]
        content["ending"] = shown.ending_rows(dissent)
    if "conference" in reads and dissent.conference:
        content |= {
            "rows": shown.conference_rows(dissent.conference, dissent.rules),
            "conference_href": f"/conferences/{dissent.conference_id}/",
        }
    if dissent.can("match") or "chair_asked" in dissent.stands_as:
        content["claim"] = shown.claim_rows(dissent.claim, dissent.rules)
    if "record" in reads:
        content["record_href"] = f"/dissents/{dissent.pk}/record/"
    record_read(
        council=dissent.council, about=dissent, what="standing", by=request.user, at=request.at, case=dissent
    )
    return show(
        request,
        "standing.html",
        council=dissent.council,
        section="work",
        dissent=dissent,
        about=_about(dissent) if "form" in reads else shown.conference_of(dissent),
        acts=_asked_of_them(dissent),
        stands=shown.where_it_stands(dissent, outcome="outcome" in reads),
        meanwhile="" if dissent.closed_at else dissent.rules.meanwhile,
        **content,
    )


def _asked_of_them(dissent: Dissent) -> list[shown.Row]:
    home, conference = f"/dissents/{dissent.pk}", dissent.rules.words.conference.one
    acts: list[shown.Row] = []
    if dissent.can("confirm_raised"):
        acts.append({"words": f"Say whether it was raised in the {conference}", "href": f"{home}/raised/"})
    if dissent.can("match"):
        if dissent.conference:
            again = f"Say that it was another {conference}"
            acts.append({"words": again, "href": f"{home}/match/", "secondary": True})
        else:
            acts.append({"words": f"Say which {conference} it was", "href": f"{home}/match/"})
    return acts


def _outcomes(dissent: Dissent) -> list[shown.Row]:
    decisions = dissent.decisions.filter(replaced_at=None).prefetch_related("findings")
    return [
        {
            "key": shown.stage_title(dissent.rules, decision.stage),
            "value": f"{shown.outcome_words(decision, dissent.rules)}, {day_and_time(decision.decided_at)}",
        }
        for decision in decisions
    ]


# --- what is done at a review ----------------------------------------------------------------------


def act(verb: str) -> Callable[[View], View]:
    """Mark a page on which `verb` is done to a dissent.

    Whoever may never do it, or does not read the case, finds nothing; who comes when it is not possible is
    sent to the case; who sends a form from a stage that the case has left is told that it has moved on.
    """

    def decorator(view: View) -> View:
        @page
        @wraps(view)
        def wrapped(request: HttpRequest, pk: UUID, **place: str) -> HttpResponse:
            dissent = find_dissent(request, pk)
            if request.method == "POST" and _is_left_behind(request, dissent):
                raise TransitionNotAllowed("The case has left the stage that this form was for.")
            needs("reader" in dissent.stands_as and permissions.may(verb, dissent.stands_as))
            if request.method != "POST" and not dissent.can(verb):
                return _not_now(request, dissent)
            return view(request, dissent, **place)

        return wrapped

    return decorator


def _is_left_behind(request: HttpRequest, dissent: Dissent) -> bool:
    return "reader" in dissent.stands_as and request.GET.get("stage", dissent.stage) != dissent.stage


def _not_now(request: HttpRequest, dissent: Dissent) -> HttpResponse:
    messages.info(request, "That cannot be done where the case stands now.")
    return redirect("dissent", dissent.pk)


def done(request: HttpRequest, dissent: Dissent, words: str) -> HttpResponse:
    messages.success(request, words)
    return redirect("dissent", dissent.pk)


def act_page(
    request: HttpRequest,
    template: str,
    dissent: Dissent,
    form: Form,
    what: str = "case_act",
    **context: Any,
) -> HttpResponse:
    record_read(
        council=dissent.council, about=dissent, what=what, by=request.user, at=request.at, case=dissent
    )
    form.action = "?" + urlencode({"stage": dissent.stage})
    return show(
        request,
        template,
        council=dissent.council,
        section="work",
        dissent=dissent,
        about=_about(dissent),
        form=form,
        back=f"/dissents/{dissent.pk}/",
        **context,
    )


@act("record_step")
def record_step(request: HttpRequest, dissent: Dissent, key: str) -> HttpResponse:
    """Record that a step of the review was done, when, and what was said."""
    step = _step(dissent, key)
    needs(step is not None)
    recorded = step.key not in {each.key for each in dissent.missing_steps()}
    if request.method != "POST" and recorded:
        return _not_now(request, dissent)
    form = StepForm(sent_by(request))
    if request.method == "POST" and form.is_valid():
        try:
            actions.record_step(
                dissent=dissent, step=step.key, **form.cleaned_data, by=request.user, at=request.at
            )
        except Refused as refused:
            refused_at(form, refused)
        else:
            return done(request, dissent, f"Recorded: {step.label}")
    return act_page(request, "case_step.html", dissent, form, step=step)


def _step(dissent: Dissent, key: str) -> Step | None:
    return next((step for step in dissent.rules_of_stage.steps if step.key == key), None)


@act("propose")
def propose(request: HttpRequest, dissent: Dissent) -> HttpResponse:
    """Put a resolution to the dissenter in writing."""
    form = ProposalForm(sent_by(request))
    if request.method == "POST" and form.is_valid():
        try:
            actions.propose_resolution(
                dissent=dissent, text=form.cleaned_data["text"], by=request.user, at=request.at
            )
        except Refused as refused:
            refused_at(form, refused)
        else:
            return done(request, dissent, "The proposal is with the dissenter.")
    return act_page(request, "case_propose.html", dissent, form, limit=_time_to_answer(dissent))


def _time_to_answer(dissent: Dissent) -> str:
    """Return how long the dissenter has to answer a proposal, empty where nothing limits it."""
    for rule in dissent.rules.clocks:
        if rule.start == "resolution_proposed" and rule.stage == dissent.stage:
            return str(rule.limit)
    return ""


@act("decide")
def decide(request: HttpRequest, dissent: Dissent) -> HttpResponse:
    """End a review where nothing is agreed. A panel decides on a page of its own."""
    stage: Stage = dissent.rules_of_stage
    if stage.panel:
        return redirect("panel", dissent.panel_id)
    form = ReviewForm(
        sent_by(request),
        outcomes=shown.outcomes_without_agreement(stage),
        to_families=bool(meanings_told_to_families(dissent)),
    )
    children = list(dissent.children.all())
    if request.method == "POST" and form.is_valid():
        found = Found(**form.cleaned_data)
        try:
            actions.decide(
                dissent=dissent, findings=dict.fromkeys(children, found), by=request.user, at=request.at
            )
        except Refused as refused:
            refused_at(form, refused)
        else:
            return done(request, dissent, f"Recorded: {stage.outcome(found.outcome).label}")
    return act_page(
        request, "case_decide.html", dissent, form, stage=stage, children=shown.listed(map(str, children))
    )


@act("admit")
def admit(request: HttpRequest, dissent: Dissent) -> HttpResponse:
    """Let a late form in or refuse it, with reasons."""
    form = AdmissionForm(sent_by(request))
    if request.method == "POST" and form.is_valid():
        let_in = form.cleaned_data["answer"] == AdmissionForm.ADMIT
        decide_on = actions.admit if let_in else actions.refuse_late
        try:
            decide_on(dissent=dissent, reasons=form.cleaned_data["reasons"], by=request.user, at=request.at)
        except Refused as refused:
            refused_at(form, refused)
        else:
            words = "The form is let in, and the review starts." if let_in else "The form is refused."
            return done(request, dissent, words)
    return act_page(request, "case_admit.html", dissent, form, what="case_admit", rows=_how_late(dissent))


def _how_late(dissent: Dissent) -> list[shown.Row]:
    """Return when the form was due, when it came and why it was late."""
    if dissent.state != AWAITING_ADMISSION or dissent.filed_at is None:
        return []
    rows = []
    for clock in dissent.clocks.all():
        rule = dissent.rules.clock(clock.rule)
        if rule and rule.until == "filed" and clock.due_at:
            rows += [
                {"key": "Due", "value": shown.last_moment(clock.due_at)},
                {"key": "Sent", "value": day_and_time(dissent.filed_at)},
                {"key": "Late by", "value": shown.how_long(clock.due_at, dissent.filed_at)},
            ]
    why = dissent.late_because or (
        "The dissenter was not asked: at the time that they gave for the end of the conference, the form was "
        "in time."
    )
    return [*rows, {"key": dissent.rules.filing.late.question, "value": why, "typed": True}]


@act("lapse")
def lapse(request: HttpRequest, dissent: Dissent) -> HttpResponse:
    """End a dissent whose form never came, saying how its dissenter was looked for."""
    if request.method != "POST" and can_be_in_time(dissent, at=request.at):
        messages.info(request, "The dissenter still has time to send the form.")
        return redirect("dissent", dissent.pk)
    form = LapseForm(sent_by(request))
    if request.method == "POST" and form.is_valid():
        try:
            actions.lapse(dissent=dissent, by=request.user, at=request.at, **form.cleaned_data)
        except Refused as refused:
            refused_at(form, refused)
        else:
            return done(request, dissent, "The dissent has lapsed. The dissenter is told.")
    return act_page(request, "case_lapse.html", dissent, form, rows=_where_to_reach(dissent))


def _where_to_reach(dissent: Dissent) -> list[shown.Row]:
    there = dissent.who
    return [
        {"key": "Dissenter", "value": ", ".join(filter(None, [there.name, there.job]))},
        {"key": "Agency", "value": there.works_for or "None on record"},
        {"key": "E-mail address", "value": dissent.dissenter.email},
    ]


@act("record_further_conference")
def further_conference(request: HttpRequest, dissent: Dissent) -> HttpResponse:
    """Record the further conference, which answers every dissent about the first. It carries no plan."""
    if request.method != "POST" and dissent.reheard_in_id:
        return _not_now(request, dissent)
    chairs = {str(person.pk): person for person in _chairs(dissent, at=request.at)}
    form = FurtherConferenceForm(
        sent_by(request), chairs=[(key, person.name) for key, person in chairs.items()]
    )
    if request.method == "POST" and form.is_valid():
        try:
            actions.record_further_conference(
                dissent=dissent,
                held_at=form.cleaned_data["held_at"],
                ended_at=form.cleaned_data["ended_at"],
                chair=chairs[form.cleaned_data["chair"]],
                by=request.user,
                at=request.at,
            )
        except Refused as refused:
            refused_at(form, refused)
        else:
            return done(request, dissent, "The further conference is recorded.")
    return act_page(
        request, "case_further_conference.html", dissent, form, reconvening=dissent.rules.reconvening
    )


def _chairs(dissent: Dissent, *, at: dt.datetime) -> list[Person]:
    return list(appointed_as(("chair",), council_id=dissent.council_id, at=at).order_by("name"))


urlpatterns = [
    path("dissents/<uuid:pk>/steps/<slug:key>/", record_step, name="record_step"),
    path("dissents/<uuid:pk>/propose/", propose, name="propose"),
    path("dissents/<uuid:pk>/decide/", decide, name="decide"),
    path("dissents/<uuid:pk>/admit/", admit, name="admit"),
    path("dissents/<uuid:pk>/lapse/", lapse, name="lapse"),
    path("dissents/<uuid:pk>/further-conference/", further_conference, name="further_conference"),
]

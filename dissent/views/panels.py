"""The panel: named by its convener, read by its members while it sits, decided by its chair."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import Prefetch, Q, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django_fsm import TransitionNotAllowed

from councils.procedure import PanelRules, Procedure
from dissent import actions, permissions
from dissent.actions import Refused, record_read
from dissent.actions.panel import Candidate, panel_as_named_lacks, who_may_be_named
from dissent.bundle import panel_papers
from dissent.forms.panels import ConveneForm, DecisionForm, DeclareForm, ReplaceForm, SittingForm
from dissent.models import Child, Decision, Dissent, Finding, Panel, Paper, Seat
from dissent.models.dissent import AT_STAGE
from dissent.pdf import PdfFailed
from dissent.pdf import bundle as make_bundle
from dissent.views import shown
from dissent.views.common import day_and_time, find_dissent, needs, page, refused_at, sent_by, show
from dissent.views.papers import download

DECISIONS = Prefetch(
    "decisions",
    Decision.objects.filter(replaced_at=None)
    .select_related("decided_by")
    .prefetch_related(Prefetch("findings", Finding.objects.select_related("child"))),
)
SEATS = Prefetch("panel__seats", Seat.objects.select_related("person", "agency"))


# --- naming it -------------------------------------------------------------------------------------


@page
def convene(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Name the chair and the members, from those who may sit; the others are listed with the reason."""
    dissent = find_dissent(request, pk)
    needs("convener" in dissent.stands_as)
    if request.method != "POST" and not dissent.can("convene"):
        return redirect("panel" if dissent.panel_id else "dissent", dissent.panel_id or dissent.pk)
    candidates = who_may_be_named(dissent, at=request.at)
    form = ConveneForm(sent_by(request), candidates=candidates, rules=dissent.rules)
    if form.is_valid():
        try:
            named = actions.convene_panel(
                dissent=dissent, by=request.user, at=request.at, **form.cleaned_data
            )
        except Refused as refused:
            refused_at(form, refused)
        else:
            messages.success(request, "The panel is named. Everybody on it has been sent a message.")
            return redirect("panel", named.pk)
    about = _about_the_same_conference(request, dissent)
    _read(request, dissent, "convene")
    return show(
        request,
        "panel_convene.html",
        section="work",
        council=dissent.council,
        form=form,
        back=reverse("dissent", args=[dissent.pk]),
        hears=[_heard(each) for each in about if each.panel_id is None],
        panels=_to_join(dissent, about),
        **_who_may_sit(candidates, dissent.rules, _rules(dissent)),
    )


@page
def join_panel(request: HttpRequest, pk: UUID, panel_pk: UUID) -> HttpResponse:
    """Give the dissent to a panel about the same conference that has not met yet."""
    needs(request.method == "POST")
    dissent = find_dissent(request, pk)
    needs("convener" in dissent.stands_as)
    joined = get_object_or_404(Panel.objects.visible_to(request.user, at=request.at), pk=panel_pk)
    try:
        actions.join_panel(dissent=dissent, panel=joined, by=request.user, at=request.at)
    except Refused as refused:
        messages.error(request, f"The panel cannot hear this dissent. {refused}")
        return redirect("convene", dissent.pk)
    messages.success(
        request,
        f"The panel hears {dissent.reference} too. "
        "Everybody on it is asked again whether they are independent.",
    )
    return redirect("panel", joined.pk)


@page
def replace_member(request: HttpRequest, pk: UUID, seat_pk: UUID) -> HttpResponse:
    """Name somebody else for a seat whose holder has a conflict, or has not sat."""
    sits = _find_panel(request, pk)
    needs("convener" in sits.first.stands_as)
    seat = next((seat for seat in sits.seats if seat.pk == seat_pk), None)
    if seat is None:
        raise Http404
    candidates = _without_those_who_sit(who_may_be_named(sits.first, at=request.at), sits.seats)
    form = ReplaceForm(sent_by(request), candidates=candidates, rules=sits.rules)
    if form.is_valid():
        try:
            actions.replace_member(
                dissent=sits.first, seat=seat, by=request.user, at=request.at, **form.cleaned_data
            )
        except Refused as refused:
            refused_at(form, refused)
        else:
            named = form.cleaned_data["person"].name
            messages.success(request, f"{named} takes the seat of {seat.person.name}.")
            return redirect("panel", pk)
    _read(request, sits.first, "panel")
    return show(
        request,
        "panel_replace.html",
        section="work",
        council=sits.panel.council,
        form=form,
        back=reverse("panel", args=[pk]),
        seat=seat,
        **_who_may_sit(candidates, sits.rules, sits.panel_rules),
    )


def _about_the_same_conference(request: HttpRequest, dissent: Dissent) -> list[Dissent]:
    """Return the dissents at this stage about this conference, with a panel or waiting for one."""
    visible = Dissent.objects.visible_to(request.user, at=request.at)
    return list(
        visible.filter(conference=dissent.conference_id, stage=dissent.stage, state=AT_STAGE)
        .select_related("attendance__agency", "panel")
        .order_by("raised_at", "id")
    )


def _to_join(dissent: Dissent, about: Iterable[Dissent]) -> list[dict[str, Any]]:
    panels = {each.panel_id: each.panel for each in about if each.panel and each.panel.sat_at is None}
    if panels:
        prefetch_related_objects(list(panels.values()), "seats__person")
    return [
        {
            "people": shown.listed(str(seat.person) for seat in panel.seats.all() if seat.holds),
            "hears": shown.listed(each.reference for each in about if each.panel_id == panel.pk),
            "href": reverse("join_panel", args=[dissent.pk, panel.pk]),
        }
        for panel in panels.values()
    ]


def _who_may_sit(candidates: list[Candidate], rules: Procedure, panel_rules: PanelRules) -> dict[str, Any]:
    """Return what a page on which people are named says about who may be."""
    may = [each for each in candidates if not each.why_not]
    return {
        "panel_words": rules.words.panel.one,
        "unit": rules.words.unit.one if panel_rules.seat else "",
        "quorum": panel_rules.quorum,
        "represented": panel_rules.from_represented_agencies,
        "source": panel_rules.source,
        "chosen": panel_rules.chosen if any(each.reviewed_before for each in may) else "",
        "kept_off": [
            {
                "name": each.person.name,
                "role": each.person.job,
                "agency": each.person.agency.name if each.person.agency else "",
                "note": each.why_not,
            }
            for each in candidates
            if each.why_not
        ],
    }


def _without_those_who_sit(candidates: list[Candidate], seats: list[Seat]) -> list[Candidate]:
    sit = {seat.person_id for seat in seats if seat.left_at is None}
    return [each for each in candidates if each.person.pk not in sit]


# --- its page --------------------------------------------------------------------------------------


@dataclass
class Sits:
    """A panel, and those of its dissents that its reader may read about, the undecided first."""

    panel: Panel
    hears: list[Dissent]
    mine: Seat | None

    @property
    def first(self) -> Dissent:
        """The dissent by which the reader stands to the panel: they stand to each of them alike."""
        return self.hears[0]

    @property
    def reference(self) -> str:
        """The dissent's where there is one, and otherwise their conference's."""
        return self.first.reference if len(self.hears) == 1 else self.first.conference.reference

    @property
    def rules(self) -> Procedure:
        return self.first.rules

    @property
    def panel_rules(self) -> PanelRules:
        return _rules(self.first)

    @property
    def seats(self) -> list[Seat]:
        return [seat for seat in self.panel.seats.all() if seat.left_at is None]


def _find_panel(request: HttpRequest, pk: UUID) -> Sits:
    """Return the panel if the reader may open its page. Raises Http404.

    All its dissents are about one conference, at one stage of one procedure. So how the reader stands to the
    first is asked for all of them.
    """
    heard = Dissent.objects.heard_by(request.user).values("pk")
    read = Dissent.objects.read_by(request.user, at=request.at).values("pk")
    hears = list(
        Dissent.objects.visible_to(request.user, at=request.at)
        .filter(Q(pk__in=heard) | Q(pk__in=read), panel=pk)
        .select_related("council", "conference__chair", "procedure", "attendance__agency", "panel__council")
        .prefetch_related(SEATS)
        .order_by("raised_at", "id")
    )
    needs(bool(hears))
    hears.sort(key=lambda dissent: (dissent.state != AT_STAGE, dissent.withdrawn_at is not None))
    stands_as = hears[0].stand_as(request.user, at=request.at)
    for dissent in hears:
        dissent.stands_as = stands_as
    panel = hears[0].panel
    seats = [] if hears[0].withdrawn_at else panel.seats.all()
    mine = next((seat for seat in seats if seat.person_id == request.user.pk and seat.holds), None)
    return Sits(panel, hears, mine)


@page
def panel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show the panel to those on it and to those who read its cases; take a member's declaration.

    A member first says whether they are independent. Only then do they read the forms and the papers:
    somebody with a conflict must not find it out by reading.
    """
    sits = _find_panel(request, pk)
    form = None
    if request.method == "POST" or (sits.mine and sits.mine.independent is None):
        needs(permissions.may("declare", sits.first.stands_as))
        form = DeclareForm(sent_by(request))
    if form and form.is_valid():
        try:
            seat = actions.declare(dissent=sits.first, by=request.user, at=request.at, **form.cleaned_data)
        except Refused as refused:
            refused_at(form, refused)
        else:
            return _declared(request, seat, pk)
    declared = "form" in permissions.reads(sits.first.stands_as)
    _read(request, sits.first, "panel" if declared else "panel_notice", also=sits.hears)
    return _panel_page(request, sits, form)


def _declared(request: HttpRequest, seat: Seat, pk: UUID) -> HttpResponse:
    if seat.independent:
        messages.success(request, "You have declared yourself independent. You can now read the papers.")
        return redirect("panel", pk)
    messages.success(
        request, "Your conflict is recorded. Whoever named the panel has been told, and asks somebody else."
    )
    return redirect(settings.LOGIN_REDIRECT_URL)


def _panel_page(request: HttpRequest, sits: Sits, form: DeclareForm | None) -> HttpResponse:
    first, rules = sits.first, sits.rules
    parts = permissions.reads(first.stands_as)
    undecided = first.state == AT_STAGE
    prefetch_related_objects(sits.hears, "children" if undecided else DECISIONS)
    if "form" in parts:
        prefetch_related_objects(sits.hears, "answers")
    papers = _papers(request, sits) if "papers" in parts else []
    presides = "panel_chair" in first.stands_as and undecided
    return show(
        request,
        "panel.html",
        section="work",
        council=sits.panel.council,
        form=form,
        panel_words=rules.words.panel.one,
        reference=sits.reference,
        about=shown.about_conference(first.conference),
        case=reverse("dissent", args=[first.pk]) if "reader" in first.stands_as else "",
        rules=sits.panel_rules,
        people=[_seat_row(seat, sits) for seat in sits.seats],
        met=day_and_time(sits.panel.sat_at),
        lacks=_lacks(sits) if undecided else [],
        sitting=reverse("record_sitting", args=[sits.panel.pk]) if presides else "",
        hears=[_heard(each, parts, with_decision=not undecided) for each in sits.hears],
        has_papers="papers" in parts,
        bundle=reverse("panel_bundle", args=[sits.panel.pk]) if "papers" in parts else "",
        papers=[shown.paper_row(paper) for paper in papers],
        may_decide=presides,
    )


@page
def bundle(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Send the forms and the papers as one PDF, with the reader's name and the time on each page (ST-25)."""
    sits = _find_panel(request, pk)
    first, parts = sits.first, permissions.reads(sits.first.stands_as)
    needs("papers" in parts)
    papers = _papers(request, sits, "content")
    prefetch_related_objects(sits.hears, "answers", "children")
    document = panel_papers(sits.hears, papers, reader=request.user, at=request.at)
    try:
        made = make_bundle(document, [bytes(paper.content.data) for paper in papers])
    except PdfFailed as failed:
        messages.error(request, f"{failed} You can open each paper by itself, below.")
        return redirect("panel", pk)
    held = {"papers": [paper.pk for paper in papers], "sha256": hashlib.sha256(made).hexdigest()}
    _read(request, first, "bundle", also=sits.hears, held=held)
    return download(made, f"{sits.reference}-papers.pdf")


def _papers(request: HttpRequest, sits: Sits, *with_them: str) -> list[Paper]:
    """Return the papers that the panel's rules name, in the order of the rules."""
    kinds = sits.panel_rules.papers
    visible = Paper.objects.visible_to(request.user, at=request.at).select_related("agency", *with_them)
    found = visible.filter(conference=sits.first.conference_id, kind__in=kinds)
    return sorted(found, key=lambda paper: kinds.index(paper.kind))


def _seat_row(seat: Seat, sits: Sits) -> dict[str, Any]:
    row = shown.seat_row(seat, sits.rules.words.unit)
    if "convener" not in sits.first.stands_as:
        if seat.independent is False:
            row |= {"note": "", "words": "To be replaced", "colour": "grey"}
    elif sits.first.state == AT_STAGE and not seat.sat:
        row |= {
            "href": reverse("replace_member", args=[sits.panel.pk, seat.pk]),
            "action": "Replace",
        }
    return row


def _lacks(sits: Sits) -> list[str]:
    """Return a sentence for each thing that keeps the panel from deciding, before it has met and after."""
    if sits.panel.sat_at:
        return sits.first.panel_lacks()
    return panel_as_named_lacks(sits.first)


def _heard(
    dissent: Dissent, parts: frozenset[str] = frozenset(), *, with_decision: bool = False
) -> dict[str, Any]:
    """Return one dissent for a page about its panel, with what `parts` allows."""
    dissenter = dissent.attendance
    agency = dissenter.agency.name if dissenter.agency else ""
    heard: dict[str, Any] = {
        "reference": dissent.reference,
        "dissenter": ", ".join(filter(None, [dissenter.name, dissenter.job, agency])),
    }
    decision = dissent.decision_in_force() if with_decision else None
    if "panel" in parts:
        children = (
            [finding.child for finding in decision.findings.all()] if decision else dissent.children.all()
        )
        heard["children"] = [shown.child_row(child) for child in children]
        heard["headings"] = shown.child_headings(dissent.rules)
    if "form" in parts:
        heard["form"] = shown.form_rows(dissent)
    if dissent.withdrawn_at:
        heard["withdrawn"] = shown.where_it_stands(dissent)
    elif dissent.state == AT_STAGE:
        heard["decide"] = reverse("panel_decide", args=[dissent.pk])
    else:
        heard["is_decided"] = True
    if decision:
        heard["decision"] = shown.decision_rows(decision, dissent.rules)
    return heard


# --- its meeting and its decision ------------------------------------------------------------------


@page
def record_sitting(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Record when the panel met and who was there, of those who said that they are independent."""
    sits = _find_panel(request, pk)
    needs("panel_chair" in sits.first.stands_as)
    if request.method != "POST" and sits.first.state != AT_STAGE:
        return redirect("panel", pk)
    seats = [seat for seat in sits.seats if seat.holds]
    form = SittingForm(
        sent_by(request),
        seats=seats,
        initial={"sat_at": sits.panel.sat_at, "present": [str(seat.pk) for seat in seats if seat.sat]},
    )
    if form.is_valid():
        try:
            actions.record_sitting(dissent=sits.first, by=request.user, at=request.at, **form.cleaned_data)
        except Refused as refused:
            refused_at(form, refused)
        else:
            messages.success(request, "The meeting is recorded.")
            return redirect("panel", pk)
    _read(request, sits.first, "panel")
    return show(
        request,
        "panel_sitting.html",
        section="work",
        council=sits.panel.council,
        form=form,
        back=reverse("panel", args=[pk]),
        quorum=sits.panel_rules.quorum,
        unit=sits.rules.words.unit.one if sits.panel_rules.seat else "",
        undeclared=[seat.person.name for seat in seats if not seat.independent],
    )


@page
def decide(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Record what the panel decided: asked for, checked on a page of its own, then recorded for good.

    The same for every child, or for each by itself: a button changes from one to the other and keeps what
    was typed.
    """
    dissent = find_dissent(request, pk)
    needs("panel_chair" in dissent.stands_as or {"panel_let_go", "decider"} <= dissent.stands_as)
    if dissent.state != AT_STAGE:
        if request.method == "POST":
            raise TransitionNotAllowed("The panel has decided already, or the dissent was withdrawn.")
        return redirect("dissent", dissent.pk)
    children = list(dissent.children.all())
    then = request.POST.get("then", "check")
    by_child = request.POST.get("by_child") == "yes" and len(children) > 1

    def asked(data: Any, *, by_child: bool, **options: Any) -> DecisionForm:
        return DecisionForm(
            data, dissent=dissent, children=children, by_child=by_child, signs=request.user, **options
        )

    form = asked(sent_by(request), by_child=by_child)
    if then in {"each", "same"}:
        form = asked(None, by_child=then == "each" and len(children) > 1, initial=form.carried_over())
    lacks = dissent.panel_lacks()
    if form.is_valid() and then != "change":
        if then == "decide":
            try:
                actions.decide(
                    dissent=dissent,
                    findings=form.found(),
                    mobile=form.cleaned_data.get("mobile", ""),
                    by=request.user,
                    at=request.at,
                )
            except Refused as refused:
                refused_at(form, refused)
            else:
                messages.success(request, "The decision is recorded. The letters about it are being made.")
                return redirect("panel", dissent.panel_id)
        elif lacks:
            form.add_error(None, " ".join(lacks))
        else:
            _read(request, dissent, "panel")
            return _check_page(request, dissent, form)
    _read(request, dissent, "panel")
    return show(
        request,
        "panel_decide.html",
        section="work",
        council=dissent.council,
        form=form,
        back=reverse("panel", args=[dissent.panel_id]),
        sitting=reverse("record_sitting", args=[dissent.panel_id]),
        lacks=lacks,
        hears=_heard(dissent, frozenset({"panel"})),
        panel_words=dissent.rules.words.panel.one,
    )


def _check_page(request: HttpRequest, dissent: Dissent, form: DecisionForm) -> HttpResponse:
    return show(
        request,
        "panel_check.html",
        section="work",
        council=dissent.council,
        back=reverse("panel", args=[dissent.panel_id]),
        hears=_heard(dissent),
        rows=[
            *(row for child, found in form.found().items() for row in _found_rows(dissent, child, found)),
            {"key": "Your mobile number", "value": form.cleaned_data.get("mobile") or request.user.mobile},
        ],
        hidden=[form[name].as_hidden() for name in form.fields],
        by_child=form.by_child,
    )


def _found_rows(dissent: Dissent, child: Child, found: actions.Found) -> list[dict[str, Any]]:
    outcome = dissent.rules_of_stage.outcome(found.outcome)
    rows: list[dict[str, Any]] = [{"key": f"For {child}", "value": outcome.label}]
    if found.ground:
        rows.append({"key": "Ground", "value": f"{found.ground}: {outcome.grounds[found.ground]}"})
    rows.append({"key": "Reasons", "value": found.reasons, "typed": True})
    if found.plain_reasons:
        rows.append({"key": "Reasons for the family", "value": found.plain_reasons, "typed": True})
    return [*rows, {"key": "The letters say", "value": outcome.letter}]


# --- what they share -------------------------------------------------------------------------------


def _rules(dissent: Dissent) -> PanelRules:
    rules = dissent.rules_of_stage.panel
    needs(rules is not None)
    return rules


def _read(
    request: HttpRequest,
    dissent: Dissent,
    what: str,
    also: Iterable[Dissent] = (),
    held: dict[str, Any] | None = None,
) -> None:
    """Record one reading: of the case, or where the page shows several, of their conference."""
    others = [each for each in also if each.pk != dissent.pk]
    record_read(
        council=dissent.council,
        about=dissent.panel or dissent,
        what=what,
        by=request.user,
        at=request.at,
        case=dissent.conference if others else dissent,
        values={"dissents": [each.pk for each in (dissent, *others)], **(held or {})},
    )


urlpatterns = [
    path("dissents/<uuid:pk>/panel/convene/", convene, name="convene"),
    path("dissents/<uuid:pk>/panel/<uuid:panel_pk>/join/", join_panel, name="join_panel"),
    path("dissents/<uuid:pk>/panel/decide/", decide, name="panel_decide"),
    path("panels/<uuid:pk>/", panel, name="panel"),
    path("panels/<uuid:pk>/papers.pdf", bundle, name="panel_bundle"),
    path("panels/<uuid:pk>/sitting/", record_sitting, name="record_sitting"),
    path("panels/<uuid:pk>/seats/<uuid:seat_pk>/replace/", replace_member, name="replace_member"),
]

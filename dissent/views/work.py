"""The first page after signing in: what waits for this person, in each hat that they wear."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Exists, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import path, reverse
from django.utils import timezone

from councils.models import Appointment, Council, Person
from dissent.actions import record_read
from dissent.actions.absence import STANDS_FOR_THEMSELF
from dissent.forms.cases import CLOSED_CASES, Filter
from dissent.models import Child, Clock, Conference, Dissent, Letter, Panel, Relative, Seat, readers_of
from dissent.models.dissent import DECIDED, MATCHED, RECONVENING, UNMATCHED
from dissent.models.uploads import children_to_be_uploaded
from dissent.views import shown
from dissent.views.common import day, page, show

A_PAGE = 50
NO_CASES = frozenset({"chair", "conference_administrator", "panel_member", "administrator", "operator"})
"""Roles whose work is not a list of cases."""

# A procedure's document is large, and the same for every row; `rules` keeps it once a process.
_LIGHT = ("procedure__document",)


@page
def work(request: HttpRequest) -> HttpResponse:
    """Show what waits for the reader. One entry in the ledger for each council that is listed."""
    person, at = request.user, request.at
    hats = _hats(person, at=at)
    cases = _cases(request, hats) if hats.reads_cases else None
    dissents = list(_own_dissents(person, at=at))
    panels = list(_panels(person, at=at))
    letters = list(_letters(person, at=at))
    missing = [one for each in hats.administers for one in _missing(each, at=at)]
    asked = _asked(person, at=at) if "conference_administrator" in hats.roles else []
    asks = hats.roles & {"conference_administrator", "chair"}
    to_be_joined = list(_to_be_joined(person, at=at)) if asks else []
    council = hats.council or next((row.council for row in (*dissents, *panels, *letters)), None)
    records = _records(person, at=at) if hats.goes_up else []
    numbers = _numbers(person, at=at) if "conference_administrator" in hats.roles else []
    listed = [
        *(cases.dissents if cases else ()),
        *dissents,
        *panels,
        *letters,
        *to_be_joined,
        *(each for each, _ in [*asked, *records]),
    ]
    _record(listed, by=person, at=at)
    return show(
        request,
        "work.html",
        council=council,
        section="work",
        cases=cases,
        dissents=[_own_row(each) for each in dissents],
        panels=[_panel_row(each) for each in panels],
        letters=[_letter_row(each) for each in letters],
        conferences=hats.conferences,
        away=bool(hats.roles - STANDS_FOR_THEMSELF or hats.administers),
        missing=missing,
        asked=[_asked_row(each, row) for each, row in asked],
        records=[_record_row(each, child) for each, child in records],
        record_headings=("Child", "Dissent"),
        numbers=[_number_row(child) for child in numbers],
        number_headings=("Child", "Conference"),
        asked_headings=("Somebody of the family", "Dissent"),
        to_be_joined=[_to_be_joined_row(each) for each in to_be_joined],
        to_be_joined_headings=("Dissent", "What is asked of you"),
        nothing=not (cases or listed or asked or numbers or hats.conferences or missing),
        form=cases.form if cases else None,
        dissent_headings=("Dissent", "Where it stands"),
        panel_headings=("Conference", "Panel", "Sitting"),
        letter_headings=("Letter", "Date"),
    )


@dataclass(frozen=True)
class Hats:
    """What somebody is appointed to here."""

    roles: frozenset[str]
    councils: tuple[Council, ...]
    administers: tuple[Council, ...]
    has_chaired: bool
    goes_up: bool
    """Whether they sat for the unit on a panel whose decision is still to go onto a child's record."""

    @property
    def reads_cases(self) -> bool:
        return bool(self.roles - NO_CASES)

    @property
    def conferences(self) -> bool:
        return self.has_chaired or bool(self.roles & {"chair", "conference_administrator"})

    @property
    def council(self) -> Council | None:
        return self.councils[0] if self.councils else None


def _hats(person: Person, *, at: dt.datetime) -> Hats:
    chaired = Conference.objects.filter(chair=person)
    goes_up = Dissent.objects.goes_up_by(person, at=at)
    held = Appointment.objects.at(at).filter(person=person).order_by("from_on", "pk")
    rows = list(held.select_related("council").annotate(has_chaired=Exists(chaired), goes_up=Exists(goes_up)))
    return Hats(
        roles=frozenset(row.role for row in rows),
        councils=tuple({row.council_id: row.council for row in rows}.values()),
        administers=tuple(row.council for row in rows if row.role == "administrator"),
        has_chaired=rows[0].has_chaired if rows else chaired.exists(),
        goes_up=any(row.goes_up for row in rows),
    )


def _record(listed: Iterable[Dissent | Panel | Letter], *, by: Person, at: dt.datetime) -> None:
    """Write that these were listed: one entry a council, however many rows."""
    councils: dict[Council, list[str]] = {}
    for row in listed:
        councils.setdefault(row.council, []).append(str(row.pk))
    for council, rows in councils.items():
        record_read(council=council, about=council, what="work", by=by, at=at, values={"listed": rows})


def _missing(council: Council, *, at: dt.datetime) -> list[str]:
    """Say to its administrator what keeps a council from following its procedure: no case, no name."""
    procedure = council.procedure_on(timezone.localdate(at))
    if procedure is None:
        return ["No procedure is in force today, so no conference can be recorded."]
    held = Appointment.objects.at(at).filter(council=council, person__is_active=True)
    present = Appointment.objects.present(at).filter(council=council, person__is_active=True)
    waits = "What is theirs to do waits, and messages to them come to you."
    never = procedure.rules.unfilled(set(held.values_list("role", flat=True)))
    said = [f"Nobody is appointed as: {title}. {waits}" for title in never]
    said += [
        f"Everybody who is appointed as {title} is away, and nobody stands in. {waits} Name somebody under "
        "“Who is away”."
        for title in procedure.rules.unfilled(set(present.values_list("role", flat=True)))
        if title not in never
    ]
    unknown = Clock.objects.filter(council=council, stopped=None, due_at=None).order_by()
    for derivation in unknown.values_list("derivation", flat=True)[:1]:
        said.append(f"The date of a time limit is not known. {derivation.get('not_known', '')}".strip())
    return said


# --- cases in order of the next thing due ----------------------------------------------------------


@dataclass(frozen=True)
class Cases:
    """One page of cases. `previous` and `next` are addresses, empty where there is none."""

    dissents: list[Dissent]
    caption: str
    rows: list[list[str | shown.Row]]
    form: Filter
    empty: str
    previous: str
    next: str
    filtered: bool

    headings = ("Case", "Where it stands", "Due")


def _cases(request: HttpRequest, hats: Hats) -> Cases:
    form = Filter(request.GET or None)
    asked = form.cleaned_data if form.is_bound and form.is_valid() else {}
    found = _asked_for(Dissent.objects.read_by(request.user, at=request.at), asked, at=request.at)
    found = found.filter(council__in=[council.pk for council in hats.councils])
    number = _page_number(request.GET)
    start = (number - 1) * A_PAGE
    # One row more than fits says whether there is a next page; nothing is counted.
    dissents = list(_with_what_is_shown(found)[start : start + A_PAGE + 1])
    more, dissents = len(dissents) > A_PAGE, dissents[:A_PAGE]
    closed = asked.get("state") == CLOSED_CASES
    return Cases(
        dissents=dissents,
        caption="Closed cases, the last to close first" if closed else "Cases in order of the next thing due",
        rows=[_case_row(dissent, at=request.at) for dissent in dissents],
        form=form,
        empty="No case is like that." if any(asked.values()) or number > 1 else "No case waits for you.",
        previous=_page_address(request.GET, number - 1) if number > 1 else "",
        next=_page_address(request.GET, number + 1) if more else "",
        filtered=any(asked.values()) or bool(form.errors),
    )


def _asked_for(dissents: QuerySet[Dissent], asked: dict[str, str], *, at: dt.datetime) -> QuerySet[Dissent]:
    state, due = asked.get("state"), asked.get("due")
    if state == CLOSED_CASES:
        return dissents.exclude(closed_at=None).order_by("-closed_at", "id")
    dissents = dissents.open().in_order_of_the_next_thing_due()
    if state:
        dissents = dissents.filter(state=state)
    if due == "late":
        dissents = dissents.filter(next_due_at__lt=at)
    if due == "unknown":
        dissents = dissents.filter(due_is_known=False)
    return dissents


def _with_what_is_shown(dissents: QuerySet[Dissent]) -> QuerySet[Dissent]:
    running = Clock.objects.filter(stopped=None)
    return (
        dissents.select_related(
            "council", "conference", "procedure", "attendance__agency", "claim__agency", "panel"
        )
        .defer(*_LIGHT)
        .prefetch_related("steps", Prefetch("clocks", queryset=running, to_attr="running"))
    )


def _case_row(dissent: Dissent, *, at: dt.datetime) -> list[str | shown.Row]:
    return [
        {
            "words": dissent.reference,
            "href": f"/dissents/{dissent.pk}/",
            "note": f"{dissent.who.works_for}. {shown.conference_of(dissent)}",
        },
        {"words": shown.where_it_stands(dissent, outcome=True), "note": _next(dissent)},
        _due_cell(dissent, at=at),
    ]


def _next(dissent: Dissent) -> str:
    following = shown.next_thing(dissent)
    return f"Next: {following}" if following else ""


def _due_cell(dissent: Dissent, *, at: dt.datetime) -> str | shown.Row:
    clock = shown.next_clock(dissent.running)
    if clock is None and not (dissent.closed_at or dissent.due_is_known):
        due = shown.NOT_KNOWN
        return {
            "words": due.words,
            "tag": due.colour,
            "note": "Not before it is known whether it was raised",
        }
    if clock is None:
        return "" if dissent.closed_at else "No time limit runs"
    rule = dissent.rules.clock(clock.rule)
    due = shown.when_due(clock.due_at, at=at, aim=bool(rule and rule.strength == "aim"))
    label = rule.label if rule else clock.rule
    return {"words": due.words, "tag": due.colour, "note": f"{label}: {due.on}" if due.on else label}


def _page_number(asked: QueryDict) -> int:
    said = asked.get("page", "")
    return max(1, int(said)) if said.isascii() and said.isdigit() and len(said) <= 4 else 1


def _page_address(asked: QueryDict, number: int) -> str:
    kept = {name: asked[name] for name in Filter.base_fields if asked.get(name)}
    return "/work/?" + urlencode({**kept, "page": number})


# --- the other hats --------------------------------------------------------------------------------


def _asked(person: Person, *, at: dt.datetime) -> list[tuple[Dissent, Relative]]:
    """Return whoever it is to be answered of whether they may be told, with the dissent."""
    administers = Appointment.objects.at(at).filter(person=person, role="conference_administrator")
    may_be_asked = (
        Q(conference__children__relatives__may_be_told__in=["", Relative.MayBeTold.ASK])
        | ~Q(conference__children__relatives__court_restriction="")
    ) & Q(conference__children__relatives__replaced_at=None)
    decided = (
        Dissent.objects.visible_to(person, at=at)
        .filter(may_be_asked, council__in=administers.values("council"), state__in=[DECIDED, RECONVENING])
        .select_related("council", "conference", "procedure")
        .prefetch_related("decisions__findings__child", "may_hear", "held_back")
        .order_by("raised_at", "id")
        .distinct()[:A_PAGE]
    )
    return [
        (dissent, row)
        for dissent in decided
        for decision in dissent.told_to_families()
        for reader in readers_of(dissent, decision)
        if reader.held is None
        for row in reader.unanswered
    ]


def _asked_row(dissent: Dissent, row: Relative) -> list[str | shown.Row]:
    return [
        {
            "words": f"May {row.name} be told of {row.child}?",
            "href": reverse("answer_for_family", args=[dissent.pk, row.who, row.child_id]),
            "note": row.relation,
        },
        dissent.reference,
    ]


def _to_be_joined(person: Person, *, at: dt.datetime) -> QuerySet[Dissent]:
    """Return the dissents whose conference is for the reader to find, or of which its chair is asked."""
    administers = Appointment.objects.at(at).filter(person=person, role="conference_administrator")
    found = Dissent.objects.visible_to(person, at=at).filter(
        Q(state=UNMATCHED, council__in=administers.values("council"))
        | Q(state=MATCHED, conference__chair=person)
    )
    rows = found.exclude(dissenter=person).select_related("council", "conference", "procedure", "claim")
    return rows.defer(*_LIGHT).order_by("filed_at", "id")[:A_PAGE]


def _to_be_joined_row(dissent: Dissent) -> list[str | shown.Row]:
    words = dissent.rules.words
    asked, to = (
        (f"Say whether it was raised in the {words.conference.one}", "raised")
        if dissent.conference
        else (f"Say which {words.conference.one} it was", "match")
    )
    return [
        {
            "words": dissent.reference,
            "href": f"/dissents/{dissent.pk}/",
            "note": shown.conference_of(dissent),
        },
        {"words": asked, "href": reverse(to, args=[dissent.pk])},
    ]


def _records(person: Person, *, at: dt.datetime) -> list[tuple[Dissent, Child]]:
    """Return the children onto whose record the reader, who sat for the unit, is still to put a decision."""
    owed = (
        Dissent.objects.goes_up_by(person, at=at)
        .select_related("council", "conference", "procedure")
        .defer(*_LIGHT)
        .prefetch_related("decisions__findings__child", "record_packs")
        .order_by("raised_at", "id")
        .distinct()[:A_PAGE]
    )
    return [(dissent, child) for dissent in owed for child in children_to_be_uploaded(dissent)]


def _record_row(dissent: Dissent, child: Child) -> list[str | shown.Row]:
    return [
        {
            "words": f"Put the decision onto the record of {child}",
            "href": reverse("childs_record", args=[dissent.pk, child.pk]),
            "note": shown.about_conference(dissent.conference),
        },
        dissent.reference,
    ]


def _numbers(person: Person, *, at: dt.datetime) -> list[Child]:
    """Return the children about whom somebody dissented, and the number of whose record is not known."""
    administers = Appointment.objects.at(at).filter(person=person, role="conference_administrator")
    visible = Conference.objects.visible_to(person, at=at).filter(council__in=administers.values("council"))
    missing = Child.objects.filter(record_number="", conference__in=visible, dissents__isnull=False)
    rows = missing.select_related("conference__procedure").defer("conference__procedure__document")
    return list(rows.order_by("conference__held_at", "added_at", "id").distinct()[:A_PAGE])


def _number_row(child: Child) -> list[str | shown.Row]:
    words = child.conference.procedure.rules.words.record_number.one
    return [
        {
            "words": f"Fill in the {words} of {child}",
            "href": reverse("fill_in_record_number", args=[child.conference_id, child.pk]),
        },
        {"words": child.conference.reference, "note": shown.about_conference(child.conference)},
    ]


def _own_dissents(person: Person, *, at: dt.datetime) -> QuerySet[Dissent]:
    own = Dissent.objects.visible_to(person, at=at).filter(dissenter=person)
    rows = own.select_related("council", "conference", "procedure", "claim", "panel").defer(*_LIGHT)
    return rows.order_by("-raised_at", "id")[:A_PAGE]


def _own_row(dissent: Dissent) -> list[str | shown.Row]:
    return [
        {
            "words": dissent.reference,
            "href": f"/dissents/{dissent.pk}/",
            "note": shown.conference_as_claimed(dissent),
        },
        shown.where_it_stands_for_its_dissenter(dissent),
    ]


def _panels(person: Person, *, at: dt.datetime) -> QuerySet[Panel]:
    seats = Seat.objects.filter(person=person, left_at=None).exclude(independent=False)
    visible = Panel.objects.visible_to(person, at=at)
    sits = visible.filter(pk__in=seats.values("panel"), dissents__closed_at=None)
    return sits.select_related("council", "conference").order_by("-convened_at")[:A_PAGE]


def _panel_row(panel: Panel) -> list[str | shown.Row]:
    return [
        {"words": shown.about_conference(panel.conference), "href": f"/panels/{panel.pk}/"},
        f"Named on {day(panel.convened_at)}",
        f"Sat on {day(panel.sat_at)}" if panel.sat_at else "Not recorded as having sat",
    ]


def _letters(person: Person, *, at: dt.datetime) -> QuerySet[Letter]:
    issued = Letter.objects.visible_to(person, at=at).filter(to=person).exclude(released_at=None)
    rows = issued.exclude(made_at=None).select_related("council", "dissent")
    return rows.order_by("-released_at", "id")[:A_PAGE]


def _letter_row(letter: Letter) -> list[str | shown.Row]:
    return [
        {"words": letter.says["heading"], "href": f"/letters/{letter.pk}/", "note": letter.dissent.reference},
        day(letter.released_at),
    ]


urlpatterns = [path("work/", work, name="work")]

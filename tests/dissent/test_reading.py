"""Who may read what: one gate for each noun, tried by everybody wherever the case stands."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Any

import pytest

from councils.models import Person
from dissent import actions, permissions
from dissent.models import Conference, Dissent, Letter, Panel, Paper
from tests.dissent.test_actions_panel import escalated_by
from tests.dissent.test_machine import NOW, STANDING
from tests.dissent.test_outcome_letters import with_somebody_without_an_address
from tests.world import World, a_pdf

pytestmark = pytest.mark.django_db

RECORD = {"chair", "conference_administrator"}
UNIT = {"service_manager", "nominated_manager"}
PARTNERSHIP = {"business_manager"}
MEMBERS = {"head_nurse", "unit_representative"}
PANEL_CHAIR = {"superintendent"}
ADDRESSEES = {"teacher", "officer", "nurse", "chair"}

SECOND_WAY_IN = {"begun", "unmatched", "matched", "doubted", "confirmed", "turned away"}
FIRST = {"raised", "lapsed", "sent late", "at the review", "reviewed", "proposed", "offered", *SECOND_WAY_IN}
STANDINGS = [*STANDING, "upheld, letters released"]


def a_case(standing: str) -> tuple[World, Dissent]:
    world = World(quick=True)
    released = standing == "upheld, letters released"
    dissent = world.released(outcome="upheld") if released else STANDING[standing](world)
    actions.attach_paper(
        conference=dissent.conference or Conference.objects.get(),
        kind="minutes",
        file_name="minutes.pdf",
        data=a_pdf(),
        by=world.conference_administrator,
        at=NOW,
    )
    return world, dissent


def dissenter(standing: str) -> set[str]:
    return {"newcomer"} if standing in SECOND_WAY_IN else {"teacher"}


def everybody(world: World) -> dict[str, Person]:
    """Everybody of the case and of the council, and people who must never see any of it."""
    world.panellists()
    world.appoint("chair", "Another Chair", key="other_chair")
    world.appoint("panel_member", "Not on this Panel", "School", key="idle_panellist")
    world.appoint("operator", "Operator", key="operator")
    world.person("stranger", "Stranger", "School")
    for key, dates in {
        "manager_until_yesterday": {"until_on": NOW.date() - dt.timedelta(days=1)},
        "manager_from_tomorrow": {"from_on": NOW.date() + dt.timedelta(days=1)},
    }.items():
        person = world.appoint("service_manager", key, key=key)
        person.appointments.update(**dates)
    elsewhere = World(key="elsewhere", quick=True)
    elsewhere.panellists()
    those = ("conference_administrator", "chair", "service_manager", "business_manager", "superintendent")
    theirs = {f"{key} elsewhere": elsewhere.people[key] for key in those}
    return {**world.people, **theirs}


GATES = (Conference, Dissent, Paper, Panel, Letter)


@cache
def seen(standing: str) -> dict[str, dict[str, Any]]:
    """Who sees how many rows of each noun, and which parts of the case they may read."""
    world, dissent = a_case(standing)
    found: dict[str, dict[str, Any]] = {gate.__name__: {} for gate in GATES} | {"parts": {}}
    for name, person in everybody(world).items():
        for gate in GATES:
            rows = list(gate.objects.visible_to(person, at=NOW))
            if rows:
                assert len(rows) == len(set(rows)) == gate.objects.visible_to(person, at=NOW).count()
                found[gate.__name__][name] = len(rows)
        if parts := permissions.reads(dissent.relations(person, at=NOW)):
            found["parts"][name] = set(parts)
    return found


def readers(standing: str) -> set[str]:
    """Those who read the case in an office: the unit from the start, the partnership from escalation, and
    whoever may lead the further conference once there is to be one."""
    if standing == "begun":
        return set()
    lead = {"unit_representative"} if standing.startswith("upheld") else set()
    return UNIT | lead | (set() if standing in FIRST else PARTNERSHIP)


def panel(standing: str, *, declared: bool) -> set[str]:
    """Those of the panel: members until the decision, its chair until the letters are released."""
    if standing in {"declared", "sat"} or (standing == "convened" and not declared):
        return PANEL_CHAIR | MEMBERS
    if standing in {"not upheld", "not upheld, letters made", "upheld, letters made"}:
        return PANEL_CHAIR
    return set()


def let_go(standing: str) -> set[str]:
    """Those from whose panel it was withdrawn: they may know that, and no more."""
    return PANEL_CHAIR | MEMBERS if standing == "withdrawn" else set()


def goes_up(standing: str) -> set[str]:
    """Whoever sat for the unit, until the record is uploaded: that it is decided, and the record."""
    owed = {"not upheld", "not upheld, letters made", "upheld, letters made", *WITH_LETTERS_OUT}
    return {"unit_representative"} if standing in owed else set()


WITH_LETTERS_OUT = {"not upheld, letters out", "not upheld, record made"}
AFTER_THE_DECISION = {
    *WITH_LETTERS_OUT,
    "not upheld",
    "not upheld, letters made",
    "upheld, letters made",
    "upheld, letters released",
    "closed",
}
WITH_A_PANEL = {"convened", "declared", "sat", "withdrawn", *AFTER_THE_DECISION}
RELEASED = {"upheld, letters released", "closed", *WITH_LETTERS_OUT}


@pytest.mark.parametrize("standing", STANDINGS)
def test_a_conference_is_read_by_its_chair_and_those_who_administer_conferences(standing: str) -> None:
    assert set(seen(standing)["Conference"]) == RECORD


def of_the_record(standing: str) -> set[str]:
    """Nobody before the form is sent, and not the chair of a conference that is not found yet."""
    return {"begun": set(), "unmatched": {"conference_administrator"}}.get(standing, RECORD)


def chair_of_it(standing: str) -> set[str]:
    """The chair reads the form once the dissent goes on as one that was raised there."""
    return set() if standing in SECOND_WAY_IN - {"confirmed"} else {"chair"}


@pytest.mark.parametrize("standing", STANDINGS)
def test_that_there_is_a_dissent_is_known_to_those_who_have_to_do_with_it(standing: str) -> None:
    known = dissenter(standing) | readers(standing) | panel(standing, declared=False) | let_go(standing)
    known |= goes_up(standing) | of_the_record(standing)
    assert set(seen(standing)["Dissent"]) == known


@pytest.mark.rule("ST-18", "ST-25")
@pytest.mark.parametrize("standing", STANDINGS)
def test_papers_are_read_by_those_who_hold_them_review_or_sit_and_never_by_who_has_not_declared(
    standing: str,
) -> None:
    of_the_case = readers(standing) if standing != "unmatched" else set()
    assert set(seen(standing)["Paper"]) == RECORD | of_the_case | panel(standing, declared=True)


@pytest.mark.rule("ST-18")
@pytest.mark.parametrize("standing", STANDINGS)
def test_a_panel_is_seen_by_those_on_it_and_those_who_read_the_case(standing: str) -> None:
    expected = readers(standing) | panel(standing, declared=False) if standing in WITH_A_PANEL else set()
    assert set(seen(standing)["Panel"]) == expected


@pytest.mark.rule("ST-13", "ST-18")
@pytest.mark.parametrize("standing", STANDINGS)
def test_letters_are_read_in_the_case_and_once_released_each_by_its_own_addressee(standing: str) -> None:
    expected: dict[str, int] = {}
    if standing in AFTER_THE_DECISION:
        expected |= dict.fromkeys(readers(standing), 4)
    if standing in RELEASED:
        expected |= dict.fromkeys(ADDRESSEES, 1)
    assert seen(standing)["Letter"] == expected


ALL = {
    "standing",
    "dates",
    "conference",
    "form",
    "proposal",
    "outcome",
    "papers",
    "case",
    "panel",
    "letters",
    "record",
}


@pytest.mark.rule("ST-18")
@pytest.mark.parametrize("standing", STANDINGS)
def test_what_each_may_read_of_a_case(standing: str) -> None:
    expected = {
        **{who: {"standing", "dates", "own_form", "proposal"} for who in dissenter(standing)},
        **{who: {"standing", "conference"} for who in of_the_record(standing)},
        **{who: {"standing", "conference", "form", "outcome"} for who in chair_of_it(standing)},
        **{who: {"standing", "record"} for who in goes_up(standing)},
        **dict.fromkeys(readers(standing), ALL),
        **{who: {"standing"} for who in let_go(standing)},
        **{who: {"standing", "panel"} for who in panel(standing, declared=False)},
        **{who: {"standing", "form", "papers", "panel"} for who in panel(standing, declared=True)},
    }
    assert seen(standing)["parts"] == expected


# --- those who stand in two places, or no longer stand in any --------------------------------------


def sees(person: Person) -> set[str]:
    return {gate.__name__ for gate in GATES if gate.objects.visible_to(person, at=NOW).exists()}


@pytest.mark.parametrize(
    ("who", "still"), [("teacher", {"Dissent"}), ("chair", {"Conference", "Dissent", "Paper"})]
)
def test_nobody_reads_their_own_case_in_an_office(who: str, still: set[str]) -> None:
    world, dissent = a_case("offered")
    for role in ("service_manager", "business_manager"):
        world.council.appointments.create(person=world.people[who], role=role, from_on=dt.date(2020, 1, 1))
    assert sees(world.people[who]) == still
    assert "case" not in permissions.reads(dissent.relations(world.people[who], at=NOW))


@pytest.mark.rule("ST-12")
def test_a_member_with_a_conflict_and_one_who_was_replaced_see_nothing_any_more() -> None:
    world, dissent = a_case("convened")
    seat = actions.declare(
        dissent=dissent, independent=False, conflict="My cousin.", by=world.head_nurse, at=NOW
    )
    assert sees(world.head_nurse) == set()
    world.appoint("panel_member", "Deputy Nurse", "Health Trust", key="deputy_nurse")
    actions.replace_member(
        dissent=dissent, seat=seat, person=world.deputy_nurse, by=world.business_manager, at=NOW
    )
    assert sees(world.head_nurse) == set()
    assert sees(world.deputy_nurse) == {"Dissent", "Panel"}


@pytest.mark.rule("ST-18")
def test_another_role_on_the_case_keeps_what_it_gives_when_the_panel_is_over() -> None:
    world, dissent = a_case("escalated")
    world.panellists()
    actions.convene_panel(
        dissent=dissent,
        chair=world.superintendent,
        members=[world.head_nurse, world.service_manager],
        by=world.business_manager,
        at=NOW,
    )
    world.sat(Dissent.objects.get(), at=NOW)
    world.decided(Dissent.objects.get(), outcome="not_upheld", at=NOW)
    assert sees(world.head_nurse) == set()
    assert sees(world.service_manager) == {"Dissent", "Paper", "Panel", "Letter"}


@pytest.mark.rule("ST-18")
def test_what_rests_on_membership_ends_for_each_dissent_with_its_own_decision() -> None:
    world = World(quick=True)
    conference = world.conference()
    first, second = (escalated_by(world, who, conference) for who in ("teacher", "officer"))
    world.convened(first)
    world.sat(Dissent.objects.get(pk=first.pk))
    world.decided(Dissent.objects.get(pk=first.pk), outcome="not_upheld")
    assert list(Dissent.objects.visible_to(world.head_nurse, at=NOW)) == [second]
    world.decided(Dissent.objects.get(pk=second.pk), outcome="not_upheld")
    assert sees(world.head_nurse) == set()


@pytest.mark.rule("ST-18")
def test_the_panels_chair_reads_until_the_letters_are_released_though_one_is_still_to_be_handed_over() -> (
    None
):
    world = World(quick=True)
    dissent = with_somebody_without_an_address(world)
    assert sees(world.superintendent) >= {"Dissent", "Panel"}
    dissent = world.released(dissent)
    assert dissent.letters_issued_at is None
    assert sees(world.superintendent) == set()
    assert dissent.relations(world.superintendent, at=NOW) == {"panel_presided"}
    assert permissions.reads({"panel_presided"}) == frozenset()


def test_a_paper_of_one_conference_is_no_way_to_another() -> None:
    world, dissent = a_case("sat")
    other = world.conference()
    actions.attach_paper(
        conference=other,
        kind="summary",
        file_name="summary.pdf",
        data=a_pdf(),
        by=world.conference_administrator,
        at=NOW,
    )
    for person in (world.head_nurse, world.service_manager, world.business_manager):
        papers = Paper.objects.visible_to(person, at=NOW)
        assert {paper.conference for paper in papers} == {dissent.conference}

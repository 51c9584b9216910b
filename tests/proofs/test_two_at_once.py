"""Two people press at the same moment, over HTTP: one is done, the other is told; nothing is done twice."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable

import pytest
from django.utils import timezone

from dissent import actions
from dissent.models import Decision, Dissent, Finding, Letter, Notice, Proposal, ledger
from dissent.models.ledger import LedgerEntry
from tests.proofs.over_http import Answer, Desk, at_once
from tests.world import World

CASES = 20


def conferences(world: World, count: int) -> list[Dissent]:
    """As many dissents waiting for their form, each about a conference of its own two hours ago."""
    now = timezone.now()
    ended = now - dt.timedelta(hours=2)
    found = []
    for _ in range(count):
        conference = actions.record_conference(
            council=world.council,
            kind="initial",
            held_at=ended - dt.timedelta(hours=2),
            ended_at=ended,
            chair=world.chair,
            by=world.conference_administrator,
            at=ended,
        )
        actions.add_child(
            conference=conference,
            name="Child Testson",
            born_on=dt.date(2018, 5, 1),
            due_on=None,
            decision="not_made",
            category="",
            by=world.conference_administrator,
            at=ended,
        )
        for key, agency in (("teacher", "School"), ("officer", "Police"), ("nurse", "Health Trust")):
            world.attend(conference, key, agency, at=ended)
        found.append(world.raised(conference, at=ended))
    return found


@pytest.fixture
def world(live) -> World:
    return World(quick=True)


def ago(minutes: int) -> dt.datetime:
    return timezone.now() - dt.timedelta(minutes=minutes)


def reviewed(world: World, count: int) -> list[Dissent]:
    """Cases in which both steps of the review are recorded, and nothing is decided."""
    filed = [world.filed(dissent, at=ago(90)) for dissent in conferences(world, count)]
    return [world.reviewed(dissent, at=ago(60)) for dissent in filed]


def times(dissent: Dissent, verb: str) -> int:
    return LedgerEntry.objects.filter(case_id=dissent.pk, verb=verb).count()


def the_ledger_is_whole(world: World) -> None:
    _, wrong = ledger.verify(world.council)
    assert wrong == []


# --- two people ------------------------------------------------------------------------------------


def test_twenty_cases_decided_by_two_managers_at_once_are_decided_once_each(live, world):
    cases = reviewed(world, CASES)
    desks = {
        "One": Desk(live, world.service_manager),
        "Other": Desk(live, world.nominated_manager),
    }

    def decides(case: Dissent, who: str) -> Callable[[], Answer]:
        return lambda: desks[who].post(
            f"/dissents/{case.pk}/decide/?stage=review",
            outcome="unresolved",
            reasons=f"{who} reviewer found it so.",
        )

    pairs = [(case, who) for case in cases for who in desks]
    answers = dict(zip(pairs, at_once(*(decides(*pair) for pair in pairs)), strict=True))
    for case in cases:
        answered = {answers[case, who].status: who for who in desks}
        assert set(answered) == {302, 409}, answered
        decision = Decision.objects.get(dissent=case)
        finding = Finding.objects.get(decision=decision)
        assert finding.reasons == f"{answered[302]} reviewer found it so."
        moved_on = answers[case, answered[409]].words
        assert "This case has moved on" in moved_on
        assert f"{answered[409]} reviewer found it so." in moved_on, "what was typed is lost"
        assert times(case, "decide") == 1
        assert times(case, "offer_next_stage") == 1
    the_ledger_is_whole(world)


def test_a_proposal_and_a_decision_at_once_are_one_of_the_two(live, world):
    cases = reviewed(world, 6)
    one, other = Desk(live, world.service_manager), Desk(live, world.nominated_manager)
    at = "/dissents/{}/{}/?stage=review"

    def proposes(case: Dissent) -> Callable[[], Answer]:
        return lambda: one.post(at.format(case.pk, "propose"), text="Talk again in May.")

    def decides(case: Dissent) -> Callable[[], Answer]:
        return lambda: other.post(at.format(case.pk, "decide"), outcome="unresolved", reasons="No.")

    answers = at_once(*(act(case) for case in cases for act in (proposes, decides)))
    for number, case in enumerate(cases):
        proposed, decided = answers[2 * number : 2 * number + 2]
        assert Counter([proposed.status, decided.status]) == {302: 1, 409: 1}
        assert Proposal.objects.filter(dissent=case).count() == (proposed.status == 302)
        assert Decision.objects.filter(dissent=case).count() == (decided.status == 302)
    the_ledger_is_whole(world)


def test_a_panel_that_upholds_and_does_not_at_once_has_said_one_of_the_two(live, world):
    offered = [world.offered(dissent, at=ago(50)) for dissent in reviewed(world, 4)]
    panels = [
        world.sat(world.convened(world.escalated(dissent, at=ago(40)), at=ago(30)), at=ago(20))
        for dissent in offered
    ]
    desks = [Desk(live, world.superintendent), Desk(live, world.superintendent)]
    said = [
        {"outcome": "upheld", "ground": "A", "reasons": "It does.", "plain_reasons": "So.", "then": "decide"},
        {"outcome": "not_upheld", "reasons": "It does not.", "plain_reasons": "So.", "then": "decide"},
    ]

    def decides(case: Dissent, number: int) -> Callable[[], Answer]:
        return lambda: desks[number].post(f"/dissents/{case.pk}/panel/decide/", **said[number])

    answers = at_once(*(decides(case, number) for case in panels for number in (0, 1)))
    for place, case in enumerate(panels):
        upheld, not_upheld = answers[2 * place : 2 * place + 2]
        assert Counter([upheld.status, not_upheld.status]) == {302: 1, 409: 1}
        finding = Finding.objects.get(decision__dissent=case, decision__stage="panel")
        assert finding.outcome == ("upheld" if upheld.status == 302 else "not_upheld")
        letters = Letter.objects.filter(dissent=case)
        assert letters.count() == letters.values("to").distinct().count() == 4
    the_ledger_is_whole(world)


# --- one person, twice -----------------------------------------------------------------------------


def test_a_form_that_is_sent_twice_is_sent_once(live, world):
    (case,) = conferences(world, 1)
    world.filled_in(case, at=ago(60))
    desk = Desk(live, case.dissenter)
    check = f"/dissents/{case.pk}/check/"
    page = desk.get(check)
    seen = re.search(r'name="seen" value="(\w+)"', page.body)[1]
    answers = at_once(*[lambda: desk.post(check, declared="on", seen=seen)] * 4)
    assert {(answer.status, answer.location) for answer in answers} == {(302, f"/dissents/{case.pk}/sent/")}
    assert times(case, "file") == 1
    assert case.moments.filter(name="filed").count() == 1
    assert Notice.objects.filter(dissent=case, occasion="filed", to=world.service_manager).count() == 1
    the_ledger_is_whole(world)


def test_going_further_twice_is_going_once(live, world):
    (case,) = [world.offered(dissent, at=ago(30)) for dissent in reviewed(world, 1)]
    desk = Desk(live, case.dissenter)
    answers = at_once(*[lambda: desk.post(f"/dissents/{case.pk}/take-further/")] * 4)
    assert Counter(answer.status for answer in answers) == {302: 1, 409: 3}
    assert times(case, "take_further") == 1
    assert case.moments.filter(name="stage_entered", stage="panel").count() == 1
    the_ledger_is_whole(world)


def test_letters_that_are_released_twice_go_out_once(live, world):
    (offered,) = [world.offered(dissent, at=ago(50)) for dissent in reviewed(world, 1)]
    sat = world.sat(world.convened(world.escalated(offered, at=ago(40)), at=ago(30)), at=ago(20))
    case = world.decided(sat, at=ago(10))
    world.made(at=ago(9))
    desks = [Desk(live, world.business_manager), Desk(live, world.service_manager)]
    address = f"/dissents/{case.pk}/letters/"
    seen = [re.search(r'name="seen" value="(\w+)"', desk.get(address).body)[1] for desk in desks]

    def releases(number: int) -> Callable[[], Answer]:
        return lambda: desks[number].post(address, read="on", seen=seen[number])

    answers = at_once(*(releases(number) for number in (0, 1, 0, 1)))
    statuses = Counter(answer.status for answer in answers)
    assert statuses[302] == 1
    assert set(statuses) <= {302, 409, 422}
    assert times(case, "release_letters") == 1
    assert times(case, "issue_letters") == 1
    letters = Letter.objects.filter(dissent=case)
    assert len(set(letters.values_list("released_by", "released_at"))) == 1
    assert Notice.objects.filter(occasion="letter", dissent=case).count() == letters.count() == 4
    the_ledger_is_whole(world)

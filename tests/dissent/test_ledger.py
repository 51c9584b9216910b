"""The ledger: it only grows, it chains, it says when it was touched, and nothing happens without it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from councils import procedure as language
from councils.models import Person
from dissent import actions
from dissent.models import Conference, Dissent, LedgerEntry, LedgerHead, LedgerValues, Letter, Relative
from dissent.models import ledger as chain
from dissent.models.ledger import verify
from tests.dissent.test_machine import DO, NOW, STANDING
from tests.dissent.together import at_once
from tests.world import RECORDED, World, a_pdf, when

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return World(quick=True)


# --- the chain -------------------------------------------------------------------------------------


@pytest.mark.parametrize("standing", STANDING)
def test_the_chain_holds_wherever_the_case_stands(world: World, standing: str) -> None:
    STANDING[standing](world)
    entries, wrong = verify(world.council)
    assert wrong == []
    assert entries == LedgerEntry.objects.count() >= 10


def test_every_council_has_a_chain_of_its_own(world: World) -> None:
    elsewhere = World(key="elsewhere", quick=True)
    world.filed()
    here = verify(world.council)
    elsewhere.filed()
    world.raised()
    assert verify(elsewhere.council) == (here[0] - 1, [])  # the procedure was published before it was made
    first = LedgerEntry.objects.filter(council=elsewhere.council).order_by("sequence").first()
    assert first
    assert (first.sequence, first.previous) == (1, chain.GENESIS)


@pytest.mark.django_db(transaction=True)
def test_writers_at_once_leave_no_gap() -> None:
    world = World(quick=True)
    elsewhere = World(key="elsewhere", quick=True)
    conferences = [world.conference(), elsewhere.conference()]
    before = LedgerEntry.objects.count()

    def read(number: int) -> None:
        about = conferences[number % 2]
        for _ in range(5):
            actions.record_read(
                council=about.council, about=about, what="conference", by=world.chair, at=NOW, case=about
            )

    assert at_once(*[lambda number=number: read(number) for number in range(8)]) == [None] * 8
    assert LedgerEntry.objects.count() == before + 40
    assert verify(world.council)[1] == verify(elsewhere.council)[1] == []


@pytest.mark.django_db(transaction=True)
def test_the_first_two_entries_of_a_council_written_at_once_are_one_chain() -> None:
    world = World(quick=True)
    elsewhere = World(key="elsewhere", quick=True)
    assert not LedgerHead.objects.filter(council=elsewhere.council).exists()
    read = lambda: actions.record_read(  # noqa: E731
        council=elsewhere.council, about=elsewhere.council, what="work", by=world.chair, at=NOW
    )
    assert at_once(*[read] * 4) == [None] * 4
    assert verify(elsewhere.council) == (4, [])


# --- the database refuses --------------------------------------------------------------------------

FROZEN = {
    "dissent_ledgerentry": "verb = 'x'",
    "councils_procedureversion": "kind = 'x'",
    "dissent_lettercontent": "pdf = NULL",
    "dissent_recordpackcontent": "manifest = NULL",
}


def attempts(table: str) -> list[str]:
    changes = [f"UPDATE {table} SET {FROZEN[table]}", f"DELETE FROM {table}"]  # noqa: S608
    columns = ", ".join(
        connection.ops.quote_name(field.column)
        for model in apps.get_models()
        if model._meta.db_table == table
        for field in model._meta.concrete_fields
    )
    if connection.vendor == "postgresql":
        return [*changes, f"TRUNCATE {table} CASCADE"]
    return [*changes, f"INSERT OR REPLACE INTO {table} ({columns}) SELECT {columns} FROM {table}"]  # noqa: S608


@pytest.mark.parametrize("table", FROZEN)
def test_the_database_itself_refuses_to_change_or_to_delete(world: World, table: str) -> None:
    world.packed(world.let_out())
    connection.check_constraints()  # or PostgreSQL refuses to truncate for want of that
    for sql in attempts(table):
        with (
            pytest.raises(DatabaseError, match="never changed or deleted"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)
    assert verify(world.council)[1] == []


def test_neither_can_the_product_itself(world: World) -> None:
    world.raised()
    entry = LedgerEntry.objects.first()
    assert entry
    entry.verb = "something_else"
    changes: list[Callable[[], Any]] = [
        entry.save,
        lambda: LedgerValues.objects.filter(entry=entry).delete() and entry.delete(),
        lambda: LedgerEntry.objects.update(verb="x"),
        lambda: LedgerEntry.objects.bulk_update([entry], ["verb"]),
    ]
    for change in changes:
        with pytest.raises(DatabaseError, match="never changed or deleted"), transaction.atomic():
            change()


# --- tampering is found ----------------------------------------------------------------------------


@contextmanager
def as_owner() -> Iterator[None]:
    """Go round the triggers as the owner of the database can, and undo it all afterwards."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET LOCAL session_replication_role = replica")
            else:
                cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                for (name,) in cursor.fetchall():
                    cursor.execute(f'DROP TRIGGER "{name}"')
        yield
        transaction.set_rollback(True)


def sequence(number: int) -> Any:
    return LedgerEntry.objects.filter(sequence=number)


def remove(*numbers: int) -> None:
    LedgerValues.objects.filter(entry__sequence__in=numbers).delete()
    LedgerEntry.objects.filter(sequence__in=numbers).delete()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("verb", "nothing_happened"),
        ("about", "child"),
        ("about_id", "1"),
        ("case_id", None),
        ("by", None),
        ("happened_at", when("2020-01-01 00:00")),
        ("recorded_at", when("2020-01-01 00:00")),
        ("commitment", "0" * 64),
        ("previous", "0" * 64),
        ("sha256", "0" * 64),
    ],
)
def test_an_entry_that_was_changed_is_found(world: World, column: str, value: Any) -> None:
    world.filed()
    with as_owner():
        sequence(7).update(**{column: value})
        assert any("entry 7" in fault or "entry 8" in fault for fault in verify(world.council)[1])


def test_an_entry_that_was_changed_with_its_hash_is_found_by_the_next(world: World) -> None:
    world.filed()
    with as_owner():
        entry = sequence(7).get()
        entry.verb = "nothing_happened"
        entry.sha256 = entry.computed()
        entry.save()
        assert verify(world.council)[1] == ["testshire, entry 8: does not follow from the entry before it"]


@pytest.mark.parametrize("numbers", [(1,), (7,), (7, 8, 9)])
def test_entries_that_were_deleted_are_found(world: World, numbers: tuple[int, ...]) -> None:
    world.filed()
    with as_owner():
        remove(*numbers)
        wrong = verify(world.council)[1]
        assert f"entries {numbers[0]} to {numbers[-1]} are missing" in wrong[0]


def test_an_entry_that_was_slipped_in_is_found(world: World) -> None:
    world.filed()
    with as_owner():
        last = LedgerHead.objects.get().sequence
        for number in range(last, 6, -1):
            sequence(number).update(sequence=number + 1)
        slipped = sequence(6).get()
        slipped.pk, slipped.sequence, slipped.verb = None, 7, "slipped_in"
        slipped.sha256 = slipped.computed()
        slipped.save(force_insert=True)
        assert verify(world.council)[1]


def test_two_entries_that_were_swapped_are_found(world: World) -> None:
    world.filed()
    with as_owner():
        for old, new in ((7, 1000), (8, 7), (1000, 8)):
            sequence(old).update(sequence=new)
        assert len(verify(world.council)[1]) >= 2


def test_an_entry_that_was_moved_to_another_council_is_missed_in_its_own(world: World) -> None:
    elsewhere = World(key="elsewhere", quick=True)
    world.filed()
    with as_owner():
        sequence(7).update(council=elsewhere.council, sequence=1)
        assert verify(world.council)[1]
        assert verify(elsewhere.council)[1]


def test_a_tail_that_was_cut_off_is_found_by_the_head(world: World) -> None:
    world.filed()
    with as_owner():
        last = LedgerHead.objects.get().sequence
        remove(last, last - 1)
        assert verify(world.council)[1] == ["testshire: the chain does not end where its head says"]


def test_a_chain_that_was_emptied_is_found(world: World) -> None:
    world.filed()
    with as_owner():
        remove(*range(1, LedgerHead.objects.get().sequence + 1))
        assert verify(world.council) == (0, ["testshire: the chain does not end where its head says"])


def test_values_that_were_changed_are_found(world: World) -> None:
    world.filed()
    values = LedgerValues.objects.filter(entry__verb="add_child")
    with transaction.atomic():
        values.update(values={"name": "Somebody Else"})
        wrong = verify(world.council)[1]
        assert [fault.partition(": ")[2] for fault in wrong] == [
            "its values are not those it was written with"
        ]
        transaction.set_rollback(True)


def printed_heads() -> set[str]:
    return {letter.says["footer"].removeprefix("Ledger ") for letter in Letter.objects.all()}


def test_whoever_rebuilds_the_whole_chain_contradicts_the_letters_that_are_out(world: World) -> None:
    """Nothing in the database can show that; the foot of every letter carries the chain's head away."""
    world.decided()
    for head in printed_heads():
        assert LedgerEntry.objects.filter(sha256__startswith=head).count() == 1
    with as_owner():
        previous = chain.GENESIS
        for entry in LedgerEntry.objects.order_by("sequence"):
            entry.recorded_at = when("2020-01-01 00:00")
            entry.previous = previous
            previous = entry.sha256 = entry.computed()
            entry.save()
        LedgerHead.objects.update(sha256=previous)
        assert verify(world.council)[1] == []
        for head in printed_heads():
            assert not LedgerEntry.objects.filter(sha256__startswith=head).exists()


def test_the_command_says_which_chain_is_not_whole_and_fails(world: World, capsys: Any) -> None:
    world.filed()
    call_command("verify_ledger")
    assert "testshire: " in (said := capsys.readouterr().out)
    assert said.strip().endswith("whole")
    with as_owner():
        remove(7)
        with pytest.raises(CommandError, match="entries 7 to 7 are missing"):
            call_command("verify_ledger")


# --- names and words can be erased, and never stood in the chain -----------------------------------


def test_erasing_the_values_leaves_the_chain_verifiable(world: World) -> None:
    world.decided()
    whole = verify(world.council)
    LedgerValues.objects.filter(entry__verb="add_child").delete()
    assert verify(world.council) == whole
    LedgerValues.objects.all().delete()
    assert verify(world.council) == whole


def test_no_name_no_address_and_no_word_of_anybody_stands_in_the_chain(world: World) -> None:
    dissent = world.released()
    world.reheard(dissent)
    said = json.dumps(list(LedgerEntry.objects.values()), default=str).casefold()
    people = [each for person in Person.objects.all() for each in (person.name, person.email)]
    words = [
        "Testson",
        "Testshire",
        "2018-05-01",
        "01632",
        "The reason as",
        "The panel's reasons",
        "What was said",
    ]
    kept = json.dumps(list(LedgerValues.objects.values_list("values", flat=True))).casefold()
    assert [word for word in words[:1] + words[4:] if word.casefold() not in kept] == []
    assert [word for word in [*people, *words] if word.casefold() in said] == []


def test_the_same_words_commit_to_something_else_each_time(world: World) -> None:
    """Unsalted, whoever guesses a name could look for its commitment."""
    conference = world.conference()
    for _ in range(2):
        actions.record_read(
            council=world.council, about=conference, what="conference", by=world.chair, at=NOW
        )
    entries = LedgerEntry.objects.filter(verb="read_conference")
    assert len({entry.commitment for entry in entries}) == 2


# --- nothing happens that the ledger does not say --------------------------------------------------


class Broken(Exception):
    """The ledger cannot be written."""


def everything() -> dict[str, list[Any]]:
    """Every row of the product, but for the lease of a letter that somebody tried to make."""
    rows = {}
    models = [model for model in apps.get_models(include_auto_created=True) if model._meta.app_label in OURS]
    for model in models:
        lease = {"lease_until", "attempts"} if model is Letter else set()
        fields = [field.attname for field in model._meta.concrete_fields if field.attname not in lease]
        rows[model._meta.label] = sorted(map(str, model._default_manager.values_list(*fields)))
    return rows


OURS = {"councils", "dissent"}


def at_a_standing(standing: str, verb: str, who: str) -> Callable[[World], Callable[[], Any]]:
    def ready(world: World) -> Callable[[], Any]:
        dissent = STANDING[standing](world)
        world.panellists()
        return lambda: DO[verb](world, dissent, world.people[who])

    return ready


def of_a_conference(act: Callable[[World, Conference], Any]) -> Callable[[World], Callable[[], Any]]:
    def ready(world: World) -> Callable[[], Any]:
        conference = world.conference()
        actions.confirm_explained(conference=conference, by=world.chair, at=RECORDED)
        return lambda: act(world, conference)

    return ready


def recording(world: World) -> Callable[[], Any]:
    return world.conference


def explaining(world: World) -> Callable[[], Any]:
    conference = world.conference()
    return lambda: actions.confirm_explained(conference=conference, by=world.chair, at=RECORDED)


def joining(world: World) -> Callable[[], Any]:
    conference = world.conference()
    first = world.escalated(world.offered(world.reviewed(world.filed(world.raised(conference)))))
    panel = world.convened(first).panel
    second = world.filed(world.raised(conference, who="officer"))
    second = world.escalated(world.offered(world.reviewed(second)))
    return lambda: actions.join_panel(dissent=second, panel=panel, by=world.business_manager, at=NOW)


def replacing(world: World) -> Callable[[], Any]:
    dissent = world.convened()
    person = world.appoint("panel_member", "Deputy Nurse", "Health Trust", key="deputy_nurse")
    seat = dissent.panel.seats.get(person=world.head_nurse)
    return lambda: actions.replace_member(
        dissent=dissent, seat=seat, person=person, by=world.business_manager, at=NOW
    )


def beginning(world: World) -> Callable[[], Any]:
    Person.objects.known_by("newcomer@testshire.example")
    return world.begun


def leaving_it_unconfirmed(world: World) -> Callable[[], Any]:
    dissent = world.matched()
    return lambda: actions.leave_unconfirmed(dissent=dissent, at=NOW)


def ending_an_offer(world: World) -> Callable[[], Any]:
    dissent = world.offered()
    return lambda: actions.end_offer(dissent=dissent, at=NOW)


def handing_over(world: World) -> Callable[[], Any]:
    conference = world.conference()
    actions.add_attendance(
        conference=conference,
        name="Posty Testshire",
        capacity="professional",
        present=True,
        agency=world.agency("Police"),
        by=world.conference_administrator,
        at=RECORDED,
    )
    dissent = world.escalated(world.offered(world.reviewed(world.filed(world.raised(conference)))))
    world.released(world.decided(world.sat(world.convened(dissent)), outcome="not_upheld"))
    letter = Letter.objects.get(to=None)
    return lambda: actions.hand_over(letter=letter, by=world.business_manager, at=NOW)


def going_away(world: World) -> Callable[[], Any]:
    return lambda: world.away("service_manager", stands_in=world.business_manager, at=NOW)


def coming_back(world: World) -> Callable[[], Any]:
    absence = world.away("service_manager", stands_in=None, at=NOW)
    return lambda: actions.end_absence(absence=absence, by=world.service_manager, at=NOW)


def publishing(world: World) -> Callable[[], Any]:
    procedure = language.read(language.SHIPPED / "south_tyneside.toml").model_copy(update={"version": 2})
    return lambda: actions.publish_procedure(procedure=procedure, by=None, at=NOW)


def with_a_parent(world: World, **facts: Any) -> tuple[Dissent, Relative]:
    """Decided about a child, with one parent who can be told."""
    conference = world.conference()
    parent = world.relative(conference.children.get(), **facts)
    return world.decided(world.sat_about(conference), outcome="not_upheld"), parent


def answering_for_a_parent(world: World) -> Callable[[], Any]:
    dissent, parent = with_a_parent(world, may_be_told="ask")
    return lambda: actions.answer_for_family(
        dissent=dissent,
        who=parent.who,
        child=parent.child,
        may=True,
        said_by="Worker",
        why="Asked.",
        by=world.business_manager,
        at=NOW,
    )


def holding_back(world: World) -> Callable[[], Any]:
    dissent, parent = with_a_parent(world)
    return lambda: actions.hold_back(
        dissent=dissent, who=parent.who, kind="police", why="Asked.", by=world.business_manager, at=NOW
    )


def letting_go(world: World) -> Callable[[], Any]:
    dissent, parent = with_a_parent(world)
    by = world.business_manager
    actions.hold_back(dissent=dissent, who=parent.who, kind="police", why="Asked.", by=by, at=NOW)
    return lambda: actions.let_go(dissent=dissent, who=parent.who, because="Over.", by=by, at=NOW)


def telling_a_child(world: World) -> Callable[[], Any]:
    dissent = world.decided()
    child = dissent.children.get()
    by = world.service_manager
    return lambda: actions.record_telling(
        dissent=dissent, child=child, why_not="age", words="Three weeks old.", by=by, at=NOW
    )


def changing_a_contact(world: World) -> Callable[[], Any]:
    _, parent = with_a_parent(world)
    return lambda: actions.change_contact(
        relative=parent,
        contact="email",
        contact_details="mo@family.example",
        contact_confirmed_safe_by="Worker",
        contact_confirmed_safe_on=NOW.date(),
        because="Moved.",
        by=world.conference_administrator,
        at=NOW,
    )


def filling_in_a_number(world: World) -> Callable[[], Any]:
    child = world.conference().children.get()
    return lambda: actions.fill_in_record_number(
        child=child, record_number="17", by=world.conference_administrator, at=NOW
    )


def making_a_record(world: World) -> Callable[[], Any]:
    dissent = world.let_out(outcome="not_upheld")
    world.numbered(dissent)
    child, by = dissent.children.get(), world.unit_representative
    return lambda: actions.make_record_pack(dissent=dissent, child=child, by=by, at=NOW)


def uploading(world: World) -> Callable[[], Any]:
    pack = world.packed(world.let_out(outcome="not_upheld"))
    by = world.unit_representative
    return lambda: actions.record_upload(pack=pack, uploaded_on=NOW.date(), by=by, at=NOW)


def correcting_a_child(world: World) -> Callable[[], Any]:
    child = world.released(outcome="not_upheld").children.get()
    return lambda: actions.correct_child(
        child=child,
        name="Child Z Testson",
        born_on=child.born_on,
        due_on=None,
        because="Misheard.",
        by=world.conference_administrator,
        at=NOW,
    )


def correcting_the_end(world: World) -> Callable[[], Any]:
    conference = world.raised().conference
    return lambda: actions.correct_conference_end(
        conference=conference,
        ended_at=when("2026-03-03 12:10"),
        because="Mistyped.",
        by=world.conference_administrator,
        at=NOW,
    )


def correcting_an_attendance(world: World) -> Callable[[], Any]:
    attendance = world.released(outcome="not_upheld").attendance
    return lambda: actions.correct_attendance(
        attendance=attendance,
        name="Teacher Teston",
        capacity="professional",
        present=True,
        agency=attendance.agency,
        job=attendance.job,
        because="Misheard.",
        by=world.conference_administrator,
        at=NOW,
    )


READY: dict[str, Callable[[World], Callable[[], Any]]] = {
    "answer_for_family": answering_for_a_parent,
    "hold_back": holding_back,
    "let_go": letting_go,
    "record_telling": telling_a_child,
    "change_contact": changing_a_contact,
    "fill_in_record_number": filling_in_a_number,
    "make_record_pack": making_a_record,
    "record_upload": uploading,
    "record_conference": recording,
    "add_child": of_a_conference(
        lambda world, conference: actions.add_child(
            conference=conference,
            name="Ann",
            born_on=None,
            due_on=NOW.date(),
            decision="ended",
            category="",
            by=world.conference_administrator,
            at=NOW,
        )
    ),
    "add_relative": of_a_conference(
        lambda world, conference: actions.add_relative(
            child=conference.children.get(), name="Mum", by=world.conference_administrator, at=NOW
        )
    ),
    "add_attendance": of_a_conference(
        lambda world, conference: world.attend(conference, "newcomer", "Police", at=NOW)
    ),
    "attach_paper": of_a_conference(
        lambda world, conference: actions.attach_paper(
            conference=conference,
            kind="minutes",
            file_name="minutes.pdf",
            data=a_pdf(),
            by=world.conference_administrator,
            at=NOW,
        )
    ),
    "confirm_explained": explaining,
    "close_record": of_a_conference(
        lambda world, conference: actions.close_record(conference=conference, by=world.chair, at=NOW)
    ),
    "raise_dissent": of_a_conference(lambda world, conference: world.raised(conference)),
    "file_dissent": at_a_standing("raised", "file", "teacher"),
    "tell_management": at_a_standing("raised", "tell_management", "teacher"),
    "admit": at_a_standing("sent late", "admit", "service_manager"),
    "refuse_late": at_a_standing("sent late", "refuse_late", "service_manager"),
    "withdraw": at_a_standing("sat", "withdraw", "teacher"),
    "lapse": at_a_standing("raised", "lapse", "service_manager"),
    "record_step": at_a_standing("at the review", "record_step", "service_manager"),
    "propose_resolution": at_a_standing("reviewed", "propose", "service_manager"),
    "agree_to_resolution": at_a_standing("proposed", "agree", "teacher"),
    "refuse_resolution": at_a_standing("proposed", "refuse", "teacher"),
    "decide": at_a_standing("sat", "decide", "superintendent"),
    "take_further": at_a_standing("offered", "take_further", "teacher"),
    "accept": at_a_standing("offered", "accept", "teacher"),
    "end_offer": ending_an_offer,
    "begin_dissent": beginning,
    "change_claim": at_a_standing("begun", "change_claim", "newcomer"),
    "match_dissent": at_a_standing("unmatched", "match", "conference_administrator"),
    "confirm_raised": at_a_standing("matched", "confirm_raised", "chair"),
    "deny_raised": at_a_standing("matched", "deny_raised", "chair"),
    "leave_unconfirmed": leaving_it_unconfirmed,
    "let_in": at_a_standing("doubted", "let_in", "service_manager"),
    "turn_away": at_a_standing("doubted", "turn_away", "service_manager"),
    "convene_panel": at_a_standing("escalated", "convene", "business_manager"),
    "join_panel": joining,
    "replace_member": replacing,
    "declare": at_a_standing("convened", "declare", "head_nurse"),
    "record_sitting": at_a_standing("declared", "record_sitting", "superintendent"),
    "release_letters": at_a_standing("upheld, letters made", "release", "business_manager"),
    "hand_over": handing_over,
    "record_further_conference": at_a_standing(
        "upheld, letters made", "record_further_conference", "service_manager"
    ),
    "correct_child": correcting_a_child,
    "correct_conference_end": correcting_the_end,
    "correct_attendance": correcting_an_attendance,
    "correct_decision": at_a_standing("closed", "correct_decision", "superintendent"),
    "record_absence": going_away,
    "end_absence": coming_back,
    "publish_procedure": publishing,
    "record_read": of_a_conference(
        lambda world, conference: actions.record_read(
            council=world.council, about=conference, what="conference", by=world.chair, at=NOW
        )
    ),
}
BY_THE_DRAIN: dict[str, Callable[[World], Callable[[], Any]]] = {
    "pass_clocks": lambda world: world.proposed() and (lambda: actions.pass_clocks(at=NOW)),
    "make_bytes": lambda world: world.decided() and (lambda: actions.make_bytes(at=NOW, most=1)),
}
"""They go on to the next row where one fails, say so in the log, and try again."""
KEPT_AS_TYPED = {"keep_answer"}
"""Nothing has been sent yet; what the form says goes into the ledger when it is."""


def test_every_action_is_here() -> None:
    verbs = {name for name in actions.__all__ if inspect.isfunction(getattr(actions, name))}
    assert verbs - {"who_may_be_named", "why_not"} == {*READY, *BY_THE_DRAIN, *KEPT_AS_TYPED}


@pytest.mark.parametrize("name", READY)
def test_where_the_ledger_cannot_be_written_nothing_happens_and_otherwise_it_says_what_did(
    world: World, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    act = READY[name](world)
    before = everything()
    with monkeypatch.context() as broken:
        broken.setattr(chain, "write", _refuse)
        with pytest.raises(Broken):
            act()
    assert everything() == before
    last = LedgerEntry.objects.count()
    act()
    added = LedgerEntry.objects.filter(sequence__gt=last)
    assert added
    cases = {*Dissent.objects.values_list("pk", flat=True), *Conference.objects.values_list("pk", flat=True)}
    if name not in {"publish_procedure", "record_read", "record_absence", "end_absence"}:
        assert {entry.case_id for entry in added} <= cases
    assert verify(world.council)[1] == []


@pytest.mark.parametrize("name", BY_THE_DRAIN)
def test_where_the_ledger_cannot_be_written_the_drain_leaves_everything_for_the_next_time(
    world: World, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    act = BY_THE_DRAIN[name](world)
    before = everything()
    with monkeypatch.context() as broken:
        broken.setattr(chain, "write", _refuse)
        assert act() == 0
    assert everything() == before
    assert "Broken" in caplog.text


def _refuse(**_: Any) -> None:
    raise Broken

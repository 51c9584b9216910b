"""Who may do what, and who reads what: two tables, and no queries.

A person stands in *relations* to a case (`Dissent.relations`, `Conference.relations`). What those
relations allow is read here and nowhere else; the button on a page and the POST behind it both ask
`may`.
"""

from collections.abc import Set
from typing import Literal

Relation = Literal[
    "dissenter",
    "chair",
    "chair_asked",
    "conference_administrator",
    "reader",
    "decider",
    "admitter",
    "lapser",
    "settler",
    "convener",
    "panel_named",
    "panel_chair",
    "panel_member",
    "panel_let_go",
    "panel_presided",
    "releaser",
    "lead",
    "teller",
    "uploader",
    "the_clock",
]

Part = Literal[
    "standing",
    "dates",
    "own_form",
    "proposal",
    "conference",
    "form",
    "outcome",
    "papers",
    "case",
    "panel",
    "letters",
    "record",
]

MAY: dict[str, frozenset[Relation]] = {
    # the conference
    "describe": frozenset({"conference_administrator"}),
    "attach": frozenset({"conference_administrator"}),
    "explain": frozenset({"chair"}),
    "raise": frozenset({"chair"}),
    "close_record": frozenset({"chair"}),
    "change_contact": frozenset({"conference_administrator"}),
    "fill_in_record_number": frozenset({"conference_administrator"}),
    "correct": frozenset({"conference_administrator"}),
    # the dissent
    "change_claim": frozenset({"dissenter"}),
    "keep": frozenset({"dissenter"}),
    "file": frozenset({"dissenter"}),
    "tell_management": frozenset({"dissenter"}),
    "match": frozenset({"conference_administrator"}),
    "confirm_raised": frozenset({"chair_asked"}),
    "deny_raised": frozenset({"chair_asked"}),
    "doubt": frozenset({"the_clock"}),
    "let_in": frozenset({"settler"}),
    "turn_away": frozenset({"settler"}),
    "admit": frozenset({"admitter"}),
    "refuse_late": frozenset({"admitter"}),
    "withdraw": frozenset({"dissenter"}),
    "lapse": frozenset({"lapser"}),
    "record_step": frozenset({"decider"}),
    "propose": frozenset({"decider"}),
    "agree": frozenset({"dissenter"}),
    "refuse": frozenset({"dissenter", "the_clock"}),
    "decide": frozenset({"decider"}),
    "take_further": frozenset({"dissenter"}),
    "accept": frozenset({"dissenter"}),
    "end_offer": frozenset({"the_clock"}),
    "convene": frozenset({"convener"}),
    "declare": frozenset({"panel_named", "panel_chair", "panel_member"}),
    "record_sitting": frozenset({"panel_chair"}),
    "release": frozenset({"releaser"}),
    "hand_over": frozenset({"releaser"}),
    "answer_for_family": frozenset({"releaser", "conference_administrator"}),
    "hold_back": frozenset({"releaser"}),
    "record_telling": frozenset({"teller"}),
    "make_record_pack": frozenset({"uploader"}),
    "record_upload": frozenset({"uploader"}),
    "record_further_conference": frozenset({"lead"}),
    "correct_decision": frozenset({"decider", "panel_presided"}),
}

READS: dict[Relation, frozenset[Part]] = {
    "dissenter": frozenset({"standing", "dates", "own_form", "proposal"}),
    "chair": frozenset({"standing", "conference", "form", "outcome"}),
    "chair_asked": frozenset({"standing", "conference"}),
    "conference_administrator": frozenset({"standing", "conference"}),
    "reader": frozenset(
        {
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
    ),
    "uploader": frozenset({"standing", "record"}),
    "panel_named": frozenset({"standing", "panel"}),
    "panel_chair": frozenset({"standing", "form", "papers", "panel"}),
    "panel_member": frozenset({"standing", "form", "papers", "panel"}),
    "panel_let_go": frozenset({"standing"}),
}


def may(verb: str, relations: Set[str]) -> bool:
    """Say whether somebody who stands in `relations` may do `verb`. Raises KeyError for no such verb."""
    return bool(MAY[verb] & relations)


def reads(relations: Set[str]) -> frozenset[Part]:
    """Return the parts of a case that somebody who stands in `relations` may read."""
    return frozenset().union(*(parts for relation, parts in READS.items() if relation in relations))

"""The verbs: only they write. Each is one transaction, and takes who and when."""

from dissent.actions.absence import end_absence, record_absence
from dissent.actions.childs_record import fill_in_record_number, make_record_pack, record_upload
from dissent.actions.conference import (
    add_attendance,
    add_child,
    add_relative,
    attach_paper,
    change_contact,
    close_record,
    confirm_explained,
    record_conference,
)
from dissent.actions.core import Refused
from dissent.actions.corrections import (
    correct_attendance,
    correct_child,
    correct_conference_end,
    correct_decision,
)
from dissent.actions.dissent import (
    admit,
    file_dissent,
    keep_answer,
    lapse,
    raise_dissent,
    refuse_late,
    tell_management,
    why_not,
    withdraw,
)
from dissent.actions.family import answer_for_family, hold_back, let_go, record_telling
from dissent.actions.further_conference import record_further_conference
from dissent.actions.letters import hand_over, make_bytes, release_letters
from dissent.actions.panel import convene_panel, declare, join_panel, record_sitting, replace_member
from dissent.actions.procedure import publish_procedure
from dissent.actions.reading import record_read
from dissent.actions.review import (
    Found,
    accept,
    agree_to_resolution,
    decide,
    end_offer,
    propose_resolution,
    record_step,
    refuse_resolution,
    take_further,
)
from dissent.actions.sweep import pass_clocks
from dissent.actions.unmatched import (
    begin_dissent,
    change_claim,
    confirm_raised,
    deny_raised,
    leave_unconfirmed,
    let_in,
    match_dissent,
    turn_away,
)

__all__ = [
    "Found",
    "Refused",
    "accept",
    "add_attendance",
    "add_child",
    "add_relative",
    "admit",
    "agree_to_resolution",
    "answer_for_family",
    "attach_paper",
    "begin_dissent",
    "change_claim",
    "change_contact",
    "close_record",
    "confirm_explained",
    "confirm_raised",
    "convene_panel",
    "correct_attendance",
    "correct_child",
    "correct_conference_end",
    "correct_decision",
    "decide",
    "declare",
    "deny_raised",
    "end_absence",
    "end_offer",
    "file_dissent",
    "fill_in_record_number",
    "hand_over",
    "hold_back",
    "join_panel",
    "keep_answer",
    "lapse",
    "leave_unconfirmed",
    "let_go",
    "let_in",
    "make_bytes",
    "make_record_pack",
    "match_dissent",
    "pass_clocks",
    "propose_resolution",
    "publish_procedure",
    "raise_dissent",
    "record_absence",
    "record_conference",
    "record_further_conference",
    "record_read",
    "record_sitting",
    "record_step",
    "record_telling",
    "record_upload",
    "refuse_late",
    "refuse_resolution",
    "release_letters",
    "replace_member",
    "take_further",
    "tell_management",
    "turn_away",
    "why_not",
    "withdraw",
]

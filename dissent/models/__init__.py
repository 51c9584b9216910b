"""The nouns of a case."""

from dissent.models.claim import Claim
from dissent.models.clock import Clock, Moment
from dissent.models.conference import Attendance, Child, Conference, Relative
from dissent.models.correction import Correction
from dissent.models.dissent import (
    Answer,
    Decision,
    Dissent,
    Finding,
    Proposal,
    Reader,
    StepRecord,
)
from dissent.models.family import ChildTold, FamilyReader, HeldBack, MayHear, readers_of
from dissent.models.ledger import LedgerEntry, LedgerHead, LedgerValues
from dissent.models.letter import Letter, LetterContent
from dissent.models.notice import Notice
from dissent.models.panel import Panel, Seat
from dissent.models.paper import Paper, PaperContent
from dissent.models.record import RecordPack, RecordPackContent

__all__ = [
    "Answer",
    "Attendance",
    "Child",
    "ChildTold",
    "Claim",
    "Clock",
    "Conference",
    "Correction",
    "Decision",
    "Dissent",
    "FamilyReader",
    "Finding",
    "HeldBack",
    "LedgerEntry",
    "LedgerHead",
    "LedgerValues",
    "Letter",
    "LetterContent",
    "MayHear",
    "Moment",
    "Notice",
    "Panel",
    "Paper",
    "PaperContent",
    "Proposal",
    "Reader",
    "RecordPack",
    "RecordPackContent",
    "Relative",
    "Seat",
    "StepRecord",
    "readers_of",
]

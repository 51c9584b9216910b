"""Who, and by which rules."""

from councils.models.calendar import ClosedDay
from councils.models.council import Agency, Council, Partnership
from councils.models.person import Absence, Appointment, Person
from councils.models.procedure import ProcedureVersion

__all__ = [
    "Absence",
    "Agency",
    "Appointment",
    "ClosedDay",
    "Council",
    "Partnership",
    "Person",
    "ProcedureVersion",
]

"""What pages show of a case: clocks, moments, steps and findings as rows for the kit's components.

Pure: nothing here asks the database for what it was not given, and nothing asks the time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from councils.procedure import Clock as Rule
from councils.procedure import Procedure, Stage, Term
from dissent.clock import Deadline
from dissent.models import (
    Attendance,
    Child,
    Claim,
    Clock,
    Conference,
    Correction,
    Decision,
    Dissent,
    LedgerEntry,
    Letter,
    Paper,
    Proposal,
    Seat,
    StepRecord,
)
from dissent.models import dissent as machine
from dissent.views.common import day, day_and_time, local

Row = dict[str, Any]


# --- when something is due -------------------------------------------------------------------------


class Due(NamedTuple):
    """When something is due: `state` is late, due or unknown, `words` say it, `on` is the date in full."""

    state: str
    words: str
    on: str

    @property
    def colour(self) -> str:
        return {"late": "red", "due": "blue", "unknown": "yellow"}[self.state]


NOT_KNOWN = Due("unknown", "Date not known", "")


def when_due(due_at: dt.datetime | None, *, at: dt.datetime, aim: bool = False) -> Due:
    """Say how far off something due at `due_at` is at `at`, in words that need no colour.

    An `aim` is what a text says should be done: over time it is an expectation not met.
    """
    if due_at is None:
        return NOT_KNOWN
    on = last_moment(due_at)
    if at > due_at:
        by = how_long(due_at, at)
        return Due("late", f"Expectation not met: {by} over" if aim else f"Late by {by}", on)
    days = (local(due_at).date() - local(at).date()).days
    if days == 0:
        words = "Due today" if _ends_with_its_day(due_at) else f"Due today by {local(due_at):%H:%M}"
    elif days == 1:
        words = "Due tomorrow" if _ends_with_its_day(due_at) else f"Due tomorrow by {local(due_at):%H:%M}"
    else:
        words = f"Due in {days} days"
    return Due("due", words, on)


def last_moment(due_at: dt.datetime) -> str:
    """Return a deadline as people read it: the day, and the time where it is not the end of that day."""
    there = local(due_at)
    return f"{there:%A} {day(due_at)}" if _ends_with_its_day(due_at) else day_and_time(due_at)


def how_long(since: dt.datetime, until: dt.datetime) -> str:
    """Return how much later `until` is: whole hours up to a day, then whole days.

    After the end of a day, days of the calendar are counted.
    """
    hours = int((until - since).total_seconds() // 3600)
    if _ends_with_its_day(since):
        return counted((local(until).date() - local(since).date()).days, "day")
    if hours >= 24:
        return counted(hours // 24, "day")
    return counted(hours, "hour") if hours else "less than an hour"


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return "1 day", "2 days"."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def listed(names: Iterable[str]) -> str:
    """Return "Ann, Ben and Cal"."""
    *first, last = list(names) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def a(noun: str) -> str:
    """Return the noun with its article."""
    return f"an {noun}" if noun[:1].lower() in "aeiou" else f"a {noun}"


def capital(words: str) -> str:
    """Return a term of the procedure at the head of a sentence, its own capitals kept."""
    return words[:1].upper() + words[1:]


def _ends_with_its_day(due_at: dt.datetime) -> bool:
    return local(due_at).time().replace(microsecond=0) == dt.time(23, 59, 59)


# --- where a case stands, and what comes next ------------------------------------------------------


def stage_title(rules: Procedure, key: str) -> str:
    """Return the stage in the procedure's words; empty before the first."""
    return rules.stage(key).title if key else ""


def where_it_stands(dissent: Dissent, *, outcome: bool = False) -> str:
    """Say where the case stands, in words; with `outcome`, also what a decision leads to.

    Asks for no rows but the dissent's own.
    """
    rules = dissent.rules
    title = stage_title(rules, dissent.stage)
    form = rules.words.dissent_form.one
    match dissent.state:
        case machine.BEGUN | machine.UNMATCHED | machine.MATCHED | machine.DOUBTED:
            return f"{capital(form)} {_before_it_is_raised(dissent)}"
        case machine.RAISED:
            return f"Waiting for the {form}"
        case machine.AWAITING_ADMISSION:
            return f"{capital(form)} sent late: waiting to be let in"
        case machine.AT_STAGE:
            return title
        case machine.PROPOSED:
            return f"{title}: a resolution is proposed"
        case machine.DECIDED if machine.further_stage_is_offered(dissent):
            following = rules.stage_after(dissent.stage)
            return f"{title}: decided, and {following.title if following else 'the next stage'} is offered"
        case machine.DECIDED:
            return f"{title}: decided"
        case machine.RECONVENING if outcome:
            return f"{title}: decided, and a further conference is owed"
        case machine.RECONVENING:
            return f"{title}: decided"
        case machine.CLOSED:
            return _how_it_closed(dissent)
    return str(machine.STATES[dissent.state])


def where_it_stands_for_its_dissenter(dissent: Dissent) -> str:
    """Return the same for whoever dissented, who is not told yet that a conference was found."""
    if dissent.state == machine.MATCHED:
        words = dissent.rules.words
        return f"{capital(words.dissent_form.one)} sent: its {words.conference.one} is to be found"
    return where_it_stands(dissent)


def _before_it_is_raised(dissent: Dissent) -> str:
    words = dissent.rules.words
    return {
        machine.BEGUN: "not sent yet",
        machine.UNMATCHED: f"sent: its {words.conference.one} is to be found",
        machine.MATCHED: f"sent: the {words.chair.one} is asked whether it was raised",
        machine.DOUBTED: "sent: whether it was raised is to be decided",
    }[dissent.state]


def _how_it_closed(dissent: Dissent) -> str:
    words = dissent.rules.words
    if dissent.withdrawn_at:
        return f"Withdrawn by the dissenter on {day(dissent.withdrawn_at)}"
    if dissent.lapsed_at:
        return f"Lapsed on {day(dissent.lapsed_at)}: the {words.dissent_form.one} was not sent"
    if dissent.continued_in_id:
        return (
            f"Closed on {day(dissent.closed_at)}: its {words.dissent_form.one} went to the dissent that the "
            f"{words.chair.one} recorded"
        )
    if dissent.was_turned_away:
        return f"Refused on {day(dissent.closed_at)}: not raised in the {words.conference.one}"
    return f"Closed on {day(dissent.closed_at)}"


def next_thing(dissent: Dissent) -> str:
    """Say what has to happen next and who does it. Needs `steps`, and `panel` where there is one."""
    rules = dissent.rules
    match dissent.state:
        case machine.UNMATCHED | machine.MATCHED | machine.DOUBTED:
            return _next_before_it_is_raised(dissent)
        case machine.BEGUN | machine.RAISED:
            return f"The dissenter sends the {rules.words.dissent_form.one}"
        case machine.AWAITING_ADMISSION:
            return f"{rules.title_of(rules.filing.late.admitted_by)} lets the late form in or refuses it"
        case machine.AT_STAGE if dissent.rules_of_stage.panel:
            return _next_of_the_panel(dissent)
        case machine.AT_STAGE:
            missing = dissent.missing_steps()
            return f"Record: {missing[0].label}" if missing else "Propose a resolution, or decide"
        case machine.PROPOSED:
            return "The dissenter answers the proposal"
        case machine.DECIDED if machine.further_stage_is_offered(dissent):
            return "The dissenter says whether to go further"
        case machine.DECIDED if dissent.letters_issued_at is None:
            return "The letters go out"
        case machine.RECONVENING if dissent.letters_issued_at is None:
            return f"The letters go out, and the {rules.words.unit.one} records the further conference"
        case machine.RECONVENING:
            return f"The {rules.words.unit.one} records the further conference"
    return ""


def _next_before_it_is_raised(dissent: Dissent) -> str:
    rules, words = dissent.rules, dissent.rules.words
    finds = rules.title_of("conference_administrator")
    settles = rules.title_of(rules.filing.unmatched.settled_by)
    return {
        machine.UNMATCHED: f"{finds} says which {words.conference.one} it was",
        machine.MATCHED: f"The {words.chair.one} says whether it was raised",
        machine.DOUBTED: f"{settles} hears the dissenter, and lets it in or refuses it",
    }[dissent.state]


def _next_of_the_panel(dissent: Dissent) -> str:
    title = dissent.rules.words.panel.one
    if dissent.panel is None:
        return f"Name the {title}"
    if dissent.panel.sat_at is None:
        return f"The {title} meets, and its chair records who sat"
    return f"The {title}’s chair records what it decided"


# --- clocks ----------------------------------------------------------------------------------------

MOMENTS = {
    "conference_held": "the conference began",
    "conference_ended": "the conference ended",
    "matched": "its conference was found",
    "raising_answered": "the chair said whether it was raised, or did not say in time",
    "entry_settled": "it was decided whether the dissent goes on",
    "raised": "the dissent was recorded",
    "filed": "the form was sent",
    "admission_decided": "it was decided whether the late form is let in",
    "stage_entered": "the stage began",
    "resolution_proposed": "a resolution was proposed",
    "resolution_answered": "the proposal was answered",
    "escalation_offered": "going further was offered",
    "escalation_answered": "the offer was answered",
    "decided": "it was decided",
    "letters_issued": "the last letter went out",
    "further_conference_held": "the further conference was held",
    "withdrawn": "the dissent was withdrawn",
    "lapsed": "the dissent lapsed",
}


def next_clock(running: Iterable[Clock]) -> Clock | None:
    """Return the clock that matters first: one whose date is not known, then the one due soonest."""
    return min(running, key=_order, default=None)


def _order(clock: Clock) -> tuple[bool, float]:
    return (clock.due_at is not None, clock.due_at.timestamp() if clock.due_at else 0)


def clock_row(clock: Clock, rule: Rule | None, *, at: dt.datetime) -> Row:
    """Return one clock for components/clock.html. Needs `started` and `stopped`."""
    aim = bool(rule and rule.strength == "aim")
    state, words = _how_it_went(clock, rule, at=at, aim=aim)
    return {
        "state": state,
        "words": words,
        "name": rule.label if rule else clock.rule,
        "due": last_moment(clock.due_at) if clock.due_at else "",
        "derivation": [*_how_it_was_worked_out(clock), *_what_was_chosen(rule)],
        "source": rule.source if rule else "",
    }


def clock_rows(clocks: Iterable[Clock], rules: Procedure, *, at: dt.datetime) -> list[Row]:
    """Return the running clocks first, those without a date before the rest, then those that stopped."""
    ordered = sorted(clocks, key=lambda clock: (not clock.is_running, *_order(clock)))
    return [clock_row(clock, rules.clock(clock.rule), at=at) for clock in ordered]


def _how_it_went(clock: Clock, rule: Rule | None, *, at: dt.datetime, aim: bool) -> tuple[str, str]:
    if clock.stopped is None:
        due = when_due(clock.due_at, at=at, aim=aim)
        return due.state, due.words
    if rule and clock.stopped.name != rule.until:
        corrected = clock.stopped.name == "decided"
        return "stopped", f"Stopped: {'the decision was corrected' if corrected else 'the case ended'}"
    if clock.due_at is None:
        return "stopped", "Done before its date was known"
    if clock.is_late(at):
        over = how_long(clock.due_at, clock.stopped.happened_at)
        return "late", f"Expectation not met: done {over} after" if aim else f"Done {over} late"
    return "met", "Done in time"


def _how_it_was_worked_out(clock: Clock) -> list[str]:
    began = MOMENTS.get(clock.started.name, clock.started.name)
    said = [f"It runs from when {began}: {day_and_time(clock.started.happened_at)}."]
    if clock.due_at is None:
        said.append(clock.derivation.get("not_known", "Nobody has worked out its date yet."))
    elif clock.derivation:
        worked_out = Deadline.from_json(clock.derivation)
        said.append(worked_out.sentence())
        said += [f"{no.on:%A} {day(no.on)} does not count: {_why(no.why)}." for no in worked_out.skipped]
    if clock.stopped:
        ended = MOMENTS.get(clock.stopped.name, clock.stopped.name)
        said.append(f"It stopped when {ended}: {day_and_time(clock.stopped.happened_at)}.")
    return said


def _why(reason: str) -> str:
    return "weekend" if reason in ("Saturday", "Sunday") else reason


def _what_was_chosen(rule: Rule | None) -> list[str]:
    if rule is None or not rule.chosen:
        return []
    return [f"The published text leaves this open, and it was chosen so: {rule.chosen}"]


# --- the conference and the form -------------------------------------------------------------------


def about_conference(conference: Conference) -> str:
    """Return "Initial conference on 3 March 2026"."""
    return f"{conference.get_kind_display()} on {day(conference.held_at)}"


def conference_of(dissent: Dissent) -> str:
    """Return which conference the dissent is about, by the record or by what its dissenter says."""
    if dissent.conference:
        return about_conference(dissent.conference)
    return f"Conference on {day(dissent.claim.ended_at)}, as the dissenter says"


def conference_as_claimed(dissent: Dissent) -> str:
    """Return the same for its dissenter, who learns what is on record once the dissent goes on there."""
    if dissent.conference and dissent.attendance_id:
        return about_conference(dissent.conference)
    return f"Conference on {day(dissent.claim.ended_at)}"


def claim_rows(claim: Claim, rules: Procedure) -> list[Row]:
    """Return what a dissenter says of themselves and of the conference. Needs `agency`."""
    words = rules.words
    return [
        {"key": "Name", "value": claim.name},
        {"key": "Job", "value": claim.job},
        {"key": "Agency", "value": claim.works_for},
        {"key": f"{capital(words.conference.one)} ended", "value": day_and_time(claim.ended_at)},
        {"key": f"Which {words.conference.one}", "value": claim.which, "typed": True},
        {"key": f"{capital(words.chair.one)}", "value": claim.chair_name or "Not said"},
    ]


def conference_rows(conference: Conference, rules: Procedure) -> list[Row]:
    """Return a conference for components/summary_list.html. Needs `chair`."""
    rows = [
        {"key": "Kind", "value": conference.get_kind_display()},
        {"key": "Began", "value": day_and_time(conference.held_at)},
        {"key": "Ended", "value": day_and_time(conference.ended_at)},
        {"key": "Chair", "value": f"{conference.chair.name}, {rules.words.chair.one}"},
        {
            "key": "How to dissent was explained",
            "value": f"Confirmed by the chair on {day_and_time(conference.explained_at)}"
            if conference.explained_at
            else "Not confirmed yet",
        },
        {
            "key": "Record of the conference",
            "value": f"Closed on {day_and_time(conference.closed_at)}" if conference.closed_at else "Open",
        },
    ]
    return rows


def child_headings(rules: Procedure) -> list[str]:
    return ["Child", "Born", capital(rules.words.record_number.one), "What the conference decided"]


def child_row(child: Child, *, note: str = "") -> list[str | Row]:
    """Return one child for the tag `table`, under `child_headings`."""
    return [
        {"words": str(child), "note": note},
        born(child),
        child.record_number or "Not known yet",
        {"words": child.get_decision_display(), "note": child.get_category_display()},
    ]


def born(child: Child) -> str:
    """Return the date of birth, or for an unborn child the date on which it is expected."""
    return day(child.born_on) if child.born_on else f"Expected on {day(child.due_on)}"


def attendance_row(attendance: Attendance) -> Row:
    """Return one person at the conference for components/people.html. Needs `agency`."""
    return {
        "name": attendance.name,
        "role": attendance.job or attendance.get_capacity_display(),
        "agency": attendance.agency.name if attendance.agency else "",
        "note": attendance.get_capacity_display() if attendance.job else "",
        "words": "Present" if attendance.present else "Not present",
        "colour": "" if attendance.present else "grey",
    }


def paper_row(paper: Paper) -> Row:
    """Return one paper for components/papers.html. Needs `agency`."""
    of = f": {paper.agency.name}" if paper.agency else ""
    return {
        "words": f"{paper.get_kind_display()}{of}",
        "href": f"/papers/{paper.pk}/",
        "about": f"PDF, {size(paper.size)}, attached on {day(paper.attached_at)}",
    }


def size(number: int) -> str:
    """Return a number of bytes as people read it."""
    return f"{number / 1024**2:.1f} MB" if number >= 1024**2 else f"{max(1, round(number / 1024))} kB"


def form_rows(dissent: Dissent) -> list[Row]:
    """Return the answers beside the questions of the form. Needs `answers`."""
    return [{"key": asked, "value": said, "typed": True} for asked, said in dissent.form_as_sent()]


def management_rows(dissent: Dissent) -> list[Row]:
    """Return whom of their own management the dissenter told, and when; nothing where nobody."""
    if dissent.manager_told_on is None:
        return []
    return [
        {"key": capital(dissent.rules.words.line_manager.one), "value": dissent.manager_name, "typed": True},
        {"key": "E-mail address", "value": dissent.manager_email or "Not given"},
        {"key": "Told on", "value": day(dissent.manager_told_on)},
    ]


def raising_rows(dissent: Dissent, *, names: bool = True) -> list[Row]:
    """Return who said what of whether it was raised in the conference; nothing where nobody was asked.

    Needs `claim` with who stated and who settled. Without `names`, people are called by what they do.
    """
    claim = dissent.claim_made
    if claim is None or claim.matched_at is None:
        return []
    rules = dissent.rules
    rows = [{"key": "Conference found", "value": day_and_time(claim.matched_at)}] if names else []
    if claim.stated_at and claim.stated_by:
        said = "It was raised" if claim.raised_there else "It was not raised"
        who = claim.stated_by.name if names else f"the {rules.words.chair.one}"
        rows.append(
            {
                "key": capital(rules.words.chair.one),
                "value": f"{said}: {day_and_time(claim.stated_at)}, {who}",
            }
        )
        if claim.statement:
            rows.append({"key": "What was said of it", "value": claim.statement, "typed": True})
    elif dissent.state == machine.DOUBTED or claim.settled_at:
        rows.append({"key": capital(rules.words.chair.one), "value": "Did not say in time"})
    if claim.settled_at and claim.settled_by:
        answer = "Refused" if dissent.was_turned_away else "Let in"
        who = claim.settled_by.name if names else rules.title_of(rules.filing.unmatched.settled_by)
        rows += [
            {"key": "Dissenter heard", "value": day_and_time(claim.heard_at)},
            {"key": "What they said", "value": claim.heard, "typed": True},
            {"key": answer, "value": f"{day_and_time(claim.settled_at)}, {who}"},
            {"key": "Reasons", "value": claim.reasons, "typed": True},
        ]
    return rows


def ending_rows(dissent: Dissent) -> list[Row]:
    """Return how a dissent ended that was withdrawn or lapsed; nothing for any other. Needs `lapsed_by`."""
    if dissent.withdrawn_at:
        return [
            {"key": "Withdrawn", "value": f"{day_and_time(dissent.withdrawn_at)}, by the dissenter"},
            {"key": "Reasons", "value": dissent.withdrawal_reasons or "None given", "typed": True},
        ]
    if dissent.lapsed_at is None or dissent.lapsed_by is None:
        return []
    return [
        {"key": "Lapsed", "value": f"{day_and_time(dissent.lapsed_at)}, {dissent.lapsed_by.name}"},
        {"key": "Reasons", "value": dissent.lapse_reasons, "typed": True},
        {"key": "Last tried to reach the dissenter", "value": day_and_time(dissent.tried_at)},
        {"key": "What was tried", "value": dissent.tried, "typed": True},
    ]


# --- what was done and decided ---------------------------------------------------------------------


def step_rows(dissent: Dissent) -> list[Row]:
    """Return each step that was recorded, in the procedure's words. Needs `steps` with `recorded_by`."""
    return [step_row(record, dissent.rules) for record in dissent.steps.all()]


def step_row(record: StepRecord, rules: Procedure) -> Row:
    """Return a step for components/timeline.html. Needs `recorded_by`."""
    return {
        "title": rules.stage(record.stage).step(record.step).label,
        "at": day_and_time(record.happened_at),
        "iso": record.happened_at.isoformat(),
        "by": record.recorded_by.name,
        "text": record.note,
        "late": recorded_late(record.happened_at, record.recorded_at),
    }


def recorded_late(happened_at: dt.datetime, recorded_at: dt.datetime) -> str:
    """Say how long after it happened something was recorded; nothing within the hour."""
    if recorded_at - happened_at < dt.timedelta(hours=1):
        return ""
    return f"Recorded {how_long(happened_at, recorded_at)} later"


def proposal_rows(proposal: Proposal) -> list[Row]:
    """Return a proposed resolution and its answer for components/summary_list.html. Needs `proposed_by`."""
    rows = [
        {"key": "Proposed", "value": f"{day_and_time(proposal.proposed_at)}, by {proposal.proposed_by.name}"},
        {"key": "What was proposed", "value": proposal.text, "typed": True},
    ]
    if proposal.answered_at is None:
        return [*rows, {"key": "Answer", "value": "Not answered yet"}]
    rows.append(
        {"key": "Answer", "value": f"{proposal.get_answer_display()}, {day_and_time(proposal.answered_at)}"}
    )
    if proposal.words:
        rows.append({"key": "In the dissenter’s words", "value": proposal.words, "typed": True})
    return rows


def decision_rows(decision: Decision, rules: Procedure) -> list[Row]:
    """Return a decision for components/summary_list.html, once where it is the same for every child.

    Needs `decided_by`, and `findings` with `child`.
    """
    stage = rules.stage(decision.stage)
    by = decision.decided_by.name if decision.decided_by else ""
    rows = [
        {"key": "Decided", "value": ", ".join(filter(None, [day_and_time(decision.decided_at), by]))},
    ]
    alike: dict[tuple[str, str, str, str], list[str]] = {}
    for finding in decision.findings.all():
        said = (finding.outcome, finding.ground, finding.reasons, finding.plain_reasons)
        alike.setdefault(said, []).append(str(finding.child))
    for (key, ground, reasons, plain_reasons), children in alike.items():
        outcome = stage.outcome(key)
        rows.append({"key": f"For {listed(children)}", "value": outcome.label})
        if ground:
            rows.append({"key": "Ground", "value": f"{ground}: {outcome.grounds[ground]}"})
        rows.append({"key": "Reasons", "value": reasons, "typed": True})
        if plain_reasons:
            rows.append({"key": "Reasons for the family", "value": plain_reasons, "typed": True})
        if outcome.next_door:
            rows.append({"key": "What comes next", "value": outcome.next_door})
    return rows


def corrected_rows(decision: Decision) -> list[Row]:
    """Return that a decision does not count any more, or why it replaces another. Needs `corrections`."""
    rows = []
    if decision.replaced_at:
        rows.append(
            {
                "key": "Corrected",
                "value": f"On {day_and_time(decision.replaced_at)}. It does not count any more.",
            }
        )
    rows += [
        {"key": "Why it was corrected", "value": each.because, "typed": True}
        for each in decision.corrections.all()
    ]
    return rows


def outcome_words(decision: Decision, rules: Procedure) -> str:
    """Return what was decided in the procedure's words. Needs `findings`."""
    stage = rules.stage(decision.stage)
    return listed(dict.fromkeys(stage.outcome(finding.outcome).label for finding in decision.findings.all()))


def seat_row(seat: Seat, words: Term) -> Row:
    """Return a seat on a panel for components/people.html. Needs `person` and `agency`.

    `words` is what the procedure calls the unit.
    """
    notes = [f"For the {words.one}"] if seat.for_the_unit else []
    notes += ["Reviewed this dissent at an earlier stage"] if seat.reviewed_before else []
    if seat.conflict:
        notes.append(f"Conflict: {seat.conflict}")
    notes += {True: ["Sat"], False: ["Did not sit"], None: []}[seat.sat]
    return {
        "name": seat.person.name,
        "role": "Chair of the panel" if seat.is_chair else "Member",
        "agency": seat.agency.name,
        "note": ". ".join(notes),
        **_declared(seat),
    }


def _declared(seat: Seat) -> Row:
    if seat.left_at:
        return {"words": "Replaced", "colour": "grey"}
    if seat.independent is None:
        return {"words": "Has not declared yet", "colour": "yellow"}
    if seat.independent:
        return {"words": "Declared independent", "colour": "green"}
    return {"words": "Declared a conflict", "colour": "red"}


LETTER_HEADINGS = ["To", "Letter", "Where it is"]


def letter_row(letter: Letter, rules: Procedure) -> list[str | Row]:
    """Return a letter for the tag `table`, under LETTER_HEADINGS."""
    heading = next((rule.heading for rule in rules.letters if rule.key == letter.rule), letter.rule)
    words, colour = letter_state(letter)
    to: Row = {"words": letter.addressee}
    if letter.made_at:
        to["href"] = f"/letters/{letter.pk}/"
    return [to, heading, {"words": words, "tag": colour}]


def letter_state(letter: Letter) -> tuple[str, str]:
    """Return where a letter is in words, and the colour of its tag."""
    if letter.replaced_at:
        return "Replaced by a newer one", "grey"
    if letter.made_at is None:
        return ("Could not be made yet", "red") if letter.failure else ("Being made", "yellow")
    if letter.released_at is None:
        return "Waiting to be released", "yellow"
    if letter.to_id is None:
        return ("Handed over", "green") if letter.handed_over_at else ("To be handed over", "yellow")
    return "Issued", "green"


# --- what was corrected ----------------------------------------------------------------------------

CORRECTION_HEADINGS = ["What", "It said", "It says now", "Why", "Corrected"]
FACTS = {
    "name": "Name",
    "born_on": "Born",
    "due_on": "Expected",
    "decision": "Decision",
    "category": "Category",
    "ended_at": "Ended",
    "job": "Job",
    "agency": "Agency",
    "capacity": "Capacity",
    "present": "Present",
}


def correction_row(correction: Correction) -> list[str | Row]:
    """Return a correction of a conference's record for the tag `table`, under CORRECTION_HEADINGS.

    Needs `child`, `attendance` and `corrected_by`.
    """
    return [
        {"words": correction.get_of_display(), "note": str(correction.child or correction.attendance or "")},
        _facts_in_words(correction.was),
        _facts_in_words(correction.now),
        correction.because,
        {"words": day_and_time(correction.corrected_at), "note": correction.corrected_by.name},
    ]


def _facts_in_words(facts: Mapping[str, Any]) -> str:
    return "; ".join(f"{FACTS[key]}: {_fact_in_words(key, facts[key])}" for key in FACTS if key in facts)


def _fact_in_words(key: str, value: Any) -> str:
    if value in (None, ""):
        return "nothing"
    match key:
        case "born_on" | "due_on":
            return day(dt.date.fromisoformat(value))
        case "ended_at":
            return day_and_time(dt.datetime.fromisoformat(value))
        case "decision":
            return str(Child.Decision(value).label)
        case "category":
            return str(Child.Category(value).label)
        case "capacity":
            return str(Attendance.Capacity(value).label)
        case "present":
            return "Yes" if value else "No"
    return str(value)


# --- everything that happened ----------------------------------------------------------------------

HAPPENED = {
    "record_conference": "Conference recorded",
    "add_child": "Child added to the record of the conference",
    "add_relative": "Somebody who matters to a child added to the record of the conference",
    "add_attendance": "Somebody added to the list of those at the conference",
    "attach_paper": "Paper attached",
    "confirm_explained": "Chair confirmed that how to dissent was explained",
    "close_record": "Record of the conference closed",
    "raise_dissent": "Dissent recorded in the conference",
    "begin_dissent": "Dissent begun about a conference that was not on record",
    "change_claim": "Dissenter said anew which conference it was",
    "match_dissent": "Conference of the dissent found",
    "add_agency": "Agency of the dissenter added to the list",
    "join_dissent": "Form given to the dissent that the chair had recorded",
    "confirm_raised": "Chair said that it was raised in the conference",
    "deny_raised": "Chair said that it was not raised in the conference",
    "leave_unconfirmed": "Chair did not say in time whether it was raised",
    "let_in": "Dissent let in",
    "turn_away": "Dissent refused as not raised in the conference",
    "know_attendance": "Somebody on the record of the conference known as the dissenter",
    "work_out_clock": "Date of a clock worked out, after the calendar was extended",
    "file": "Form sent",
    "tell_management": "Dissenter said whom of their management they told",
    "admit": "Late form let in",
    "refuse_late": "Late form refused",
    "withdraw": "Dissenter withdrew",
    "lapse": "Dissent lapsed without its form",
    "enter_stage": "Passed on",
    "record_step": "Step recorded",
    "propose_resolution": "Resolution proposed",
    "agree_to_resolution": "Dissenter agreed to the resolution",
    "refuse_resolution": "Dissenter refused the resolution",
    "leave_resolution_unanswered": "Resolution not answered in its time",
    "decide": "Decided",
    "offer_next_stage": "Going further offered to the dissenter",
    "accept": "Dissenter does not go further",
    "end_offer": "Offer ended without an answer",
    "take_further": "Dissenter asked to go further",
    "convene_panel": "Panel named",
    "join_panel": "Given to a panel that was already named",
    "replace_member": "Member of the panel replaced",
    "declare": "Member of the panel declared themselves",
    "record_sitting": "Panel sat",
    "ask_for_a_further_conference": "Further conference asked for",
    "make_letter": "Letter made",
    "release_letters": "Letters released",
    "hand_over_letter": "Printed letter handed over",
    "issue_letters": "Last letter went out",
    "answer_for_family": "Answered whether somebody of the family may be told",
    "hold_back": "Letter to somebody of the family held back",
    "let_go": "Letter to somebody of the family no longer held back",
    "record_telling": "Recorded that a child was told, or why not",
    "change_contact": "New contact of somebody who matters to a child",
    "write_family_letters_anew": "Letters to families made anew before they were released",
    "fill_in_record_number": "Number of a child’s record filled in",
    "make_record_pack": "File for a child’s record made",
    "record_upload": "File uploaded to a child’s record",
    "record_further_conference": "Further conference recorded",
    "clock_passed": "Time ran out",
    "close": "Case closed",
    "correct_child": "What the record says of a child corrected",
    "correct_conference_end": "The end of the conference corrected",
    "correct_attendance": "The list of those at the conference corrected",
    "correct_decision": "What was decided about which child corrected",
    "move_clock": "Due time worked out again from the corrected time",
    "reopen": "Case opened again, until corrected letters are out",
    "record_absence": "Absence recorded",
    "end_absence": "Absence ended",
}
"""What the ledger's verbs are called on a page."""


def happened_row(entry: LedgerEntry, rules: Procedure, stages: Mapping[dt.datetime, str]) -> Row:
    """Return an entry of the ledger for components/timeline.html. Needs `by` and `values`.

    `stages` says which stage was entered at which time of recording.
    """
    title = HAPPENED.get(entry.verb, capital(entry.verb.replace("_", " ")))
    if about := _about(entry, rules, stages):
        title = f"{title}: {about}"
    return {
        "title": title,
        "at": day_and_time(entry.happened_at),
        "iso": entry.happened_at.isoformat(),
        "by": entry.by.name if entry.by else "the system",
        "late": recorded_late(entry.happened_at, entry.recorded_at) if entry.by else "",
        "text": _because(entry),
    }


def _because(entry: LedgerEntry) -> str:
    """Say why something was corrected, as far as it was not erased."""
    if not entry.verb.startswith("correct_") or not hasattr(entry, "values"):
        return ""
    return str(entry.values.values.get("because", ""))


def _about(entry: LedgerEntry, rules: Procedure, stages: Mapping[dt.datetime, str]) -> str:
    """Say which step, clock or stage it was, as far as its values were not erased."""
    kept = entry.values.values if hasattr(entry, "values") else {}
    if entry.verb == "record_step":
        steps = {step.key: step.label for stage in rules.stages for step in stage.steps}
        return steps.get(str(kept.get("step", "")), "")
    if entry.verb in ("clock_passed", "move_clock"):
        rule = rules.clock(str(kept.get("rule", "")))
        return rule.label if rule else ""
    if entry.verb == "enter_stage":
        return stage_title(rules, stages.get(entry.recorded_at, ""))
    if entry.verb == "declare" and "independent" in kept:
        return "independent" if kept["independent"] else "a conflict"
    return ""


OPENED = {
    "read_case": "the case: where it stands",
    "read_case_form": "the case: the form",
    "read_case_conference": "the case: the conference",
    "read_case_review": "the case: the review",
    "read_case_decision": "the case: decision and letters",
    "read_case_history": "the case: its history",
    "read_case_admit": "why the form was late",
    "read_case_act": "the case: a page on which something is recorded",
    "read_standing": "where the case stands",
    "read_match": "what the dissenter says of the conference, and conferences that it may be",
    "read_raising": "whether it was raised in the conference",
    "read_dissent": "the dissenter’s own page",
    "read_form": "the dissenter’s own form",
    "read_conference": "the record of the conference",
    "read_paper": "a paper",
    "read_convene": "who may sit on the panel",
    "read_panel": "the panel’s page",
    "read_panel_notice": "the panel’s page, before declaring",
    "read_bundle": "the panel’s papers, as one PDF",
    "read_letters": "the list of letters",
    "read_record": "what goes onto the children’s records",
    "read_record_file": "a file for a child’s record",
    "read_record_manifest": "what a file for a child’s record is made of",
    "read_family_act": "a page on which something about a family is recorded",
    "read_letter_page": "the page of a letter",
    "read_letter_taken_back": "the page that says that a letter was taken back",
    "read_correction": "what was decided, to correct it",
    "read_letter": "a letter to themselves",
    "read_letter_of_another": "a letter to somebody else",
    "read_conferences": "the list of conferences",
    "read_work": "their list of work",
    "read_absences": "who is away",
}
"""What the ledger's verbs for readings are called on a page."""


def opened_words(verb: str) -> str:
    """Return what was opened, in words."""
    return OPENED.get(verb, verb.removeprefix("read_").replace("_", " "))


# --- how a stage can end ---------------------------------------------------------------------------


def outcomes_without_agreement(stage: Stage) -> list[tuple[str, str, str]]:
    """Return how whoever decides can end the stage by themselves, as choices of a form."""
    return [(each.key, each.label, each.letter) for each in stage.outcomes if not each.agreement]

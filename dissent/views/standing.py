"""Where a dissent stands and what comes next: the words that its dissenter reads.

The decision itself is never said here: it reaches the dissenter in a letter and in no other way.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from dissent.actions.dissent import limits_as_claimed
from dissent.models import Dissent, Letter
from dissent.models.dissent import RECONVENING, further_stage_is_offered
from dissent.views.common import day, day_and_time
from dissent.views.shown import last_moment


@dataclass(frozen=True)
class Standing:
    """A tag with its colour, what is so now, and what happens next, each a list of sentences."""

    tag: str
    colour: str
    now: list[str]
    next: list[str]


def standing(dissent: Dissent, letters: list[Letter], *, at: dt.datetime) -> Standing:
    """Return where the dissent stands for its dissenter, who has been sent `letters`."""
    match dissent.state:
        case "begun":
            return _begun(dissent, at=at)
        case "unmatched" | "matched" | "doubted":
            return _to_be_joined(dissent)
        case "raised":
            return _raised(dissent, at=at)
        case "awaiting_admission":
            return _awaiting_admission(dissent)
        case "at_stage":
            return _at_stage(dissent)
        case "proposed":
            return _proposed(dissent)
        case "decided" | "reconvening":
            return _offered(dissent) if further_stage_is_offered(dissent) else _decided(dissent, letters)
        case _:
            return _closed(dissent, letters)


def _begun(dissent: Dissent, *, at: dt.datetime) -> Standing:
    rules, words = dissent.rules, dissent.rules.words
    limits = sorted(limits_as_claimed(dissent))
    now = [
        f"Nobody reads this until you send the {words.dissent_form.one}. It counts from then on.",
    ]
    if limits and limits[0] < at:
        now.append(
            f"If the {words.conference.one} ended when you say, the time to send it ran out: it was "
            f"{last_moment(limits[0])}. You can still send it. The form then also asks why it is late."
        )
    elif limits:
        now.append(f"If the {words.conference.one} ended when you say, send it by {last_moment(limits[0])}.")
    return Standing(
        "Form to send",
        "blue",
        now,
        [
            f"When you have sent it, it is matched to the {words.conference.one}, and its {words.chair.one} "
            "is asked whether you raised it there.",
            f"Then it goes to: {rules.title_of(rules.stages[0].heads[0])}.",
        ],
    )


def _to_be_joined(dissent: Dissent) -> Standing:
    rules, words = dissent.rules, dissent.rules.words
    settles = rules.title_of(rules.filing.unmatched.settled_by)
    now = [f"You sent the {words.dissent_form.one} on {day_and_time(dissent.filed_at)}."]
    if dissent.state != "doubted":  # nothing tells a stranger whether there is such a conference
        after = [
            f"The {words.conference.one} that you named is looked for, and its {words.chair.one} is asked "
            "whether you raised it there.",
            f"If they say nothing, or say that you did not, you are heard, and it is decided by: {settles}.",
        ]
    else:
        after = [f"You are asked for your side of it, and then it is decided with reasons by: {settles}."]
    return Standing("Sent", "blue", now, after)


def _raised(dissent: Dissent, *, at: dt.datetime) -> Standing:
    rules, words = dissent.rules, dissent.rules.words
    if ran_out := [due_at for due_at in _due(dissent, "filed") if due_at < at]:
        return Standing(
            "Form is late",
            "red",
            [
                f"The time to send the {words.dissent_form.one} ran out: it was {last_moment(ran_out[0])}.",
                "You can still send it. The form then also asks why it is late.",
            ],
            [
                "When you have sent it, your reason is read, and whether the dissent goes on is decided, by: "
                f"{rules.title_of(rules.filing.late.admitted_by)}."
            ],
        )
    return Standing(
        "Form to send",
        "blue",
        [
            f"The {words.chair.one} recorded in the {words.conference.one} that you dissent.",
            f"It goes on when you send the {words.dissent_form.one}.",
            *_until(dissent, "filed", "Send it by"),
        ],
        [f"When you have sent it, it goes to: {rules.title_of(rules.stages[0].heads[0])}."],
    )


def _awaiting_admission(dissent: Dissent) -> Standing:
    rules = dissent.rules
    return Standing(
        "Sent late",
        "yellow",
        [f"You sent the {rules.words.dissent_form.one} after its time, on {day_and_time(dissent.filed_at)}."],
        [
            f"Whether the dissent goes on is now decided{_in_view(dissent)}, by: "
            f"{rules.title_of(rules.filing.late.admitted_by)}. You are told either way."
        ],
    )


def _in_view(dissent: Dissent) -> str:
    return ", with your reason in view" if dissent.late_because else ""


def _at_stage(dissent: Dissent) -> Standing:
    rules, stage = dissent.rules, dissent.rules_of_stage
    now = [f"Your dissent has reached this stage: {stage.title}."]
    if dissent.admitted_at:
        now.insert(0, "Your late form was let in. The reasons given stand below.")
    if stage.panel is None:
        after = [f"It is in the hands of: {rules.title_of(stage.heads[0])}."]
        if any(step.with_whom == "dissenter" for step in dissent.missing_steps()):
            after.append("You will be asked to talk it over before there is any outcome.")
    elif dissent.panel is None:
        convener = rules.title_of(stage.panel.convened_by)
        after = [f"The members of the {rules.words.panel.one} are named by: {convener}."]
    else:
        after = [
            f"The {rules.words.panel.one} has been named. What it decides comes to you in a letter, "
            "and you get a message when the letter is there."
        ]
    return Standing("Being looked at", "blue", now, after)


def _proposed(dissent: Dissent) -> Standing:
    refused = "If you do not answer in time, the dissent counts as not resolved."
    return Standing(
        "Your answer is needed",
        "yellow",
        [
            "A way to resolve your dissent has been put to you in writing, by: "
            f"{dissent.rules.title_of(dissent.rules_of_stage.heads[0])}."
        ],
        [
            "Agree to it or do not agree. It stands only if you agree.",
            *_until(dissent, "resolution_answered", "Answer by"),
            *([refused] if _brings(dissent, "refuse_resolution") else []),
        ],
    )


def _offered(dissent: Dissent) -> Standing:
    following = dissent.rules.stage_after(dissent.stage)
    title = following.title if following else "next stage"
    ends = "If you do not say in time, the offer ends by itself and the dissent closes."
    return Standing(
        "Your choice",
        "yellow",
        [
            f"It was not resolved at this stage: {dissent.rules_of_stage.title}.",
            f"You can take it further, to the {title}, or leave it there.",
            *_until(dissent, "escalation_answered", "Say which by"),
        ],
        [ends] if _brings(dissent, "end_offer") else [],
    )


def _decided(dissent: Dissent, letters: list[Letter]) -> Standing:
    if _agreed(dissent):
        now = ["You agreed to the resolution that was put to you."]
        return Standing("Resolved", "green", now, [] if letters else ["It comes to you in a letter."])
    if dissent.decided_to("offer_next"):
        return Standing("Left there", "grey", ["It was not taken further, and ends there."], [])
    if not letters:
        return Standing(
            "Decided",
            "blue",
            ["A decision has been recorded."],
            ["It comes to you in a letter, and you get a message when the letter is there."],
        )
    waits = dissent.state == RECONVENING
    return Standing(
        "Decided",
        "blue",
        ["The decision is in your letter below."],
        [dissent.rules.reconvening.text] if waits else [],
    )


def _closed(dissent: Dissent, letters: list[Letter]) -> Standing:
    if dissent.withdrawn_at:
        return Standing(
            "Withdrawn", "grey", [f"You withdrew this dissent on {day(dissent.withdrawn_at)}."], []
        )
    if dissent.lapsed_at:
        form = dissent.rules.words.dissent_form.one
        now = f"This dissent ended on {day(dissent.lapsed_at)} without its {form}. It lapsed."
        return Standing("Lapsed", "grey", [now], [])
    if dissent.was_turned_away:
        why = "It was not taken on. What was said of it and the reasons stand below."
    elif dissent.continued_in_id:
        why = (
            f"The {dissent.rules.words.chair.one} had recorded your dissent meanwhile, and your form went to "
            "that record. It goes on there, under a reference of its own: see your work."
        )
    elif dissent.admitted_at and not dissent.stage:
        why = "Your late form was not let in. The reasons given stand below."
    elif _agreed(dissent):
        why = "You agreed to the resolution that was put to you."
    elif letters:
        why = "The decision is in your letter below."
    else:
        why = f"It ended at this stage: {dissent.rules_of_stage.title}. It was not taken further."
    return Standing("Closed", "grey", [f"The dissent closed on {day(dissent.closed_at)}.", why], [])


def _brings(dissent: Dissent, then: str) -> bool:
    """Say whether some clock of the procedure, when it runs out, does that by itself."""
    return any(rule.on_passing and rule.on_passing.then == then for rule in dissent.rules.clocks)


def _agreed(dissent: Dissent) -> bool:
    return any(proposal.answer == "agreed" for proposal in dissent.proposals.all())


def _until(dissent: Dissent, moment: str, words: str) -> list[str]:
    """Return by when something has to happen, as a sentence; none where no date is known."""
    return [f"{words} {last_moment(due_at)}." for due_at in _due(dissent, moment)[:1]]


def _due(dissent: Dissent, moment: str) -> list[dt.datetime]:
    """Return when the clocks that `moment` stops and that still run are due, soonest first."""
    stops = {rule.key for rule in dissent.rules.clocks if rule.until == moment}
    return sorted(
        clock.due_at
        for clock in dissent.clocks.all()
        if clock.rule in stops and clock.is_running and clock.due_at
    )

"""Clocks follow moments: what a moment starts, and what it stops."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass

from django.db import models, transaction

from councils.calendars import CalendarNotPublished
from councils.procedure import MOMENTS_OF_THE_CONFERENCE
from councils.procedure import Clock as Rule
from dissent import notices
from dissent.clock import deadline
from dissent.models import Clock, Dissent, Moment, ledger
from dissent.models.dissent import DOUBTED, UNMATCHED

log = logging.getLogger(__name__)


def follow(dissent: Dissent, moment: Moment, *, at: dt.datetime) -> None:
    """Start and stop whichever clocks the pinned procedure ties to `moment`."""
    changed = False
    for rule in dissent.rules.clocks:
        if rule.until == moment.name and (rule.stage or "") == moment.stage:
            changed |= bool(
                Clock.objects.filter(dissent=dissent, rule=rule.key, stopped=None).update(stopped=moment)
            )
        if rule.start == moment.name and rule.starts_at == moment.stage:
            start(dissent, rule, moment, at=at)
            changed = True
    if moment.name == "raised":
        changed |= _catch_up(dissent, at=at)
        changed |= _stop_what_was_done_before(dissent, moment)
    if changed:
        project(dissent)


def start(dissent: Dissent, rule: Rule, moment: Moment, *, at: dt.datetime) -> Clock:
    """Start a clock from `moment`. Past the confirmed calendar it stands without a date."""
    clock = Clock(council_id=dissent.council_id, dissent=dissent, rule=rule.key, started=moment)
    _work_out(clock, rule, at=at)
    clock.save(force_insert=True)
    return clock


def work_out_what_was_not_known(*, at: dt.datetime) -> int:
    """Compute the clocks that stood without a date and can be computed now. Returns how many."""
    waiting = Clock.objects.filter(stopped=None, due_at=None).values_list("pk", "dissent")
    found = 0
    for pk, dissent in list(waiting):
        try:
            found += _work_out_again(pk, dissent, at=at)
        except Exception:
            log.exception("clock not worked out", extra={"clock": str(pk)})
    return found


@dataclass(frozen=True)
class Moved:
    """A clock that runs from a moment that was corrected, and when it was due before."""

    clock: Clock
    was_due_at: dt.datetime | None

    @property
    def is_another_time(self) -> bool:
        return self.clock.due_at != self.was_due_at


def run_from(dissent: Dissent, old: Moment, new: Moment, *, at: dt.datetime) -> list[Moved]:
    """Let each clock that ran from `old` run from `new`, with a derivation of its own. Stopped ones too."""
    moved = []
    for clock in Clock.objects.filter(dissent=dissent, started=old).order_by("rule"):
        rule = dissent.rules.clock(clock.rule)
        if rule is None:
            continue
        clock.dissent, clock.started = dissent, new
        was = clock.due_at
        _work_out(clock, rule, at=at)
        if clock.due_at is None or clock.due_at >= at:
            clock.passed_at = None  # it has not passed after all
        clock.save(update_fields=["started", "due_at", "derivation", "passed_at"])
        moved.append(Moved(clock, was))
        ledger.write(
            council=dissent.council,
            verb="move_clock",
            about=clock,
            case=dissent,
            by=None,
            happened_at=at,
            recorded_at=at,
            values={"rule": clock.rule, "was_due_at": was, "due_at": clock.due_at},
        )
    project(dissent)
    return moved


def run_on(dissent: Dissent, stopped: Moment) -> None:
    """Let each clock that `stopped` had stopped run on: what stopped it was not right."""
    if Clock.objects.filter(dissent=dissent, stopped=stopped).update(stopped=None):
        project(dissent)


def stop_all(dissent: Dissent, moment: Moment) -> None:
    """Stop every clock of a case that ends."""
    Clock.objects.filter(dissent=dissent, stopped=None).update(stopped=moment)
    project(dissent)


def project(dissent: Dissent) -> None:
    """Write the one column that lists read: when the next thing is due.

    It is not known while nobody has said of which conference the dissent is, or whether it was raised there:
    by then its limits may be running, and whoever works the queue sees it first.

    Written past the machine on purpose: it changes no state, and must not lose to a state that does.
    """
    running = Clock.objects.filter(dissent=dissent, stopped=None)
    found_out_later = dissent.state in (UNMATCHED, DOUBTED)
    dissent.due_is_known = not (found_out_later or running.filter(due_at=None).exists())
    dissent.next_due_at = running.aggregate(next=models.Min("due_at"))["next"]
    Dissent.objects.filter(pk=dissent.pk).update(
        due_is_known=dissent.due_is_known, next_due_at=dissent.next_due_at
    )


@transaction.atomic
def _work_out_again(pk: object, dissent: object, *, at: dt.datetime) -> bool:
    """Compute a clock that stood without a date, unless it was stopped meanwhile."""
    Dissent.objects.select_for_update(no_key=True).values_list("pk").get(pk=dissent)
    clock = (
        Clock.objects.filter(pk=pk, stopped=None, due_at=None)
        .select_related("dissent__procedure", "dissent__council", "started")
        .first()
    )
    rule = clock and clock.dissent.rules.clock(clock.rule)
    if clock is None or rule is None:
        return False
    _work_out(clock, rule, at=at)
    if clock.due_at is None:
        return False
    clock.save(update_fields=["due_at", "derivation"])
    project(clock.dissent)
    ledger.write(
        council=clock.dissent.council,
        verb="work_out_clock",
        about=clock,
        case=clock.dissent,
        by=None,
        happened_at=at,
        recorded_at=at,
        values={"rule": clock.rule, "due_at": clock.due_at},
    )
    return True


def _catch_up(dissent: Dissent, *, at: dt.datetime) -> bool:
    """Start the clocks that run from before the case was made; they may be late at birth."""
    before = {
        moment.name: moment
        for moment in Moment.objects.filter(conference=dissent.conference_id, dissent=None, replaced_at=None)
    }
    started = [
        start(dissent, rule, before[rule.start], at=at)
        for rule in dissent.rules.clocks
        if rule.start in MOMENTS_OF_THE_CONFERENCE and rule.start in before
    ]
    return bool(started)


def _stop_what_was_done_before(dissent: Dissent, raised: Moment) -> bool:
    """Stop the clocks whose moment came before anybody knew of which conference the dissent was."""
    changed = False
    for moment in dissent.moments.filter(replaced_at=None).exclude(pk=raised.pk):
        rules = [
            rule.key
            for rule in dissent.rules.clocks
            if rule.until == moment.name and (rule.stage or "") == moment.stage
        ]
        running = Clock.objects.filter(dissent=dissent, rule__in=rules, stopped=None)
        changed |= bool(running.update(stopped=moment))
    return changed


def _work_out(clock: Clock, rule: Rule, *, at: dt.datetime) -> None:
    council = clock.dissent.council
    try:
        due = deadline(clock.started.happened_at, rule.limit, council.calendar())
    except CalendarNotPublished as not_yet:
        clock.due_at, clock.derivation = None, {"not_known": str(not_yet)}
        notices.tell(
            clock.dissent,
            ("administrator",),
            occasion="calendar_not_published",
            once=f"calendar-{council.pk}-{not_yet.on.year}",
            at=at,
        )
        return
    clock.due_at = due.due_at
    clock.derivation = due.to_json()

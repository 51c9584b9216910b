"""What every action does: hold the case, ask the machine, record the moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models
from django_fsm import TransitionNotAllowed

from councils.models import Person
from dissent import letters, notices, permissions
from dissent.actions import clocks
from dissent.models import Conference, Dissent, Moment, Reader, ledger


class Refused(Exception):
    """An action that cannot be done as asked. The message says why and what to do instead.

    `field` names what it is about, where a form has a field of that name.
    """

    def __init__(self, says: str, *, field: str = "") -> None:
        super().__init__(says)
        self.field = field


class InTheFuture(Refused):
    """A moment that is said to have happened later than now."""


def hold(
    dissent: Dissent,
    *,
    verb: str,
    by: Person | None,
    at: dt.datetime,
    first: Callable[[Dissent], None] | None = None,
) -> Dissent:
    """Lock the case, read it afresh and ask whether `by` may do `verb` to it now.

    Raises PermissionDenied for *not you* and TransitionNotAllowed for *not now*: the case moved on
    between the page and the press. `first` can say more plainly what is missing before the machine does.
    """
    held = lock(dissent.pk)
    held.stand_as(by, at=at)
    if not permissions.may(verb, held.stands_as):
        raise PermissionDenied
    if first:
        first(held)
    if not held.can(verb):
        raise TransitionNotAllowed(
            f"{verb} is not possible where the case stands now", object=held, method=verb
        )
    return held


def lock(pk: object) -> Dissent:
    """Lock the case and its conference, then read it with what hangs on it.

    The conference first, as whoever adds to its record does: an act on the case finds a record that stands
    still, and nobody waits for what the other one holds. In two steps: PostgreSQL, having waited for a lock,
    reads the row afresh but not what is joined to it.
    """
    locked = lock_conference_of(pk)
    Dissent.objects.select_for_update(no_key=True).values_list("pk").get(pk=pk)
    dissent = Dissent.objects.select_related(
        "conference__chair", "procedure", "dissenter", "council", "panel", "attendance", "claim"
    ).get(pk=pk)
    if dissent.conference_id != locked:
        # The order of locks cannot be had any more, and whoever pressed did not know of the match.
        raise TransitionNotAllowed("The conference of this dissent was found meanwhile.")
    return dissent


def lock_conference_of(pk: object) -> object | None:
    """Lock the conference of the dissent `pk`, so that what is done about one conference is done in turn.

    Returns its key, None where none is known yet.
    """
    of_the_dissent = Conference.objects.filter(dissents=pk).values_list("pk", flat=True)
    return of_the_dissent.select_for_update(no_key=True, of=("self",)).first()


def hold_conference(conference: Conference, *, verb: str, by: Person | None, at: dt.datetime) -> Conference:
    """Lock the conference, read it afresh and ask whether `by` may do `verb`. Raises PermissionDenied."""
    held = (
        Conference.objects.select_for_update(no_key=True, of=("self",))
        .select_related("council", "procedure", "chair")
        .get(pk=conference.pk)
    )
    if not permissions.may(verb, held.relations(by, at=at)):
        raise PermissionDenied
    return held


def not_in_the_future(happened_at: dt.datetime, *, at: dt.datetime, field: str) -> None:
    """Raise InTheFuture where somebody says that a thing happened later than now."""
    if happened_at > at:
        raise InTheFuture("This time has not come yet. Give the time at which it happened.", field=field)


def before(said_at: dt.datetime, moment: dt.datetime) -> bool:
    """Say whether what somebody says happened came before `moment`. People say times to the minute."""
    return said_at < moment.replace(second=0, microsecond=0)


def record(
    name: str,
    *,
    verb: str,
    dissent: Dissent,
    by: Person | None,
    at: dt.datetime,
    happened_at: dt.datetime | None = None,
    stage: str = "",
    values: dict[str, Any] | None = None,
    about: models.Model | None = None,
    tells: bool = True,
) -> Moment:
    """Record a moment of a dissent, with everything that it brings.

    One ledger entry; the clocks that the pinned procedure ties to it start and stop; the messages
    that it makes due stand in the outbox. All in the caller's transaction.
    """
    moment = Moment.objects.create(
        council_id=dissent.council_id,
        conference_id=dissent.conference_id,
        dissent=dissent,
        name=name,
        stage=stage,
        happened_at=happened_at or at,
        recorded_at=at,
        by=by,
    )
    ledger.write(
        council=dissent.council,
        verb=verb,
        about=about or dissent,
        case=dissent,
        by=by,
        happened_at=moment.happened_at,
        recorded_at=at,
        values=values,
    )
    clocks.follow(dissent, moment, at=at)
    for telling in dissent.rules.tellings if tells else ():
        if telling.moment == name and telling.stage in (None, stage):
            notices.tell(dissent, telling.to, occasion=name, once=str(moment.pk), at=at)
    return moment


def note(
    *,
    verb: str,
    dissent: Dissent,
    by: Person | None,
    at: dt.datetime,
    happened_at: dt.datetime | None = None,
    values: dict[str, Any] | None = None,
    about: models.Model | None = None,
) -> None:
    """Write what happened into the ledger where no clock and no message hangs on it."""
    ledger.write(
        council=dissent.council,
        verb=verb,
        about=about or dissent,
        case=dissent,
        by=by,
        happened_at=happened_at or at,
        recorded_at=at,
        values=values,
    )


def enter_stage(dissent: Dissent, stage: str, *, at: dt.datetime) -> None:
    """Put the case in the hands of whoever `stage` gives it to.

    The caller saves the dissent and records `stage_entered`, in the order in which things happened.
    """
    dissent.stage, dissent.letters_issued_at = stage, None
    put_in_hands_of(dissent, dissent.rules.stage(stage).heads, at=at)


def put_in_hands_of(dissent: Dissent, heads: Iterable[str], *, at: dt.datetime) -> None:
    """Let these roles and their deputies read the case from now on."""
    roles = dict.fromkeys(role for head in heads for role in dissent.rules.with_deputies(head))
    Reader.objects.bulk_create(
        [Reader(council_id=dissent.council_id, dissent=dissent, role=role, since_at=at) for role in roles],
        ignore_conflicts=True,
    )


def close_if_nothing_is_owed(dissent: Dissent, *, at: dt.datetime) -> None:
    """Close the case where no clock runs and no letter, answer or conference is owed."""
    held = lock(dissent.pk)
    if not held.can_close():
        return
    held.close()
    held.closed_at = at
    held.save()
    note(verb="close", dissent=held, by=None, at=at)


def letters_are_out(dissent: Dissent, stage: str, *, by: Person | None, at: dt.datetime) -> None:
    """Record `letters_issued` when the last letter about `stage` is, and close what can be closed.

    A clock on feedback stops here, not at the decision (ST-13). The case may have gone on to another stage.
    """
    said = dissent.moments.filter(name="letters_issued", stage=stage, replaced_at=None)
    issued = letters.all_issued(dissent, stage)
    if issued and stage == dissent.stage and dissent.letters_issued_at is None:
        dissent.letters_issued_at = at
        dissent.save()
    if issued and not said.exists():
        record("letters_issued", verb="issue_letters", dissent=dissent, stage=stage, by=by, at=at)
    close_if_nothing_is_owed(dissent, at=at)

"""Letters that are not right any more: ended at once, written anew, and their readers told.

A letter is replaced where a correction makes it say something else. What else has changed since it was
written is no reason: it was right on its day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from dissent import family_letters, letters, notices
from dissent.models import Child, Correction, Decision, Dissent, Letter

Key = tuple[str, object]
"""Which letter it is: its rule, and who reads it."""


@dataclass(frozen=True)
class Draft:
    """A letter as it would be written now, and of which children it would speak to a family."""

    letter: Letter
    about: tuple[Child, ...] = ()


def drafts(
    dissent: Dissent, decision: Decision, *, now_is: Mapping[UUID, UUID], at: dt.datetime
) -> dict[Key, Draft]:
    """Return every letter that `decision` would bring now. `now_is` says which attendance replaces which."""
    to_professionals = [Draft(each) for each in letters.drafts(dissent, decision, at=at)]
    to_families = [Draft(*each) for each in family_letters.drafts(dissent, decision, at=at)]
    return {_key(each.letter, now_is): each for each in (*to_professionals, *to_families)}


def replace_letters(
    correction: Correction,
    *,
    dissent: Dissent,
    old: Decision,
    new: Decision,
    before: Mapping[Key, Draft],
    now_is: Mapping[UUID, UUID],
    at: dt.datetime,
) -> bool:
    """End each letter about `old` that the correction makes say something else, and write it about `new`.

    `before` is what the letters would have said without it. A letter that says the same stays. Returns
    whether any letter is owed by that.
    """
    after = drafts(dissent, new, now_is=now_is, at=at)
    there = {
        _key(letter, now_is): letter
        for letter in Letter.objects.in_force()
        .filter(decision=old)
        .select_for_update(of=("self",))
        .select_related("to", "dissent")
    }
    written: list[Letter] = []
    for key, letter in there.items():
        draft, was = after.get(key), before.get(key)
        untouched = was is None if draft is None else letters.say_the_same(draft.letter, _letter(was, letter))
        if untouched:
            _stay(letter, new)
            continue
        _end(letter, correction, at=at)
        if draft:
            written.append(_write(draft, of=letter))
    written += [_write(draft) for key, draft in after.items() if key not in there and key not in before]
    _tell_who_releases(correction, dissent, written, at=at)
    return bool(written)


def _key(letter: Letter, now_is: Mapping[UUID, UUID]) -> Key:
    there = letter.attendance_id
    return (letter.rule, letter.who or letter.to_id or (there and now_is.get(there, there)))


def _letter(draft: Draft | None, letter: Letter) -> Letter:
    """What the letter would have said without the correction; where none was due, what it says."""
    return draft.letter if draft else letter


def _stay(letter: Letter, decision: Decision) -> None:
    """Let a letter that is still right go along with the decision that is in force now."""
    if letter.decision_id != decision.pk:
        letter.decision = decision
        letter.save(update_fields=["decision"])


def _end(letter: Letter, correction: Correction, *, at: dt.datetime) -> None:
    letter.replaced_at, letter.ended_by = at, correction
    letter.save(update_fields=["replaced_at", "ended_by"])
    notices.take_back(letter, once=f"correction-{correction.pk}", at=at)


def _write(draft: Draft, *, of: Letter | None = None) -> Letter:
    letter = draft.letter
    if of:
        letters.take_the_place(letter, of=of)
    letter.save(force_insert=True)
    if draft.about:
        letter.about.set(draft.about)
    return letter


def _tell_who_releases(
    correction: Correction, dissent: Dissent, written: list[Letter], *, at: dt.datetime
) -> None:
    waiting = {letter.rule for letter in written if letter.released_at is None}
    roles = dict.fromkeys(
        role for rule in dissent.rules.letters if rule.key in waiting for role in rule.released_by
    )
    if roles:
        once = f"correction-{correction.pk}-{dissent.pk}-letters"
        notices.tell(dissent, roles, occasion="letters_to_release_again", once=once, at=at)

"""What is done for a child's record: its number filled in, the file made, and that it was uploaded."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils import timezone

from councils.models import Person
from dissent import childs_record
from dissent.actions.core import Refused, close_if_nothing_is_owed, hold, hold_conference, note
from dissent.models import Child, Dissent, LetterContent, RecordPack, RecordPackContent, ledger
from dissent.models.uploads import children_to_be_uploaded
from dissent.pdf import Document, bundle

Write = Callable[[Document, list[bytes]], bytes]


class SaysTheSame(Refused):
    """There is a file already that says all that the case says."""


@transaction.atomic
def fill_in_record_number(
    *, child: Child, record_number: str, instead_of: str = "", because: str = "", by: Person, at: dt.datetime
) -> Child:
    """Fill in the number of a child's record, or put it right, also once the conference's record is closed.

    `instead_of` is the number that stood there when the page was opened. Raises PermissionDenied, and Refused
    for none, one that stands there already, another child's here, one that was changed meanwhile, or a
    correction without a reason.
    """
    held = hold_conference(child.conference, verb="fill_in_record_number", by=by, at=at)
    mine = held.children.select_for_update(of=("self",)).get(pk=child.pk)
    number, was = record_number.strip(), mine.record_number
    words = held.procedure.rules.words.record_number.one
    if not number:
        raise Refused(f"Enter the {words}.", field="record_number")
    if was == number:
        raise Refused(f"This {words} is on the record already.", field="record_number")
    if was != instead_of.strip():
        raise Refused(
            f"Somebody else has filled in another {words} meanwhile: {was}. Open the page again.",
            field="record_number",
        )
    other = held.children.filter(record_number__iexact=number).exclude(pk=mine.pk).first()
    if other:
        raise Refused(
            f"This is the {words} of {other}. Each child has one of their own.", field="record_number"
        )
    if was and not because.strip():
        raise Refused("Say why it is another one.", field="because")
    mine.record_number, mine.record_number_because = number, because.strip() if was else ""
    mine.save(update_fields=["record_number", "record_number_because"])
    made = RecordPack.objects.in_force().filter(child=mine, uploaded_on=None, overtaken_at=None)
    made.update(overtaken_at=at)  # they were made for the other number
    ledger.write(
        council=held.council,
        verb="fill_in_record_number",
        about=mine,
        case=held,
        by=by,
        happened_at=at,
        recorded_at=at,
        values={"record_number": number, "instead_of": was, "because": mine.record_number_because},
    )
    return mine


def make_record_pack(*, dissent: Dissent, child: Child, by: Person, at: dt.datetime) -> RecordPack:
    """Make what goes onto this child's record, keep it with its hashes, and end an older one (ST-06).

    Raises PermissionDenied, TransitionNotAllowed, PdfFailed, SaysTheSame, and Refused where the number of the
    record is not known, a letter to a professional has not gone out, or the case changed meanwhile.
    """
    return _make(dissent, child, write=bundle, by=by, at=at)


def _make(dissent: Dissent, child: Child, *, write: Write, by: Person, at: dt.datetime) -> RecordPack:
    with transaction.atomic():
        held, says = _composed(dissent, child, by=by, at=at)
        letters = _letters(says)
    # It takes seconds, which nobody else has to wait for.
    pdf = write(childs_record.page(says, stamp=childs_record.stamp(by, at)), letters)
    with transaction.atomic():
        held, again = _composed(dissent, child, by=by, at=at)
        if again != says:
            raise Refused("Something was recorded in the case while the file was made. Make it again.")
        return _kept(held, child, says, pdf, by=by, at=at)


def _composed(
    dissent: Dissent, child: Child, *, by: Person, at: dt.datetime
) -> tuple[Dissent, dict[str, Any]]:
    """Hold the case and return it with what is to be said, as the database would give it back."""
    held = hold(dissent, verb="make_record_pack", by=by, at=at)
    mine = held.children.filter(pk=child.pk).first()
    if mine is None:
        raise Refused("This dissent is not about that child.")
    if lacks := why_not_yet(held, mine):
        raise Refused(lacks)
    says = childs_record.compose(held, mine)
    before = held.record_packs.in_force().filter(child=mine).first()
    if before and before.says == says and not before.overtaken_at:
        raise SaysTheSame("There is a file already, and it says all that the case says.")
    return held, says


def why_not_yet(dissent: Dissent, child: Child) -> str:
    """Return what the record still waits for, empty where nothing stands in the way."""
    words = dissent.rules.words.record_number.one
    if not child.record_number:
        return (
            f"The {words} of {child} is not known. The conference administrator fills it in on the page "
            "of the conference."
        )
    letters = dissent.letters.in_force().filter(who=None, decision__replaced_at=None)
    if any(not letter.is_issued for letter in letters):
        return (
            "Letters to professionals have not gone out, and belong to the record. It is made when they have."
        )
    return ""


def says_now(dissent: Dissent, child: Child) -> dict[str, Any]:
    """Return what a file would say that was made now."""
    return childs_record.compose(dissent, child)


def overtake(dissent: Dissent, *, at: dt.datetime) -> bool:
    """End the files that a correction makes say something wrong. Returns whether one is to be uploaded."""
    for pack in dissent.record_packs.in_force().filter(overtaken_at=None).select_related("child"):
        if childs_record.compose(dissent, pack.child) != pack.says:
            pack.overtaken_at = at
            pack.save(update_fields=["overtaken_at"])
    return bool(children_to_be_uploaded(dissent))


def _letters(says: dict[str, Any]) -> list[bytes]:
    wanted = [each["id"] for each in says["letters"]]
    found = {str(each.pk): bytes(each.pdf) for each in LetterContent.objects.filter(pk__in=wanted)}
    return [found[each] for each in wanted]


def _kept(
    dissent: Dissent, child: Child, says: dict[str, Any], pdf: bytes, *, by: Person, at: dt.datetime
) -> RecordPack:
    manifest = childs_record.manifest(dissent, says, pdf, by=by, at=at)
    dissent.record_packs.in_force().filter(child=child).update(replaced_at=at)
    pack = RecordPack.objects.create(
        council_id=dissent.council_id,
        dissent=dissent,
        child=child,
        says=says,
        size=len(pdf),
        sha256=hashlib.sha256(pdf).hexdigest(),
        manifest_sha256=hashlib.sha256(manifest).hexdigest(),
        made_at=at,
        made_by=by,
    )
    RecordPackContent.objects.create(pack=pack, pdf=pdf, manifest=manifest)
    values = {"child": child.pk, "sha256": pack.sha256, "manifest": pack.manifest_sha256}
    note(verb="make_record_pack", dissent=dissent, about=pack, by=by, at=at, values=values)
    return pack


@transaction.atomic
def record_upload(*, pack: RecordPack, uploaded_on: dt.date, by: Person, at: dt.datetime) -> RecordPack:
    """Record that `by` put the file onto the child's record, and on which day (ST-24).

    Raises PermissionDenied, TransitionNotAllowed, and Refused for a day that has not come or on which there
    was no file, for one that was replaced, and where it is recorded already.
    """
    dissent = hold(pack.dissent, verb="record_upload", by=by, at=at)
    held = RecordPack.objects.select_for_update(of=("self",)).get(pk=pack.pk)
    if held.replaced_at:
        raise Refused("A newer file has taken the place of this one. Upload the newer one.")
    if held.overtaken_at:
        raise Refused("Something that this file says was corrected. Make it again, and upload the new one.")
    if held.uploaded_on:
        raise Refused("It is recorded already that this file was uploaded.")
    if uploaded_on > timezone.localdate(at):
        raise Refused(
            "This day has not come yet. Give the day on which you uploaded it.", field="uploaded_on"
        )
    if uploaded_on < timezone.localdate(held.made_at):
        raise Refused(
            "The file was made after this day, so it cannot have been uploaded.", field="uploaded_on"
        )
    held.uploaded_on, held.upload_said_at, held.upload_said_by = uploaded_on, at, by
    held.save(update_fields=["uploaded_on", "upload_said_at", "upload_said_by"])
    values = {"child": held.child_id, "uploaded_on": uploaded_on, "sha256": held.sha256}
    note(verb="record_upload", dissent=dissent, about=held, by=by, at=at, values=values)
    close_if_nothing_is_owed(dissent, at=at)
    return held

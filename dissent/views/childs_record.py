"""What goes onto a child's record: its number, the file that is made and read, and that it went there."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Exists, OuterRef, Prefetch, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse

from dissent import actions, permissions
from dissent.actions import Refused, record_read
from dissent.actions.childs_record import says_now, why_not_yet
from dissent.childs_record import words_about_others
from dissent.forms.childs_record import RecordNumberForm, UploadForm
from dissent.models import Child, Dissent, RecordPack
from dissent.pdf import PdfFailed
from dissent.views import shown
from dissent.views.common import day, day_and_time, find_dissent, needs, page, refused_at, show
from dissent.views.conferences import find_conference
from dissent.views.papers import download

PACKS = Prefetch("record_packs", RecordPack.objects.select_related("made_by", "upload_said_by"))

# --- the file --------------------------------------------------------------------------------------


def _find(request: HttpRequest, pk: UUID) -> Dissent:
    dissent = find_dissent(request, pk)
    needs("record" in permissions.reads(dissent.stands_as) and dissent.attendance is not None)
    prefetch_related_objects([dissent], PACKS)
    return dissent


def _find_child(request: HttpRequest, pk: UUID, child: UUID) -> tuple[Dissent, Child]:
    dissent = _find(request, pk)
    named = Dissent.children.through.objects.filter(dissent=dissent, child=OuterRef("pk"))
    children = Child.objects.annotate(is_named=Exists(named))
    prefetch_related_objects([dissent.conference], Prefetch("children", children))
    everybody = dissent.conference.children.all()
    found = next((each for each in everybody if each.pk == child and each.is_named), None)
    needs(found is not None)
    assert found  # noqa: S101  or it was answered already
    return dissent, found


def _show(request: HttpRequest, dissent: Dissent, template: str, **context: Any) -> HttpResponse:
    record_read(
        council=dissent.council, about=dissent, what="record", by=request.user, at=request.at, case=dissent
    )
    return show(
        request,
        template,
        section="work",
        council=dissent.council,
        reference=dissent.reference,
        about=shown.about_conference(dissent.conference),
        **context,
    )


def _in_force(dissent: Dissent, child: Child) -> RecordPack | None:
    packs = (each for each in dissent.record_packs.all() if each.child_id == child.pk)
    return next((each for each in packs if each.replaced_at is None), None)


@page
def records(request: HttpRequest, pk: UUID) -> HttpResponse:
    """List the children of a dissent with where the record of each is."""
    dissent = _find(request, pk)
    return _show(
        request,
        dissent,
        "records.html",
        back=reverse("dissent", args=[pk]),
        headings=["Child", dissent.rules.words.record_number.one, "Where it is"],
        rows=[_row(dissent, child) for child in dissent.children.all()],
    )


def _row(dissent: Dissent, child: Child) -> list[str | shown.Row]:
    words, colour = _state(_in_force(dissent, child))
    return [
        {"words": str(child), "href": reverse("childs_record", args=[dissent.pk, child.pk])},
        child.record_number or "Not known yet",
        {"words": words, "tag": colour},
    ]


def _state(pack: RecordPack | None) -> tuple[str, str]:
    if pack is None:
        return "Not made yet", "yellow"
    if pack.overtaken_at and pack.uploaded_on:
        return f"Uploaded on {day(pack.uploaded_on)}, and something in it was corrected since", "red"
    if pack.overtaken_at:
        return "Something in it was corrected before it was uploaded", "red"
    if pack.uploaded_on is None:
        return "Made, and not uploaded yet", "yellow"
    return f"Uploaded on {day(pack.uploaded_on)}", "green"


@page
def record(request: HttpRequest, pk: UUID, child: UUID) -> HttpResponse:
    """Show what there is of one child's record, and make it."""
    dissent, found = _find_child(request, pk, child)
    if request.method == "POST":
        return _make(request, dissent, found)
    pack = _in_force(dissent, found)
    can = dissent.can("make_record_pack")
    says = says_now(dissent, found) if can or pack else {}
    is_old = can and pack is not None and (pack.says != says or pack.overtaken_at is not None)
    return _show(
        request,
        dissent,
        "record.html",
        back=reverse("records", args=[pk]),
        heading=f"The record of {found}",
        rows=[*_child_rows(dissent, found), *_pack_rows(pack)],
        pack=_links(pack) if pack else None,
        sha256=pack.sha256 if pack else "",
        size=shown.size(pack.size) if pack else "",
        is_old=is_old,
        why_not=why_not_yet(dissent, found) if can else "",
        can_make=can and (pack is None or is_old),
        upload=reverse("record_uploaded", args=[pk, child])
        if pack and not (pack.uploaded_on or pack.overtaken_at) and dissent.can("record_upload")
        else "",
        others=words_about_others(says, dissent, found),
        older=[
            {**_links(each), "words": f"Made on {day_and_time(each.made_at)}. {_state(each)[0]}."}
            for each in reversed(dissent.record_packs.all())
            if each.child_id == found.pk and each.replaced_at
        ],
    )


def _child_rows(dissent: Dissent, child: Child) -> list[shown.Row]:
    return [
        {"key": "Child", "value": str(child)},
        {"key": "Born", "value": shown.born(child)},
        {"key": dissent.rules.words.record_number.one, "value": child.record_number or "Not known yet"},
    ]


def _pack_rows(pack: RecordPack | None) -> list[shown.Row]:
    rows = [{"key": "Where it is", "value": _state(pack)[0]}]
    if pack:
        rows.append({"key": "Made", "value": f"{day_and_time(pack.made_at)}, {pack.made_by.name}"})
    if pack and pack.upload_said_by:
        rows.append({"key": "Uploaded by", "value": pack.upload_said_by.name})
    return rows


def _links(pack: RecordPack) -> dict[str, str]:
    return {
        "pdf": reverse("record_pdf", args=[pack.pk]),
        "manifest": reverse("record_manifest", args=[pack.pk]),
    }


def _make(request: HttpRequest, dissent: Dissent, child: Child) -> HttpResponse:
    try:
        actions.make_record_pack(dissent=dissent, child=child, by=request.user, at=request.at)
    except (Refused, PdfFailed) as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "It is made. Read it, then upload it to this child’s record.")
    return redirect("childs_record", dissent.pk, child.pk)


@page
def uploaded(request: HttpRequest, pk: UUID, child: UUID) -> HttpResponse:
    """Say that the file was uploaded to the child's record, and on which day."""
    dissent, found = _find_child(request, pk, child)
    needs(permissions.may("record_upload", dissent.stands_as))
    pack = _in_force(dissent, found)
    back = reverse("childs_record", args=[pk, child])
    if pack is None or (request.method != "POST" and (pack.uploaded_on or not dissent.can("record_upload"))):
        messages.info(request, "There is no file of which this is still to be said.")
        return redirect(back)
    form = UploadForm(request.POST if request.method == "POST" else None, file=str(pack.pk))
    if form.is_valid():
        try:
            actions.record_upload(
                pack=pack, uploaded_on=form.cleaned_data["uploaded_on"], by=request.user, at=request.at
            )
        except Refused as refused:
            refused_at(form, refused)
        else:
            messages.success(request, f"It is recorded that the record of {found} was uploaded.")
            visible = Dissent.objects.visible_to(request.user, at=request.at).filter(pk=pk)
            return redirect("records", pk) if visible.exists() else redirect("work")
    return _show(
        request,
        dissent,
        "family_act.html",
        form=form,
        heading="Say that it was uploaded",
        rows=[*_child_rows(dissent, found), *_pack_rows(pack)],
        back=back,
    )


@page
def record_pdf(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Send the frozen bytes of a file as a download, always the same."""
    pack = _find_pack(request, pk)
    _read(request, pack, "record_file")
    return download(bytes(pack.content.pdf), pack.file_name)


@page
def record_manifest(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Send what a file is made of, with its hashes."""
    pack = _find_pack(request, pk)
    _read(request, pack, "record_manifest")
    name = pack.file_name.removesuffix(".pdf") + "-manifest.json"
    return download(bytes(pack.content.manifest), name, content_type="application/json")


def _find_pack(request: HttpRequest, pk: UUID) -> RecordPack:
    visible = RecordPack.objects.visible_to(request.user, at=request.at)
    return get_object_or_404(visible.select_related("council", "dissent", "content"), pk=pk)


def _read(request: HttpRequest, pack: RecordPack, what: str) -> None:
    record_read(
        council=pack.council,
        about=pack,
        what=what,
        by=request.user,
        at=request.at,
        case=pack.dissent,
        values={"sha256": pack.sha256},
    )


# --- the number ------------------------------------------------------------------------------------


@page
def record_number(request: HttpRequest, pk: UUID, child: UUID) -> HttpResponse:
    """Fill in the number of a child's record, or put it right, also where the conference is closed."""
    conference = find_conference(request, pk, "fill_in_record_number")
    found = next((each for each in conference.children.all() if each.pk == child), None)
    needs(found is not None)
    assert found  # noqa: S101  or it was answered already
    back, words = reverse("conference", args=[pk]), conference.procedure.rules.words.record_number.one
    sent = request.POST if request.method == "POST" else None
    form = RecordNumberForm(sent, words=words, there=found.record_number, back=back)
    if form.is_valid():
        said = form.cleaned_data
        try:
            actions.fill_in_record_number(
                child=found,
                record_number=said["record_number"],
                instead_of=said["seen"],
                because=said.get("because", ""),
                by=request.user,
                at=request.at,
            )
        except Refused as refused:
            refused_at(form, refused)
        else:
            messages.success(request, f"The {words} of {found} is recorded.")
            return redirect(back)
    record_read(
        council=conference.council,
        about=conference,
        what="conference",
        by=request.user,
        at=request.at,
        case=conference,
    )
    rows = [{"key": "Child", "value": str(found)}, {"key": "Born", "value": shown.born(found)}]
    if found.record_number:
        rows.append({"key": f"{words} on the record", "value": found.record_number})
    if found.record_number_because:
        rows.append({"key": "Put right because", "value": found.record_number_because, "typed": True})
    return show(
        request,
        "conference_number.html",
        section="work",
        council=conference.council,
        conference=conference,
        about=shown.about_conference(conference),
        back=back,
        form=form,
        words=words,
        rows=rows,
    )


urlpatterns = [
    path("dissents/<uuid:pk>/record/", records, name="records"),
    path("dissents/<uuid:pk>/record/<uuid:child>/", record, name="childs_record"),
    path("dissents/<uuid:pk>/record/<uuid:child>/uploaded/", uploaded, name="record_uploaded"),
    path("records/<uuid:pk>/record.pdf", record_pdf, name="record_pdf"),
    path("records/<uuid:pk>/manifest.json", record_manifest, name="record_manifest"),
    path("conferences/<uuid:pk>/children/<uuid:child>/number/", record_number, name="fill_in_record_number"),
]

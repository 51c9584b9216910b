"""The panel's papers as one PDF: everything once, in order, and on each page whose copy it is."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.test import Client
from pypdf import PageObject, PdfReader, PdfWriter

from dissent import actions
from dissent.models import Dissent, LedgerEntry
from dissent.pdf import Document, PdfFailed, bundle, render
from tests.world import World, when

pytestmark = pytest.mark.django_db

PAGE = "<style>@page {{ size: {size} }} p {{ break-after: page }}</style>{pages}"


def a_paper(*pages: str, size: str = "A4") -> bytes:
    """A PDF whose pages say what is given."""
    html = PAGE.format(size=size, pages="".join(f"<p>{page}</p>" for page in pages[:-1]) + pages[-1])
    return render(html, title="A paper")


def turned(paper: bytes) -> bytes:
    """The same paper, scanned sideways and turned upright by its reader."""
    writer, out = PdfWriter(clone_from=io.BytesIO(paper)), io.BytesIO()
    for page in writer.pages:
        page.rotate(90)
    writer.write(out)
    return out.getvalue()


def a_panel_with_papers() -> tuple[World, Dissent]:
    world = World(quick=True)
    conference = world.conference()
    papers = [
        ("agency_report", "Police", a_paper("Canaryreport of the police", size="A4 landscape")),
        ("minutes", None, a_paper("Canaryminutes begin", "Canaryminutes end")),
        ("agency_report", "School", turned(a_paper("Canaryreport of the school"))),
        ("summary", None, a_paper("Canarysummary of the chair")),
    ]
    for minute, (kind, agency, data) in enumerate(papers):
        actions.attach_paper(
            conference=conference,
            kind=kind,
            agency=agency and world.agency(agency),
            file_name="a.pdf",
            data=data,
            by=world.conference_administrator,
            at=when(f"2026-03-04 09:0{minute}"),
        )
    raised = world.raised(conference)
    dissent = world.convened(world.escalated(world.offered(world.reviewed(world.filed(raised)))))
    for person in (world.superintendent, world.head_nurse):
        actions.declare(dissent=dissent, independent=True, by=person, at=when("2026-03-10 09:00"))
    return world, Dissent.objects.get(pk=dissent.pk)


def pages_of(answer: Any) -> list[str]:
    assert answer["Content-Type"] == "application/pdf"
    reader = PdfReader(io.BytesIO(answer.content))
    return [" ".join(page.extract_text().split()) for page in reader.pages]


@pytest.mark.rule("ST-18", "ST-25")
def test_it_holds_the_forms_the_minutes_and_each_report_in_order_and_says_on_each_page_whose_it_is(
    client: Client,
) -> None:
    world, dissent = a_panel_with_papers()
    client.force_login(world.head_nurse)
    pages = pages_of(client.get(f"/panels/{dissent.panel_id}/papers.pdf"))
    contents, form, *sheets = pages
    for each in (
        "Dissent form " + dissent.reference,
        "Minutes of the conference",
        "An agency's report: Police",
    ):
        assert each in contents
    assert "strictly confidential" in contents
    assert "The reason as the teacher wrote it." in form
    assert "Child A Testson (born 1 May 2018), LCS number: not known yet" in form
    said = [
        "Canaryminutes begin",
        "Canaryminutes end",
        "Canaryreport of the police",
        "Canaryreport of the school",
    ]
    assert [next(one for one in said if one in sheet) for sheet in sheets] == said
    assert "Canarysummary" not in " ".join(pages)
    for number, page in enumerate(pages, start=1):
        assert "Copy of Head Nurse, Health Trust, " in page
        assert f"Page {number} of {len(pages)}" in page
    assert "Minutes of the conference" in sheets[0]
    assert "Page 1 of 2 of this paper" in sheets[0]
    assert "Page 2 of 2 of this paper" in sheets[1]


@pytest.mark.rule("ST-25")
def test_the_contents_name_the_page_on_which_each_begins(client: Client) -> None:
    world, dissent = a_panel_with_papers()
    client.force_login(world.head_nurse)
    contents, *_ = pages_of(client.get(f"/panels/{dissent.panel_id}/papers.pdf"))
    listed = contents.partition("Contents")[2].replace(".", "").replace(" ", "")
    for title, number in (
        (f"Dissentform{dissent.reference}", 2),
        ("Minutesoftheconference", 3),
        ("Anagency'sreport:Police", 5),
        ("Anagency'sreport:School", 6),
    ):
        assert f"{title}{number}" in listed, listed


def place_of(page: PageObject, words: str) -> tuple[float, float]:
    """Where on a page the words begin."""
    found: list[tuple[float, float]] = []

    def visit(text: str, matrix: Any, text_matrix: Any, font: Any, size: Any) -> None:
        if words in text:
            found.append((matrix[4], matrix[5]))

    page.extract_text(visitor_text=visit)
    assert found, words
    return found[0]


def test_a_page_stands_upright_and_within_its_sheet_however_it_was_scanned() -> None:
    html = "<section class='sheet' data-paper='{}'><h2>A paper</h2></section>"
    wide, sideways = a_paper("Canarywide", size="A3 landscape"), turned(a_paper("Canaryturned"))
    made = bundle(
        Document("<link rel=stylesheet href='asset:bundle.css'>" + html.format(0) + html.format(1), "Papers"),
        [wide, sideways],
    )
    pages = PdfReader(io.BytesIO(made)).pages
    assert [page.mediabox.width > page.mediabox.height for page in pages] == [True, True]
    for page, words in zip(pages, ("Canarywide", "Canaryturned"), strict=True):
        across, up = place_of(page, words)
        assert 0 < across < float(page.mediabox.width)
        assert 0 < up < float(page.mediabox.height) - 40


@pytest.mark.rule("ST-18")
def test_each_copy_stands_in_the_ledger_with_its_hash_and_its_papers(client: Client) -> None:
    world, dissent = a_panel_with_papers()
    client.force_login(world.superintendent)
    client.get(f"/panels/{dissent.panel_id}/papers.pdf")
    entry = LedgerEntry.objects.get(verb="read_bundle")
    assert entry.by == world.superintendent
    assert len(entry.values.values["papers"]) == 3
    assert len(entry.values.values["sha256"]) == 64


def test_whoever_has_not_declared_themselves_gets_none(client: Client) -> None:
    world, dissent = a_panel_with_papers()
    client.force_login(world.unit_representative)
    assert client.get(f"/panels/{dissent.panel_id}/papers.pdf").status_code == 404
    assert "papers.pdf" not in client.get(f"/panels/{dissent.panel_id}/").content.decode()
    assert not LedgerEntry.objects.filter(verb="read_bundle").exists()


def test_where_none_can_be_made_the_reader_is_told_and_led_back_to_the_papers(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> bytes:
        raise PdfFailed("The bundle was not made: it took longer than 60 seconds.")

    world, dissent = a_panel_with_papers()
    monkeypatch.setattr("dissent.views.panels.make_bundle", broken)
    client.force_login(world.superintendent)
    answer = client.get(f"/panels/{dissent.panel_id}/papers.pdf", follow=True)
    assert answer.redirect_chain == [(f"/panels/{dissent.panel_id}/", 302)]
    assert "open each paper by itself" in answer.content.decode()
    assert not LedgerEntry.objects.filter(verb="read_bundle").exists()


def test_a_paper_that_cannot_be_merged_is_never_left_out_in_silence() -> None:
    document = Document("<section class='sheet' data-paper='0'><h2>A paper</h2></section>", "Papers")
    with pytest.raises(PdfFailed, match="The bundle was not made"):
        bundle(document, [b"%PDF-1.7 nothing else"])


def test_a_hostile_name_alters_neither_the_contents_nor_a_stamp(client: Client) -> None:
    world, dissent = a_panel_with_papers()
    world.head_nurse.name = "{{7*7}} <script>x</script> data-paper='9' \u202eturned"
    world.head_nurse.save()
    client.force_login(world.head_nurse)
    pages = pages_of(client.get(f"/panels/{dissent.panel_id}/papers.pdf"))
    assert len(pages) == 6
    assert all("{{7*7}} <script>x</script> data-paper='9'" in page for page in pages)

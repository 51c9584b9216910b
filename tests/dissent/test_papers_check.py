"""Uploaded papers: whole PDF files go through, everything else is refused with what to do instead."""

import io
import signal
import time
import zlib

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, NameObject

from dissent.pdf import Ended, PdfFailed, render
from dissent.pdf.check import NotAPdf, check_pdf


def a_paper(pages: int = 3, *, password: str | None = None, owner: str | None = None) -> bytes:
    """A PDF whose pages carry something."""
    writer = PdfWriter()
    for number in range(pages):
        page = writer.add_blank_page(width=595, height=842)
        stream = DecodedStreamObject()
        stream.set_data(b"BT /F1 12 Tf 72 720 Td (Minutes, page %d) Tj ET\n" % number * 40)
        page[NameObject("/Contents")] = writer._add_object(stream.flate_encode())
    if password is not None:
        writer.encrypt(password, owner, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def by_hand(*objects: bytes, trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalog."""
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\n" % (len(places) + 1, trailer)
    return out + b"startxref\n%d\n%%%%EOF\n" % start


def refusal(data: bytes, name: str = "minutes.pdf") -> str:
    with pytest.raises(NotAPdf) as refused:
        check_pdf(data, name)
    return str(refused.value)


# --- what goes through ---------------------------------------------------------------------------


@pytest.mark.parametrize("pages", [1, 500])
def test_an_ordinary_pdf_goes_through(pages: int) -> None:
    began = time.monotonic()
    check_pdf(a_paper(pages), "minutes.pdf")
    assert time.monotonic() - began < 15


def test_a_letter_of_our_own_goes_through() -> None:
    check_pdf(render("<html lang='en'><body><p>Minutes", title="Minutes", seconds=60), "letter.pdf")


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + a_paper(),
        b"\r\n" + a_paper(),
        a_paper() + b"\0" * 5000,
        a_paper() + b"\r\n mailed by x",
    ],
    ids=["byte order mark", "blank line first", "padding", "a line after the end"],
)
def test_what_mail_systems_do_to_a_pdf_does_not_stop_it(data: bytes) -> None:
    check_pdf(data, "minutes.pdf")


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b" \r\n\0"])
def test_an_empty_file_is_refused(data: bytes) -> None:
    assert refusal(data) == "“minutes.pdf” is empty. Choose the file again."


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04" + b"word/document.xml" * 40,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
        b"<!DOCTYPE html><html><script>alert(1)</script>",
        b"<html><!--\n" + a_paper() + b"\n--><script>alert(1)</script>",
        b"GIF89a/*" + a_paper(),
        b"MZ" + a_paper(),
        b"%!PS-Adobe-3.0",
    ],
    ids=["docx", "doc", "a page", "a page and a PDF", "a picture and a PDF", "a program", "PostScript"],
)  # fmt: skip
def test_what_is_not_a_pdf_is_refused_with_how_to_make_one(data: bytes) -> None:
    assert refusal(data) == (
        "“minutes.pdf” is not a PDF file. Open it in Word and choose Save as, PDF, then attach the new file."
    )


def test_for_a_picture_it_says_how_to_print_it() -> None:
    assert "Open the picture, choose Print, Save as PDF" in refusal(b"\xff\xd8\xff\xe0JFIF", "Scan 1.JPG")


def test_a_pdf_that_broke_off_is_refused_wherever_it_did() -> None:
    pages_first = by_hand(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>",
        b"<< /Length 9000 >>\nstream\n" + b"picture! " * 1000 + b"\nendstream",
    )
    check_pdf(pages_first, "minutes.pdf")
    for whole, tenths in ((a_paper(20), (1, 3, 5, 7, 9)), (pages_first, (5, 9))):
        for tenth in tenths:
            assert "is damaged" in refusal(whole[: len(whole) * tenth // 10]), f"{tenth} tenths"


def test_a_pdf_whose_latest_change_broke_off_is_refused() -> None:
    assert "is damaged" in refusal(a_paper() + b"9 0 obj\n<< /Length 9000 >>\nstream\n" + b"changed! " * 500)


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.7\n" + b"\xff" * 2000 + b"\n%%EOF",
        b"%PDF-1.7\n%%EOF",
        by_hand(b"<< /Type /Catalog >>"),
        by_hand(b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"),
        by_hand(b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"),
        by_hand(b"[" * 50_000),
    ],
    ids=["noise", "nothing", "no page tree", "a page that is not there", "a tree in a ring", "deep"],
)  # fmt: skip
def test_a_damaged_pdf_is_refused(data: bytes) -> None:
    assert "is damaged" in refusal(data)


def test_a_pdf_without_pages_is_refused() -> None:
    empty = by_hand(b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>")
    assert refusal(empty).startswith("“minutes.pdf” has no pages.")


@pytest.mark.parametrize(
    ("password", "owner"), [("secret", None), ("", "secret")], ids=["to open", "to print"]
)
def test_a_protected_pdf_is_refused_with_what_to_do(password: str, owner: str | None) -> None:
    data = a_paper(password=password, owner=owner)
    assert PdfReader(io.BytesIO(data)).is_encrypted
    assert "Save a copy without protection and attach that." in refusal(data)


def test_a_bomb_is_refused_in_bounded_time() -> None:
    bomb = zlib.compress(bytes(100_000_000), 9)
    for _ in range(2):
        bomb = zlib.compress(bomb * 50, 9)
    began = time.monotonic()
    stream = b"<< /Length %d /Filter [/FlateDecode /FlateDecode /FlateDecode] >>\nstream\n%s\nendstream"
    refused = refusal(
        by_hand(
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /MediaBox [0 0 9 9] >>",
            stream % (len(bomb), bomb),
        )
    )
    assert "is damaged" in refused
    assert time.monotonic() - began < 25


def endless() -> bytes:
    """A file of under a megabyte that claims ninety thousand pages, each in a thousand pieces."""
    times, pieces = 90_000, 1_000
    return by_hand(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b"3 0 R " * times, times),
        b"<< /Type /Page /Parent 2 0 R /Contents [%s] /MediaBox [0 0 9 9] >>" % (b"4 0 R " * pieces),
        b"<< /Length 4 >>\nstream\nq Q \nendstream",
    )


def test_a_pdf_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dissent.pdf.check._SECONDS", 1)
    began = time.monotonic()
    assert "takes too long to read" in refusal(endless())
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("limit", [signal.SIGALRM, signal.SIGXCPU, signal.SIGKILL])
def test_whichever_limit_on_time_comes_first_the_sentence_is_the_same(
    limit: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dissent.pdf.check.run", lambda *asked, **limits: Ended(-limit, b""))
    assert "takes too long to read" in refusal(a_paper())


# --- the sentence --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\u202efdp.exe", "“fdp.exe”"),
        ("two\nlines\0.docx", "“two lines .docx”"),
        ("n" * 4000, "“" + "n" * 79 + "…”"),
        ("", "“The file”"),
        ("<script>.doc", "“<script>.doc”"),
    ],
)
def test_a_hostile_name_is_shown_short_and_on_one_line(name: str, shown: str) -> None:
    assert refusal(b"x", name).startswith(f"{shown} is not a PDF file.")


def test_where_the_check_cannot_run_nobody_blames_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(PdfFailed, match="could not be started"):
        check_pdf(a_paper(), "minutes.pdf")

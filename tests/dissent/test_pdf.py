"""The PDF engine: letters that say what they were given, made where nothing can hurt the caller."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.template.loader import render_to_string
from pypdf import PdfReader

from dissent import pdf
from dissent.pdf import Document, PdfFailed, render, render_many
from tests.pdf_text import text_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = "<!DOCTYPE html><html lang='en'><head>{head}</head><body><p>Canaryword</p>{body}</body></html>"
SECRET = "Canarysecret"
OVERRIDE = "\u202e"

SAYS: dict[str, Any] = {
    "lang": "en",
    "council": {
        "name": "Testshire Council",
        "address_lines": ["Children’s Standards Unit", "1 Invented Square"],
        "accent": "#2f5d62",
    },
    "marking": "Confidential: for the person named below only",
    "date": "15 January 2027",
    "reference": "TS-2027-0001",
    "addressee_lines": ["Dr Amina Example", "Named GP", "Example Surgery"],
    "greeting": "Dear Dr Example",
    "heading": "What the panel decided",
    "facts": [
        ["Panel met", "12 January 2027"],
        ["Children", "Bobbie Sample (born 3 March 2019); Unborn child (expected 20 May 2027)"],
    ],
    "sections": [
        {
            "title": "Bobbie Sample",
            "paragraphs": [
                "The panel does not uphold the dissent.",
                *(f"Finding {number}: the panel read every report of that week." for number in range(25)),
            ],
        },
        {
            "title": "Unborn child",
            "paragraphs": [
                "The panel upholds the dissent.",
                "Reason B: a key agency’s information was missing.",
            ],
        },
        {"title": "", "paragraphs": ["Keep this letter to yourself."]},
    ],
    "closing": "Yours sincerely",
    "signatory": {
        "name": "Sam Placeholder",
        "role": "Panel chair",
        "mobile": "01632 960123",
        "email": "sam@testshire.example",
    },
    "footer": "Ledger 3f9a1c2b77de0042",
}


def letter(**says: Any) -> str:
    return render_to_string("letters/letter.html", {**SAYS, **says})


def everything_said(says: Any) -> Iterator[str]:
    """Every string of a letter's context that its reader is to see."""
    if isinstance(says, str):
        yield " ".join(says.split())
    elif isinstance(says, dict):
        for name, value in says.items():
            if name not in {"lang", "accent"}:
                yield from everything_said(value)
    else:
        for value in says:
            yield from everything_said(value)


@pytest.fixture(scope="module")
def made() -> bytes:
    return render(letter(), title="What the panel decided: TS-2027-0001", seconds=60)


# --- what a letter is ----------------------------------------------------------------------------


@pytest.mark.rule("ST-16")
def test_a_letter_says_everything_it_was_given(made: bytes) -> None:
    text = text_of(made)
    assert [said for said in everything_said(SAYS) if said not in text] == []


def test_a_letter_is_tagged_and_has_its_title_and_language(made: bytes) -> None:
    reader = PdfReader(io.BytesIO(made))
    catalog = reader.trailer["/Root"]
    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/Lang"] == "en-GB"
    assert catalog["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata
    assert reader.metadata.title == "What the panel decided: TS-2027-0001"
    assert b"pdfuaid" in catalog["/Metadata"].get_data()

    tags = list(structure(catalog["/StructTreeRoot"]["/K"]))
    assert tags.count("/H1") == 1
    assert tags.count("/H2") == 2
    assert tags.count("/TH") == tags.count("/TD") == len(SAYS["facts"])


def structure(kids: Any) -> Iterator[str]:
    """Every tag of the structure tree, in reading order."""
    kids = kids.get_object()
    for kid in [each.get_object() for each in (kids if isinstance(kids, list) else [kids])]:
        if isinstance(kid, dict) and "/S" in kid:
            yield kid["/S"]
            if "/K" in kid:
                yield from structure(kid["/K"])


def test_every_font_of_a_letter_is_embedded(made: bytes) -> None:
    fonts = [
        descendant.get_object()["/FontDescriptor"]
        for page in PdfReader(io.BytesIO(made)).pages
        for font in page["/Resources"]["/Font"].values()  # type: ignore[index,attr-defined]
        for descendant in font["/DescendantFonts"]
    ]
    assert fonts
    assert all({"/FontFile2", "/FontFile3"} & set(font) for font in fonts)


def test_every_page_says_whose_it_is_and_which_of_how_many(made: bytes) -> None:
    pages = PdfReader(io.BytesIO(made)).pages
    assert len(pages) == 2
    for number, page in enumerate(pages, start=1):
        text = page.extract_text()
        for said in ("Testshire Council", "TS-2027-0001", "Ledger 3f9a1c2b77de0042", f"Page {number} of 2"):
            assert said in text


# --- hostile text --------------------------------------------------------------------------------


def test_hostile_text_is_shown_as_typed_and_alters_nothing() -> None:
    hostile = [
        "{{7*7}} {% include 'x' %} <%= 7*7 %> {0.__class__} ${7*7}",
        "<script>alert(1)</script><style>p{display:none}</style><!-- &lt; &#x41;",
        "Bob\nNOT UPHELD",
        "</p></section><img src='file:///etc/passwd'>",
        "x" * 100_000,
        "y" * 150,
    ]
    says = {**SAYS, "heading": hostile[0], "facts": [[text, text] for text in hostile[:4]]}
    says["addressee_lines"] = hostile[:4]
    says["sections"] = [{"title": hostile[1], "paragraphs": hostile}, *SAYS["sections"]]
    text = text_of(render(letter(**says), title=hostile[1], seconds=100))

    solid = "".join(text.split())
    lost = [said for said in everything_said({**says, "sections": says["sections"][1:]})
            if "".join(said.split()) not in solid]  # fmt: skip
    assert lost == []
    assert text.count("x" * 10) == 10_000
    assert "y" * 150 not in text, "it runs over the edge of the page"
    assert "49" not in text.replace("960123", "")


def test_a_name_written_from_right_to_left_leaves_the_words_around_it_alone() -> None:
    from councils.wording import substitute

    sentence = substitute("The dissent of {name} is not upheld.", {"name": OVERRIDE + "Bob"})
    text = text_of(render(PAGE.format(head="", body=f"<p>{sentence}</p>"), title="t", seconds=60))
    assert "is not upheld." in text


# --- what the engine may reach -------------------------------------------------------------------


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[tuple[str, str, list[str]]]:
    """A file, an address that answers, and everything that was asked of it."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(SECRET.encode())

        def log_message(self, *_: object) -> None: ...

    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield secret.as_uri(), f"http://127.0.0.1:{server.server_port}/secret", asked
    server.shutdown()
    thread.join()
    server.server_close()


REACHING = {
    "a stylesheet": ("<link rel=stylesheet href='{url}'>", ""),
    "an attachment": ("<link rel=attachment href='{url}'>", ""),
    "a linked attachment": ("", "<a rel=attachment href='{url}'>x</a>"),
    "an import": ("<style>@import url({url});</style>", ""),
    "a background": ("<style>p {{ background: url({url}) }}</style>", ""),
    "a font": ("<style>@font-face {{ font-family: x; src: url({url}) }} p {{ font-family: x }}</style>", ""),
    "an embedded object": ("", "<object data='{url}'></object>"),
}
QUIET = {
    "a drawing": (
        "",
        "<svg width=9 height=9><image href='{url}' width=9 height=9 /><use href='{url}#a'/></svg>",
    ),
    "a drawing's style": ("", "<svg width=9 height=9><style>@import '{url}';</style></svg>"),
    "a frame": ("<meta http-equiv=refresh content='0;url={url}'>", "<iframe src='{url}'></iframe>"),
    "a base": ("<base href='{url}'>", "<p>"),
}


def test_a_letter_that_reaches_outside_is_not_made(outside: tuple[str, str, list[str]]) -> None:
    file, address, asked = outside
    urls = (file, address, "asset:../../manage.py", "data:text/css,p{}")
    attacks = [
        (f"{name}: {url}", Document(PAGE.format(head=head.format(url=url), body=body.format(url=url)), "t"))
        for number, (name, (head, body)) in enumerate(REACHING.items())
        for url in (urls[number % 2], urls[2 + number % 2])
    ]
    said = render_many([document for _, document in attacks], seconds=60)
    made = [name for (name, _), one in zip(attacks, said, strict=True) if not isinstance(one, PdfFailed)]
    assert made == []
    # A font is stopped before it is fetched: the engine may not write its copy of it.
    font = "The letter was not made: the PDF engine stopped (FileNotFoundError)."
    assert {str(one) for one in said} == {pdf._WHY[pdf.Ending.OUTSIDE_ASSETS].format(what="letter"), font}
    assert asked == []


def test_what_the_engine_does_not_follow_brings_nothing_in(outside: tuple[str, str, list[str]]) -> None:
    file, address, asked = outside
    for one in render_many(
        [
            Document(PAGE.format(head=head.format(url=url), body=body.format(url=url)), "t")
            for head, body in QUIET.values()
            for url in (file, address)
        ],
        seconds=60,
    ):
        assert isinstance(one, bytes)
        assert SECRET not in text_of(one)
        assert not PdfReader(io.BytesIO(one)).attachments
    assert asked == []


def test_a_named_asset_is_served() -> None:
    plain, dressed = render_many(
        [
            Document(PAGE.format(head="", body=""), "t"),
            Document(PAGE.format(head="<link rel=stylesheet href='asset:letter.css'>", body=""), "t"),
        ],
        seconds=60,
    )
    assert isinstance(plain, bytes)
    assert isinstance(dressed, bytes)
    assert "Page 1 of 1" not in text_of(plain)
    assert "Page 1 of 1" in text_of(dressed)


def test_behind_the_fetcher_stands_a_second_wall(tmp_path: Path) -> None:
    for attempt in (
        "open('/etc/hostname')",
        f"open({str(ROOT / 'static' / 'letters' / '..' / '..' / 'manage.py')!r})",
        f"open({str(tmp_path / 'new')!r}, 'w')",
        "socket.create_connection(('127.0.0.1', 9))",
        "subprocess.run(['/bin/true'])",
        "os.system('true')",
        "os.fork()",
    ):
        ended = in_the_child("child.shut_the_doors()", attempt)
        assert "PermissionError" in ended.stderr, attempt
    asset = str(ROOT / "static" / "letters" / "letter.css")
    assert in_the_child("child.shut_the_doors()", f"open({asset!r}).read()").returncode == 0


def in_the_child(*lines: str) -> subprocess.CompletedProcess[str]:
    """Run `lines` with the child's own module, as the child itself would."""
    return subprocess.run(
        [
            sys.executable,
            "-I",
            "-c",
            "import os, resource, socket, subprocess, sys\n"
            f"sys.path.append({str(ROOT / 'dissent' / 'pdf')!r})\n"
            "import child\n" + "\n".join(lines),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


# --- what the engine may use up ------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "<p style='font-size: 1e9px'>x</p>",
        "<div>" * 3000,
        "<table><tr><td colspan=100000000>x<tr><td rowspan=99999999>y</table>",
        "\ud800",
    ],
    ids=["a giant font", "3,000 boxes in each other", "a giant table", "half a character"],
)
def test_a_document_that_breaks_the_engine_is_refused_in_a_sentence(body: str) -> None:
    with pytest.raises(PdfFailed, match=r"^The letter was not made: .*\.$") as failed:
        render(PAGE.format(head="", body=body), title="Canarytitle", seconds=60)
    assert "Canary" not in str(failed.value)


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("", "<table>" + ("<tr>" + "<td>x" * 300) * 300 + "</table>"),
        ("<style>@page { size: 1px; margin: 0 }</style>", "word " * 20_000),
    ],
    ids=["a table of 90,000 cells", "a page a pixel wide"],
)
def test_a_document_without_end_is_stopped_at_its_time(head: str, body: str) -> None:
    began = time.monotonic()
    with pytest.raises(PdfFailed, match="longer than 2 seconds"):
        render(PAGE.format(head=head, body=body), title="t", seconds=2)
    assert time.monotonic() - began < 10
    assert len(render(PAGE.format(head="", body=""), title="t", seconds=60)) > 1000


def test_the_child_has_ceilings_on_memory_output_and_time() -> None:
    limits = 'child.limit_self("render", 5, 1)'
    assert "MemoryError" in in_the_child(limits, "bytearray(child.ADDRESS_SPACE)").stderr
    too_much = "os.write(os.memfd_create('x'), bytes(2 * child.FILE_SIZE)) > child.FILE_SIZE + child.LENGTH"
    assert in_the_child(limits, f"sys.exit({too_much})").returncode == 0
    for what, most in (("CPU", 5), ("CORE", 0), ("NOFILE", 64)):
        read = f"sys.exit(resource.getrlimit(resource.RLIMIT_{what}) != ({most}, {most}))"
        assert in_the_child(limits, read).returncode == 0
    for idle in ("while True: pass", "import time; time.sleep(50)"):
        assert in_the_child("child.limit_self('render', 1, 1)", idle).returncode < 0


def test_the_child_gets_no_secret_no_open_file_and_a_place_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://canary")
    monkeypatch.setenv("SECRET_KEY", "canary")
    ours = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(ours, True)
    says = tmp_path / "says.py"
    says.write_text(
        "import json, os\n"
        "print(json.dumps([sorted(os.environ), os.getcwd(), os.getpgid(0) == os.getpid(),"
        " [fd for fd in range(3, 256) if os.path.exists(f'/proc/self/fd/{fd}')]]))"
    )
    monkeypatch.setattr(pdf, "_CHILD", says)
    ended = pdf.run("render", b"", seconds=30)
    os.close(ours)
    environment, place, own_group, files = json.loads(ended.answer)
    assert set(environment) <= {"LANG", "PATH", "LC_CTYPE"}
    assert place == "/"
    assert own_group
    assert files == []


# --- the house -----------------------------------------------------------------------------------


def test_the_engine_is_never_imported_where_it_is_asked() -> None:
    code = (
        "import sys, django; django.setup(); import config.urls, dissent.tasks\n"
        "from dissent.pdf import render; render('<html lang=en><p>x', title='t', seconds=60)\n"
        "from dissent.pdf.check import check_pdf\n"
        "sys.exit(str({'weasyprint', 'pypdf', 'fontTools', 'PIL.Image'} & set(sys.modules) or ''))"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.stderr.strip() == ""


def test_where_a_library_is_missing_the_sentence_names_the_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "libpango-1.0.so.0").write_bytes(b"not a library" * 100)
    monkeypatch.setitem(pdf._ENVIRONMENT, "LD_LIBRARY_PATH", str(tmp_path))
    with pytest.raises(
        PdfFailed, match=r"apt-get install libpango-1\.0-0 libpangoft2-1\.0-0 libharfbuzz-subset0"
    ):
        render(PAGE.format(head="", body=""), title="t", seconds=60)


def test_where_no_child_can_be_started_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(PdfFailed, match="could not be started"):
        render(PAGE.format(head="", body=""), title="t")


def test_whoever_signs_stands_on_one_page_however_long_the_letter_is() -> None:
    lengths = range(4, 20)
    letters = [
        Document(letter(sections=[{"title": "", "paragraphs": ["The panel read it."] * length}]), "A", "en")
        for length in lengths
    ]
    pages = [
        [page.extract_text() for page in PdfReader(io.BytesIO(made)).pages]
        for made in render_many(letters)
        if isinstance(made, bytes)
    ]
    assert len(pages) == len(lengths)
    assert {len(one) for one in pages} == {1, 2}, "no letter came near the end of its page"
    for one in pages:
        signed = [text for text in one if "Yours sincerely" in text]
        assert len(signed) == 1
        assert "Sam Placeholder" in signed[0]
        assert "sam@testshire.example" in signed[0]

"""The limited child: makes a letter or reads an uploaded paper where neither can hurt anybody else.

`dissent.pdf` runs this file by its path in Python's isolated mode. It knows neither Django nor
settings nor a database, takes its input on stdin, answers on stdout, and says by its exit status
how it ended. The libraries that read hostile bytes are imported here and nowhere else.
"""

import ctypes.util
import io
import json
import os
import re
import resource
import signal
import sys
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import Any

ASSETS = Path(__file__).resolve().parents[2] / "static" / "letters"
MEDIA_TYPES = {".css": "text/css", ".png": "image/png", ".svg": "image/svg+xml"}

LENGTH = 8
"""Bytes that say how long the letter is that follows them."""

MEGABYTE = 1024 * 1024
# One page needs about 310 MB of address space, threads' stacks included, and 65 MB in memory.
ADDRESS_SPACE = 768 * MEGABYTE
FILE_SIZE = 20 * MEGABYTE
# A bundle holds every paper of a conference, in memory and again in what comes out.
BUNDLE_SPACE = 2048 * MEGABYTE
BUNDLE_SIZE = 200 * MEGABYTE
OPEN_FILES = 64

# Breaking a word into lines costs the engine the square of its length, so a word without end is given
# places to break. No word of any language reaches this, and hardly an address on the web.
ENDLESS_WORD = re.compile(r"\S{200,}")
PIECE = 10
ZERO_WIDTH_SPACE = "\u200b"

FRAME = (40.0, 62.0, 40.0, 74.0)
"""What a sheet of a bundle keeps free of the page that is laid on it: left, bottom, right, top, in points."""

# Where readers look for the end mark, doubled: some programs write a little after it.
END_MARK_WITHIN = 2048


class Ending(IntEnum):
    """How the child ended, as its exit status. 1 and 2 are Python's own."""

    DONE = 0
    FAILED = 1
    NO_LIBRARIES = 10
    OUTSIDE_ASSETS = 11
    TOO_LARGE = 12
    BROKEN = 20
    ENCRYPTED = 21
    NO_PAGES = 22


def limit_self(verb: str, seconds: int, documents: int) -> None:
    """Give away, for good, everything that making `documents`, of `seconds` each, does not need."""
    space, size = (BUNDLE_SPACE, BUNDLE_SIZE) if verb == "bundle" else (ADDRESS_SPACE, FILE_SIZE)
    for what, most in (
        (resource.RLIMIT_AS, space),
        (resource.RLIMIT_CPU, seconds * documents),
        (resource.RLIMIT_FSIZE, (LENGTH + size) * documents),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)  # noqa: PLW2901
        resource.setrlimit(what, (most, most))
    allow(seconds)


def allow(seconds: int) -> None:
    """End this process where the next document takes longer, and where the caller died before it."""
    signal.alarm(seconds + 1)


def shut_the_doors() -> None:
    """Refuse sockets, other programs, writing, and reading outside Python and the assets.

    A second wall: ways round WeasyPrint's fetcher have been found more than once.
    Call it after the imports.
    """
    readable = tuple(os.path.realpath(root) + os.sep for root in {sys.prefix, sys.base_prefix, str(ASSETS)})

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn")):
            raise PermissionError(event)
        if event in {"os.system", "os.spawn", "os.forkpty"}:
            raise PermissionError(event)
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, int):
                return
            if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                raise PermissionError(event)
            if not os.path.realpath(os.fsdecode(path)).startswith(readable):
                raise PermissionError(event)

    sys.addaudithook(hook)


def break_endless_words(page: Any) -> None:
    """Let the endless words of a parsed page break; what is read stays the same."""

    def broken(text: str | None) -> str | None:
        return text and ENDLESS_WORD.sub(
            lambda word: ZERO_WIDTH_SPACE.join(
                word[0][start : start + PIECE] for start in range(0, len(word[0]), PIECE)
            ),
            text,
        )

    for element in page.iter():
        if element.tag != "style":
            element.text = broken(element.text)
        element.tail = broken(element.tail)


def render(asked: bytes, seconds: int) -> Iterator[bytes]:
    """Each PDF of `asked` after its length. `asked` is a JSON list of `html`, `title` and `lang`.

    The first document that cannot be made ends the process; those before it are out by then.
    """
    engine = Engine()
    shut_the_doors()
    for wanted in json.loads(asked):
        allow(seconds)
        try:
            made = engine.write(engine.laid_out(engine.page(wanted["html"])), wanted)
        except engine.asked_outside:
            raise SystemExit(Ending.OUTSIDE_ASSETS) from None
        if len(made) > FILE_SIZE:
            raise SystemExit(Ending.TOO_LARGE)
        yield len(made).to_bytes(LENGTH, "big") + made


class Engine:
    """The PDF engine with a fetcher that knows the letter assets and raises `asked_outside` for all else."""

    def __init__(self) -> None:
        # Debian's own names of the libraries are enough. Looking for them by others would run ldconfig
        # and the C compiler some forty times, which costs more than the letter.
        ctypes.util.find_library = lambda name: None
        try:
            import weasyprint
            from weasyprint.text.fonts import FontConfiguration
            from weasyprint.urls import FatalURLFetchingError
        except (ImportError, OSError):
            raise SystemExit(Ending.NO_LIBRARIES) from None
        self._html, self._fonts, self._fetcher = weasyprint.HTML, FontConfiguration, _asset_fetcher()
        self.asked_outside = FatalURLFetchingError

    def page(self, html: str) -> Any:
        """`html` parsed; what is endless in it may break."""
        page = self._html(string=html, url_fetcher=self._fetcher)
        break_endless_words(page.etree_element)
        return page

    def laid_out(self, page: Any) -> Any:
        """The pages of a parsed page."""
        return page.render(font_config=self._fonts())

    def write(self, document: Any, wanted: dict[str, str]) -> bytes:
        """The bytes of a document laid out, tagged and named."""
        document.metadata.title = wanted["title"]
        document.metadata.lang = wanted["lang"]
        made: bytes = document.write_pdf(pdf_variant="pdf/ua-1")
        return made


def _asset_fetcher() -> Any:
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

    assets = {
        f"asset:{path.name}": path
        for path in ASSETS.iterdir()
        if path.is_file() and path.suffix in MEDIA_TYPES
    }

    class AssetFetcher(URLFetcher):  # type: ignore[misc]  # weasyprint is untyped
        def fetch(self, url: str, headers: object = None) -> Any:
            if url not in assets:
                raise FatalURLFetchingError
            path = assets[url]
            return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": MEDIA_TYPES[path.suffix]})

    return AssetFetcher(fail_on_errors=True)


def bundle(asked: bytes, seconds: int) -> Iterator[bytes]:
    """One PDF of a page of HTML and of papers, each page of a paper on a sheet of that page's.

    `asked` is the length of a JSON head and the head (`html`, `title`, `lang`, and the `sizes` of the
    papers), then the papers. In the HTML, the element with `data-paper="0"` stands for the first page of the
    first paper, and says above it which it is.
    """
    import pypdf

    engine = Engine()
    shut_the_doors()
    end = LENGTH + int.from_bytes(asked[:LENGTH], "big")
    wanted = json.loads(asked[LENGTH:end])
    papers = []
    for size in wanted["sizes"]:
        papers.append(pypdf.PdfWriter(clone_from=io.BytesIO(asked[end : end + size])))
        end += size
    page = engine.page(wanted["html"])
    sources = _sheets(page.etree_element, papers)
    document = engine.laid_out(page)
    places = {name: number for number, one in enumerate(document.pages) for name in one.anchors}
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(engine.write(document, wanted)))
    for name, source in sources.items():
        _lay_on(writer.pages[places[name]], source)
    out = io.BytesIO()
    writer.write(out)
    made = out.getvalue()
    if len(made) > BUNDLE_SIZE:
        raise SystemExit(Ending.TOO_LARGE)
    yield len(made).to_bytes(LENGTH, "big") + made


def _sheets(root: Any, papers: list[Any]) -> dict[str, Any]:
    """Put in a sheet for each page of each paper; return those pages by the names of their sheets."""
    parents = {child: parent for parent in root.iter() for child in parent}
    sources = {}
    for element in [one for one in root.iter() if one.get("data-paper")]:
        paper, parent = papers[int(element.get("data-paper"))], parents[element]
        place = list(parent).index(element)
        for number, source in enumerate(paper.pages):
            if source.rotation:
                source.transfer_rotation_to_content()
            sheet = element if number == 0 else parent.makeelement("section", {})
            name = f"sheet-{element.get('data-paper')}-{number}"
            sheet.set("class", "sheet wide" if source.cropbox.width > source.cropbox.height else "sheet")
            said = sheet.makeelement("p", {"class": "of", "id": name})
            said.text = f"Page {number + 1} of {len(paper.pages)} of this paper"
            sheet.append(said)
            if number:
                parent.insert(place + number, sheet)
            sources[name] = source
    return sources


def _lay_on(sheet: Any, source: Any) -> None:
    """Lay a page onto its sheet, as large as the frame between head and foot lets it be."""
    import pypdf

    box, (left, bottom, right, top) = source.cropbox, FRAME
    wide, high = float(sheet.mediabox.width) - left - right, float(sheet.mediabox.height) - bottom - top
    scale = min(wide / float(box.width), high / float(box.height), 1)
    across = left + (wide - scale * float(box.width)) / 2
    up = bottom + high - scale * float(box.height)
    move = pypdf.Transformation().translate(-float(box.left), -float(box.bottom)).scale(scale)
    sheet.merge_transformed_page(source, move.translate(across, up))


def check(data: bytes, seconds: int) -> Iterator[bytes]:
    """The number of pages of the PDF `data`, in digits; ends the process where it is not a whole one."""
    import pypdf

    shut_the_doors()
    # pypdf would mend a file whose upload or copy broke off, with pages missing.
    if b"%%EOF" not in data.rstrip(b"\0\r\n\t ")[-END_MARK_WITHIN:]:
        raise SystemExit(Ending.BROKEN)
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted:
            raise SystemExit(Ending.ENCRYPTED)
        pages = 0
        for page in reader.pages:
            page.get_contents()
            pages += 1
        # A page that is not in the file is passed over in silence.
        if pages != reader.root_object["/Pages"]["/Count"]:
            raise SystemExit(Ending.BROKEN)
    except Exception:
        raise SystemExit(Ending.BROKEN) from None
    if not pages:
        raise SystemExit(Ending.NO_PAGES)
    yield str(pages).encode()


def main(verb: str, seconds: str, documents: str) -> None:
    limit_self(verb, int(seconds), int(documents))
    verbs = {"render": render, "check": check, "bundle": bundle}
    try:
        for answer in verbs[verb](sys.stdin.buffer.read(), int(seconds)):
            sys.stdout.buffer.write(answer)
            sys.stdout.buffer.flush()
    except Exception as error:
        # The kind alone: the words of an error may quote the document.
        sys.stdout.buffer.write(type(error).__name__.encode())
        raise SystemExit(Ending.FAILED) from None


if __name__ == "__main__":
    main(*sys.argv[1:])

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
OPEN_FILES = 64

# Breaking a word into lines costs the engine the square of its length, so a word without end is given
# places to break. No word of any language reaches this, and hardly an address on the web.
ENDLESS_WORD = re.compile(r"\S{200,}")
PIECE = 10
ZERO_WIDTH_SPACE = "\u200b"

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


def limit_self(seconds: int, documents: int) -> None:
    """Give away, for good, everything that making `documents`, of `seconds` each, does not need."""
    for what, most in (
        (resource.RLIMIT_AS, ADDRESS_SPACE),
        (resource.RLIMIT_CPU, seconds * documents),
        (resource.RLIMIT_FSIZE, (LENGTH + FILE_SIZE) * documents),
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
    # Debian's own names of the libraries are enough. Looking for them by others would run ldconfig
    # and the C compiler some forty times, which costs more than the letter.
    ctypes.util.find_library = lambda name: None
    try:
        import weasyprint
        from weasyprint.text.fonts import FontConfiguration
        from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse
    except (ImportError, OSError):
        raise SystemExit(Ending.NO_LIBRARIES) from None

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

    fetcher = AssetFetcher(fail_on_errors=True)
    shut_the_doors()
    for wanted in json.loads(asked):
        allow(seconds)
        try:
            page = weasyprint.HTML(string=wanted["html"], url_fetcher=fetcher)
            break_endless_words(page.etree_element)
            document = page.render(font_config=FontConfiguration())
            document.metadata.title = wanted["title"]
            document.metadata.lang = wanted["lang"]
            made: bytes = document.write_pdf(pdf_variant="pdf/ua-1")
        except FatalURLFetchingError:
            raise SystemExit(Ending.OUTSIDE_ASSETS) from None
        if len(made) > FILE_SIZE:
            raise SystemExit(Ending.TOO_LARGE)
        yield len(made).to_bytes(LENGTH, "big") + made


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
    limit_self(int(seconds), int(documents))
    verbs = {"render": render, "check": check}
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

"""Letters as tagged PDF (PDF/UA-1) and bundles of papers, made in a limited child process.

The engine reads a whole language and has let files, addresses and crashes through before, so it
never runs in the process that asks: the child has a clock, a ceiling on memory and output, no
secrets in its environment, no open files of ours, and may read the letter assets and nothing else.
Linux only: the limits and the anonymous files are the kernel's.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from dissent.pdf.child import BUNDLE_SIZE, FILE_SIZE, LENGTH, MEGABYTE, Ending

DEBIAN_PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-liberation fonts-dejavu-core"

_CHILD = Path(__file__).with_name("child.py")
_ENVIRONMENT = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"}

_WHY = {
    Ending.NO_LIBRARIES: (
        "Letters cannot be made on this machine: the PDF engine or a library it needs is missing. "
        f"Install requirements.txt, and on Debian: apt-get install {DEBIAN_PACKAGES}"
    ),
    Ending.OUTSIDE_ASSETS: (
        "The {what} was not made: it asks for something that is not one of the letter assets "
        "in static/letters/."
    ),
    Ending.TOO_LARGE: "The {what} was not made: its PDF would be larger than {most} MB.",
}


class PdfFailed(Exception):
    """No PDF was made. Says why in a sentence, without a word of the document."""


@dataclass(frozen=True)
class Document:
    """A whole page of HTML to make a letter of.

    It may name assets of static/letters/ as `asset:letter.css`, and nothing else.
    """

    html: str
    title: str
    lang: str = "en-GB"


@dataclass(frozen=True)
class Ended:
    """How a child ended: `status` is None where our wait ran out, negative for a signal."""

    status: int | None
    answer: bytes

    @property
    def out_of_time(self) -> bool:
        """Whether our wait, the child's own alarm or its processor time ran out, whichever came first."""
        return self.status is None or -self.status in (signal.SIGALRM, signal.SIGXCPU, signal.SIGKILL)


def render(html: str, *, title: str, lang: str = "en-GB", seconds: int = 20) -> bytes:
    """Return one `Document` as a tagged PDF with its fonts embedded.

    Raises PdfFailed where no PDF comes back within `seconds` of wall clock.
    """
    (made,) = render_many([Document(html, title, lang)], seconds=seconds)
    if isinstance(made, PdfFailed):
        raise made
    return made


def render_many(documents: Sequence[Document], *, seconds: int = 20) -> list[bytes | PdfFailed]:
    """Return for each document its tagged PDF, or why there is none; `seconds` are for each.

    They share a child, because loading the engine takes longer than making a letter. A document that
    fails ends that child, and those after it get a new one.
    """
    made: list[bytes | PdfFailed] = []
    while rest := documents[len(made) :]:
        asked = json.dumps([asdict(document) for document in rest]).encode()
        try:
            ended = run("render", asked, seconds=seconds, documents=len(rest))
        except PdfFailed as failure:
            return [*made, *[failure] * len(rest)]
        pdfs, said = _letters(ended.answer)
        made += pdfs[: len(rest)]
        if len(made) < len(documents):
            made.append(PdfFailed(_why(ended, said, seconds)))
    return made


def bundle(document: Document, papers: Sequence[bytes], *, seconds: int = 60) -> bytes:
    """Return `document` as a PDF in which each page of each of `papers` stands on a sheet of its own.

    The element of the document with `data-paper="0"` says above each page of the first paper which it is.
    Raises PdfFailed where no PDF comes back within `seconds` of wall clock.
    """
    head = json.dumps({**asdict(document), "sizes": [len(paper) for paper in papers]}).encode()
    asked = b"".join((len(head).to_bytes(LENGTH, "big"), head, *papers))
    ended = run("bundle", asked, seconds=seconds)
    made, said = _letters(ended.answer)
    if not made:
        raise PdfFailed(_why(ended, said, seconds, what="bundle", most=BUNDLE_SIZE))
    assert isinstance(made[0], bytes)  # noqa: S101  only a letter that failed among several is none
    return made[0]


def _letters(answer: bytes) -> tuple[list[bytes | PdfFailed], bytes]:
    """Return the whole letters of an answer, and what stands after them."""
    letters: list[bytes | PdfFailed] = []
    while len(answer) >= LENGTH:
        end = LENGTH + int.from_bytes(answer[:LENGTH], "big")
        if end > len(answer) or not answer[LENGTH:end].startswith(b"%PDF-"):
            break
        letters.append(answer[LENGTH:end])
        answer = answer[end:]
    return letters, answer


def _why(ended: Ended, said: bytes, seconds: int, *, what: str = "letter", most: int = FILE_SIZE) -> str:
    if ended.out_of_time:
        return f"The {what} was not made: it took longer than {seconds} seconds."
    if ended.status in _WHY:
        return _WHY[Ending(ended.status)].format(what=what, most=most // MEGABYTE)
    return f"The {what} was not made: the PDF engine stopped ({_how(ended, said)})."


def run(verb: str, data: bytes, *, seconds: int, documents: int = 1) -> Ended:
    """Run one `verb` of the child on `data`, and never longer than `seconds` of wall clock a document.

    Raises PdfFailed where no child could be started.
    """
    try:
        # Anonymous memory and not pipes: an endless answer stops at the child's own file
        # limit, and no letter touches the disk.
        with (
            open(os.memfd_create("asked"), "w+b") as asked,
            open(os.memfd_create("answer"), "w+b") as answer,
        ):
            asked.write(data)
            asked.seek(0)
            child = subprocess.Popen(
                [sys.executable, "-I", str(_CHILD), verb, str(seconds), str(documents)],
                stdin=asked,
                stdout=answer,
                stderr=subprocess.DEVNULL,
                env=_ENVIRONMENT,
                cwd="/",
                start_new_session=True,
            )
            try:
                status = child.wait(timeout=seconds * documents)
            except subprocess.TimeoutExpired:
                status = None
            finally:
                if child.poll() is None:
                    os.killpg(child.pid, signal.SIGKILL)
                    child.wait()
            answer.seek(0)
            return Ended(status, answer.read())
    except OSError as error:
        raise PdfFailed(
            f"The PDF engine could not be started ({error.strerror}). Try again in a minute."
        ) from error


def _how(ended: Ended, said: bytes) -> str:
    if ended.status is not None and ended.status < 0:
        return f"signal {-ended.status}"
    kind = said[:60].decode("ascii", "replace")
    return kind if kind.isidentifier() else f"exit status {ended.status}"

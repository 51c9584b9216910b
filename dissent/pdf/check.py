"""Is an uploaded paper a whole PDF that its readers can open? Asked before anything is kept."""

from dissent.pdf import PdfFailed, run
from dissent.pdf.child import Ending

_SHOWN_OF_A_NAME = 80
_SECONDS = 20

_PICTURES = (".jpg", ".jpeg", ".png", ".heic", ".gif", ".tif", ".tiff", ".bmp", ".webp")

_WHY = {
    Ending.BROKEN: (
        "is damaged: it cannot be read to its end. Open the original, choose Save as, PDF, "
        "and attach the new file."
    ),
    Ending.ENCRYPTED: (
        "is protected by a password or by restrictions, so its readers could not open it. "
        "Save a copy without protection and attach that."
    ),
    Ending.NO_PAGES: ("has no pages. Open the original, choose Save as, PDF, and attach the new file."),
}


class NotAPdf(Exception):
    """The file is not a PDF that its readers can open. Says in a sentence what to do instead."""


def check_pdf(data: bytes, name: str) -> None:
    """Return quietly where `data` is a whole, unprotected PDF with at least one page.

    `name` is the file's name as its owner knows it, for the sentence. Its size is the caller's
    to limit. Raises NotAPdf, or PdfFailed where the check itself could not be run.
    """
    shown = f"“{_shown(name)}”"
    if not data.strip(b"\0\r\n\t "):
        raise NotAPdf(f"{shown} is empty. Choose the file again.")
    # Only a byte order mark or blanks may stand before the header: other software must not
    # be able to take the same file for a web page.
    if not data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\0\r\n\t ").startswith(b"%PDF-"):
        if name.lower().endswith(_PICTURES):
            how = "Open the picture, choose Print, Save as PDF"
        else:
            how = "Open it in Word and choose Save as, PDF"
        raise NotAPdf(f"{shown} is not a PDF file. {how}, then attach the new file.")

    ended = run("check", data, seconds=_SECONDS)
    if ended.out_of_time:
        raise NotAPdf(
            f"{shown} takes too long to read. Open the original, choose Save as, PDF, and attach "
            "the new file, in parts if it is very long."
        )
    if ended.status == Ending.DONE:
        return
    if ended.status == Ending.FAILED and ended.answer == b"ModuleNotFoundError":
        raise PdfFailed("Papers cannot be checked on this machine: install requirements.txt.")
    # A crash is the document's doing too: the child holds nothing else.
    known = ended.status in _WHY
    raise NotAPdf(f"{shown} {_WHY[Ending(ended.status) if known else Ending.BROKEN]}")


def _shown(name: str) -> str:
    """`name` on one line, short, and unable to turn the words around it."""
    printable = "".join(c if c.isprintable() else " " for c in name).strip()
    if len(printable) > _SHOWN_OF_A_NAME:
        printable = printable[: _SHOWN_OF_A_NAME - 1] + "…"
    return printable or "The file"

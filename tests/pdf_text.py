"""The words of a PDF, as a reader finds them."""

import io

from pypdf import PdfReader


def text_of(pdf: bytes) -> str:
    """Return the text of every page with its line breaks as blanks: where a line broke is no part of it."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())

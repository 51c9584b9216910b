"""What was typed and could be lost: two windows at one question, and a sign-in that ended in between.

Every page of a question carries a sealed note of when it was opened. It says which page sends something,
and that it is one of ours.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.signing import BadSignature, Signer
from django.http import HttpRequest

from dissent.models import Answer, Dissent

KEPT_BY = "answers_kept_by_page"
HELD = "typed_while_signed_out"


def seal(request: HttpRequest) -> str:
    """Return the note of a page that is opened now."""
    return _signer(request).sign(request.at.isoformat())


def other_text(
    request: HttpRequest, dissent: Dissent, question: str, data: Mapping[str, Any], text: str
) -> str:
    """Return what another window kept since this page was opened, where keeping `text` would lose it.

    Empty where nothing would be lost.
    """
    answer = dissent.answers.filter(question=question).first()
    if answer is None or text.startswith(answer.text):
        return ""
    note = str(data.get("opened", ""))
    if request.session.get(KEPT_BY, {}).get(_name(answer)) == [note, answer.kept_at.isoformat()]:
        return ""
    opened_at = _unsealed(request, note)
    return answer.text if opened_at and answer.kept_at > opened_at else ""


def kept(request: HttpRequest, answer: Answer, data: Mapping[str, Any]) -> None:
    """Remember which page kept the answer: it may go on changing what it kept itself."""
    by_page = request.session.get(KEPT_BY, {})
    by_page[_name(answer)] = [str(data.get("opened", "")), answer.kept_at.isoformat()]
    request.session[KEPT_BY] = by_page
    request.session.pop(HELD, None)


def hold_until_signed_in(request: HttpRequest) -> None:
    """Put aside what somebody sent after their sign-in had ended; the way to sign in comes next.

    Only from a page of ours: a stranger fills no table.
    """
    if _unsealed(request, request.POST.get("opened", "")):
        sent = {name: value for name, value in request.POST.items() if name != "csrfmiddlewaretoken"}
        request.session[HELD] = {"path": request.path, "sent": sent}


def held(request: HttpRequest) -> Mapping[str, Any] | None:
    """Return what was sent from this page before its reader signed in again, None where nothing."""
    found = request.session.get(HELD)
    return found["sent"] if found and found["path"] == request.path else None


def _name(answer: Answer) -> str:
    return f"{answer.dissent_id} {answer.question}"


def _signer(request: HttpRequest) -> Signer:
    return Signer(salt=request.path.removesuffix("keep/"))


def _unsealed(request: HttpRequest, note: str) -> dt.datetime | None:
    """Return when the page of this note was opened, None for a note that is not ours."""
    try:
        return dt.datetime.fromisoformat(_signer(request).unsign(note))
    except BadSignature:
        return None

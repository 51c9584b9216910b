"""What every page does: asks the time once, lets strangers find nothing, says when a case has moved on."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import Error
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.shortcuts import render as django_render
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django_fsm import ConcurrentTransition, TransitionNotAllowed

from councils.models import Appointment, Council
from dissent.actions import Refused
from dissent.models import Dissent
from dissent.tasks import nudge

View = Callable[..., HttpResponse]

NEVER_SHOWN = {
    "csrfmiddlewaretoken",
    "password",
    "code",
    "once",
    "opened",
    "seen",
    "then",
    "by_child",
    "next",
    "action",
}
"""Secrets, and what pages send that nobody typed."""


def page(view: View) -> View:
    """Mark a page for people who are signed in.

    `request.at` is the one time that the page and everything below it go by. *Not you* is answered like an
    address that does not exist; *not now* with 409 and a page that says that the case has moved on.
    """

    @login_required
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.at = timezone.now()
        try:
            response = view(request, *args, **kwargs)
        except PermissionDenied as refused:
            raise Http404 from refused
        except (TransitionNotAllowed, ConcurrentTransition) as refused:
            return moved_on(request, refused)
        if request.method == "POST":
            nudge()
        return response

    return wrapped


def moved_on(request: HttpRequest, refused: Exception) -> HttpResponse:
    """Say that the case has moved on, that nothing was done twice, and what had been typed.

    An action's own sentence is for people. The machine's names the object it holds, and is not.
    """
    held = getattr(refused, "object", None)
    said = "" if held or isinstance(refused, ConcurrentTransition) else str(refused)
    case = re.match(r"/(?:dissents|panels|conferences)/[0-9a-f-]{36}/", request.path)
    return show(
        request,
        "409.html",
        council=held and held.council,
        status=409,
        href=case and case.group(),
        said=said,
        typed=typed_rows(request),
    )


def typed_rows(request: HttpRequest) -> list[dict[str, Any]]:
    """Return what was sent, for a page that could not take it: nothing that was typed is lost.

    A person or a row that was chosen is sent as its id, which says nothing to anybody.
    """
    rows = []
    for name, sent in request.POST.lists():
        values = [value for value in sent if value.strip() and not _is_an_id(value)]
        if values and name not in NEVER_SHOWN:
            key = name.replace("_", " ").capitalize()
            rows.append({"key": key, "value": "\n".join(values), "typed": True})
    return rows


def _is_an_id(value: str) -> bool:
    return re.fullmatch(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value.strip()) is not None


def could_not_be_sent(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that a page is older than the sign-in, and give back what was typed into it."""
    return django_render(request, "403_csrf.html", {"typed": typed_rows(request)}, status=403)


def show(
    request: HttpRequest, template: str, *, council: Council | None, status: int = 200, **context: Any
) -> HttpResponse:
    """Return a page in the council's name and colour. A page with faults to mend answers 422."""
    form = context.get("form")
    if status == 200 and isinstance(form, BaseForm) and form.is_bound and form.errors:
        status = 422
    if council:
        context["council"] = council
    return django_render(request, template, context, status=status)


def council_of_the_page(request: HttpRequest) -> dict[str, Any]:
    """Give every page the council whose front door it names, where its view gave none.

    Asked for only when the page reads it. Without an answer from the database it still says 999.
    """

    def council() -> Council | None:
        try:
            return only_council(request)
        except Error:
            return None

    return {"council": SimpleLazyObject(council)}


def only_council(request: HttpRequest) -> Council | None:
    """Return the only council here, or else the only one at which the reader is appointed."""
    here = Council.objects.order_by("pk")
    found = list(here[:2])
    person = getattr(request, "user", None)  # a request that is not read has none
    if len(found) > 1 and person and person.is_authenticated:
        held = Appointment.objects.at(timezone.now()).filter(person=person)
        found = list(here.filter(pk__in=held.values("council"))[:2])
    return found[0] if len(found) == 1 else None


def find_dissent(request: HttpRequest, pk: object) -> Dissent:
    """Return the dissent if the reader may know of it, with how they stand to it. Raises Http404.

    A page that lists several asks the same gate, `Dissent.objects.visible_to`.
    """
    visible = Dissent.objects.visible_to(request.user, at=request.at)
    dissent = get_object_or_404(
        visible.select_related(
            "council",
            "conference__chair",
            "procedure",
            "dissenter",
            "attendance__agency",
            "claim__agency",
            "panel",
        ),
        pk=pk,
    )
    dissent.stand_as(request.user, at=request.at)
    return dissent


def needs(condition: bool) -> None:
    """Answer like an address that does not exist, unless `condition` holds."""
    if not condition:
        raise Http404


def sent_by(request: HttpRequest) -> QueryDict | None:
    """Return what a form is bound to: what was sent, even where that is nothing; None on opening the page."""
    return request.POST if request.method == "POST" else None


def refused_at(form: BaseForm, refused: Refused) -> None:
    """Put what an action refused at the field it is about, or at the head of the form."""
    form.add_error(refused.field if refused.field in form.fields else None, str(refused))


def local(moment: dt.datetime) -> dt.datetime:
    return timezone.localtime(moment)


def day_and_time(moment: dt.datetime | None) -> str:
    """Return a time as people read it: Wednesday 4 March 2026, 12:00."""
    if moment is None:
        return ""
    there = local(moment)
    return f"{there:%A} {there.day} {there:%B %Y}, {there:%H:%M}"


def day(on: dt.date | dt.datetime | None) -> str:
    """Return a day as people read it: 4 March 2026. A time is read on its local day."""
    if on is None:
        return ""
    there = local(on).date() if isinstance(on, dt.datetime) else on
    return f"{there.day} {there:%B %Y}"

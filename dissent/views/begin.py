"""The second way in: for somebody whose conference is not on record, or who is not on its record.

They prove an e-mail address and say which conference it was. Nothing here says whether there is one, or
whether the address is known.
"""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from allauth.account.adapter import get_adapter
from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils import timezone

from councils.models import Agency, Council, Person
from dissent import actions
from dissent.actions import Refused, record_read
from dissent.forms.base import Button
from dissent.forms.sign_in import EnterCode, ProveAddress
from dissent.forms.start import ChooseCouncil
from dissent.forms.unmatched import ClaimForm
from dissent.models import Dissent
from dissent.models.dissent import BEING_WRITTEN
from dissent.views import shown
from dissent.views.common import needs, page, refused_at, sent_by, show
from dissent.views.dissent_form import own_dissent, show_own

PROOF = "address_to_prove"
"""Where the session keeps which address is to be proved, and by which code."""


def begin(request: HttpRequest) -> HttpResponse:
    """Ask for an e-mail address, and send a code to it."""
    if request.user.is_authenticated:
        return redirect("begin_where")
    form = ProveAddress(sent_by(request))
    if request.method == "POST" and form.is_valid():
        _send_code(request, form.cleaned_data["email"])
        return redirect("begin_code")
    return show(request, "begin.html", council=None, form=form)


def enter_code(request: HttpRequest) -> HttpResponse:
    """Take the code that came, and sign in whoever it came to."""
    if request.user.is_authenticated:
        return redirect("begin_where")
    proof = request.session.get(PROOF)
    if proof is None or time.time() - proof["at"] > settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT:
        return _start_again(request, "The code has run out. Ask for another.")
    form = EnterCode(sent_by(request), code=proof["code"])
    form.buttons = (Button("Continue"),)
    if request.method == "POST":
        if form.is_valid():
            del request.session[PROOF]
            person = Person.objects.known_by(proof["email"])
            return perform_login(
                request, person, email_verification="none", redirect_url=reverse("begin_where")
            )
        proof["tries"] += bool(request.POST.get("code", "").strip())
        request.session[PROOF] = proof
        if proof["tries"] >= settings.ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS:
            return _start_again(request, "That was not the code, three times. Ask for another.")
    return show(request, "begin_code.html", council=None, form=form, email=proof["email"])


def _send_code(request: HttpRequest, email: str) -> None:
    """Send a code to whoever may sign in with one, or is not known here; keep the same for everybody."""
    adapter = get_adapter()
    person = Person.objects.filter(email__iexact=email).first()
    code = adapter.generate_login_code()
    if person is None or (person.is_active and not person.has_usable_password()):
        adapter.send_mail("account/email/login_code", email, {"request": request, "code": code})
    request.session[PROOF] = {"email": email, "code": code, "at": time.time(), "tries": 0}


def _start_again(request: HttpRequest, why: str) -> HttpResponse:
    request.session.pop(PROOF, None)
    messages.warning(request, why)
    return redirect("begin")


@page
def where(request: HttpRequest) -> HttpResponse:
    """Show what the reader has begun already, and ask which council held the conference."""
    councils = list(Council.objects.order_by("name"))
    form = ChooseCouncil(request.GET if "council" in request.GET else None, councils=councils)
    form.buttons = (Button("Continue"),)
    if form.is_bound and form.is_valid():
        return redirect("begin_claim", form.cleaned_data["council"])
    own = list(_being_written(request))
    if len(councils) == 1 and not own:
        return redirect("begin_claim", councils[0].key)
    begun_at = {each.council for each in own}
    named = begun_at or set(councils)
    for council in begun_at:
        listed = [str(each.pk) for each in own if each.council_id == council.pk]
        record_read(
            council=council,
            about=council,
            what="work",
            by=request.user,
            at=request.at,
            values={"listed": listed},
        )
    return show(
        request,
        "begin_where.html",
        council=named.pop() if len(named) == 1 else None,
        form=form if len(councils) > 1 else None,
        only=councils[0] if len(councils) == 1 else None,
        rows=[
            [
                {
                    "words": each.reference,
                    "href": f"/dissents/{each.pk}/",
                    "note": shown.conference_as_claimed(each),
                },
                shown.where_it_stands(each),
            ]
            for each in own
        ],
        headings=("Dissent", "Where it stands"),
    )


def _being_written(request: HttpRequest) -> Any:
    own = Dissent.objects.visible_to(request.user, at=request.at).filter(dissenter=request.user)
    rows = own.filter(state__in=BEING_WRITTEN).select_related("council", "conference", "claim", "procedure")
    return rows.defer("procedure__document").order_by("-raised_at", "id")


@page
def claim(request: HttpRequest, key: str) -> HttpResponse:
    """Ask who the dissenter is and which conference it was, and begin their dissent."""
    council = get_object_or_404(Council, key=key)
    procedure = council.procedure_on(timezone.localdate(request.at))
    if procedure is None:
        return show(request, "begin_no_procedure.html", section="work", council=council)
    person = request.user
    form = ClaimForm(
        sent_by(request),
        agencies=_agencies(council),
        words=procedure.rules.words,
        back="/",
        place=person.pk,
        initial={
            "name": person.name,
            "job": person.job,
            "agency": str(person.agency_id)
            if person.agency and person.agency.council_id == council.pk
            else "",
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.begin_dissent(council=council, by=person, at=request.at, **form.cleaned_data)
        except Refused as refused:
            refused_at(form, refused)
        else:
            return redirect("dissent_form", made.pk)
    return show(
        request, "begin_claim.html", section="work", council=council, form=form, terms=procedure.rules.words
    )


@page
def change_claim(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Say anew who one is and which conference it was, until the form is sent."""
    dissent = own_dissent(request, pk)
    needs(dissent.claim_made is not None)
    if request.method != "POST" and not dissent.can("change_claim"):
        return redirect("dissent", pk)
    said = dissent.claim
    facts = ("name", "job", "agency_name", "ended_at", "which", "chair_name")
    form = ClaimForm(
        sent_by(request),
        agencies=_agencies(dissent.council),
        words=dissent.rules.words,
        back=reverse("dissent", args=[pk]),
        place=dissent.pk,
        initial={
            **{name: getattr(said, name) for name in facts},
            "agency": str(said.agency_id) if said.agency_id else "",
        },
    )
    if request.method == "POST" and form.is_valid():
        facts_said = {name: form.cleaned_data[name] for name in (*facts, "agency")}
        try:
            actions.change_claim(dissent=dissent, by=request.user, at=request.at, **facts_said)
        except Refused as refused:
            refused_at(form, refused)
        else:
            messages.success(request, "What you said of yourself and the conference is changed.")
            return redirect("dissent", pk)
    return show_own(
        request,
        "begin_claim.html",
        dissent,
        what="form",
        form=form,
        back=reverse("dissent", args=[pk]),
    )


def _agencies(council: Council) -> Any:
    return Agency.objects.filter(council=council).order_by("name")


urlpatterns = [
    path("begin/", begin, name="begin"),
    path("begin/code/", enter_code, name="begin_code"),
    path("begin/where/", where, name="begin_where"),
    path("begin/at/<slug:key>/", claim, name="begin_claim"),
    path("dissents/<uuid:pk>/claim/", change_claim, name="change_claim"),
]

"""What the dissenter sees of their own dissent, and what they answer to it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Prefetch, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse

from dissent import actions
from dissent.actions import Refused
from dissent.actions.dissent import is_late_to_file
from dissent.forms.base import Button
from dissent.forms.dissenter import ConfirmForm, ManagementForm, RefusalForm, WithdrawalForm
from dissent.models import Clock, Dissent, Letter
from dissent.models.dissent import AT_STAGE, CLOSED
from dissent.views import dissent_form, shown
from dissent.views.common import day, page, refused_at, sent_by
from dissent.views.dissent_form import (
    known_rows,
    management_rows,
    own_dissent,
    own_letters,
    questions,
    show_own,
    typed_rows,
)
from dissent.views.standing import standing


def own_page(request: HttpRequest, dissent: Dissent) -> HttpResponse:
    """Show the dissenter where their dissent stands, what is next and by when, and what they can do now."""
    clocks = Prefetch("clocks", Clock.objects.select_related("started", "stopped"))
    prefetch_related_objects([dissent], clocks, "answers", "proposals")
    letters = own_letters(request, dissent)
    proposal = next((one for one in dissent.proposals.all() if one.answered_at is None), None)
    return show_own(
        request,
        "dissenter_own_page.html",
        dissent,
        what="dissent",
        stands=standing(dissent, letters, at=request.at),
        clocks=shown.clock_rows(_clocks(dissent), dissent.rules, at=request.at),
        known=known_rows(dissent),
        tasks=_tasks(request, dissent) if dissent.is_being_written else [],
        steps=_steps(dissent),
        management=management_rows(dissent),
        letters=[
            {"words": letter.says["heading"], "href": _address_of(letter), "on": day(letter.released_at)}
            for letter in letters
        ],
        proposal=proposal,
        can={
            verb: dissent.can(verb)
            for verb in ("file", "agree", "refuse", "take_further", "accept", "withdraw")
        },
        ending=shown.ending_rows(dissent),
        unsent=[] if dissent.filed_at else typed_rows(dissent),
        meanwhile="" if dissent.state == CLOSED else dissent.rules.meanwhile,
        being_written=dissent.is_being_written,
        known_by_record=dissent.attendance is not None,
        raising=shown.raising_rows(dissent, names=False),
        started=dissent.is_being_written and any(answer.text.strip() for answer in dissent.answers.all()),
    )


@page
def tell_management(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Record whether the dissenter's own management was told. It can be left, and done later (ST-07)."""
    dissent = own_dissent(request, pk)
    if request.method != "POST" and not dissent.can("tell_management"):
        return redirect("dissent", pk)
    onward = reverse("check_answers" if dissent.is_being_written else "dissent", args=[pk])
    asks = dissent.rules.filing.management
    told = dissent.manager_told_on is not None
    form = ManagementForm(
        sent_by(request),
        asked=asks.question,
        hint=asks.hint,
        initial={
            "told": told or None,
            "name": dissent.manager_name,
            "email": dissent.manager_email,
            "told_on": dissent.manager_told_on,
        },
    )
    form.buttons = (Button("Continue"), Button("Leave this for later", href=onward))
    if request.method == "POST" and form.is_valid():
        if not form.cleaned_data.pop("told"):
            if told:
                messages.info(
                    request,
                    f"What you recorded before stays: you told {dissent.manager_name} on "
                    f"{day(dissent.manager_told_on)}. If that is wrong, choose “Yes” and put it right.",
                )
            return redirect(onward)
        try:
            actions.tell_management(dissent=dissent, by=request.user, at=request.at, **form.cleaned_data)
        except Refused as refused:
            refused_at(form, refused)
        else:
            messages.success(request, "It is recorded that you told your own management.")
            return redirect(onward)
    return show_own(
        request,
        "dissenter_management.html",
        dissent,
        what="form",
        form=form,
        back=reverse("dissent_form" if dissent.is_being_written else "dissent", args=[pk]),
    )


@page
def agree_to_resolution(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Agree to what is proposed."""
    dissent = own_dissent(request, pk)
    return _confirm(
        request,
        dissent,
        verb="agree",
        form=ConfirmForm(sent_by(request), button="I agree", back=_own(dissent)),
        act=actions.agree_to_resolution,
        done="You agreed to the resolution.",
        heading="Agree to the resolution",
        brings=[
            "Your dissent is then resolved, and it closes.",
            f"You and the {dissent.rules.words.chair.one} have the resolution in writing.",
            "You cannot take this dissent further afterwards.",
        ],
    )


@page
def refuse_resolution(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Do not agree to what is proposed, with words or without."""
    dissent = own_dissent(request, pk)
    following = dissent.rules.stage_after(dissent.stage) if dissent.stage else None
    onward = (
        [f"You can then choose whether to take it further, to the {following.title}."] if following else []
    )
    return _confirm(
        request,
        dissent,
        verb="refuse",
        form=RefusalForm(sent_by(request), button="I do not agree", back=_own(dissent)),
        act=actions.refuse_resolution,
        done="You did not agree to the resolution.",
        heading="Do not agree to the resolution",
        brings=[
            "Your dissent then counts as not resolved at this stage.",
            *onward,
        ],
    )


@page
def take_further(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take the dissent to the next stage."""
    dissent = own_dissent(request, pk)
    following = dissent.rules.stage_after(dissent.stage) if dissent.stage else None
    title = following.title if following else "next stage"
    heads = [f"It goes to: {dissent.rules.title_of(following.heads[0])}."] if following else []
    terms = following.panel.terms if following and following.panel else ()
    return _confirm(
        request,
        dissent,
        verb="take_further",
        form=ConfirmForm(sent_by(request), button="Take it further", back=_own(dissent)),
        act=actions.take_further,
        done="Your dissent goes on to the next stage.",
        heading=f"Take your dissent to the {title}",
        brings=[*heads, *terms, "You hear the outcome in a letter."],
    )


@page
def accept(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Leave the dissent where it is."""
    dissent = own_dissent(request, pk)
    return _confirm(
        request,
        dissent,
        verb="accept",
        form=ConfirmForm(sent_by(request), button="Leave it there", back=_own(dissent)),
        act=actions.accept,
        done="You left your dissent where it is.",
        heading="Leave your dissent there",
        brings=[
            "The offer to go further ends, and the dissent closes.",
            "You cannot take this dissent further afterwards.",
        ],
    )


@page
def withdraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Withdraw the dissent, until it is decided."""
    dissent = own_dissent(request, pk)
    words = dissent.rules.words
    typed = (
        "What you wrote stays on the case. Whoever could read it before still can."
        if dissent.filed_at
        else "What you have typed into the form stays yours. You can read it here, and nobody else can."
    )
    return _confirm(
        request,
        dissent,
        verb="withdraw",
        form=WithdrawalForm(
            sent_by(request),
            hint=f"The {words.chair.one} and whoever has your dissent in hand can read this.",
            back=_own(dissent),
        ),
        act=actions.withdraw,
        done="You withdrew your dissent.",
        heading="Withdraw your dissent",
        brings=[
            "Your dissent ends here and nobody decides it. Every time limit stops.",
            f"These are told that you withdrew it: {shown.listed(_told(dissent, 'withdrawn'))}.",
            typed,
            f"You cannot take it up again: a dissent is raised in the {words.conference.one}.",
        ],
    )


def _told(dissent: Dissent, moment: str) -> list[str]:
    """Return whom the procedure has told of `moment` where the case stands, by what they are called here."""
    rules = dissent.rules
    told = dict.fromkeys(
        name
        for telling in rules.tellings
        if telling.moment == moment and telling.stage in (None, dissent.stage)
        for name in telling.to
    )
    called = {"chair": rules.words.chair.one, "panel_members": rules.words.panel.one}
    if dissent.panel_of_stage is None:
        told.pop("panel_members", None)
    return [called.get(name) or rules.title_of(name) for name in told]


def _confirm(
    request: HttpRequest,
    dissent: Dissent,
    *,
    verb: str,
    form: ConfirmForm,
    act: Any,
    done: str,
    heading: str,
    brings: list[str],
) -> HttpResponse:
    """Say what an answer brings, and give it when the button is pressed."""
    if request.method != "POST" and not dissent.can(verb):
        return redirect("dissent", dissent.pk)
    if request.method == "POST" and form.is_valid():
        act(dissent=dissent, by=request.user, at=request.at, **form.cleaned_data)
        messages.success(request, done)
        return redirect("dissent", dissent.pk)
    proposal = next((one for one in dissent.proposals.all() if one.answered_at is None), None)
    return show_own(
        request,
        "dissenter_confirm.html",
        dissent,
        what="dissent",
        form=form,
        heading=heading,
        brings=brings,
        proposal=proposal,
        back=_own(dissent),
    )


def _own(dissent: Dissent) -> str:
    return reverse("dissent", args=[dissent.pk])


def _address_of(letter: Letter) -> str:
    return f"/letters/{letter.pk}/"


def _clocks(dissent: Dissent) -> list[Clock]:
    """Return its clocks, once it goes on: before, one that runs would say that its conference was found."""
    return list(dissent.clocks.all()) if dissent.attendance else []


def _tasks(request: HttpRequest, dissent: Dissent) -> list[dict[str, object]]:
    answers = dissent.answers_by_question()
    return [
        {
            "words": question.label,
            "state": "Answered" if answers.get(question.key, "").strip() else "Not answered yet",
            "colour": "" if answers.get(question.key, "").strip() else "blue",
            "href": reverse("form_question", args=[dissent.pk, question.key]),
        }
        for question in questions(dissent, answers, late=is_late_to_file(dissent, at=request.at))
    ]


def _steps(dissent: Dissent) -> list[dict[str, object]]:
    """Return the steps of the present stage, and which of them are recorded."""
    if dissent.state != AT_STAGE:
        return []
    missing = {step.key for step in dissent.missing_steps()}
    return [
        {"words": step.label, "state": "To come" if step.key in missing else "Done"}
        for step in dissent.rules_of_stage.steps
    ]


urlpatterns = [
    *dissent_form.urlpatterns,
    path("dissents/<uuid:pk>/management/", tell_management, name="tell_management"),
    path("dissents/<uuid:pk>/agree/", agree_to_resolution, name="agree_to_resolution"),
    path("dissents/<uuid:pk>/refuse/", refuse_resolution, name="refuse_resolution"),
    path("dissents/<uuid:pk>/take-further/", take_further, name="take_further"),
    path("dissents/<uuid:pk>/accept/", accept, name="accept"),
    path("dissents/<uuid:pk>/withdraw/", withdraw, name="withdraw"),
]

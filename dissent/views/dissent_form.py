"""The dissent form: one question a page, everything typed kept, then read again, declared and sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.views.decorators.http import require_POST
from django_fsm import TransitionNotAllowed

from councils.procedure import Question
from dissent import actions
from dissent.actions.dissent import LATE, AnswersMissing, ReasonMissing, is_late_to_file
from dissent.forms.dissenter import DeclarationForm, QuestionForm, as_read, as_typed
from dissent.models import Child, Dissent, Letter
from dissent.views import shown, typed
from dissent.views.common import day, day_and_time, find_dissent, local, needs, page, sent_by, show
from dissent.views.standing import standing


def own_dissent(request: HttpRequest, pk: UUID) -> Dissent:
    """Return the reader's own dissent. Raises Http404 for anybody else's."""
    dissent = find_dissent(request, pk)
    needs("dissenter" in dissent.stands_as)
    return dissent


def show_own(
    request: HttpRequest, template: str, dissent: Dissent, *, what: str, **context: Any
) -> HttpResponse:
    """Return a page of the reader's own dissent, and record that it was read."""
    actions.record_read(
        council=dissent.council, about=dissent, what=what, by=request.user, at=request.at, case=dissent
    )
    return show(
        request,
        template,
        section="work",
        council=dissent.council,
        dissent=dissent,
        terms=dissent.rules.words,
        **context,
    )


def questions(dissent: Dissent, answers: dict[str, str], *, late: bool) -> list[Question]:
    """Return the questions that these answers leave to be asked, why it is late among them where it is."""
    asked = dissent.questions_asked(answers)
    return [*asked, _why_late(dissent)] if late else asked


def unanswered(asked: list[Question], answers: dict[str, str]) -> list[Question]:
    return [question for question in asked if question.required and not answers.get(question.key, "").strip()]


def own_letters(request: HttpRequest, dissent: Dissent) -> list[Letter]:
    """Return the letters that were released to the reader about this dissent."""
    visible = Letter.objects.visible_to(request.user, at=request.at)
    return list(visible.filter(dissent=dissent, to=request.user).order_by("released_at", "id"))


def known_rows(dissent: Dissent) -> list[dict[str, object]]:
    """Return what the form shows and does not ask: what the conference's record says, or until there is one
    what the dissenter said of it."""
    if dissent.attendance is None:
        return _claimed_rows(dissent)
    conference, words = dissent.conference, dissent.rules.words
    held, ended = local(conference.held_at), local(conference.ended_at)
    agency = dissent.attendance.agency
    return [
        {"key": "Your name", "value": dissent.attendance.name},
        {"key": "Your agency", "value": agency.name if agency else ""},
        {"key": "Conference", "value": conference.get_kind_display()},
        {"key": "Held on", "value": f"{day(held)}, {held:%H:%M} to {ended:%H:%M}"},
        {"key": words.chair.one, "value": conference.chair.name},
        {"key": "Children", "lines": [_named(child) for child in dissent.children.all()]},
    ]


def _claimed_rows(dissent: Dissent) -> list[dict[str, object]]:
    rows = shown.claim_rows(dissent.claim, dissent.rules)
    if dissent.can("change_claim"):
        rows[-1] |= {"href": reverse("change_claim", args=[dissent.pk]), "action": "Change any of this"}
    return rows


@page
def dissent_form(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Go to the first question that waits for an answer, or to all the answers where none does."""
    dissent = own_dissent(request, pk)
    if not dissent.is_being_written:
        return redirect("form_sent", pk)
    answers = dissent.answers_by_question()
    waiting = unanswered(questions(dissent, answers, late=is_late_to_file(dissent, at=request.at)), answers)
    return redirect("form_question", pk, waiting[0].key) if waiting else redirect("check_answers", pk)


def form_question(request: HttpRequest, pk: UUID, question: str) -> HttpResponse:
    """Ask one question. Continue keeps what was typed, also where it cannot stand as an answer yet."""
    if request.method == "POST" and not request.user.is_authenticated:
        typed.hold_until_signed_in(request)
    return _form_question(request, pk, question)


@page
def _form_question(request: HttpRequest, pk: UUID, question: str) -> HttpResponse:
    dissent = own_dissent(request, pk)
    late = is_late_to_file(dissent, at=request.at)
    asking = _question(dissent, question)
    if request.method != "POST" and not dissent.is_being_written:
        return redirect("form_sent", pk)
    sent = request.POST if request.method == "POST" else typed.held(request)
    other = ""
    if sent is not None:
        other = _keep(request, dissent, asking, sent)
        if request.method != "POST" and not other:
            messages.success(request, "You had been signed out. What you typed is kept.")
        elif request.POST.get("then") == "later" and not other:
            messages.success(request, "What you typed is kept. You can come back to it at any time.")
            return redirect("dissent", pk)
    form = QuestionForm(
        asking,
        {**dict(sent.items()), "opened": typed.seal(request)} if other or request.method == "POST" else None,
        kept=dissent.answers_by_question().get(question, ""),
        opened=typed.seal(request),
    )
    if request.method == "POST" and form.is_valid() and not other:
        return redirect(_after(request, dissent, asking, late=late))
    form.keep_url = reverse("keep_answer", args=[pk, question])
    return show_own(
        request,
        "dissenter_question.html",
        dissent,
        what="form",
        form=form,
        asking=asking,
        other=other,
        status=409 if other and request.method == "POST" else 200,
        back=_before(request, dissent, asking, late=late),
    )


@require_POST
@page
def keep_answer(request: HttpRequest, pk: UUID, question: str) -> HttpResponse:
    """Keep what is being typed, as it is typed. Nothing is looked at but who types, and where else.

    Where it cannot be kept the answer is a sentence for the page that is open.
    """
    dissent = own_dissent(request, pk)
    try:
        if not _keep(request, dissent, _question(dissent, question), request.POST):
            return HttpResponse(status=204)
        said = "Not saved: this answer was changed in another window. Continue shows you both."
    except TransitionNotAllowed:
        said = "Not saved: the form was sent, and what is typed here is not part of it."
    return HttpResponse(said, content_type="text/plain; charset=utf-8", status=409)


@page
def check_answers(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show everything before it is sent, and send it."""
    dissent = own_dissent(request, pk)
    if not dissent.is_being_written:
        return redirect("form_sent", pk)
    late = is_late_to_file(dissent, at=request.at)
    answers = dissent.answers_by_question()
    asked = questions(dissent, answers, late=late)
    form = DeclarationForm(
        sent_by(request), declaration=dissent.rules.filing.declaration, seen=_digest(answers)
    )
    if request.method == "POST" and form.is_valid():
        return _send(request, dissent)
    return show_own(
        request,
        "dissenter_check_answers.html",
        dissent,
        what="form",
        form=form,
        late=standing(dissent, [], at=request.at).now if late else [],
        known=known_rows(dissent),
        answers=[_check_row(dissent, question, answers) for question in asked],
        management=management_rows(dissent),
        back=reverse("dissent", args=[pk]),
    )


@page
def form_sent(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Confirm that the form was sent, with what was in it: a receipt to print."""
    dissent = own_dissent(request, pk)
    if dissent.filed_at is None:
        return redirect("dissent", pk)
    sent = [
        {"key": "Sent", "value": day_and_time(dissent.filed_at)},
        {"key": "Reference", "value": dissent.reference},
    ]
    return show_own(
        request,
        "dissenter_form_sent.html",
        dissent,
        what="form",
        sent=[*sent, *known_rows(dissent)],
        answers=shown.form_rows(dissent),
        stands=standing(dissent, own_letters(request, dissent), at=request.at),
        back=reverse("dissent", args=[pk]),
    )


def management_rows(dissent: Dissent) -> list[dict[str, object]]:
    """Return who of the dissenter's own management was told, and when."""
    said = (
        "Not yet"
        if dissent.manager_told_on is None
        else f"{dissent.manager_name}, on {day(dissent.manager_told_on)}"
    )
    row: dict[str, object] = {"key": dissent.rules.filing.management.question, "value": said}
    if dissent.can("tell_management"):
        row["href"] = reverse("tell_management", args=[dissent.pk])
        row["action"] = "Record it" if dissent.manager_told_on is None else "Change"
    return [row]


def typed_rows(dissent: Dissent) -> list[dict[str, object]]:
    """Return everything that was typed into the form, also at questions that it no longer asks."""
    answers = dissent.answers_by_question()
    return [
        {"key": question.label, "value": as_read(question, answers[question.key]), "typed": True}
        for question in [*dissent.rules.filing.questions, _why_late(dissent)]
        if answers.get(question.key, "").strip()
    ]


def _why_late(dissent: Dissent) -> Question:
    late = dissent.rules.filing.late
    return Question(key=LATE, label=late.question, hint=late.hint, source=late.source)


def _question(dissent: Dissent, key: str) -> Question:
    """Return the question of that key, asked or not. Raises Http404 where the form has none."""
    every = {question.key: question for question in [*dissent.rules.filing.questions, _why_late(dissent)]}
    needs(key in every)
    return every[key]


def _keep(request: HttpRequest, dissent: Dissent, asking: Question, sent: Mapping[str, str]) -> str:
    """Keep what was sent, or keep nothing and return what it would have written over."""
    text = as_typed(asking, sent)
    if other := typed.other_text(request, dissent, asking.key, sent, text):
        return as_read(asking, other)
    answer = actions.keep_answer(
        dissent=dissent, question=asking.key, text=text, by=request.user, at=request.at
    )
    typed.kept(request, answer, sent)
    return ""


def _from_the_check(request: HttpRequest) -> bool:
    return request.GET.get("from") == "check"


def _after(request: HttpRequest, dissent: Dissent, asking: Question, *, late: bool) -> str:
    """Return where Continue leads: on through the form, or from a change back to all the answers."""
    answers = dissent.answers_by_question()
    asked = questions(dissent, answers, late=late)
    keys = [question.key for question in asked]
    if _from_the_check(request):
        following, suffix = unanswered(asked, answers), "?from=check"
    else:
        following, suffix = asked[keys.index(asking.key) + 1 :] if asking.key in keys else [], ""
    if following:
        return reverse("form_question", args=[dissent.pk, following[0].key]) + suffix
    if dissent.manager_told_on is None and not suffix:
        return reverse("tell_management", args=[dissent.pk])
    return reverse("check_answers", args=[dissent.pk])


def _before(request: HttpRequest, dissent: Dissent, asking: Question, *, late: bool) -> str:
    if _from_the_check(request):
        return reverse("check_answers", args=[dissent.pk])
    keys = [question.key for question in questions(dissent, dissent.answers_by_question(), late=late)]
    place = keys.index(asking.key) if asking.key in keys else 0
    if place == 0:
        return reverse("dissent", args=[dissent.pk])
    return reverse("form_question", args=[dissent.pk, keys[place - 1]])


def _check_row(dissent: Dissent, question: Question, answers: dict[str, str]) -> dict[str, object]:
    said = as_read(question, answers.get(question.key, ""))
    return {
        "key": question.label,
        "value": said if said.strip() else "Not answered yet",
        "typed": True,
        "href": reverse("form_question", args=[dissent.pk, question.key]) + "?from=check",
        "action": "Change" if said.strip() else "Answer",
    }


def _digest(answers: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(answers, sort_keys=True).encode()).hexdigest()


def _send(request: HttpRequest, dissent: Dissent) -> HttpResponse:
    try:
        actions.file_dissent(dissent=dissent, by=request.user, at=request.at)
    except AnswersMissing as missing:
        messages.warning(request, "Answer this question before you send the form.")
        return _to_question(dissent, missing.questions[0])
    except ReasonMissing:
        messages.warning(request, "The time for the form has run out. Say why it is late, then send it.")
        return _to_question(dissent, LATE)
    except TransitionNotAllowed:  # the button was pressed twice: it was sent, once
        pass
    return redirect("form_sent", dissent.pk)


def _to_question(dissent: Dissent, key: str) -> HttpResponse:
    return redirect(reverse("form_question", args=[dissent.pk, key]) + "?from=check")


def _named(child: Child) -> str:
    if child.born_on:
        return f"{child}, born on {day(child.born_on)}"
    return f"{child}, expected on {day(child.due_on)}"


urlpatterns = [
    path("dissents/<uuid:pk>/form/", dissent_form, name="dissent_form"),
    path("dissents/<uuid:pk>/form/<slug:question>/", form_question, name="form_question"),
    path("dissents/<uuid:pk>/form/<slug:question>/keep/", keep_answer, name="keep_answer"),
    path("dissents/<uuid:pk>/check/", check_answers, name="check_answers"),
    path("dissents/<uuid:pk>/sent/", form_sent, name="form_sent"),
]

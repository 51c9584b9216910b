"""The start page: danger first, then what this is for, who belongs elsewhere, how it goes, and the way in."""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone

from councils.models import Council
from councils.procedure import Clock, Procedure, Stage
from dissent.forms.start import ChooseCouncil
from dissent.views.common import only_council, show

WITHIN_OF = {
    "conference_held": "the start of the conference",
    "conference_ended": "the end of the conference",
    "matched": "the conference being found",
    "raising_answered": "the chair saying whether it was raised",
    "entry_settled": "the decision whether it goes on",
    "raised": "the dissent being recorded",
    "filed": "the form being sent",
    "admission_decided": "the decision to let a late form in",
    "stage_entered": "the day on which it reaches that stage",
    "resolution_proposed": "the proposal",
    "resolution_answered": "the answer to the proposal",
    "escalation_offered": "the offer",
    "escalation_answered": "the answer to the offer",
    "decided": "the decision",
    "letters_issued": "the last letter",
    "further_conference_held": "the further conference",
}


def start(request: HttpRequest) -> HttpResponse:
    """Show everybody what this service is and where they should go, signed in or not."""
    councils = list(Council.objects.order_by("name"))
    form = ChooseCouncil(request.GET if "council" in request.GET else None, councils=councils)
    council = only_council(request)
    if form.is_bound and form.is_valid():
        council = next(one for one in councils if one.key == form.cleaned_data["council"])
    rules = _rules(council, at=timezone.now()) if council else None
    return show(
        request,
        "start.html",
        council=council,
        form=form if len(councils) > 1 else None,
        rules=rules,
        steps=steps(rules) if rules else [],
        sign_in=reverse("account_request_login_code"),
    )


def steps(rules: Procedure) -> list[str]:
    """Return how a dissent goes under `rules`, a sentence or two for each step, in order."""
    words = rules.words
    return [
        f"You say in the {words.conference.one} that you dissent, and the {words.chair.one} records it.",
        f"You put your reasons in writing and send the {words.dissent_form.one}{_by(rules, 'filed')}.",
        *(_stage(rules, stage, first=stage is rules.stages[0]) for stage in rules.stages),
    ]


def _stage(rules: Procedure, stage: Stage, *, first: bool) -> str:
    who = rules.title_of(stage.review.decided_by) if stage.review else f"the {rules.words.panel.one}"
    said = f"It is looked at by: {who}."
    if not first:
        said = f"If it is not resolved, you can take it further to: {who}."
    if any(step.with_whom == "dissenter" for step in stage.steps):
        said += " You are asked to talk it over before there is any outcome."
    for rule in rules.clocks:
        if rule.stage == stage.key and rule.until in ("decided", "letters_issued"):
            said += f" {rule.label}: {_within(rule)}."
    return said


def _by(rules: Procedure, until: str) -> str:
    limits = [_within(rule) for rule in rules.clocks if rule.until == until]
    return f", {limits[0]}" if limits else ""


def _within(rule: Clock) -> str:
    return f"within {rule.limit} of {WITHIN_OF[rule.start]}"


def _rules(council: Council, *, at: dt.datetime) -> Procedure | None:
    version = council.procedure_on(timezone.localdate(at))
    return version.rules if version else None


urlpatterns = [path("", start, name="start")]

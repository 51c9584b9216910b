"""The panel's papers as one document: contents, the forms, then a sheet for each page of each paper.

What stands on each page of it says whose copy it is, so that one left lying about can be traced.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone

from councils.models import Person
from councils.wording import kept_apart
from dissent.letters import child_in_words, in_words
from dissent.models import Dissent, Paper
from dissent.pdf import Document


def panel_papers(
    dissents: Sequence[Dissent], papers: Sequence[Paper], *, reader: Person, at: dt.datetime
) -> Document:
    """Return the page that a panel's bundle is made from, with a place for each of `papers` in turn.

    The forms stand in it where the panel's rules name them among its papers (ST-25). Needs `answers` and
    `children` of each dissent, and `agency` of each paper.
    """
    first = dissents[0]
    rules = first.rules_of_stage.panel
    assert rules  # noqa: S101  asked only at a stage with a panel
    panel = first.rules.words.panel.one
    title = f"Papers of the {panel}"
    html = render_to_string(
        "letters/bundle.html",
        {
            "lang": "en-GB",
            "title": title,
            "council": first.council.name,
            "references": ", ".join(dissent.reference for dissent in dissents),
            "about": f"{first.conference.get_kind_display()} on {_day(first.conference.held_at)}",
            "confidentiality": rules.confidentiality,
            "stamp": f"Copy of {kept_apart(_named(reader))}, {_moment(at)}. Confidential.",
            "forms": [_form(dissent) for dissent in dissents] if "form" in rules.papers else [],
            "papers": [_paper(paper) for paper in papers],
        },
    )
    return Document(html, title)


def _form(dissent: Dissent) -> dict[str, Any]:
    conference, words = dissent.conference, dissent.rules.words
    children = [
        f"{child_in_words(child)}, {words.record_number.one}: {child.record_number or 'not known yet'}"
        for child in dissent.children.all()
    ]
    agency = dissent.attendance.agency
    who = [dissent.attendance.name, dissent.attendance.job, agency.name if agency else ""]
    return {
        "title": f"{words.dissent_form.one[:1].upper()}{words.dissent_form.one[1:]} {dissent.reference}",
        "rows": [
            ("Children", "\n".join(children)),
            (conference.get_kind_display(), _day(conference.held_at)),
            (words.chair.one, conference.chair.name),
            ("Raised by", ", ".join(filter(None, who))),
            ("Sent", _moment(dissent.filed_at) if dissent.filed_at else ""),
            *dissent.form_as_sent(),
        ],
    }


def _paper(paper: Paper) -> str:
    return ": ".join(filter(None, [paper.get_kind_display(), paper.agency and paper.agency.name]))


def _named(person: Person) -> str:
    return ", ".join(filter(None, [person.name, person.agency and person.agency.name]))


def _day(moment: dt.datetime) -> str:
    return in_words(timezone.localdate(moment))


def _moment(moment: dt.datetime) -> str:
    return f"{_day(moment)}, {timezone.localtime(moment):%H:%M}"

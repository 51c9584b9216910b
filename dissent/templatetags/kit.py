"""What a page's template says to put a form on the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import template
from django.forms import BaseForm
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

from dissent.forms.base import Control, Kit, control, problems

register = template.Library()


@register.simple_tag(takes_context=True)
def render(context: Context, form: Kit) -> SafeString:
    """The whole form: its tag, fields and buttons. The summary of its errors stands in base.html."""
    return form.rendered(context.flatten())


@register.simple_tag(takes_context=True)
def fields(context: Context, form: Kit) -> SafeString:
    """The fields and buttons alone, inside a form tag that the page writes itself."""
    return form.rendered(context.flatten(), tag=False)


@register.inclusion_tag("gds/layout/error_summary.html")
def error_summary(form: BaseForm | None) -> dict[str, Any]:
    """What is wrong, each with a link to where it is mended. Nothing where nothing is."""
    return {"problems": problems(form) if form and form.errors else []}


@register.simple_tag(name="control")
def control_of(bound: Any) -> Control:
    """What templates/gds/field.html needs of a bound field."""
    return control(bound)


@register.inclusion_tag("components/table.html")
def table(
    caption: str,
    headings: Sequence[str],
    rows: Iterable[Sequence[str | dict[str, str]]],
    empty: str = "There is nothing here.",
    caption_hidden: bool = False,
) -> dict[str, Any]:
    """A table whose rows stack on a narrow screen. The first cell names its row.

    A cell is its words, or a dict of words and, where there is one, href, tag (a colour) and note.
    """
    return {
        "caption": caption,
        "caption_hidden": caption_hidden,
        "headings": headings,
        "empty": empty,
        "rows": [
            [
                _cell(cell, heading, first=not place)
                for place, (cell, heading) in enumerate(zip(row, headings, strict=True))
            ]
            for row in rows
        ],
    }


def _cell(cell: str | dict[str, str], heading: str, *, first: bool) -> SafeString:
    # In Python, because a template takes several times as long, and a list has hundreds of cells.
    cell = cell if isinstance(cell, dict) else {"words": cell}
    words = cell["words"]
    if cell.get("href"):
        words = format_html('<a class="govuk-link" href="{}">{}</a>', cell["href"], words)
    elif cell.get("tag"):
        words = format_html('<strong class="govuk-tag govuk-tag--{}">{}</strong>', cell["tag"], words)
    if cell.get("note"):
        words = format_html('{}<div class="note">{}</div>', words, cell["note"])
    if first:
        return format_html('<th scope="row" role="rowheader" class="govuk-table__header">{}</th>', words)
    return format_html('<td role="cell" class="govuk-table__cell" data-label="{}">{}</td>', heading, words)

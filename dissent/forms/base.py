"""The one door to forms: fields that explain themselves, and how a form is put on a page.

A page's form is a `Form` with the fields of `dissent.forms.fields`; its template says `{% render form %}`.
Nothing outside this module and `templates/gds/` knows which library lays a form out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout, LayoutObject
from crispy_forms.utils import render_crispy_form
from django import forms
from django.forms.boundfield import BoundField
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from dissent.forms.fields import Box, Boxes

# --- a form on its page ----------------------------------------------------------------------------


class Button(NamedTuple):
    """A way to leave the form: a button, or with `href` a link that sends nothing."""

    words: str
    name: str = ""
    value: str = ""
    kind: str = ""  # "", "secondary" or "warning"
    href: str = ""


class Kit:
    """What makes a Django form one of ours; mixed into forms that another library brings.

    `question`: the page asks one thing, and the label of the form's first field is its heading.
    `groups`: fields under a heading each, as (heading, names); the rest follow in their own order.
    `unmarked`: fields that are not required by themselves, and are not marked "(optional)" either.
    `keep_url`: set by the view where what is typed is kept as it is typed.
    """

    buttons: tuple[Button, ...] = (Button("Continue"),)
    question = False
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    unmarked: tuple[str, ...] = ()
    action = ""
    keep_url = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.use_required_attribute = False  # the browser's own bubbles would hide our sentences
        for name, one in self.fields.items():
            default = forms.Field.default_error_messages["required"]
            if one.error_messages.get("required") == default:
                one.error_messages["required"] = _missing(one, name)

    def rendered(self, context: dict[str, Any], *, tag: bool = True) -> SafeString:
        """Return the whole form, or without `tag` its fields and buttons alone."""
        grouped = {name for _, names in self.groups for name in names}
        helper = FormHelper()
        helper.form_tag, helper.disable_csrf = tag, not tag
        helper.form_action = self.action
        helper.include_media = False
        helper.layout = Layout(
            *(_Group(heading, names) for heading, names in self.groups),
            *(name for name in self.fields if name not in grouped),
            *([_Buttons(self.buttons)] if self.buttons else []),
        )
        return render_crispy_form(self, helper, context)


class Form(Kit, forms.Form):
    """A form of the product."""


class _Group(LayoutObject):
    """Fields under one heading. The pack's own compiles its legend as a template; this one does not."""

    def __init__(self, heading: str, names: Iterable[str]) -> None:
        self.heading, self.fields = heading, list(names)

    def render(self, form: Form, context: Any, template_pack: str = "gds", **kwargs: Any) -> str:
        fields = self.get_rendered_fields(form, context, template_pack, **kwargs)
        return render_to_string("gds/layout/fieldset.html", {"heading": self.heading, "fields": fields})


class _Buttons(LayoutObject):
    def __init__(self, buttons: Iterable[Button]) -> None:
        self.buttons, self.fields = tuple(buttons), []

    def render(self, form: Form, context: Any, template_pack: str = "gds", **kwargs: Any) -> str:
        return render_to_string("gds/layout/buttons.html", {"buttons": self.buttons})


def _missing(one: forms.Field, name: str) -> str:
    label = str(one.label or name.replace("_", " "))
    if label.endswith("?"):
        return f"Answer the question “{label}”"
    verb = "Choose" if isinstance(one, forms.ChoiceField | forms.FileField) else "Enter"
    return f"{verb} an answer for “{label}”" if " " in label else f"{verb} the {label.lower()}"


# --- one field, as its template needs it -----------------------------------------------------------


@dataclass
class Control:
    """A bound field, ready for `templates/gds/field.html`."""

    id: str
    kind: str
    label: str
    hint: str
    heading: bool
    optional: bool
    errors: list[str]
    html: str
    boxes: list[Box]
    described_by: str
    count: int | None  # characters allowed, where the page counts along


KINDS: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.CheckboxSelectMultiple, "checkboxes"),
    (forms.RadioSelect, "radios"),
    (forms.CheckboxInput, "checkbox"),
    (forms.Select, "select"),
    (forms.Textarea, "textarea"),
    (forms.FileInput, "file"),
    (forms.PasswordInput, "password"),
)
STYLES = {
    "checkbox": "govuk-checkboxes__input",
    "select": "govuk-select",
    "textarea": "govuk-textarea",
    "file": "govuk-file-upload",
    "input": "govuk-input",
    "password": "govuk-input govuk-password-input__input govuk-js-password-input-input",
}
WRONG = {
    "select": "govuk-select--error",
    "textarea": "govuk-textarea--error",
    "file": "govuk-file-upload--error",
    "input": "govuk-input--error",
    "password": "govuk-input--error",
}


def _kind(bound: BoundField) -> str:
    widget = bound.field.widget
    if isinstance(widget, Boxes):
        return "boxes"
    return next((kind for type_, kind in KINDS if isinstance(widget, type_)), "input")


def _boxes(bound: BoundField, kind: str) -> list[Box]:
    if kind == "boxes":
        return bound.field.widget.boxes(bound)
    if kind not in {"radios", "checkboxes"}:
        return []
    hints = getattr(bound.field, "hints", {})
    return [
        Box(
            id=one.data["attrs"]["id"],
            name=one.data["name"],
            label=one.data["label"],
            value=str(one.data["value"]),
            hint=hints.get(str(one.data["value"]), ""),
            checked=one.data["selected"],
        )
        for one in bound.subwidgets
    ]


def control(bound: BoundField) -> Control:
    """Return what the template of a field needs, of our forms or of another library's."""
    form, id, kind = bound.form, bound.auto_id, _kind(bound)
    errors = [str(message) for message in bound.errors]
    count = getattr(bound.field, "max_length", None) if kind == "textarea" else None
    described = [f"{id}_hint"] if bound.help_text else []
    described += [f"{id}_error_{number}" for number, _ in enumerate(errors, 1)]
    described += [f"{id}-info"] if count else []
    html = ""
    if kind in STYLES:
        styles = [STYLES[kind], bound.field.widget.attrs.get("class")]
        styles += [WRONG.get(kind)] * bool(errors) + ["govuk-js-character-count"] * bool(count)
        html = bound.as_widget(
            attrs={"class": " ".join(filter(None, styles)), "aria-describedby": " ".join(described)}
        )
    return Control(
        id=id,
        kind=kind,
        label=bound.label,
        hint=bound.help_text,
        heading=getattr(form, "question", False) and next(iter(form.fields)) == bound.name,
        optional=not bound.field.required
        and kind != "checkbox"
        and bound.name not in getattr(form, "unmarked", ()),
        errors=errors,
        html=html,
        boxes=_boxes(bound, kind),
        described_by=" ".join(described),
        count=count,
    )


def _focus(bound: BoundField) -> str:
    """Return the id of the control to go to when `bound` is wrong; empty where it has none."""
    kind = _kind(bound)
    if kind in STYLES:
        return bound.auto_id
    boxes = _boxes(bound, kind)
    return next((box.id for box in boxes if box.wrong), boxes[0].id if boxes else "")


def problems(form: forms.BaseForm) -> list[tuple[str, str]]:
    """Return (id to go to, sentence) for each error, in the page's order; no id where none takes focus."""
    general = [("", str(message)) for message in form.non_field_errors()]
    hidden = [("", str(message)) for bound in form.hidden_fields() for message in bound.errors]
    grouped = [name for _, names in getattr(form, "groups", ()) for name in names]
    shown = dict.fromkeys([*grouped, *form.fields])
    named = [
        (_focus(form[name]), str(message))
        for name in shown
        if not form[name].is_hidden and form[name].errors
        for message in form[name].errors
    ]
    return general + hidden + named

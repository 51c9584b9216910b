"""Administrators' wording: placeholders from a closed list, put in once, and values that stay values."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from councils.wording import UnknownPlaceholder, kept_apart, placeholders, substitute

RIGHT_TO_LEFT_OVERRIDE = "\u202e"
ISOLATE, POP_ISOLATE = "\u2068", "\u2069"


def test_placeholders_are_the_names_in_braces() -> None:
    text = "About {children}, {reference} and {children}; {{7*7}} {% now %} {Child} { child } {} {child"
    assert placeholders(text) == {"children", "reference"}


def test_every_placeholder_gets_its_value() -> None:
    said = substitute("{dissenter} of {agency}: {dissenter}", {"dissenter": "Jo Bloggs", "agency": "School"})
    assert said == "Jo Bloggs of School: Jo Bloggs"


@pytest.mark.parametrize(
    "value",
    [
        "{reference}",
        "{{7*7}}",
        "{% include 'secret' %}",
        "<script>alert(1)</script>",
        "\\1 \\g<0>",
        "%(reference)s ${reference} {0.__class__}",
        "two\nlines",
    ],
)
def test_a_value_is_put_in_as_it_is_and_never_looked_at_again(value: str) -> None:
    assert substitute("a {name} b", {"name": value, "reference": "SECRET"}) == f"a {value} b"


def test_other_uses_of_braces_stay_as_they_are() -> None:
    text = "{{7*7}} {% now %} {Child} {0} {child.name} {} { child }"
    assert substitute(text, {}) == text


def test_an_unknown_placeholder_is_refused_with_those_that_may_be_used() -> None:
    with pytest.raises(UnknownPlaceholder) as refused:
        substitute("Dear {adressee}", {"reference": "R", "addressee": "A"})
    assert str(refused.value) == (
        "{adressee} is not a placeholder that is filled in here. Use: {addressee}, {reference}."
    )


def test_where_there_are_none_the_refusal_says_so() -> None:
    with pytest.raises(UnknownPlaceholder, match="No placeholder may be used here"):
        substitute("{name}", {})


def test_a_value_that_turns_the_writing_round_is_closed_in_an_isolate() -> None:
    said = substitute("{name} is not upheld", {"name": RIGHT_TO_LEFT_OVERRIDE + "Bob"})
    assert said == f"{ISOLATE}{RIGHT_TO_LEFT_OVERRIDE}Bob{POP_ISOLATE} is not upheld"


def test_each_line_of_such_a_value_is_closed_because_a_line_ends_every_isolate() -> None:
    assert kept_apart("Bob\n\u202eevil\n") == f"{ISOLATE}Bob{POP_ISOLATE}\n{ISOLATE}\u202eevil{POP_ISOLATE}\n"


@pytest.mark.parametrize("name", ["Zoë O’Brien-Łukasz", "Nguyễn Văn A", "王小明", "Anna\nMaria", ""])
def test_a_name_that_turns_nothing_round_is_unchanged(name: str) -> None:
    assert kept_apart(name) == name


@given(st.text(st.sampled_from("ab1 \n\u05d0\u0627\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")))
def test_no_value_gets_out_of_its_isolate(value: str) -> None:
    for line in kept_apart(value).split("\n"):
        depth = 0
        for place, character in enumerate(line):
            kind = unicodedata.bidirectional(character)
            if kind in {"LRI", "RLI", "FSI"}:
                depth += 1
            elif kind == "PDI":
                depth -= 1
                assert depth > 0 or place == len(line) - 1
            elif kind not in {"L", "EN", "WS"}:
                assert depth > 0
        assert depth == 0

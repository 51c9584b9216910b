"""Administrators' own wording: a closed list of placeholders, put in once and never compiled."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")

# Unicode's own classes: letters written from right to left, and the controls that turn text round.
_TURNING = {"R", "AL", "AN", "LRE", "LRO", "RLE", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
_FIRST_STRONG_ISOLATE = "\u2068"
_POP_ISOLATE = "\u2069"
_LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"


class UnknownPlaceholder(ValueError):
    """The wording names a placeholder that nothing fills in. Lists those that may be used."""

    def __init__(self, name: str, allowed: Iterable[str]) -> None:
        self.name = name
        self.allowed = sorted(allowed)
        use = ", ".join(f"{{{each}}}" for each in self.allowed)
        super().__init__(
            f"{{{name}}} is not a placeholder that is filled in here. "
            + (f"Use: {use}." if use else "No placeholder may be used here.")
        )


def placeholders(text: str) -> set[str]:
    """The names of the placeholders in `text`, without their braces."""
    return set(_PLACEHOLDER.findall(text))


def substitute(text: str, values: Mapping[str, str]) -> str:
    """Return `text` with each `{name}` replaced by its value, in one pass.

    Values are put in as they are: what looks like a placeholder inside one stays. So does every
    other use of braces. Raises UnknownPlaceholder where `values` lacks a name.
    """

    def fill(found: re.Match[str]) -> str:
        name = found[1]
        if name not in values:
            raise UnknownPlaceholder(name, values)
        return kept_apart(values[name])

    return _PLACEHOLDER.sub(fill, text)


def kept_apart(value: str) -> str:
    """`value`, each line closed in an isolate of its own where it could turn the words around it.

    A right-to-left mark in a name must not reverse a decision's sentence. A value written from
    left to right comes back unchanged.
    """
    if _TURNING.isdisjoint(map(unicodedata.bidirectional, value)):
        return value
    # The end of a line ends every isolate too, so each line needs its own.
    return "".join(map(_isolated, value.splitlines(keepends=True)))


def _isolated(line: str) -> str:
    words = line.rstrip(_LINE_ENDS)
    opened, kept = 0, []
    for character in words:
        kind = unicodedata.bidirectional(character)
        if kind in {"LRI", "RLI", "FSI"}:
            opened += 1
        elif kind == "PDI":
            if not opened:
                # It would close our own isolate and let the rest of the line out.
                continue
            opened -= 1
        kept.append(character)
    return _FIRST_STRONG_ISOLATE + "".join(kept) + _POP_ISOLATE * (opened + 1) + line[len(words) :]

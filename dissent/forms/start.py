"""Which council, where an installation serves several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from councils.models import Council
from dissent.forms.base import Button, Form
from dissent.forms.fields import Select


class ChooseCouncil(Form):
    """The council that held the conference."""

    buttons = (Button("Continue", kind="secondary"),)

    council = Select(label="Which council held the conference?", missing="Choose the council")

    def __init__(self, data: Mapping[str, Any] | None = None, *, councils: Iterable[Council]) -> None:
        super().__init__(data)
        named = [(council.key, council.name) for council in councils]
        self.fields["council"].choices = [("", "Choose a council"), *named]

"""The form with which a second person releases letters."""

from __future__ import annotations

from typing import Any

from django import forms

from dissent.forms.base import Button, Form
from dissent.forms.fields import Tick


class ReleaseForm(Form):
    """That the letters were read. `seen` holds which bytes the page listed, so that no others go out."""

    buttons = (Button("Release the letters"),)

    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    read = Tick(
        label="I have read the letters and the list of people they go to",
        missing="Tick to say that you have read the letters and the list of people they go to",
    )

    def __init__(self, *args: Any, listed: str, **kwargs: Any) -> None:
        super().__init__(*args, initial={"seen": listed}, **kwargs)
        self._listed = listed

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        if said.get("seen") != self._listed:
            self.data = {"seen": self._listed}
            self.add_error(None, "The letters have changed since you opened this page. Read them again.")
        return said
